r"""Ridge readouts of the regions of a tree, from their moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import exact
from densernn.forest.boxes import BoxTree
from densernn.forest.moments import TreeMoments

FloatArray = NDArray[np.float64]

JITTER = 1e-7
"""Penalty for each unit of weight besides: rounding of the sums stays far below it."""

EMPTY = 1e-9
"""Share of all weight up to which a region counts as empty: what subtracted rows leave behind."""


def solve_tree(
    tree: BoxTree, moments: TreeMoments, alphas: FloatArray
) -> tuple[FloatArray, FloatArray]:
    r"""Return the weights of a tree for every penalty, and the mean targets of its regions.

    In a region of weight n with m clusters and mean activations and targets h and t,

    .. math:: (H'H - n h h' + \rho I) W = H'T - n h t', \qquad
        \rho = \alpha \, \mathrm{tr}(H'H - n h h') / m + 10^{-7} n ,

    and the output is t + (h(z) - h)'W.  A region without clusters answers t, an empty one the mean
    of all rows.

    Returns
    -------
    weights : ndarray of shape (n_alphas, n_clusters + n_regions, n_targets)
        W of each region, followed by its constant -h'W.
    means : ndarray of shape (n_regions, n_targets)

    Notes
    -----
    Cost: m^3 / 3 floating-point operations for each region and penalty, by Cholesky factors.
    """
    n_targets = moments.cross.shape[1] - 1
    weights = np.zeros((len(alphas), len(moments.cross), n_targets))
    means = np.empty((len(tree.sizes), n_targets))
    totals = moments.totals(tree)
    _solve(tree.starts, moments.second, moments.cross, totals, alphas, weights, means)
    return weights, means


@exact
def _solve(
    starts: Any, second: Any, cross: Any, totals: Any, alphas: Any, weights: Any, means: Any
) -> None:
    whole = totals.sum(axis=0)
    entry = 0
    for r in range(starts.size - 1):
        m = starts[r + 1] - starts[r]
        rows = slice(starts[r] + r, starts[r + 1] + r + 1)
        packed = second[entry : entry + m * (m + 1) // 2]
        entry += packed.size
        n = totals[r, 0]
        if n <= EMPTY * whole[0]:
            means[r] = whole[1:] / whole[0]
            continue
        means[r] = totals[r, 1:] / n
        if not m:
            continue
        matrix, right = _centred(packed, cross[rows], n)
        trace = max(np.trace(matrix), 0.0)
        for k in range(alphas.size):
            penalised = matrix.copy()
            for c in range(m):
                penalised[c, c] += alphas[k] * trace / m + JITTER * n
            found = weights[k, rows]
            _solve_positive(penalised, right, found)
            for q in range(right.shape[1]):
                for c in range(m):
                    found[m, q] -= cross[rows][c, 0] / n * found[c, q]


@exact
def _centred(packed: Any, cross: Any, n: Any) -> Any:
    """Return the lower triangle of H'H - n h h', and H'T - n h t'."""
    m = len(cross) - 1
    matrix = np.zeros((m, m))
    right = np.empty((m, cross.shape[1] - 1))
    for c in range(m):
        mean = cross[c, 0] / n  # products of two sums leave the range of numbers first
        for b in range(c + 1):
            matrix[c, b] = packed[c * (c + 1) // 2 + b] - mean * cross[b, 0]
        for q in range(right.shape[1]):
            right[c, q] = cross[c, 1 + q] - mean * cross[m, 1 + q]
    return matrix, right


@exact
def _solve_positive(matrix: Any, right: Any, out: Any) -> None:
    """Write the solution for a positive definite matrix, by its lower triangle, into ``out``."""
    low = np.linalg.cholesky(matrix)
    m = len(low)
    for q in range(right.shape[1]):
        x = right[:, q].copy()
        for c in range(m):
            total = x[c]
            for b in range(c):
                total -= low[c, b] * x[b]
            x[c] = total / low[c, c]
        for c in range(m - 1, -1, -1):
            x[c] /= low[c, c]
            for b in range(c):
                x[b] -= low[c, b] * x[c]
        out[:m, q] = x
