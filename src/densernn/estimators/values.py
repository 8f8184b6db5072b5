"""ValueLearner: what all regressors share."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score

from densernn.estimators.base import Learner


class ValueLearner(RegressorMixin, MultiOutputMixin, Learner):  # type: ignore[misc]
    """The base of regressors."""

    _labelled = False

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Add rows to the model; see :meth:`LabelLearner.partial_fit`."""
        return self._update(X, y, None, sample_weight)

    def predict(self, X: Any) -> Any:
        """Return the value or values of each row, in the shape that ``y`` had.

        Of a Dask collection they are computed when they are needed, block by block.
        """
        return self._predict(X, "predict")

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the coefficient of determination R^2, as in scikit-learn.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; a source brings its own targets and weights.
        """
        return self._score(r2_score, X, y, sample_weight)
