"""What classifier and regressor share: fit, partial_fit, merge, forget, fresh and outputs."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from densernn._progress import Progress
from densernn.engine import chunk_rows, parse_bytes, run
from densernn.engine.budget import CHUNK_BYTES, FEWEST
from densernn.errors import DataError, MergeError, ParameterError
from densernn.estimators.network import NetworkRecipe
from densernn.estimators.readout import Readout
from densernn.estimators.state import moments_wanted, unchanged_by_errors
from densernn.folds import Moments
from densernn.layers import Stack
from densernn.phases import ReadoutMoments
from densernn.solvers import RidgeSolution, alpha_values
from densernn.sources.arrays import ArraySource
from densernn.wiring import accepts_all

STREAM_ROWS = 100_000
"""Rows that a model trained by partial_fit is taken to see at least."""

PREDICT_ROWS = 2048

Float64Array = NDArray[np.float64]


class RNNELM(BaseEstimator):  # type: ignore[misc]
    """A random layer of clusters and a ridge readout; the base of both estimators."""

    n_hidden: int
    alpha: Any
    dtype: str
    memory_limit: int | str | None
    verbose: int
    n_features_in_: int
    moments_: Moments
    stack_: Stack
    targets_: Any

    @abstractmethod
    def _validate(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return rows and targets as arrays, or raise."""

    @abstractmethod
    def _learn_targets(self, y: NDArray[Any], classes: ArrayLike | None = None) -> None:
        """Set ``targets_`` and what else depends on the labels."""

    def _recipe(self) -> NetworkRecipe:
        """Return the choices that make the network."""
        return NetworkRecipe.of(self)

    def _row_weights(self, y: NDArray[Any], weight: Float64Array | None) -> Float64Array | None:
        """Return the weight of each row in the moments, given its checked sample weight."""
        return weight

    def _count(self, y: NDArray[Any], weight: Float64Array | None, sign: int) -> None:
        """Take note of rows that come (sign 1) or go (sign -1)."""

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Draw the network and solve the readout.

        Parameters
        ----------
        X : array or data frame of shape (n_samples, n_features)
            Real numbers of any sign, in any real dtype; never copied whole.
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or values.
        sample_weight : array of shape (n_samples,), optional
            A row of weight 0 counts nowhere, one of weight k as k copies.

        Returns
        -------
        self
        """
        alpha_values(self.alpha)  # a bad one is refused before the pass over the rows, not after
        with unchanged_by_errors(self):
            self._fit(X, y, sample_weight)
        return self

    def _fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> None:
        """Do what ``fit`` does, with nothing kept of an earlier fit."""
        start = time.perf_counter()
        rows, targets = self._validate(X, y, reset=True)
        self._learn_targets(targets)
        chunk_bytes = self._chunk_bytes()
        weight = check_weights(sample_weight, rows)
        source = ArraySource(rows, None, weight)
        self.stack_ = self._recipe().learn(source, len(rows), chunk_bytes, self.verbose)
        self.moments_ = self._phase().zero()
        row_weight = self._row_weights(targets, weight)
        self._fold(ArraySource(rows, targets, row_weight), chunk_bytes)
        self._count(targets, weight, 1)
        folded = time.perf_counter()
        self._readout.solution  # noqa: B018 - fit solves at once; after updates the first use does
        self.fit_seconds_ = {"moments": folded - start, "readout": self._readout.seconds}

    def _update(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> Self:
        """Add rows: the body of ``partial_fit``."""
        alpha_values(self.alpha)
        first = not hasattr(self, "stack_")
        if not first:
            self._require_moments()
        rows, targets = self._validate(X, y, reset=first)
        weight = check_weights(sample_weight, rows)
        if first:
            self._learn_targets(targets, classes)
            source = ArraySource(rows, None, weight)
            chunk_bytes = self._chunk_bytes()
            self.stack_ = self._recipe().learn(source, STREAM_ROWS, chunk_bytes, self.verbose)
            self.moments_ = self._phase().zero()
        self._check_before_folding(rows, targets)
        row_weight = self._row_weights(targets, weight)
        self._fold(ArraySource(rows, targets, row_weight), self._chunk_bytes())
        self._count(targets, weight, 1)
        return self

    def merge(self, other: Self) -> Self:
        """Add the rows that another model of the same frozen layers was trained on.

        Parameters
        ----------
        other : estimator of the same class
            Made by :meth:`fresh` from the same model, or trained with the same layers.

        Returns
        -------
        self
            As if it had been trained on the rows of both.  Classes are united.

        Raises
        ------
        MergeError
            The layers or outputs differ; the text names what does.
        """
        check_is_fitted(self, "stack_")
        if type(other) is not type(self):
            raise MergeError(f"cannot merge {type(other).__name__} into {type(self).__name__}")
        check_is_fitted(other, "stack_")
        self._require_moments()
        other._require_moments()
        mine, theirs = self.stack_.fingerprint(), other.stack_.fingerprint()
        parts = {**mine, **theirs}
        different = [part for part in parts if mine.get(part) != theirs.get(part)]
        if different:
            shown = ", ".join(different[:5]) + (", ..." if len(different) > 5 else "")
            raise MergeError(
                f"cannot merge models that differ in {shown}: train shards with "
                "fresh() of one model, so that they share its layers"
            )
        self._unite(other)
        self._renew_readout()
        return self

    def _unite(self, other: Self) -> None:
        """Add the moments of another model with the same layers."""
        self.moments_ = self.moments_.merge(other.moments_)

    def forget(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Take rows away that the model was trained on.

        The readout becomes that of a fit on the remaining rows with these frozen layers, to
        rounding.  What may still depend on the forgotten rows: learned encoders, the ranges,
        means and spreads that the preparation of input learned, the scale of dense weights, the
        set of classes, and the class weights of ``class_weight="balanced"``.

        Parameters
        ----------
        X, y, sample_weight
            Exactly as they were given in training.

        Returns
        -------
        self

        Raises
        ------
        MergeError
            More is to be forgotten than was learned, in all or of one class.
        """
        check_is_fitted(self, "stack_")
        self._require_moments()
        rows, targets = self._validate(X, y, reset=False)
        weight = check_weights(sample_weight, rows)
        row_weight = self._row_weights(targets, weight)
        phase = self._phase()
        gone = run(phase, ArraySource(rows, targets, row_weight), chunk_bytes=self._chunk_bytes())
        left = self.moments_.subtract(gone)
        self._count(targets, weight, -1)
        self.moments_ = left
        self._renew_readout()
        return self

    def fresh(self) -> Self:
        """Return a model with the same frozen layers and no rows.

        Send it to shards of the data, train each with ``partial_fit``, and :meth:`merge`.

        Returns
        -------
        estimator of the same class
        """
        check_is_fitted(self, "stack_")
        self._require_moments()
        model: Self = clone(self)
        for name, value in vars(self).items():
            if name.endswith("_") and name not in ("fit_seconds_", "moments_"):
                setattr(model, name, value)
        model.moments_ = self._phase().zero()
        model._empty()
        model._renew_readout()
        return model

    def _empty(self) -> None:
        """Forget counts of rows, in a fresh model."""

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

    def _outputs(self, X: Any) -> Float64Array:
        """Return the readout's outputs, of shape (n_samples, n_targets)."""
        solution = self._solution()
        rows = validate_data(self, X, dtype="numeric", reset=False)
        coef = solution.coef.astype(self.stack_.dtype).T
        outputs = np.empty((len(rows), coef.shape[0]))
        for start in range(0, len(rows), PREDICT_ROWS):
            part = rows[start : start + PREDICT_ROWS]
            hidden = np.empty((self.stack_.n_features, len(part)), self.stack_.dtype)
            self.stack_.forward(part, hidden, start)
            outputs[start : start + PREDICT_ROWS] = (coef @ hidden).T
        return outputs + solution.intercept

    def _chunk_bytes(self) -> int:
        """Memory left for chunks once moments and a factorisation have theirs."""
        if self.memory_limit is None:
            return CHUNK_BYTES
        limit = parse_bytes(self.memory_limit)
        recipe = self._recipe()
        moments, width = recipe.footprint(self.n_features_in_, self.targets_.n_targets)
        least = moments + FEWEST * 8 * 3 * width
        if limit < least:
            raise ParameterError(
                f"memory_limit={self.memory_limit!r} is too little for {recipe.size}: "
                f"moments and their factorisation alone need {least / 1e6:.0f} MB"
            )
        return int(min(CHUNK_BYTES, limit - moments))

    def _phase(self) -> ReadoutMoments:
        return ReadoutMoments(self.stack_, self.targets_.n_targets, self.targets_.encode)

    def _fold(self, source: ArraySource, chunk_bytes: int) -> None:
        with Progress("training", source.n_rows, bool(self.verbose)) as progress:
            self.moments_ = run(
                self._phase(),
                source,
                fold=self.moments_,
                chunk_bytes=chunk_bytes,
                progress=progress,
            )
        self._renew_readout()

    def _check_before_folding(self, rows: NDArray[Any], targets: NDArray[Any]) -> None:
        """Raise for any bad row before the first is added, so that no call adds half its rows."""
        self.targets_.check(targets)
        if accepts_all(self.stack_.preparation):
            return
        step = chunk_rows(self.stack_.width, 8)
        for start in range(0, len(rows), step):
            self.stack_.prepare(rows[start : start + step], start)


def check_weights(sample_weight: Any, rows: NDArray[Any]) -> Float64Array | None:
    """Return weights as float64, or None for equal ones; refuse negative and all-zero ones."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise DataError(f"sample_weight must not be negative: it is {weight[row]} in row {row}")
    if not weight.any():
        raise DataError("sample_weight is 0 in every row: there is nothing to learn from")
    return np.asarray(weight, np.float64)
