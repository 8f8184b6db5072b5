"""Choice of a forest's structure and penalty by proper scores on rows that taught it nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from densernn.forest.bins import ColumnBins
from densernn.forest.evaluation import Taught
from densernn.forest.sampled import SampledRows, blocks_of
from densernn.forest.solution import output_limits
from densernn.forest.structure import Structure, draw_trees

FloatArray = NDArray[np.float64]

ALPHAS = np.array([1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0])
"""Penalties that are tried, as shares of the mean eigenvalue of a region's products."""

REGIONS = (4000.0, ((16000.0,), (1000.0, 250.0)))
"""Rows of a region: where the search begins, and its directions."""

REGIONS_OF_SMALL = (1000.0, 250.0)
"""Rows of a region of a small table, which begins as one region."""

LEAVES, LEAVES_OF_SMALL = (250.0, ((80.0,), (600.0,))), (100.0, ((300.0, 750.0),))
"""Leaves of a region, about."""

SCALES, SCALES_OF_SMALL = (0.01, ()), (0.01, ((0.05,), (0.003,)))
"""Scales, from hard to soft walls; on no larger table did another one than the first matter."""

FEATURES, FEATURES_OF_SMALL = 0.75, 0.5
"""Share of the columns that are drawn at a node."""

RAMP = 0.005
"""Scale of the almost linear clusters."""

SMALL = 5000
"""Rows up to which everything is chosen by cross-validation, and a linear part may be worth it."""

N_FOLDS = 5

CLOSE, CLOSE_OF_SMALL = 1.0, 0.5
"""Standard errors by which losses of plans may differ and count as equal.  All rows of a small
table judge, and the search begins at the simplest plan, which a whole one would favour."""

CLOSE_PENALTY = 0.25
"""The same for penalties."""

DEAREST = 450.0
"""Clusters of a region, as a root mean square over rows, above which no plan goes on."""

CHOSEN_SHARE, CHOSEN_LEAST, CHOSEN_MOST = 1 / 2, 5_000, 30_000
"""Rows on which a structure is chosen: a share of all, at least, and at most.  Regions are of a
number of rows, whatever the table: so a part of the rows decides the same."""


@dataclass(frozen=True)
class Plan:
    """A structure in numbers that do not depend on how many rows were sampled.

    Parameters
    ----------
    region_size : float
        Rows of a region at most.
    leaves : float
        Leaves of a region, about: a box has ``region_size / leaves`` rows at least.
    scale : float
        s of the boxes.
    ramp : float
        s of the almost linear clusters; 0 for none.
    min_leaf : float, optional
        Rows of a box at least, where they do not follow from ``leaves``.
    max_features : float
        Share of the columns that are drawn at a node.
    """

    region_size: float
    leaves: float
    scale: float
    ramp: float = 0.0
    min_leaf: float | None = None
    max_features: float = 1.0

    def structure(self, share: float, n_rows: float) -> Structure:
        """Return the structure for sampled rows.

        Parameters
        ----------
        share : float
            Weight of the sampled rows, as a share of that of the rows they stand for.
        n_rows : float
            Weight of the sampled rows.
        """
        size = self.region_size * share
        least = size / self.leaves if self.min_leaf is None else self.min_leaf * share
        return Structure(
            min(size, n_rows), max(1.0, least), self.scale, self.ramp, self.max_features
        )


@dataclass(frozen=True, eq=False)
class Step:
    """A number of a plan that is free.

    Parameters
    ----------
    name : str
    start : float
        Value to begin with.
    directions : tuple of tuple of float
        Values to try, away from it.
    cheapest : bool
        Whether of plans that are close to the best the one with the fewest clusters stays, and
        not the first.
    """

    name: str
    start: float
    directions: tuple[tuple[float, ...], ...]
    cheapest: bool = False


@dataclass(frozen=True, eq=False)
class Trial:
    """Losses of a plan.

    Parameters
    ----------
    plan : Plan
    alphas : ndarray of shape (n_alphas,), float64
        Penalties that were tried.
    losses : ndarray of shape (n_alphas, n_rows), float64
        Of the rows it was tried on, for each penalty.
    weight : ndarray of shape (n_rows,), float64
    block : ndarray of shape (n_rows,), intp
        Of neighbouring rows.
    clusters : float
        Of the region of a row, root mean square: the cost of a row goes with its square.
    """

    plan: Plan
    alphas: FloatArray
    losses: FloatArray
    weight: FloatArray
    block: NDArray[np.intp]
    clusters: float

    @property
    def means(self) -> FloatArray:
        """Mean loss for each penalty."""
        return cast("FloatArray", self.losses @ self.weight / self.weight.sum())

    @property
    def best_alpha(self) -> float:
        """Penalty whose mean loss is least."""
        return float(self.alphas[int(np.argmin(self.means))])

    @property
    def best(self) -> FloatArray:
        """Losses of rows with the penalty whose mean loss is least."""
        found: FloatArray = self.losses[int(np.argmin(self.means))]
        return found


def gap_and_error(
    first: FloatArray, second: FloatArray, weight: FloatArray, block: NDArray[np.intp]
) -> tuple[float, float]:
    """Return the mean of the difference of losses of the same rows, and its standard error.

    Rows of a block may be alike, as those of one day are: they count as one observation.
    """
    share = weight / weight.sum()
    difference = first - second
    gap = float(share @ difference)
    of_blocks = np.bincount(block, share * (difference - gap))
    return gap, float(np.sqrt(np.square(of_blocks).sum()))


def simplest_alpha(
    losses: FloatArray, weight: FloatArray, block: NDArray[np.intp], alphas: FloatArray
) -> int:
    """Return the place of the largest penalty that is as good as the best one.

    As good is a mean loss within a quarter of a standard error of the difference.
    """
    best = int(np.argmin(losses @ weight))
    for k in np.argsort(-alphas):
        gap, error = gap_and_error(losses[k], losses[best], weight, block)
        if gap <= CLOSE_PENALTY * error:
            return int(k)
    return best


@dataclass(frozen=True, eq=False)
class Trials:
    """What plans are tried on.

    Parameters
    ----------
    bins : ColumnBins
    coefficients : ndarray of shape (4,), float32
        Of zeta.
    finish : callable
        Probabilities, or values, and their losses.
    splits : tuple of (SampledRows, SampledRows)
        Rows that teach, and rows that judge.
    close : float
        Standard errors by which losses may differ and count as equal.
    n_trees : int
        Trees of a trial.
    total_trees : int
        Trees for which losses are extrapolated.
    seed : int
    """

    bins: ColumnBins
    coefficients: NDArray[np.float32]
    finish: Any
    splits: tuple[tuple[SampledRows, SampledRows], ...]
    close: float
    n_trees: int
    total_trees: int
    seed: int

    @property
    def weight(self) -> FloatArray:
        """Weights of the rows that judge."""
        return np.concatenate([valid.weight for _, valid in self.splits])

    @property
    def block(self) -> NDArray[np.intp]:
        """Blocks of the rows that judge."""
        position = np.concatenate([valid.position for _, valid in self.splits])
        return blocks_of(position, self.weight)

    @property
    def targets(self) -> FloatArray:
        """Targets of the rows that judge."""
        return np.concatenate([valid.targets for _, valid in self.splits])

    def outputs(self, plan: Plan, alphas: FloatArray, n_trees: int) -> FloatArray:
        """Return outputs of each tree for each penalty, for the rows that judge."""
        return self._judged(self._taught(plan, n_trees), alphas)

    def run(self, plan: Plan, alphas: FloatArray, near: float | None = None) -> Trial:
        """Return the losses of a plan.

        Parameters
        ----------
        plan : Plan
        alphas : ndarray
            Increasing.
        near : float, optional
            One of ``alphas``: it and its neighbours are tried, and on until one is the best.
        """
        taught = self._taught(plan, self.n_trees)
        place = 0 if near is None else int(np.searchsorted(alphas, near))
        low, high = (0, len(alphas)) if near is None else (max(place - 1, 0), place + 2)
        outputs = self._judged(taught, alphas[low:high])
        while True:
            trial = self._trial(plan, alphas[low:high], outputs, taught)
            best = trial.best_alpha
            if best == alphas[low] and low:
                low -= 1
                outputs = np.hstack([self._judged(taught, alphas[low : low + 1]), outputs])
            elif best == alphas[min(high, len(alphas)) - 1] and high < len(alphas):
                high += 1
                outputs = np.hstack([outputs, self._judged(taught, alphas[high - 1 : high])])
            else:
                return trial

    def _taught(self, plan: Plan, n_trees: int) -> list[Taught]:
        """Return trees and their sums over the rows that teach, for every split."""
        seeds = self.seed + np.arange(n_trees)
        found = []
        for train, _ in self.splits:
            structure = plan.structure(1.0, float(train.weight.sum()))
            trees = draw_trees(structure, self.bins, train, seeds)
            found.append(Taught.by(trees, self.coefficients, train))
        return found

    def _judged(self, taught: list[Taught], alphas: FloatArray) -> FloatArray:
        limits = output_limits(self.finish, self.targets.shape[1])
        pairs = zip(taught, self.splits, strict=True)
        outputs = [own.outputs(alphas, valid.scores, limits) for own, (_, valid) in pairs]
        return np.concatenate(outputs, axis=2)

    def _trial(
        self, plan: Plan, alphas: FloatArray, outputs: FloatArray, taught: list[Taught]
    ) -> Trial:
        r"""Return the losses of a plan, extrapolated to all trees.

        The squared error of the mean of T trees is :math:`E_1 - (E_1 - E_k)(1 - 1/T)/(1 - 1/k)`,
        from that of single trees and of the k trees of a trial.  Losses of rows are those of the
        trial, lowered by the same factor: a log loss itself has no such law.
        """
        targets, weight = self.targets, self.weight
        mean = outputs.mean(axis=0)
        rough = int(np.argmin(_losses(self.finish, mean, targets) @ weight))
        finish = self.finish.fit(mean[rough], targets, weight)
        joint = _squared_errors(mean, targets, weight)
        single = np.mean([_squared_errors(one, targets, weight) for one in outputs], axis=0)
        share = (1.0 - 1.0 / self.total_trees) / (1.0 - 1.0 / self.n_trees)
        factor = (single - share * (single - joint)) / np.where(joint > 0, joint, 1.0)
        losses = _losses(finish, mean, targets) * factor[:, None]
        square = np.mean([tree.mean_square_size for own in taught for tree in own.trees])
        return Trial(plan, alphas, losses, weight, self.block, float(square) ** 0.5)


def _squared_errors(outputs: FloatArray, targets: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the mean squared error of outputs for each penalty."""
    return cast("FloatArray", np.square(outputs - targets).sum(axis=2) @ weight / weight.sum())


def _losses(finish: Any, outputs: FloatArray, targets: FloatArray) -> FloatArray:
    """Return the losses of rows for outputs of each penalty."""
    return np.stack([finish.losses(of_one, targets) for of_one in outputs])


def choose_plan(trials: Trials, first: Plan, steps: Sequence[Step], alphas: FloatArray) -> Trial:
    """Return the trial of the best plan.

    Parameters
    ----------
    trials : Trials
    first : Plan
        Where the search begins.
    steps : sequence of Step
        One for each number that is free.  From the best plan so far, each direction is followed
        up to the first value that does not lower the loss; of all these plans one stays that is
        close to the best.
    alphas : ndarray
        Penalties to try with each.
    """
    best = trials.run(first, alphas)
    for step in steps:
        tried = [best]
        for values in step.directions:
            tried += _along(trials, best, step.name, values, alphas)
        close = trials.close
        if step.cheapest:
            tried.sort(key=lambda trial: trial.clusters)
            close = min(close, CLOSE_OF_SMALL)
        best = first_of_best(tried, close)
    return best


def _along(
    trials: Trials, start: Trial, name: str, values: Sequence[float], alphas: FloatArray
) -> list[Trial]:
    """Return the trials of one direction, up to the first that does not lower the loss."""
    found, last = [], start
    for value in values:
        plan = replace(last.plan, **{name: value})
        if last.clusters * plan.leaves / last.plan.leaves > DEAREST:
            break
        trial = trials.run(plan, alphas, last.best_alpha)
        found.append(trial)
        if trial.means.min() > last.means.min():
            break
        last = trial
    return found


def first_of_best(trials: Sequence[Trial], close: float) -> Trial:
    """Return the first trial whose loss is close to the least."""
    least = min(trials, key=lambda trial: float(trial.means.min()))
    for trial in trials:
        gap, error = gap_and_error(trial.best, least.best, least.weight, least.block)
        if gap <= close * error:
            return trial
    return least
