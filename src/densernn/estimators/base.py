"""Training of classifiers and regressors: fit, partial_fit, merge, forget, decay and fresh."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from sklearn.base import clone

from densernn.engine import Passes
from densernn.engine.passes import warn_of_skipped
from densernn.errors import MergeError, ParameterError
from densernn.estimators.categories import learn_categories
from densernn.estimators.image_rows import augmented
from densernn.estimators.network_spec import generator
from densernn.estimators.polishing import cache_for, polished
from densernn.estimators.resuming import open_checkpoint
from densernn.estimators.state import unchanged_by_errors
from densernn.estimators.targets import make_targets
from densernn.estimators.trained import Trained
from densernn.estimators.validation import as_source, passes_over
from densernn.phases import LearnedState, ReadoutPass
from densernn.solvers import alpha_values

STREAM_ROWS = 100_000
"""Rows that a model trained by partial_fit is taken to see at least."""


class Learner(Trained):
    """The base of classifiers and regressors: a frozen part, and a readout from sums."""

    engine = "auto"  # of models from files that are older than these two
    checkpoint: Any = None
    categorical: Any = None
    table_encoder_: Any = None
    category_encoder_: Any = None
    memory_limit: int | str | None
    random_state: Any
    n_features_in_: int
    _spec: ClassVar[type[Any]]

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the frozen part, and solve the readout.

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)
            Numbers of any sign, in any real dtype, never copied whole; or a table with text,
            categories and truth values, which is copied as numbers.  NaN and null are missing
            values, and sparse matrices become dense chunk by chunk.  Of a source made
            by :func:`open_rows`, whose targets and weights are its own, rows stream: one pass
            more than there are encoder layers (dense weights: see Notes), and a first one.
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
            The source skipped bad rows, as it was opened to do.
        """
        alpha_values(self.alpha)  # a bad one is refused before the pass over the rows, not after
        with unchanged_by_errors(self):
            start = time.perf_counter()
            self.learned_ = self._learn(X, y, sample_weight, "readout", first=True, resumable=True)
            learned = time.perf_counter()
            # fit solves at once; after updates the first use does.
            self._readout.solve(self.learned_.moments)
            seconds = time.perf_counter() - learned
            self.fit_seconds_ = {"moments": learned - start, "readout": seconds}
        return self

    def _learn(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        label: str,
        *,
        classes: ArrayLike | None = None,
        first: bool = False,
        resumable: bool = False,
    ) -> LearnedState:
        """Return the state of some rows alone; the first rows decide targets and layers, too."""
        source = as_source(self, X, y, sample_weight, reset=first, labelled=self._labelled)
        spec = self._spec(self)
        spec.check()
        with open_checkpoint(self, source, resumable) as checkpoint:
            n_targets = 1 if first else self.targets_.n_targets
            passes = passes_over(self, source, spec.chunk_bytes(source, n_targets), checkpoint)
            if first:
                rng = generator(self.random_state, checkpoint)
                self._learn_frozen(spec, passes, rng, classes, streams=not resumable)
            cache = cache_for(self) if resumable else None
            phase = ReadoutPass(self.feature_map_, self.targets_, cache)
            state = passes.run(augmented(self, phase), label)
            if first:
                self._readout = self._readout.decided(state.moments)
            if resumable:
                self._readout = polished(self, passes, state.moments, cache)
        if passes.skipped.count:
            warn_of_skipped(passes.skipped, passes.n_rows)
        return state

    def _learn_frozen(
        self, spec: Any, passes: Passes, rng: Generator, classes: Any, streams: bool
    ) -> None:
        """Learn targets and the frozen part: a summary of the rows, then what that needs."""
        n_columns = passes.source.n_targets or 0
        labels = self._labelled and classes is None and n_columns <= 1
        learn_categories(self, passes, labels, classes)
        source = passes.source
        summary = passes.run(spec.first_pass(source, labels), "first pass")
        class_weight = getattr(self, "class_weight", None)
        self.targets_ = make_targets(
            self._labelled, n_columns, summary.classes, classes, class_weight
        )
        passes.chunk_bytes = spec.chunk_bytes(source, self.targets_.n_targets)
        n_rows = STREAM_ROWS if streams else int(passes.n_rows or 0)
        found = spec.digest(summary, self.targets_)
        del summary  # which may hold most of the memory
        self.feature_map_, self._readout = spec.learn_model(
            passes, found, self.targets_, n_rows, rng
        )

    def _update(self, X: Any, y: Any, classes: ArrayLike | None, sample_weight: Any) -> Self:
        """Add rows: the body of ``partial_fit``.

        New rows have a state of their own until all of them are in, so that an error or Ctrl-C
        adds either all or none.
        """
        alpha_values(self.alpha)
        first = not hasattr(self, "feature_map_")
        if not first:
            self._require_moments()
        with unchanged_by_errors(self):
            new = self._learn(X, y, sample_weight, "training", classes=classes, first=first)
            self.learned_ = new if first else self.learned_.merge(new)
            self._renew_readout()
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
        self._require_moments()
        if type(other) is not type(self):
            raise MergeError(f"cannot merge {type(other).__name__} into {type(self).__name__}")
        other._require_moments()
        mine, theirs = self._fingerprint(), other._fingerprint()
        parts = {**mine, **theirs}
        different = [part for part in parts if mine.get(part) != theirs.get(part)]
        if different:
            shown = ", ".join(different[:5]) + (", ..." if len(different) > 5 else "")
            raise MergeError(
                f"cannot merge models that differ in {shown}: train shards with "
                "fresh() of one model, so that they share its layers"
            )
        with unchanged_by_errors(self):
            before = self.targets_
            self.targets_ = before.unite(other.targets_)
            self.learned_ = self.learned_.merge(other.learned_)
            self._renew_readout(before, other)
        return self

    def forget(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Take rows away that the model was trained on.

        The readout becomes that of a fit on the remaining rows with these frozen layers, to
        rounding.  What may still depend on the forgotten rows: learned encoders, the ranges,
        means and spreads that the preparation of input learned, the scale of dense weights, the
        set of classes, and the class weights of ``class_weight="balanced"``; of a forest its
        structure, penalty and calibration, and the range of values.

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
        self._require_moments()
        self.learned_.require_undecayed()  # before a pass over the rows
        if getattr(self._readout, "judged", None) is not None and self.learned_.moments.weight:
            self._readout.solve(self.learned_.moments)  # after which it holds no rows
        with unchanged_by_errors(self):
            gone = self._learn(X, y, sample_weight, "forgetting")
            self.learned_ = self.learned_.subtract(gone)
            self._renew_readout()
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
        self._require_moments()
        if not (isinstance(factor, (int, float, np.number)) and 0 < factor <= 1):
            raise ParameterError(f"factor must be above 0 and at most 1: it is {factor!r}")
        if factor < 1:
            with unchanged_by_errors(self):
                self.learned_ = self.learned_.decayed(float(factor))
                self._renew_readout()
        return self

    def fresh(self) -> Self:
        """Return a model with the same frozen layers and no rows.

        Send it to shards of the data, train each with ``partial_fit``, and :meth:`merge`.

        Returns
        -------
        estimator of the same class
        """
        self._require_moments()
        model: Self = clone(self)
        for name, value in vars(self).items():
            if name.endswith("_") and name not in ("fit_seconds_", "learned_"):
                setattr(model, name, value)
        model.learned_ = ReadoutPass(self.feature_map_, self.targets_).zero()
        model._readout = self._readout.renewed(self.alpha)
        return model
