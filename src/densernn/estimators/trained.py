"""What a trained classifier or regressor is: a network, moments, a readout, and its answers."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from densernn._products import transposed_product
from densernn.engine.passes import warn_of_skipped
from densernn.errors import DataError
from densernn.estimators.given import PREDICT_ROWS, as_source, is_collection, meet
from densernn.estimators.readout import Readout
from densernn.estimators.state import moments_wanted
from densernn.folds import Moments
from densernn.layers import Stack
from densernn.solvers import RidgeSolution
from densernn.sources.arrays import ArraySource
from densernn.sources.rows import NOTHING, RowSource, Skipped

Float64Array = NDArray[np.float64]


class Trained(BaseEstimator):  # type: ignore[misc]
    """The part of :class:`RNNELM` that learns nothing."""

    alpha: Any
    moments_: Moments
    stack_: Stack
    targets_: Any

    @property
    def coef_(self) -> Float64Array:
        """Readout weights, of shape (n_hidden, n_targets)."""
        return self._solution().coef

    @property
    def intercept_(self) -> Float64Array:
        """Unpenalised intercepts, of shape (n_targets,)."""
        return self._solution().intercept

    @property
    def alpha_(self) -> float:
        """Penalty in use."""
        return self._solution().alpha

    @property
    def alpha_scores_(self) -> dict[float, float]:
        """Generalised cross-validation score of each penalty that was tried."""
        self._solution()
        return self._readout.scores

    def _renew_readout(self) -> None:
        """Drop the readout: the next use solves for one from the moments."""
        self._readout = Readout(
            self.moments_,
            self.alpha,
            self.stack_.dtype,
            self.targets_.negligible,
            n_leading=self.stack_.n_leading,
        )

    def _solution(self) -> RidgeSolution:
        check_is_fitted(self, "stack_")
        if hasattr(self, "moments_") and not self.moments_.weight:
            raise DataError(
                f"this {type(self).__name__} has no rows (it is fresh, or has forgotten all): "
                "call partial_fit or merge first"
            )
        return self._readout.solution

    def _require_moments(self) -> None:
        """Refuse what needs moments in a model that was saved without them."""
        if not hasattr(self, "moments_"):
            raise DataError(
                f"this {type(self).__name__} was saved for prediction alone, with moments=False: "
                "only one saved with its moments can learn, forget, merge or be made fresh"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; for a file, solved, and without moments if they are not wanted."""
        state: dict[str, Any] = dict(super().__getstate__())
        wanted = moments_wanted()
        if wanted is None or "moments_" not in state:
            return state
        if self.moments_.weight or not wanted:
            self._solution()
        if not wanted:
            del state["moments_"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "moments_" in state and not hasattr(self._readout, "moments"):
            self._readout.moments = self.moments_

    def _answer(self, X: Any, method: str) -> Any:
        """Return what comes of the readout's outputs; of a Dask collection, when it is computed.

        Parameters
        ----------
        X : what :meth:`fit` takes
        method : str
            Name of the method that is asked: of the model, and of its targets.
        """
        if not is_collection(X):
            outputs = self._outputs(X)
            return getattr(self.targets_, method)(outputs)
        from densernn.sources.collections import map_rows  # noqa: PLC0415 - needs Dask

        check_is_fitted(self, "stack_")
        meet(self, as_source(X), reset=False)  # type: ignore[arg-type]  # it is a collection
        template = getattr(self.targets_, method)(np.zeros((1, self.targets_.n_targets)))
        n_outputs = None if template.ndim == 1 else template.shape[1]
        names = None if n_outputs is None else getattr(self, "classes_", range(n_outputs))
        return map_rows(X, self._for_prediction(), method, n_outputs, template.dtype, names)

    def _for_prediction(self) -> Self:
        """Return the solved model without its moments, which are most of its size."""
        self._solution()
        model = copy.copy(self)
        model.__dict__.pop("moments_", None)
        model._readout = self._readout.alone()
        return model

    def _outputs(self, X: Any) -> Float64Array:
        """Return the readout's outputs, of shape (n_samples, n_targets)."""
        source = as_source(X)
        if source is None:
            self._solution()  # first of all, so that a model that is not fitted says so
            rows = validate_data(self, X, dtype="numeric", reset=False)
            return self._through(ArraySource(rows))[0]
        outputs, _, _, skipped = self._through(source)
        if skipped.count:
            raise DataError(
                f"{skipped.places[0]}; predictions of a source that skips rows would not stand "
                "beside its rows: mend the file, or predict chunk.X of each source.chunks(n)"
            )
        return outputs

    def _through(self, source: RowSource) -> tuple[Float64Array, Any, Any, Skipped]:
        """Return outputs of all rows of a source, its targets and weights, and what it skipped."""
        solution = self._solution()
        meet(self, source, reset=False)
        coef = np.ascontiguousarray(solution.coef, self.stack_.dtype)
        found: list[Float64Array] = []
        beside: list[tuple[Any, Any]] = []
        skipped = NOTHING
        for chunk in source.chunks(PREDICT_ROWS):
            skipped = skipped.merge(chunk.skipped)
            hidden = np.empty((self.stack_.n_features, len(chunk.X)), self.stack_.dtype)
            self.stack_.forward(chunk.X, hidden, chunk.start)
            found.append(transposed_product(coef, hidden).T + solution.intercept)
            beside.append((chunk.y, chunk.weight))
        outputs = np.concatenate(found) if found else np.empty((0, coef.shape[1]))
        y, weight = (
            np.concatenate(parts) if len(parts) and parts[0] is not None else None
            for parts in zip(*beside, strict=True)
        )
        return outputs, y, weight, skipped

    def _beside_targets(self, source: RowSource) -> tuple[Any, Any, Any]:
        """Return the targets of a source, what is predicted, and the weights of its rows."""
        if source.n_targets is None:
            raise DataError("score needs targets: open the rows with target=, the column's name")
        outputs, targets, weight, skipped = self._through(source)
        warn_of_skipped(skipped, len(outputs))
        if hasattr(self.targets_, "labels"):
            targets = self.targets_.labels(targets)
        return targets, self.targets_.predict(outputs), weight
