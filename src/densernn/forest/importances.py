"""Importances of features: what drawing a column anew does to the outputs of a forest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from densernn.forest.bins import ColumnBins

FloatArray = NDArray[np.float64]

N_ROWS = 512
"""Rows that are drawn: more rank no better, fewer miss rare values (docs/decisions/0019)."""


def total_effects(
    predict: Callable[[FloatArray], FloatArray], X: FloatArray, standardize: bool
) -> FloatArray:
    r"""Return the share of each column in what moves the outputs: Sobol's total effects.

    Parameters
    ----------
    predict : callable
        Returns outputs of shape (n_rows, n_outputs).
    X : ndarray of shape (n_rows, n_columns)
        Rows with independent columns; as it was afterwards.
    standardize : bool
        Whether an output counts in units of its variance over the rows.

    Returns
    -------
    ndarray of shape (n_columns,)
        Nonnegative, the sum is 1; all 0 where no output varies.
    """
    outputs = predict(X)
    variance = outputs.var(axis=0) if standardize else np.ones(outputs.shape[1])
    weight = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)
    effects = np.zeros(X.shape[1])
    # A column that does not vary in the rows has no effect, not even by rounding.
    for j in np.flatnonzero(X.min(axis=0) < X.max(axis=0)):
        own = X[:, j].copy()
        # Columns are independent: the value of the row before is as good as a new one.
        X[:, j] = np.roll(own, 1)
        effects[j] = np.square(predict(X) - outputs).mean(axis=0) @ weight
        X[:, j] = own
    total = effects.sum()
    return effects / total if total > 0 else effects


def draw_ranks(n_columns: int, n_rows: int = N_ROWS) -> FloatArray:
    """Return evenly spaced ranks in (0, 1), in a random order in each column; always the same."""
    ranks = (np.arange(n_rows) + 0.5) / n_rows
    every = np.repeat(ranks[:, None], n_columns, axis=1)
    return np.random.default_rng(0).permuted(every, axis=0)


def draw_rows(bins: ColumnBins, n_rows: int = N_ROWS) -> FloatArray:
    """Return rows with independent columns, distributed as those that bins were learned from."""
    values = draw_ranks(bins.n_columns, n_rows)
    for j in range(bins.n_columns):
        own = slice(bins.starts[j], bins.starts[j + 1])
        # Knots and nothing between them: 0 and 1 of an indicator stay 0 and 1.
        bounds = _bounds(ndtr(bins.scores[own]))
        values[:, j] = bins.knots[own][np.searchsorted(bounds, values[:, j])]
    return values


def _bounds(middle: FloatArray) -> FloatArray:
    """Return the ranks that divide knots, given the rank in the middle of each.

    Exact where knots are all values of a column; where they are quantiles, a bound lies at
    least between its neighbours.
    """
    bounds = np.empty(len(middle) - 1)
    lower = 0.0
    for k in range(len(bounds)):
        lower = min(max(2.0 * middle[k] - lower, middle[k]), middle[k + 1])
        bounds[k] = lower
    return bounds
