"""Passes of the iterative autoencoders: row sums of the multiplicative updates and of (19)."""

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
    """Base class of passes at given encoder weights.

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
        """Values held at once for each row."""
        # Raw and prepared input, its reconstruction and slope; codes, slopes and temporaries.
        n_inputs, n_hidden = self.encoder.shape
        return int(4 * n_inputs + 6 * n_hidden)

    @property
    def itemsize(self) -> int:
        """Bytes of a value in the working dtype."""
        return int(self.encoder.dtype.itemsize)

    def merge(self, first: Any, second: Any) -> Any:
        """Return the statistic of the rows of both."""
        return first.merge(second)

    def inputs(self, chunk: Chunk) -> FloatArray:
        """Return the prepared rows of a chunk, of shape (n_inputs, n_rows)."""
        return prepare(self.preparation, chunk.X, self.encoder.dtype, chunk.start)


@dataclass(frozen=True, eq=False)
class SpikingPass(WeightsPhase):
    """The cost (13), and the terms of (16) and (17); ``decoder`` is W2, of shape (C, U)."""

    decoder: FloatArray

    def zero(self) -> SpikingTerms:
        """Return the terms of no rows."""
        return SpikingTerms.zero(*self.encoder.shape)

    def add(self, fold: SpikingTerms, chunk: Chunk) -> SpikingTerms:
        """Return the terms with the rows of a chunk."""
        Z = self.inputs(chunk)
        return fold.merge(spiking_terms(Z, self.encoder, self.decoder, self.cluster, chunk.weight))


@dataclass(frozen=True, eq=False)
class CodePass(WeightsPhase):
    """The moments of codes and inputs from which (19) is solved."""

    def zero(self) -> CodeMoments:
        """Return the moments of no rows."""
        return CodeMoments.zero(*self.encoder.shape)

    def add(self, fold: CodeMoments, chunk: Chunk) -> CodeMoments:
        """Return the moments with the rows of a chunk."""
        Z = self.inputs(chunk)
        return fold.merge(code_moments(Z, self.encoder, self.cluster, chunk.weight))


@dataclass(frozen=True, eq=False)
class LinearPass(WeightsPhase):
    """The terms of (20), at the signed decoder W2 of shape (C, U)."""

    decoder: FloatArray
    variant: str

    def zero(self) -> Terms:
        """Return the terms of no rows."""
        return Terms.zero((self.encoder.shape[0], self.encoder.shape[1]))

    def add(self, fold: Terms, chunk: Chunk) -> Terms:
        """Return the terms with the rows of a chunk."""
        Z = self.inputs(chunk)
        return fold.merge(
            linear_terms(Z, self.encoder, self.decoder, self.cluster, chunk.weight, self.variant)
        )


@dataclass(frozen=True, eq=False)
class ReconstructionMoments:
    """Moments of codes and prepared inputs: the targets of an autoencoder are its inputs.

    Parameters
    ----------
    stack : Stack
        Feature map with a single layer.
    """

    stack: Stack

    @property
    def width(self) -> int:
        """Values held at once for each row."""
        return self.stack.width + 2 * self.stack.layers[0].n_inputs

    @property
    def itemsize(self) -> int:
        """Bytes of a value in the working dtype."""
        return self.stack.dtype.itemsize

    def zero(self) -> Moments:
        """Return the moments of no rows."""
        return Moments.zero(self.stack.n_features, self.stack.layers[0].n_inputs)

    def add(self, fold: Moments, chunk: Chunk) -> Moments:
        """Accumulate a chunk, in place."""
        Z = self.stack.prepare(chunk.X, chunk.start)
        columns = np.empty((fold.size, len(chunk.X)), self.stack.dtype)
        self.stack.layers[0].forward(Z, columns[: fold.n_features])
        fold.add(columns, Z.T, chunk.weight)
        return fold

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Return the moments of the rows of both."""
        return first.merge(second)
