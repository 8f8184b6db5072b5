"""Nonnegative random weights: dense U[0, 1) as published, or sparse with a fixed fan-in.

Weights are drawn in float64 and then cast, so that a ``random_state`` gives the same network,
up to rounding, in both precisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import FloatArray
from densernn.errors import DataError, ParameterError


@dataclass(frozen=True, eq=False)
class DenseWeights:
    """Dense weights: every input is connected to every cluster.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_clusters)
        Entry (u, c) is the inhibitory weight from input u to cluster c, nonnegative.
    """

    matrix: FloatArray

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return int(self.matrix.shape[0])

    @property
    def n_clusters(self) -> int:
        """Clusters in the layer."""
        return int(self.matrix.shape[1])

    def astype(self, dtype: Any) -> DenseWeights:
        """Return the same weights in another float dtype."""
        return DenseWeights(self.matrix.astype(dtype, copy=False))

    def scaled(self, factor: float | FloatArray) -> DenseWeights:
        """Return the weights times one factor, or times one factor per cluster."""
        return DenseWeights(self.matrix * factor)

    def toarray(self) -> FloatArray:
        """Return the matrix of shape (n_inputs, n_clusters)."""
        return self.matrix


@dataclass(frozen=True, eq=False)
class SparseWeights:
    """Sparse weights: each cluster is connected to a few inputs (compressed sparse columns).

    Parameters
    ----------
    n_inputs : int
        Number of inputs.
    starts : ndarray of shape (n_clusters + 1,), int64
        Cluster c is connected to ``inputs[starts[c]:starts[c + 1]]``.
    inputs : ndarray of shape (n_weights,), int32
        Indices of inputs.
    values : ndarray of shape (n_weights,)
        Weights of these connections, nonnegative.
    """

    n_inputs: int
    starts: NDArray[np.int64]
    inputs: NDArray[np.int32]
    values: FloatArray

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The state may come from a file, and kernels use these indices without bounds checks.
        starts, inputs, values = state["starts"], state["inputs"], state["values"]
        alike = starts.ndim == inputs.ndim == values.ndim == 1 and inputs.size == values.size
        if not (
            alike
            and starts.size
            and starts[0] == 0
            and starts[-1] == inputs.size
            and (np.diff(starts) >= 0).all()
            and (inputs.size == 0 or 0 <= inputs.min() <= inputs.max() < state["n_inputs"])
        ):
            raise DataError("sparse weights refer to inputs or weights that do not exist")
        self.__dict__.update(state)

    @property
    def n_clusters(self) -> int:
        """Clusters in the layer."""
        return self.starts.size - 1

    def astype(self, dtype: Any) -> SparseWeights:
        """Return the same weights in another float dtype."""
        return replace(self, values=self.values.astype(dtype, copy=False))

    def scaled(self, factor: float | FloatArray) -> SparseWeights:
        """Return the weights times one factor, or times one factor per cluster."""
        per_weight = np.repeat(factor, np.diff(self.starts)) if np.ndim(factor) else factor
        return replace(self, values=self.values * per_weight)

    def toarray(self) -> FloatArray:
        """Return the matrix of shape (n_inputs, n_clusters)."""
        matrix = np.zeros((self.n_inputs, self.n_clusters), self.values.dtype)
        clusters = np.repeat(np.arange(self.n_clusters), np.diff(self.starts))
        np.add.at(matrix, (self.inputs, clusters), self.values)
        return matrix


Weights = DenseWeights | SparseWeights


def draw_dense(n_inputs: int, n_clusters: int, rng: np.random.Generator) -> DenseWeights:
    """Draw dense weights from U[0, 1), as published.

    Parameters
    ----------
    n_inputs, n_clusters : int
        At least 1.
    rng : numpy.random.Generator

    Returns
    -------
    DenseWeights
        float64.

    Notes
    -----
    The pre-activation of every cluster is close to half the sum of all inputs, so that hidden
    units are nearly collinear: their Gram matrix needs float64 and hardly any penalty.
    """
    return DenseWeights(rng.random((n_inputs, n_clusters)))


def draw_sparse(
    n_inputs: int,
    n_clusters: int,
    fan_in: int,
    rng: np.random.Generator,
    live: NDArray[np.bool_] | None = None,
) -> SparseWeights:
    """Draw sparse weights: ``fan_in`` inputs for each cluster, with weights that sum to 1.

    Parameters
    ----------
    n_inputs, n_clusters : int
        At least 1.
    fan_in : int
        Number of different inputs of a cluster; limited to the number of varying inputs.
    rng : numpy.random.Generator
    live : ndarray of bool of shape (n_inputs,), optional
        Inputs that vary over the training rows: only those are drawn, since constant inputs
        carry no information.  By default, and if none varies, all inputs.

    Returns
    -------
    SparseWeights
        float64.  A pre-activation is a weighted mean of inputs, so that its scale does not depend
        on the fan-in and needs no pass over the data.

    Raises
    ------
    ParameterError
        ``fan_in`` is below 1.

    Examples
    --------
    >>> weights = draw_sparse(5, 3, 2, np.random.default_rng(0))
    >>> weights.toarray().sum(axis=0).round(12)
    array([1., 1., 1.])
    >>> (weights.toarray() > 0).sum(axis=0)
    array([2, 2, 2])
    """
    if fan_in < 1:
        raise ParameterError(f"fan_in must be at least 1: it is {fan_in}")
    candidates = np.arange(n_inputs) if live is None or not live.any() else np.flatnonzero(live)
    count = min(fan_in, candidates.size)
    choose = partial(rng.choice, candidates, count, replace=False, shuffle=False)
    return _with_values(n_inputs, [np.sort(choose()) for _ in range(n_clusters)], rng)


def draw_patches(
    side: int,
    n_clusters: int,
    fan_in: int,
    rng: np.random.Generator,
    live: NDArray[np.bool_] | None = None,
) -> SparseWeights:
    """Draw sparse weights over square images: each cluster is connected to a random rectangle.

    The sides of a rectangle are uniform from 2 to half the side of the image (to 8 if that is
    more), its position is uniform, and up to ``fan_in`` of its pixels are drawn: neighbouring
    pixels belong together (docs/decisions/0004).

    Parameters
    ----------
    side : int
        Inputs are images of side x side pixels, row by row.
    n_clusters, fan_in : int
        As in :func:`draw_sparse`.
    rng : numpy Generator
        Source of randomness.
    live : ndarray of bool of shape (side * side,), optional
        Pixels that vary over the training rows; a rectangle without any is drawn again.  By
        default, and if none varies, all pixels.

    Returns
    -------
    SparseWeights
        float64, the weights of each cluster summing to 1.

    Raises
    ------
    ParameterError
        ``fan_in`` is below 1.

    Examples
    --------
    >>> weights = draw_patches(8, 3, 4, np.random.default_rng(0))
    >>> weights.toarray().sum(axis=0).round(12)
    array([1., 1., 1.])
    """
    if fan_in < 1:
        raise ParameterError(f"fan_in must be at least 1: it is {fan_in}")
    pixels = np.arange(side * side)
    varying = np.ones(side * side, bool) if live is None or not live.any() else live
    largest = min(side, max(8, side // 2))
    chosen: list[NDArray[np.intp]] = []
    while len(chosen) < n_clusters:
        height, width = rng.integers(min(2, side), largest + 1, size=2)
        top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
        inside = np.s_[top : top + height, left : left + width]
        patch = pixels.reshape(side, side)[inside][varying.reshape(side, side)[inside]]
        if patch.size:
            few = min(fan_in, patch.size)
            chosen.append(np.sort(rng.choice(patch, few, replace=False, shuffle=False)))
    return _with_values(side * side, chosen, rng)


def _with_values(
    n_inputs: int, chosen: list[NDArray[np.intp]], rng: np.random.Generator
) -> SparseWeights:
    """Return sparse weights drawn from U(0, 1] and normalised to sum 1 for each cluster."""
    starts = np.concatenate([[0], np.cumsum(list(map(len, chosen)))]).astype(np.int64)
    values = 1.0 - rng.random(starts[-1])  # never 0, so that no sum is
    totals = np.add.reduceat(values, starts[:-1])
    return SparseWeights(
        n_inputs=n_inputs,
        starts=starts,
        inputs=np.concatenate(chosen).astype(np.int32),
        values=values / np.repeat(totals, np.diff(starts)),
    )
