"""ValueLearner: what all regressors share."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score

from densernn.estimators.base import Learner
from densernn.estimators.validation import is_collection


class ValueLearner(RegressorMixin, MultiOutputMixin, Learner):  # type: ignore[misc]
    """The base of regressors."""

    _labelled = False

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Add rows to the model; see :meth:`LabelLearner.partial_fit`."""
        return self._update(X, y, None, sample_weight)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the value or values of each row, in the shape that ``y`` had.

        Of a Dask collection they are computed when they are needed, block by block.

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)
        return_std : bool, default=False
            Whether to return standard deviations, too: nine in ten values lie within 1.645 of
            them.  See :meth:`predict_interval`, which does not take errors for symmetric.

        Returns
        -------
        values, or (values, deviations)
        """
        if not return_std:
            return self._predict(X, "predict")
        if is_collection(X):
            return self._predict(X, "predict"), self._predict(X, "predict_std")
        outputs = self._outputs(X)
        return self._finished(outputs, "predict"), self._finished(outputs, "predict_std")

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Any:
        """Return intervals in which values lie, from errors for rows that were left out.

        In ``fit``, or in the first ``partial_fit``, quantiles are learned of the errors of
        predictions that rows had no part in: of a network, for up to 20,000 rows each without
        itself; of a forest, for rows kept aside, or in folds.  They depend on the predicted value,
        and updates keep them (docs/decisions/0022).

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)
        coverage : float, default=0.9
            Share of rows like those of training whose values lie within: above 0, at most 0.99.

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper ends; of several outputs, each by itself.

        Raises
        ------
        DataError
            No rows could be left out: the forest has but a few rows, or the model was saved by
            version 0.3.
        """
        return self._predict(X, "predict_interval", coverage=coverage)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the coefficient of determination R^2, as in scikit-learn.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; a source brings its own targets and weights.
        """
        return self._score(r2_score, X, y, sample_weight)
