"""What classifier and regressor share: fit, partial_fit, merge, forget, decay and fresh."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from densernn.engine import Passes
from densernn.engine.budget import CHUNK_BYTES, FEWEST, parse_bytes
from densernn.errors import DataError, MergeError, ParameterError
from densernn.estimators.checkpoint import open_journal
from densernn.estimators.given import as_source, meet, passes_over
from densernn.estimators.network import NetworkRecipe, generator
from densernn.estimators.state import unchanged_by_errors
from densernn.estimators.trained import Float64Array, Trained
from densernn.folds import ClassCounts
from densernn.phases import Look, ReadoutMoments, Seen
from densernn.solvers import alpha_values
from densernn.sources.arrays import ArraySource
from densernn.sources.rows import RowSource

STREAM_ROWS = 100_000
"""Rows that a model trained by partial_fit is taken to see at least."""


class RNNELM(Trained):
    """A random layer of clusters and a ridge readout; the base of both estimators."""

    n_hidden: int
    dtype: str
    memory_limit: int | str | None
    engine = "auto"  # of models from files that are older than these two
    checkpoint: Any = None
    random_state: Any
    verbose: int
    n_features_in_: int

    @abstractmethod
    def _validate(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return rows and targets as arrays, or raise."""

    @abstractmethod
    def _learn_targets(
        self, source: RowSource, seen: ClassCounts, classes: ArrayLike | None = None
    ) -> None:
        """Set ``targets_`` and what else depends on the labels."""

    @property
    @abstractmethod
    def _labelled(self) -> bool:
        """Whether y holds labels, where it has one axis."""

    def _recipe(self) -> NetworkRecipe:
        """Return the choices that make the network."""
        return NetworkRecipe.of(self)

    def _weigh(self) -> Any:
        """Return what makes the weight of each row in the moments, if it is not its own."""
        return None

    def _count(self, classes: ClassCounts, sign: int) -> None:
        """Take note of rows that come (sign 1) or go (sign -1)."""

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Draw the network and solve the readout.

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)
            Real numbers of any sign, in any real dtype; never copied whole.  Of a source made
            by :func:`open_rows`, whose targets and weights are its own, rows stream: one pass
            more than there are encoder layers (dense weights: see Notes), and one look.
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or values; not given with a source.
        sample_weight : array of shape (n_samples,), optional
            A row of weight 0 counts nowhere, one of weight k as k copies.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            Rows or parameters cannot be used; the text says which, and why.
        CheckpointError
            ``checkpoint`` is of another training.

        Warns
        -----
        SkippedRowsWarning
            The source passed over bad rows, as it had been told to.
        """
        alpha_values(self.alpha)  # a bad one is refused before the pass over the rows, not after
        with unchanged_by_errors(self):
            self._fit(self._source(X, y, sample_weight, reset=True))
        return self

    def _fit(self, source: RowSource) -> None:
        """Do what ``fit`` does, with nothing kept of an earlier fit."""
        start = time.perf_counter()
        self.decayed_ = False
        self.__dict__.pop("targets_", None)
        recipe = self._recipe()
        recipe.check()
        with open_journal(self, source) as journal:
            if journal is not None:
                seeded = journal.generator(generator(self.random_state))
                recipe = replace(recipe, random_state=seeded)
            passes = self._passes(source, journal)
            self._learn(recipe, passes)
        self._renew_readout()
        folded = time.perf_counter()
        self._readout.solution  # noqa: B018 - fit solves at once; after updates the first use does
        self.fit_seconds_ = {"moments": folded - start, "readout": self._readout.seconds}
        passes.warn_of_skipped()

    def _learn(self, recipe: NetworkRecipe, passes: Passes) -> None:
        """Pass over the rows: a look, what the network needs, and the readout's moments."""
        source = passes.source
        seen: Seen = passes.run(self._look(source, recipe), "first look")
        self._learn_targets(source, seen.classes)
        self._learn_network(recipe, passes, seen, int(passes.n_rows or 0))
        learned = passes.run(self._phase(), "readout")
        self.moments_ = learned.moments
        self._count(learned.classes, 1)

    def _update(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> Self:
        """Add rows: the body of ``partial_fit``.

        New rows have moments of their own until all of them are in, so that an error or Ctrl-C
        adds either all or none.
        """
        alpha_values(self.alpha)
        first = not hasattr(self, "stack_")
        if not first:
            self._require_moments()
        source = self._source(X, y, sample_weight, reset=first)
        passes = self._passes(source)
        if first:
            recipe = self._recipe()
            recipe.check()
            seen: Seen = passes.run(Look(source.n_columns, n_sampled=recipe.n_sampled))
            self._learn_targets(source, seen.classes, classes)
            self._learn_network(recipe, passes, seen, STREAM_ROWS)
        learned = passes.run(self._phase(), "training")
        self._count(learned.classes, 1)
        self.moments_ = learned.moments if first else self.moments_.merge(learned.moments)
        self._renew_readout()
        passes.warn_of_skipped()
        return self

    def _source(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> RowSource:
        """Return rows with targets, whatever the user gave, or raise."""
        source = as_source(X, y, sample_weight)
        if source is None:
            rows, targets = self._validate(X, y, reset=reset)
            return ArraySource(rows, targets, check_weights(sample_weight, rows))
        if source.n_targets is None:
            raise DataError(
                f"{type(self).__name__} needs targets: open the rows with target=, the column's "
                "name or number"
            )
        meet(self, source, reset=reset)
        self._check_targets(source, reset=reset)
        return source

    @abstractmethod
    def _check_targets(self, source: RowSource, *, reset: bool) -> None:
        """Raise if the targets of a source have another shape than before."""

    def _look(self, source: RowSource, recipe: NetworkRecipe) -> Look:
        labels = self._labelled and source.n_targets in (0, 1)
        return Look(source.n_columns, labels, recipe.n_sampled)

    def _passes(self, source: RowSource, journal: Any = None) -> Passes:
        """Return passes over a source, with the memory that is left for a chunk."""
        return passes_over(self, source, self._chunk_bytes(source), journal)

    def _learn_network(
        self, recipe: NetworkRecipe, passes: Passes, seen: Seen, n_rows: int
    ) -> None:
        refuse_weightless(seen)
        passes.chunk_bytes = self._chunk_bytes(passes.source)  # now that targets are known
        self.stack_ = recipe.learn(passes, seen, n_rows)

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
        with unchanged_by_errors(self):
            self._unite(other)
            self.decayed_ = self.decayed_ or other.decayed_
            self._renew_readout()
        return self

    def _unite(self, other: Self) -> None:
        """Add the moments of another model with the same layers."""
        self.moments_ = self.moments_.merge(other.moments_)

    def forget(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
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
        if self.decayed_:
            raise MergeError(
                "decay has weighed earlier rows down, and it is not known which rows are earlier: "
                "forget is for models that were never decayed"
            )
        with unchanged_by_errors(self):
            passes = self._passes(self._source(X, y, sample_weight, reset=False))
            gone = passes.run(self._phase(), "forgetting")
            self.moments_ = self.moments_.subtract(gone.moments)
            self._count(gone.classes, -1)
            self._renew_readout()
            passes.warn_of_skipped()
        return self

    def decay(self, factor: float) -> Self:
        """Let all rows so far count less, as for a stream that drifts.

        Call it before each ``partial_fit`` of a stream: a row that came k batches ago then
        weighs ``factor`` to the power of k.  Half of its weight is gone after
        log(1/2) / log(factor) batches.

        Parameters
        ----------
        factor : float
            By which the weight of each row so far is multiplied: above 0, at most 1.

        Returns
        -------
        self
            As if all rows so far had been given ``sample_weight`` times ``factor``; their
            share in what the preparation and encoders learned stays.

        Raises
        ------
        ParameterError
            ``factor`` is outside (0, 1].
        """
        check_is_fitted(self, "stack_")
        self._require_moments()
        if not (isinstance(factor, (int, float, np.number)) and 0 < factor <= 1):
            raise ParameterError(f"factor must be above 0 and at most 1: it is {factor!r}")
        if factor == 1:
            return self
        with unchanged_by_errors(self):
            self.moments_ = self.moments_.decayed(float(factor))
            self._decay_counts(float(factor))
            self.decayed_ = True
            self._renew_readout()
        return self

    def _decay_counts(self, factor: float) -> None:
        """Let counts of rows become less too."""

    decayed_ = False
    """Whether :meth:`decay` has been used since the last ``fit``."""

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
            if name.endswith("_") and name not in ("fit_seconds_", "moments_", "decayed_"):
                setattr(model, name, value)
        model.moments_ = self._phase().zero().moments
        model._empty()
        model._renew_readout()
        return model

    def _empty(self) -> None:
        """Forget counts of rows, in a fresh model."""

    def _chunk_bytes(self, source: RowSource) -> int:
        """Memory left for chunks once reading, moments and a factorisation have theirs."""
        if self.memory_limit is None:
            return CHUNK_BYTES
        limit = parse_bytes(self.memory_limit)
        recipe = self._recipe()
        n_targets = self.targets_.n_targets if hasattr(self, "targets_") else 1
        moments, width = recipe.footprint(self.n_features_in_, n_targets)
        kept = moments + source.buffer_bytes
        if self.checkpoint is not None:
            kept += moments // 2  # a fold, packed and as a file, before it is written
        least = kept + FEWEST * 8 * 3 * width
        if limit < least:
            raise ParameterError(
                f"memory_limit={self.memory_limit!r} is too little for {recipe.size}: "
                f"moments, their factorisation and reading alone need {least / 1e6:.0f} MB"
            )
        return int(min(CHUNK_BYTES, limit - kept))

    def _phase(self) -> ReadoutMoments:
        return ReadoutMoments(self.stack_, self.targets_, self._weigh())


def refuse_weightless(seen: Seen) -> None:
    """Raise DataError where every row weighs 0."""
    if not seen.marginals.weight:
        raise DataError("every row weighs 0: there is nothing to learn from")


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
