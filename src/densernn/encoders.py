r"""Training phases of encoder layers, from random codes and moments: equations (21) to (23).

An autoencoder with a fixed random code H = zeta(X W1) learns the weights W2 that reconstruct X
from H; transposed, they are the encoder layer X -> zeta(X W2').  The solver needs only moments of
H and X, so an encoder layer costs one pass over the rows (three as published, since the published
code and scale need ranges first), for any number of encoders side by side (docs/decisions/0007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.cluster import Cluster, FloatArray
from densernn.layers import ClusterLayer, FeatureMap, Layer
from densernn.phases import Phase, PreactivationMaxima, counted
from densernn.sources.rows import Chunk
from densernn.stats import Extrema, Moments
from densernn.weights import DenseWeights
from densernn.wiring import ParallelLayer, Span

SCALE = 0.1
"""Largest pre-activation of an encoder layer, as published."""

REACH = 3.0
"""Standard deviations above the mean that stand for the maximum of a pre-activation."""

SILENT = 1e-7
"""Units whose standard deviation is below this share of their mean are treated as constant."""

Float64Array = NDArray[np.float64]


class Solver(Protocol):
    """Solver of the weights W2 from a code to the input of an autoencoder."""

    @property
    def signed(self) -> bool:
        """Whether weights may be negative; the layer then has W+ and W- side by side."""

    def solve(self, moments: Moments) -> Float64Array:
        """Return W2, of shape (n_features, n_targets), from moments of code and input."""


@dataclass(frozen=True, eq=False)
class EncoderSpec:
    """Specification of an encoder layer.

    Parameters
    ----------
    below : FeatureMap
        Feature map before the layer.
    spans : tuple of Span
        Input columns of each encoder, which it learns to reconstruct.
    codes : tuple of ClusterLayer
        Random layer of each encoder: zeta(X W1).
    solver : Solver
        Solver of W2.
    dtype : numpy float dtype
        dtype of products, and of the layer.
    """

    below: FeatureMap
    spans: tuple[Span, ...]
    codes: tuple[ClusterLayer, ...]
    solver: Solver
    dtype: np.dtype[Any]

    @property
    def values_per_row(self) -> int:
        """Values held at once for each row."""
        sizes = [code.n_clusters + code.n_inputs for code in self.codes]
        return self.below.values_per_row + 2 * max(sizes)

    def zero(self, n_extra: int = 0) -> tuple[Moments, ...]:
        """Return moments of no rows for each encoder, with ``n_extra`` additional targets."""
        return tuple(Moments.zero(code.n_clusters, code.n_inputs + n_extra) for code in self.codes)

    def layer(self, weights: list[ClusterLayer]) -> ParallelLayer:
        """Return the encoders side by side."""
        starts = np.array([start for start, _ in self.spans], np.int64)
        return ParallelLayer(tuple(weights), starts, self.below.n_features)


@dataclass(frozen=True)
class EncoderPhase(Phase[tuple[Any, ...]]):
    """Base class of passes over codes and inputs, with a statistic for each encoder."""

    encoding: EncoderSpec

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        return self.encoding.values_per_row * self.encoding.dtype.itemsize

    def merge(self, first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the statistics of the rows of both, for each encoder."""
        return tuple(a.merge(b) for a, b in zip(first, second, strict=True))


@dataclass(frozen=True)
class StandardCode(EncoderPhase):
    """Moments of codes and their inputs: the only pass of an encoder layer.

    Each unit of a code is standardised over the rows without a pass of its own: with mean m and
    standard deviation d of a unit, the moments of (h - m) / d follow from those of h.  So does the
    scale of the layer: the pre-activation X w has mean m'w and variance w'Cw, and the largest
    mean plus three standard deviations becomes 0.1.
    """

    def zero(self) -> tuple[Moments, ...]:
        """Return the moments of no rows, for each encoder."""
        return self.encoding.zero()

    def add(self, state: tuple[Moments, ...], chunk: Chunk) -> tuple[Moments, ...]:
        """Accumulate codes and inputs of a chunk, in place."""
        plan = self.encoding
        z = plan.below.forward(chunk.X, None, chunk.start, plan.dtype)
        for moments, code, span in zip(state, plan.codes, plan.spans, strict=True):
            inputs = z[slice(*span)]
            columns = np.empty((moments.size, z.shape[1]), plan.dtype)
            code.forward(inputs, columns[: moments.n_features])
            moments.add(columns, inputs.T, chunk.weight)
        return state

    def finish(self, state: tuple[Moments, ...]) -> Layer:
        """Return the layer: weights of each encoder, solved and scaled."""
        plan = self.encoding
        layers = []
        for moments, code in zip(state, plan.codes, strict=True):
            W2 = plan.solver.solve(standardized(moments))
            layer = _as_layer(W2, plan.solver.signed, code.cluster)
            layers.append(layer.scaled(_scale(layer, moments)).astype(plan.dtype))
        return plan.layer(layers).joined()


def standardized(moments: Moments) -> Moments:
    """Return moments of features of mean 0 and variance 1, or 0 where they are constant."""
    n_features = moments.n_features
    mean = moments.means[:n_features]
    deviation = np.sqrt(moments.variances[:n_features])
    changes = deviation > SILENT * mean
    factor = np.divide(1.0, deviation, out=np.zeros(n_features), where=changes)
    targets = np.zeros(moments.n_targets)
    centred = moments.translated(np.concatenate([-mean, targets]))
    return centred.scaled(np.concatenate([factor, targets + 1.0]))


def _scale(layer: ClusterLayer, moments: Moments) -> float:
    """Return the factor that scales the mean plus three deviations to at most :data:`SCALE`."""
    inputs = slice(moments.n_features, None)
    W = layer.weights.toarray().astype(np.float64)
    means = moments.means
    centred = moments.about(means)
    upper = centred.second[inputs, inputs]
    # With C = U + U' - D of the upper triangle U and the diagonal D, w'Cw = 2 w'Uw - w'Dw.
    variance = 2.0 * np.einsum("ij,ij->j", W, upper @ W) - upper.diagonal() @ W**2
    deviation = np.sqrt(np.maximum(variance / moments.weight, 0.0))
    reach = float((means[inputs] @ W + REACH * deviation).max(initial=0.0))
    return SCALE / reach if reach > 0 else 1.0


def _as_layer(
    W2: Float64Array, signed: bool, cluster: Cluster, at_zero: float | None = None
) -> ClusterLayer:
    """Return the encoder layer of weights W2: W2' if nonnegative, else [W2'+ W2'-].

    With ``at_zero``, the last column of W2 belongs to a bias input of that value.
    """
    W = W2.T
    if signed:
        W = np.hstack([np.maximum(W, 0.0), np.maximum(-W, 0.0)])
    if at_zero is None:
        return ClusterLayer(DenseWeights(np.ascontiguousarray(W)), cluster)
    return ClusterLayer(DenseWeights(np.ascontiguousarray(W[:-1])), cluster, W[-1] * at_zero)


@dataclass(frozen=True)
class PublishedRange(EncoderPhase):
    """Range of each unit of the codes over the rows: the first of three published passes.

    Computed in the working precision: a dense code varies little beside its size, so that what
    float32 rounds, differently for copies of a row, would be as large as 1e-6 of the range.
    """

    def zero(self) -> tuple[Extrema, ...]:
        """Return the ranges of no rows, for each encoder."""
        return tuple(Extrema.zero(code.n_clusters) for code in self.encoding.codes)

    def add(self, state: tuple[Extrema, ...], chunk: Chunk) -> tuple[Extrema, ...]:
        """Return the ranges with the codes of a chunk."""
        rows = counted(chunk)
        if not len(rows):
            return state
        plan = self.encoding
        z = plan.below.forward(rows, None, chunk.start, plan.dtype)
        ranges = []
        for extrema, code, span in zip(state, plan.codes, plan.spans, strict=True):
            hidden = np.empty((code.n_clusters, z.shape[1]), plan.dtype)
            code.forward(z[slice(*span)], hidden)
            found = Extrema(hidden.min(axis=1).astype(float), hidden.max(axis=1).astype(float))
            ranges.append(extrema.merge(found))
        return tuple(ranges)

    def finish(self, state: tuple[Extrema, ...]) -> PublishedCode:
        """Return the second pass, which scales codes by these ranges."""
        return PublishedCode(self.encoding, state)


@dataclass(frozen=True)
class CodeStatistic:
    """Moments of a published code before its minimum is subtracted, and that minimum."""

    moments: Moments
    minimum: float

    def merge(self, other: CodeStatistic) -> CodeStatistic:
        """Return the statistic of the rows of both."""
        return CodeStatistic(self.moments.merge(other.moments), min(self.minimum, other.minimum))

    def shifted(self) -> Moments:
        """Return the moments of the code minus its minimum over all rows and units."""
        offsets = np.zeros(self.moments.size)
        offsets[: self.moments.n_features] = -self.minimum
        return self.moments.translated(offsets)


@dataclass(frozen=True)
class PublishedCode(EncoderPhase):
    """Moments of codes as published: the second pass.

    Each unit is scaled to [0, 1] over the rows, each row is standardised over the units, and the
    global minimum is subtracted.  As that is a single number, moments are corrected for it
    afterwards.  An additional input, always zeta(0), is the bias.
    """

    ranges: tuple[Extrema, ...]

    def zero(self) -> tuple[CodeStatistic, ...]:
        """Return the statistics of no rows, for each encoder."""
        return tuple(CodeStatistic(moments, np.inf) for moments in self.encoding.zero(1))

    def add(self, state: tuple[CodeStatistic, ...], chunk: Chunk) -> tuple[CodeStatistic, ...]:
        """Accumulate codes and inputs of a chunk, in place."""
        plan = self.encoding
        z = plan.below.forward(chunk.X, None, chunk.start, plan.dtype)
        return tuple(
            self._add_one(part, number, z[slice(*span)], chunk.weight)
            for number, (part, span) in enumerate(zip(state, plan.spans, strict=True))
        )

    def _add_one(
        self, state: CodeStatistic, number: int, z: FloatArray, weight: Float64Array | None
    ) -> CodeStatistic:
        code, extrema, moments = self.encoding.codes[number], self.ranges[number], state.moments
        columns = np.empty((moments.size, z.shape[1]), self.encoding.dtype)
        hidden = columns[: code.n_clusters]
        code.forward(z, hidden)
        factor = np.divide(1.0, extrema.width, out=np.zeros(len(hidden)), where=extrema.width > 0)
        low = extrema.minimum
        run_blocks(
            lambda i, j: _kernels.standardize_samples(hidden, low, factor, i, j),
            hidden.shape[1],
            at_least=256,
        )
        counted_codes = hidden if weight is None else hidden[:, weight != 0]
        # Before ``add``, which overwrites the codes.
        minimum = min(state.minimum, float(counted_codes.min(initial=np.inf)))
        bias = np.full((1, z.shape[1]), bias_value(code.cluster), z.dtype)
        moments.add(columns, np.vstack([z, bias]).T, weight)
        return CodeStatistic(moments, minimum)

    def finish(self, state: tuple[CodeStatistic, ...]) -> PublishedScale:
        """Return the third pass, over the solved but unscaled layer."""
        plan = self.encoding
        solver = plan.solver
        layers = [
            _as_layer(solver.solve(part.shifted()), solver.signed, cluster, bias_value(cluster))
            for part, cluster in zip(state, (code.cluster for code in plan.codes), strict=True)
        ]
        exact = plan.layer(layers)
        return PublishedScale(plan.below, exact.astype(plan.dtype), plan.dtype, exact)


@dataclass(frozen=True)
class PublishedScale(PreactivationMaxima):
    """Largest pre-activation of each encoder, which is scaled to 0.1: the third pass."""

    exact: ParallelLayer

    def finish(self, state: NDArray[np.float64]) -> Layer:
        """Return the layer with the weights of each encoder scaled."""
        factors = np.divide(SCALE, state, out=np.ones_like(state), where=state > 0)
        every = np.broadcast_to(factors, len(self.exact.parts))
        return self.exact.scaled(every).astype(self.dtype).joined()


def bias_value(cluster: Cluster) -> float:
    """Return zeta(0), the value of the published bias input."""
    return float(cluster.zeta(0.0))
