"""Learning of a forest from a sample: bins, the choice of a plan, and trees of boxes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import Cluster
from densernn.errors import SmallerForestWarning, user_level
from densernn.forest.bins import ColumnBins
from densernn.forest.boxes import BoxTree
from densernn.forest.choice import choose_plan
from densernn.forest.evaluation import HeldOut
from densernn.forest.forest_map import ForestMap, coefficients_of
from densernn.forest.plan import SMALL, Plan, Search, search_for
from densernn.forest.readout import ForestReadout, OpenReadout
from densernn.forest.sampled import SampledRows, blocks_of
from densernn.forest.solution import ClassProbabilities, LabelProbabilities, ValuesInRange
from densernn.forest.structure import Structure, draw_trees
from densernn.forest.table import BinnedTable
from densernn.forest.trials import Trials

FloatArray = NDArray[np.float64]

ALPHAS = np.array([1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0])
"""Penalties that are tried, as shares of the mean eigenvalue of a region's products."""

N_FOLDS = 5

TRIED_TREES = 4

KEPT_SHARE, KEPT_MOST = 0.15, 10_000
"""Rows of a larger table that are kept aside from its structure, to choose by."""

TRIED_SHARE, TRIED_LEAST, TRIED_MOST = 0.5, 5_000, 30_000
"""Rows that plans are tried on: a share of all, at least, and at most.  Regions are of a number of
rows, whatever the table: so a part of the rows decides nearly the same."""

FEWEST_TREES = 4


@dataclass(frozen=True, eq=False)
class ForestOptions:
    """What is given about a forest, and what is left free: None.

    Parameters
    ----------
    n_trees : int or None
    region_size, min_leaf, scale : float or None
        Of the plan.
    alphas : ndarray or None
        Penalties to choose from.
    cluster : Cluster
    moment_bytes : int
        Memory for sums.
    """

    n_trees: int | None
    region_size: float | None
    min_leaf: float | None
    scale: float | None
    alphas: FloatArray | None
    cluster: Cluster
    moment_bytes: int


def learn_forest(
    table: BinnedTable, options: ForestOptions, seed: int
) -> tuple[ForestMap, ForestReadout | OpenReadout]:
    """Return the frozen part of a forest, learned from sampled rows, and its readout."""
    bins, rows = table.bins, table.rows
    n_rows = float(rows.weight.sum())
    search = search_for(n_rows, bins.n_columns)
    trees = options.n_trees or search.n_trees
    splits, built, kept = _split(rows, n_rows <= SMALL, seed)
    coefficients = coefficients_of(options.cluster)
    finish = _finish(table.kind, rows)
    trials = Trials(bins, coefficients, finish, splits, TRIED_TREES, trees, seed)
    plan, alphas, scores = _plan(trials, options, search)
    share = table.share * float(built.weight.sum()) / n_rows
    boxes, structure = _draw_within(plan, bins, built, share, trees, options, seed)
    forest = ForestMap(bins, boxes, options.cluster, structure, table.origin)
    if kept is None:
        return forest, _settle(forest, trials, plan, alphas, trees)
    block = blocks_of(kept.position, kept.weight)
    held_out = HeldOut(kept.scores, kept.targets, kept.weight * table.unit, block)
    return forest, OpenReadout(forest, trials.finish, alphas, held_out, scores)


def _finish(kind: str, rows: SampledRows) -> Any:
    """Return how outputs become probabilities or values, not yet calibrated."""
    if kind == "classes":
        return ClassProbabilities()
    if kind == "labels":
        return LabelProbabilities()
    return ValuesInRange(rows.targets.min(axis=0), rows.targets.max(axis=0))


Split = tuple[SampledRows, SampledRows]


def _split(
    rows: SampledRows, small: bool, seed: int
) -> tuple[tuple[Split, ...], SampledRows, SampledRows | None]:
    """Return what plans are tried on, the rows that trees are grown on, and those kept aside.

    Of a small table, all rows grow trees: folds decide everything before.
    """
    if small:
        dealt = rows.dealt(N_FOLDS, seed)
        parts = ((rows.weighing(rows.weight - own), rows.weighing(own)) for own in dealt)
        return (
            tuple((train, valid) for train, valid in parts if len(train) and len(valid)),
            rows,
            None,
        )
    share = min(KEPT_SHARE, KEPT_MOST / len(rows))
    own = next(rows.dealt(round(1 / share), seed))
    built, kept = rows.weighing(rows.weight - own), rows.weighing(own)
    # Rows are in the order of their hashes: the first ones are a random part.
    n_tried = int(np.clip(TRIED_SHARE * len(rows), TRIED_LEAST, TRIED_MOST))
    return ((built.take(slice(n_tried)), kept),), built, kept


def _plan(
    trials: Trials, options: ForestOptions, search: Search
) -> tuple[Plan, FloatArray, dict[float, float]]:
    """Return the plan, penalties to choose from with all trees, and their losses if known."""
    free = (
        (search.region, options.region_size),
        (search.scale, options.scale),
        (search.leaves, options.min_leaf),
    )
    steps = [step for step, given in free if given is None and step.directions]
    first = Plan(
        options.region_size or search.region.start,
        search.leaves.start,
        options.scale or search.scale.start,
        search.ramp,
        options.min_leaf,
        search.max_features,
    )
    alphas = ALPHAS if options.alphas is None else options.alphas
    if not trials.splits:
        return first, alphas[len(alphas) // 2 :][:1], {}
    if not steps and options.alphas is not None:
        return first, alphas, {}
    best = choose_plan(trials, first, steps, alphas)
    if len(trials.splits) == 1:
        return best.plan, np.array([best.best_alpha]), best.scores
    # More trees forgive smaller penalties: neighbours are tried with all of them.
    near = int(np.searchsorted(alphas, best.best_alpha))
    return best.plan, alphas[max(near - 1, 0) : near + 2], {}


def _settle(
    forest: ForestMap, trials: Trials, plan: Plan, alphas: FloatArray, n_trees: int
) -> ForestReadout:
    """Return the readout of a penalty and a calibration chosen on the folds of a small table."""
    if not trials.splits:
        return ForestReadout(forest, trials.finish, float(alphas[0]))
    outputs = trials.outputs(plan, alphas, n_trees).mean(axis=0)
    return ForestReadout.chosen(forest, trials.finish, alphas, outputs, trials)


def _draw_within(
    plan: Plan,
    bins: ColumnBins,
    rows: SampledRows,
    share: float,
    n_trees: int,
    options: ForestOptions,
    seed: int,
) -> tuple[tuple[BoxTree, ...], Structure]:
    """Return trees: fewer, or of larger regions and boxes, where sums would not fit into memory."""
    n_rows = float(rows.weight.sum())
    structure = plan.structure(share, n_rows)
    while True:
        trees = draw_trees(structure, bins, rows, seed + np.arange(min(2, n_trees)))
        each = max(8 * tree.n_products for tree in trees) or 1
        # Choosing the penalty takes the sums of a tree once more, in each of two threads.
        affordable = int(options.moment_bytes // each) - 2
        if affordable >= min(n_trees, FEWEST_TREES):
            break
        structure = structure.larger(n_rows)
    n_drawn = min(n_trees, affordable)
    if options.n_trees is not None and n_drawn < n_trees:
        _warn_smaller(n_trees, n_drawn)
    more = draw_trees(structure, bins, rows, seed + np.arange(len(trees), n_drawn))
    region_size, min_leaf = structure.region_size / share, structure.min_leaf / share
    return (*trees, *more)[:n_drawn], replace(structure, region_size=region_size, min_leaf=min_leaf)


def _warn_smaller(wanted: int, n_drawn: int) -> None:
    warnings.warn(
        f"n_trees={wanted} would need more memory for sums than memory_limit leaves: the forest "
        f"has {n_drawn} trees; raise memory_limit or min_samples_leaf",
        SmallerForestWarning,
        stacklevel=user_level(),
    )
