"""Prediction of trained classifiers and regressors: from rows to the outputs of a readout."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from densernn.engine.passes import warn_of_skipped
from densernn.errors import DataError
from densernn.estimators.state import moments_wanted
from densernn.estimators.targets import ClassTargets
from densernn.estimators.validation import as_source, as_stream, is_collection
from densernn.layers import digest_of
from densernn.phases import LearnedState
from densernn.sources.rows import Chunk, RowSource, Skipped

Float64Array = NDArray[np.float64]


class Trained(BaseEstimator):  # type: ignore[misc]
    """The part of :class:`Learner` that learns nothing."""

    alpha: Any
    feature_map_: Any
    targets_: Any
    learned_: LearnedState
    _readout: Any
    _labelled: bool
    """Whether targets are labels, and not values."""

    @property
    def moments_(self) -> Any:
        """Sums over activations and targets; a model saved without them has none."""
        moments = self.learned_.moments
        if moments is None:
            raise AttributeError("moments_ were left out when this model was saved")
        return moments

    @property
    def decayed_(self) -> bool:
        """Whether :meth:`decay` has been used since the last ``fit``."""
        return self.learned_.is_decayed

    @property
    def alpha_(self) -> float:
        """Penalty in use."""
        return float(self._solution().alpha)

    @property
    def alpha_scores_(self) -> dict[float, float]:
        """Score of each penalty that was tried, the smaller the better."""
        self._solution()
        scores: dict[float, float] = self._readout.solve(self.learned_.moments)[1]
        return scores

    def _fingerprint(self) -> dict[str, str]:
        """Return a digest of each frozen part; equal digests mean equal activations."""
        parts: dict[str, str] = self.feature_map_.fingerprint()
        for name in ("table_encoder_", "category_encoder_"):
            if getattr(self, name, None) is not None:
                parts[name] = digest_of(getattr(self, name))
        return parts

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _renew_readout(self, before: Any = None, other: Any = None) -> None:
        """Drop the solution: the next use solves anew from the moments.

        Parameters
        ----------
        before : targets, optional
            What they were, where classes may have come or gone.
        other : estimator, optional
            From which classes may have come.
        """
        readout, targets = self._readout.renewed(self.alpha), self.targets_
        if isinstance(before, ClassTargets):
            other_readout, other_targets = (
                (readout, before) if other is None else (other._readout, other.targets_)
            )
            places = (some.places(targets.classes) for some in (before, other_targets))
            readout = readout.regrouped(targets, next(places), other_readout, next(places))
        self._readout = readout

    def _solution(self) -> Any:
        check_is_fitted(self, "feature_map_")
        # In this order: an update in another thread replaces the moments first, so that a new
        # readout is never solved from the old ones.
        readout, moments = self._readout, self.learned_.moments
        if moments is not None and not moments.weight:
            raise DataError(
                f"this {type(self).__name__} has no rows (it is fresh, or has forgotten all): "
                "call partial_fit or merge first"
            )
        return readout.solve(moments)[0]

    def _require_moments(self) -> None:
        """Refuse what needs moments in a model that is not fitted, or was saved without them."""
        check_is_fitted(self, "feature_map_")
        if self.learned_.moments is None:
            raise DataError(
                f"this {type(self).__name__} was saved for prediction alone, with moments=False: "
                "only one saved with its moments can learn, forget, merge or be made fresh"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; for a file, solved, and without moments if they are not wanted."""
        state: dict[str, Any] = dict(super().__getstate__())
        wanted = moments_wanted()
        moments = state["learned_"].moments if "learned_" in state else None
        if wanted is None or moments is None:
            return state
        if moments.weight or not wanted:
            self._solution()
            state["_readout"].solve(moments)  # another one, if an update came in between
        return state if wanted else state | {"learned_": self._without_moments()}

    def _without_moments(self) -> LearnedState:
        return replace(self.learned_, moments=None)

    def _predict(self, X: Any, method: str, **options: Any) -> Any:
        """Return predictions from the readout's outputs; of a Dask collection, lazily.

        Parameters
        ----------
        X : what :meth:`fit` takes
        method : str
            Of the targets, or of the calibration.
        **options
            Its arguments beside outputs.
        """
        if not is_collection(X):
            return self._finished(self._outputs(X), method, **options)
        from densernn.engine.lazy import map_rows  # noqa: PLC0415 - needs Dask

        self._solution()
        as_source(self, X)
        template = self._finished(np.zeros((1, self.targets_.n_targets)), method, **options)
        names = getattr(self, "classes_", None)
        # Workers get the solved model without its moments, which are most of its size.
        model = copy.copy(self)
        model._solution()
        model.learned_ = model._without_moments()
        call = partial(Trained._predict, method=method, **options)
        return map_rows(X, model, call, template, names)

    def _finished(self, outputs: Float64Array, method: str, **options: Any) -> Any:
        """Return what the calibration makes of outputs, or the targets where it has no say."""
        calibrated = getattr(self._solution().calibration, method, None)
        if calibrated is None:
            return getattr(self.targets_, method)(outputs, **options)
        return self.targets_.shaped(calibrated(outputs, **options))

    def _outputs(self, X: Any) -> Float64Array:
        """Return the readout's outputs, of shape (n_samples, n_targets)."""
        self._solution()  # first of all, so that a model that is not fitted says so
        found = [np.empty((0, self.targets_.n_targets))]
        for chunk, outputs in self._predict_chunks(as_source(self, X)):
            if chunk.skipped.count:
                raise DataError(
                    f"{chunk.skipped.places[0]}; predictions of a source that skips rows would not "
                    "stand beside its rows: mend the file, or predict chunk.X of each "
                    "source.chunks(n)"
                )
            found.append(outputs)
        return np.concatenate(found)

    def _predict_chunks(self, source: RowSource) -> Iterator[tuple[Chunk, Float64Array]]:
        """Yield chunks of a source, and the readout's outputs for their rows, within limits."""
        solution, frozen = self._solution(), self.feature_map_
        for chunk in source.chunks(frozen.predict_rows):
            outputs = frozen.outputs(chunk.X, solution, chunk.start)
            yield chunk, np.clip(outputs, *(solution.bounds or self.targets_.limits))

    def answer(self, source: RowSource, methods: Sequence[str]) -> Iterator[list[Any]]:
        """Yield what methods such as ``"predict"`` return for the rows of a source, by chunks.

        One pass and a chunk of memory, where several methods would take one each and all rows.
        """
        self._solution()
        for _, outputs in self._predict_chunks(as_source(self, source)):
            yield [self._finished(outputs, method) for method in methods]

    def _score(self, metric: Callable[..., Any], X: Any, y: Any, sample_weight: Any) -> float:
        """Return a metric of targets and predictions; a source brings its own targets."""
        stream = as_stream(X, y, sample_weight)
        if stream is None:
            return float(metric(y, self._predict(X, "predict"), sample_weight=sample_weight))
        self._solution()
        targets, predicted, weight = self._predict_with_targets(
            as_source(self, stream, labelled=self._labelled)
        )
        return float(metric(targets, predicted, sample_weight=weight))

    def _predict_with_targets(self, source: RowSource) -> tuple[Any, Any, Any]:
        """Return the targets of a source, predictions, and the weights of its rows."""
        chunks, outputs = zip(*self._predict_chunks(source), strict=True)
        skipped = reduce(Skipped.merge, (chunk.skipped for chunk in chunks))
        predicted = self._finished(np.concatenate(outputs), "predict")
        warn_of_skipped(skipped, len(predicted))
        weighted = chunks[0].weight is not None
        weight = np.concatenate([chunk.weight for chunk in chunks]) if weighted else None
        targets = np.concatenate([chunk.y for chunk in chunks])
        if isinstance(self.targets_, ClassTargets):
            targets = self.targets_.labels(targets)
        return targets, predicted, weight
