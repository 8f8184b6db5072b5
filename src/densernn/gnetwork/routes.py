"""Alias tables of the outcomes of firings, triggers and external spikes.

Walker's alias method divides a row of n outcomes into n slots of equal probability.  A slot holds
one outcome below its cut and another one above, so that a draw takes constant time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densernn import _kernels
from densernn.gnetwork.rates import Float64Array, Rates, row_sums

EXCITE, INHIBIT, TRIGGER, NOTHING = range(4)
"""Effects of an outcome on its cell."""

KINDS = 4

IntArray = NDArray[np.int32]


class Routes(NamedTuple):
    """Alias tables of 2 M + 1 rows: firings of each cell, triggers of each, external spikes.

    Outcome ``KINDS * cell + kind`` has the effect ``kind`` on ``cell``.
    """

    starts: NDArray[np.int64]
    cut: Float64Array
    first: IntArray
    second: IntArray


def make_routes(rates: Rates) -> Routes:
    """Return the tables of a network, in time and memory proportional to its matrix entries."""
    size = rates.n_cells
    lost = np.maximum(1 - row_sums(rates.Q) - row_sums(rates.pi), 0.0)
    firing = [(rates.p_plus, EXCITE), (rates.p_minus, INHIBIT), (rates.p, TRIGGER)]
    fired = _by_rows(firing, rates.d)
    found = _by_rows([(rates.Q, EXCITE), (rates.pi, TRIGGER)], lost)
    cells = KINDS * np.arange(size)
    outside = np.concatenate([rates.lambda_plus, rates.lambda_minus])
    counts = np.concatenate([fired[0], found[0], [outside.size]])
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    weight = np.concatenate([fired[1], found[1], outside])
    codes = [fired[2], found[2], cells + EXCITE, cells + INHIBIT]
    first = np.concatenate(codes).astype(np.int32)
    second = first.copy()
    _alias(starts, weight, second)
    return Routes(starts, weight, first, second)


def _by_rows(
    matrices: list[tuple[Any, int]], rest: Float64Array
) -> tuple[NDArray[np.int64], Float64Array, NDArray[np.int64]]:
    """Return the number of outcomes of each row, their weights and their codes.

    The rows of all matrices are joined; ``rest`` is the probability of no effect.
    """
    size = rest.size
    rows = [np.repeat(np.arange(size), np.diff(matrix.indptr)) for matrix, _ in matrices]
    codes = [KINDS * matrix.indices.astype(np.int64) + kind for matrix, kind in matrices]
    row = np.concatenate([*rows, np.arange(size)])
    order = np.argsort(row, kind="stable")
    weight = np.concatenate([*(matrix.data for matrix, _ in matrices), rest])
    code = np.concatenate([*codes, np.full(size, NOTHING)])
    return np.bincount(row, minlength=size), weight[order], code[order]


@_kernels.exact
def _alias(starts: Any, weight: Any, second: Any) -> None:
    """Replace weights by cuts, and write the outcomes above the cuts (Vose's algorithm)."""
    for row in range(starts.size - 1):
        begin, end = starts[row], starts[row + 1]
        n = end - begin
        total = weight[begin:end].sum()
        if not total > 0:
            continue
        small = np.empty(n, np.int64)
        large = np.empty(n, np.int64)
        n_small, n_large = 0, 0
        for i in range(begin, end):
            weight[i] *= n / total
            if weight[i] < 1.0:
                small[n_small] = i
                n_small += 1
            else:
                large[n_large] = i
                n_large += 1
        own = second[begin:end].copy()
        while n_small > 0 and n_large > 0:
            n_small -= 1
            less, more = small[n_small], large[n_large - 1]
            second[less] = own[more - begin]
            weight[more] -= 1.0 - weight[less]
            if weight[more] < 1.0:
                n_large -= 1
                small[n_small] = more
                n_small += 1
        # Slots that remain by rounding are full.
        for i in range(n_small):
            weight[small[i]] = 1.0
        for i in range(n_large):
            weight[large[i]] = 1.0
