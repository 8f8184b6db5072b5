"""Passes of the iterative autoencoders: row sums of the multiplicative updates and of (19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from densernn.cluster import Cluster, FloatArray
from densernn.layers import FeatureMap, prepare
from densernn.phases import Phase
from densernn.solvers.multiplicative import (
    CodeMoments,
    SpikingTerms,
    Terms,
    code_moments,
    linear_terms,
    spiking_terms,
)
from densernn.sources.rows import Chunk
from densernn.stats import Moments


@dataclass(frozen=True, eq=False)
class WeightsPhase(Phase[Any]):
    """Base class of passes at given encoder weights.

    Parameters
    ----------
    preparation : Preparation, another fitted transformer, or None
        As in :class:`densernn.layers.FeatureMap`.
    cluster : Cluster
    encoder : ndarray of shape (n_inputs, n_hidden)
        W1, in the working dtype.
    """

    preparation: Any
    cluster: Cluster
    encoder: FloatArray

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        # Raw and prepared input, its reconstruction and slope; codes, slopes and temporaries.
        n_inputs, n_hidden = self.encoder.shape
        return int((4 * n_inputs + 6 * n_hidden) * self.encoder.dtype.itemsize)

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

    def add(self, state: SpikingTerms, chunk: Chunk) -> SpikingTerms:
        """Return the terms with the rows of a chunk."""
        Z = self.inputs(chunk)
        return state.merge(spiking_terms(Z, self.encoder, self.decoder, self.cluster, chunk.weight))


@dataclass(frozen=True, eq=False)
class CodePass(WeightsPhase):
    """The moments of codes and inputs from which (19) is solved."""

    def zero(self) -> CodeMoments:
        """Return the moments of no rows."""
        return CodeMoments.zero(*self.encoder.shape)

    def add(self, state: CodeMoments, chunk: Chunk) -> CodeMoments:
        """Return the moments with the rows of a chunk."""
        Z = self.inputs(chunk)
        return state.merge(code_moments(Z, self.encoder, self.cluster, chunk.weight))


@dataclass(frozen=True, eq=False)
class LinearPass(WeightsPhase):
    """The terms of (20), at the signed decoder W2 of shape (C, U)."""

    decoder: FloatArray
    variant: str

    def zero(self) -> Terms:
        """Return the terms of no rows."""
        return Terms.zero((self.encoder.shape[0], self.encoder.shape[1]))

    def add(self, state: Terms, chunk: Chunk) -> Terms:
        """Return the terms with the rows of a chunk."""
        Z = self.inputs(chunk)
        return state.merge(
            linear_terms(Z, self.encoder, self.decoder, self.cluster, chunk.weight, self.variant)
        )


@dataclass(frozen=True, eq=False)
class ReconstructionMoments(Phase[Moments]):
    """Moments of codes and prepared inputs: the targets of an autoencoder are its inputs.

    Parameters
    ----------
    feature_map : FeatureMap
        Feature map with a single layer.
    """

    feature_map: FeatureMap

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        n_values = self.feature_map.values_per_row + 2 * self.feature_map.layers[0].n_inputs
        return n_values * self.feature_map.dtype.itemsize

    def zero(self) -> Moments:
        """Return the moments of no rows."""
        return Moments.zero(self.feature_map.n_features, self.feature_map.layers[0].n_inputs)

    def add(self, state: Moments, chunk: Chunk) -> Moments:
        """Accumulate a chunk, in place."""
        Z = self.feature_map.prepare(chunk.X, chunk.start)
        columns = np.empty((state.size, len(chunk.X)), self.feature_map.dtype)
        self.feature_map.layers[0].forward(Z, columns[: state.n_features])
        state.add(columns, Z.T, chunk.weight)
        return state
