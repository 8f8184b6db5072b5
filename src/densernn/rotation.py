r"""A rotation of hidden activations that keeps float32, or float64, from drowning small directions.

Clusters of nonnegative weights are nearly collinear: behind encoders most of the variance of H lies
along a few directions, and products of rows round at their scale, which may be a million times
the rest.  An orthogonal Q that turns those directions into the first coordinates changes no ridge
solution (H W = (H Q)(Q'W), and \|Q'W\| = \|W\|), but now rounding is relative to each coordinate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import blas

from densernn._products import transposed_product
from densernn.cluster import FloatArray

LEADING = 32
"""Directions that are turned into coordinates: 4 x 32 x L operations per row, beside L^2."""

SAMPLE = 512
"""Rows from which they are found."""

FEWEST = 256
"""Features from which on it is worth it: of fewer, whose variance falls less far, float64 resolves
all, and solutions should not depend, even by rounding, on which rows were sampled."""

SMALLEST = 1e-6
"""Share of the largest deviation below which a direction of a sample is rounding."""

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rotation:
    """Q = I - Y T Y', a product of k Householder reflections.

    Parameters
    ----------
    reflectors : ndarray of shape (n_features, k)
        Y.
    factor : ndarray of shape (k, k)
        T, an upper triangle.

    Notes
    -----
    Memory 8 L k bytes; 4 L k multiply-adds and additions per row, as two matrix products.
    """

    reflectors: FloatArray
    factor: FloatArray

    @classmethod
    def of(cls, columns: FloatArray, most: int = LEADING) -> Rotation | None:
        """Find the leading directions of a sample of rows.

        Parameters
        ----------
        columns : ndarray of shape (n_features, n_rows)
            Hidden activations of some hundred rows, by columns.
        most : int, default=32
            Directions at most.

        Returns
        -------
        Rotation or None
            In the dtype of ``columns``; None where nothing varies.
        """
        H = columns.astype(np.float64)
        H -= H.mean(axis=1, keepdims=True)
        # Eigenvectors of the rows' Gram matrix are cheap, and need not be exact: what is left of
        # a direction stays among the other coordinates.
        values, vectors = linalg.eigh(H.T @ H)
        deviations = np.sqrt(np.maximum(values[::-1], 0.0))
        count = int(np.sum(deviations[:most] > SMALLEST * deviations[0]))
        if not count:
            return None
        along = H @ vectors[:, ::-1][:, :count]
        (packed, scales), _ = linalg.qr(along, mode="raw")
        reflectors = np.tril(packed[:, :count], -1)
        reflectors[np.arange(count), np.arange(count)] = 1.0
        factor = _triangle(reflectors, scales)
        dtype = columns.dtype
        return cls(np.ascontiguousarray(reflectors, dtype), factor.astype(dtype))

    @property
    def n_leading(self) -> int:
        """Coordinates that the leading directions became: the first ones."""
        return int(self.reflectors.shape[1])

    def apply(self, columns: FloatArray) -> None:
        """Rotate rows in place: ``columns``, of shape (n_features, n_rows), C order, becomes Q'H'.

        Nothing of its size is made beside it.
        """
        parts = transposed_product(self.factor, transposed_product(self.reflectors, columns))
        gemm = blas.sgemm if columns.dtype == np.float32 else blas.dgemm
        gemm(-1.0, parts.T, self.reflectors.T, beta=1.0, c=columns.T, overwrite_c=1)


def _triangle(reflectors: Float64Array, scales: Float64Array) -> Float64Array:
    """Return T of I - Y T Y' = (I - tau_1 y_1 y_1') (I - tau_2 y_2 y_2') ... (Schreiber, 1989)."""
    count = reflectors.shape[1]
    factor: Any = np.zeros((count, count))
    for j in range(count):
        factor[j, j] = scales[j]
        factor[:j, j] = -scales[j] * factor[:j, :j] @ (reflectors[:, :j].T @ reflectors[:, j])
    return np.asarray(factor, np.float64)
