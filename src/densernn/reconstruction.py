"""Phases of autoencoders: passes that fold what the multiplicative updates and (19) need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from densernn.cluster import Cluster, FloatArray
from densernn.folds import Moments
from densernn.layers import Stack, prepare
from densernn.solvers.multiplicative import (
    CodeMoments,
    SpikingTerms,
    Terms,
    code_moments,
    linear_terms,
    spiking_terms,
)
from densernn.sources.rows import Chunk


@dataclass(frozen=True, eq=False)
class WeightsPhase:
    """What the phases of the iterative methods share: input, cluster and encoder weights.

    Parameters
    ----------
    preparation : Preparation, another fitted transformer, or None
        As in :class:`densernn.layers.Stack`.
    cluster : Cluster
    encoder : ndarray of shape (n_inputs, n_hidden)
        W1, in the working dtype.
    """

    preparation: Any
    cluster: Cluster
    encoder: FloatArray

    @property
    def width(self) -> int:
        """Numbers held at once for a row: input, what is read for it, and codes."""
        n_inputs, n_hidden = self.encoder.shape
        return int(4 * n_inputs + 6 * n_hidden)

    @property
    def itemsize(self) -> int:
        """Bytes of a number of the working dtype."""
        return int(self.encoder.dtype.itemsize)

    def inputs(self, chunk: Chunk) -> FloatArray:
        """Return the prepared rows of a chunk, of shape (n_inputs, n_rows)."""
        return prepare(self.preparation, chunk.X, self.encoder.dtype, chunk.start)


@dataclass(frozen=True, eq=False)
class SpikingPass(WeightsPhase):
    """The cost (13), and the terms of (16) and (17); ``decoder`` is W2, of shape (C, U)."""

    decoder: FloatArray

    def zero(self) -> SpikingTerms:
        """Return the fold of no rows."""
        return SpikingTerms.zero(*self.encoder.shape)

    def add(self, fold: SpikingTerms, chunk: Chunk) -> SpikingTerms:
        """Fold a chunk."""
        Z = self.inputs(chunk)
        return fold.merge(spiking_terms(Z, self.encoder, self.decoder, self.cluster, chunk.weight))

    def merge(self, first: SpikingTerms, second: SpikingTerms) -> SpikingTerms:
        """Return the fold of the rows of both."""
        return first.merge(second)


@dataclass(frozen=True, eq=False)
class CodePass(WeightsPhase):
    """The moments of codes and inputs from which (19) is solved."""

    def zero(self) -> CodeMoments:
        """Return the fold of no rows."""
        return CodeMoments.zero(*self.encoder.shape)

    def add(self, fold: CodeMoments, chunk: Chunk) -> CodeMoments:
        """Fold a chunk."""
        return fold.merge(
            code_moments(self.inputs(chunk), self.encoder, self.cluster, chunk.weight)
        )

    def merge(self, first: CodeMoments, second: CodeMoments) -> CodeMoments:
        """Return the fold of the rows of both."""
        return first.merge(second)


@dataclass(frozen=True, eq=False)
class LinearPass(WeightsPhase):
    """The terms of (20), at the signed decoder W2 of shape (C, U)."""

    decoder: FloatArray
    variant: str

    def zero(self) -> Terms:
        """Return the fold of no rows."""
        return Terms.zero((self.encoder.shape[0], self.encoder.shape[1]))

    def add(self, fold: Terms, chunk: Chunk) -> Terms:
        """Fold a chunk."""
        Z = self.inputs(chunk)
        return fold.merge(
            linear_terms(Z, self.encoder, self.decoder, self.cluster, chunk.weight, self.variant)
        )

    def merge(self, first: Terms, second: Terms) -> Terms:
        """Return the fold of the rows of both."""
        return first.merge(second)


@dataclass(frozen=True, eq=False)
class ReconstructionMoments:
    """Moments of codes and prepared inputs: the targets of an autoencoder are its inputs.

    Parameters
    ----------
    stack : Stack
        Of a single layer.
    """

    stack: Stack

    @property
    def width(self) -> int:
        """Numbers held at once for a row."""
        return self.stack.width + 2 * self.stack.layers[0].n_inputs

    @property
    def itemsize(self) -> int:
        """Bytes of a number of the stack's dtype."""
        return self.stack.dtype.itemsize

    def zero(self) -> Moments:
        """Return the moments of no rows."""
        return Moments.zero(self.stack.n_features, self.stack.layers[0].n_inputs)

    def add(self, fold: Moments, chunk: Chunk) -> Moments:
        """Fold a chunk, in place."""
        Z = self.stack.prepare(chunk.X, chunk.start)
        columns = np.empty((fold.size, len(chunk.X)), self.stack.dtype)
        self.stack.layers[0].forward(Z, columns[: fold.n_features])
        fold.add(columns, Z.T, chunk.weight)
        return fold

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Return the fold of the rows of both."""
        return first.merge(second)
