"""Importances of features: what drawing a column anew does to the outputs of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from sklearn.utils.validation import check_is_fitted

from densernn.estimators.trained import Trained
from densernn.forest.bins import ColumnBins
from densernn.forest.forest_map import ForestMap
from densernn.preparation import SplitScaler

FloatArray = NDArray[np.float64]

N_ROWS = 256
"""Rows that are drawn; four times as many rank columns no better (docs/decisions/0019)."""


class FeatureImportances(Trained):
    """Models that know how their columns are distributed, and so need no rows for importances."""

    @property
    def feature_importances_(self) -> FloatArray:
        r"""Importance of each feature to the outputs, of shape (n_features_in_,); the sum is 1.

        256 rows are drawn, every column independently from what the model knows of it: the
        quantiles of a forest, or the mean and standard deviation of a network, as a normal
        distribution.  With :math:`x'_j` the row x whose value of column j is that of another row,

        .. math::

            I_j \propto \sum_q \frac{\mathrm{mean}\,(f_q(x) - f_q(x'_j))^2}{v_q},

        in which q are the outputs, and :math:`v_q` is 1 for labels, the variance of the output
        for values.  This is Sobol's total effect, interactions included.  The draws are the same
        every time; all importances are 0 where the outputs do not vary.

        Importances describe the model, not the data: columns of a bad model have some, too.  Of
        columns that go together, the model may use any, and they are drawn as if they did not.
        To know what the score of rows owes to a column, take
        :func:`sklearn.inspection.permutation_importance`.

        Networks have them only with the preparation of tables, ``"split"``, and without views:
        others know too little of their columns, and the attribute does not exist.

        Cost: predictions for 256 rows a feature, at each access.
        """
        check_is_fitted(self, "feature_map_")
        X = _draw_rows(self.feature_map_)
        if X is None:
            raise AttributeError(
                f"{type(self).__name__} has feature_importances_ only with preparation='split' "
                "and without views, where it knows how its columns are distributed: take "
                "sklearn.inspection.permutation_importance"
            )
        effects = self._total_effects(X)
        total = effects.sum()
        return effects / total if total > 0 else effects

    def _total_effects(self, X: FloatArray) -> FloatArray:
        """Return how much the outputs for rows change with each column; changes ``X``."""
        solution, frozen = self._solution(), self.feature_map_
        outputs = frozen.outputs(X, solution)
        variance = np.ones(outputs.shape[1]) if self._labelled else outputs.var(axis=0)
        weight = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)
        effects = np.zeros(X.shape[1])
        # A column that does not vary in the rows has no effect, not even by rounding.
        for j in np.flatnonzero(np.ptp(X, axis=0) > 0):
            own = X[:, j].copy()
            # Columns are independent: the value of the row before is as good as a new one.
            X[:, j] = np.roll(own, 1)
            changes = np.square(frozen.outputs(X, solution) - outputs)
            X[:, j] = own
            effects[j] = changes.mean(axis=0) @ weight
        return effects


def _draw_rows(frozen: Any) -> FloatArray | None:
    """Return rows with independent columns, distributed as those learned from; None if unknown."""
    if isinstance(frozen, ForestMap):
        return _at_quantiles(frozen.bins, _draw_ranks(frozen.bins.n_columns))
    preparation = frozen.preparation
    if not isinstance(preparation, SplitScaler):
        return None
    mean, factor = preparation.mean_, preparation.factor_
    deviation = np.divide(1.0, factor, out=np.zeros_like(factor), where=factor > 0)
    drawn: FloatArray = mean + ndtri(_draw_ranks(len(mean))) * deviation
    return drawn


def _draw_ranks(n_columns: int) -> FloatArray:
    """Return evenly spaced ranks in (0, 1), in a random order in each column."""
    ranks = (np.arange(N_ROWS) + 0.5) / N_ROWS
    every = np.repeat(ranks[:, None], n_columns, axis=1)
    return np.random.default_rng(0).permuted(every, axis=0)


def _at_quantiles(bins: ColumnBins, ranks: FloatArray) -> FloatArray:
    """Return for each rank the knot of the column whose rank is the nearest."""
    values = np.empty_like(ranks)
    for j in range(bins.n_columns):
        own = slice(bins.starts[j], bins.starts[j + 1])
        # Knots and nothing between them: 0 and 1 of an indicator stay 0 and 1.
        known = ndtr(bins.scores[own])
        nearest = np.searchsorted(0.5 * (known[1:] + known[:-1]), ranks[:, j])
        values[:, j] = bins.knots[own][nearest]
    return values
