"""Structure of a forest: trees grown on sampled rows, and their boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._threads import run_each
from densernn.forest.bins import ColumnBins
from densernn.forest.boxes import BoxTree
from densernn.forest.growth import grow_tree
from densernn.forest.making import make_boxes
from densernn.forest.sampled import ROUNDING, SampledRows


@dataclass(frozen=True)
class Structure:
    """The numbers that decide how boxes are made.

    Parameters
    ----------
    region_size : float
        Weight of a region at most: the first node of at most this weight, or a leaf.
    min_leaf : float
        Weight of a node at least.
    scale : float
        s of the boxes.
    ramp : float
        s of one cluster for each column in each region, inhibited by the whole range of its
        column: an almost linear part.  0 stands for none.
    max_features : float
        Share of the varying columns that are drawn at a node.
    """

    region_size: float
    min_leaf: float
    scale: float
    ramp: float = 0.0
    max_features: float = 1.0

    def larger(self, n_rows: float) -> Structure:
        """Return the structure with regions, up to all rows, and boxes of twice the size."""
        region_size = min(2.0 * self.region_size, n_rows)
        return replace(self, region_size=region_size, min_leaf=2.0 * self.min_leaf)


def draw_trees(
    structure: Structure, bins: ColumnBins, rows: SampledRows, seeds: NDArray[np.int64]
) -> tuple[BoxTree, ...]:
    """Return a tree of boxes for every seed, drawn in threads.

    Parameters
    ----------
    structure : Structure
        Weights in it are those of ``rows``.
    bins : ColumnBins
    rows : SampledRows
    seeds : ndarray of shape (n_trees,), int64
        From 1 on.
    """
    weight, values = rows.tree_weight, rows.tree_values
    codes = np.ascontiguousarray(rows.codes)

    def drawn(seed: int) -> BoxTree:
        return _draw(structure, bins, rows, codes, values, weight, seed)

    return tuple(run_each(drawn, seeds.tolist()))


def _draw(
    structure: Structure,
    bins: ColumnBins,
    rows: SampledRows,
    codes: NDArray[np.uint8],
    values: NDArray[np.float64],
    weight: NDArray[Any],
    seed: int,
) -> BoxTree:
    s = structure
    # Weights that are shares add up to what they stand for but for rounding.
    most, least = s.region_size * (1.0 + ROUNDING), s.min_leaf * (1.0 - ROUNDING)
    tree = grow_tree(codes, rows.labels, values, weight, s.max_features, least, seed)
    boxes = make_boxes(tree, bins, rows.scores, rows.weight, most, least, s.scale)
    return boxes.with_ramps(bins.varying, s.ramp) if s.ramp else boxes
