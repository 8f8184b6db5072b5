r"""Rotation of hidden activations that preserves small directions in float32 and float64.

Clusters of nonnegative weights are nearly collinear: behind encoders most of the variance of H lies
along a few directions, and H'H rounds at their scale, up to a million times that of the others.
An orthogonal Q that maps those directions to the first coordinates changes no ridge solution
(H W = (H Q)(Q'W), and \|Q'W\| = \|W\|), and makes rounding relative to each coordinate
(docs/decisions/0008, 0013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import blas

from densernn._products import transposed_product
from densernn._threads import run_blocks
from densernn.cluster import FloatArray

LEADING = 32
"""Directions that become coordinates: 4 x 32 x L operations per row, besides L^2 for moments."""

SAMPLE = 512
"""Number of sampled rows from which they are computed."""

FEWEST = 256
"""Smallest number of features that are rotated: float64 resolves the spectrum of fewer, and their
solutions then do not depend, even by rounding, on the sampled rows."""

SMALLEST = 1e-6
"""Share of the largest standard deviation below which a direction of a sample is rounding."""

STEP = 0.0625
"""Of the grid to which scaled features are rounded, in deviations."""

MOST_STEPS = 127
"""To either side: what a byte holds."""

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
        """Compute the rotation from a sample of rows.

        Parameters
        ----------
        columns : ndarray of shape (n_features, n_rows)
            Hidden activations of some hundred rows, by columns.
        most : int, default=32
            Maximum number of directions.

        Returns
        -------
        Rotation or None
            In the dtype of ``columns``; None if no feature varies.
        """
        H = columns.astype(np.float64)
        H -= H.mean(axis=1, keepdims=True)
        # The Gram matrix of the rows is small, and its eigenvectors need not be exact: any
        # orthogonal Q gives the same solutions, and this one only has to separate the scales.
        values, vectors = linalg.eigh(H.T @ H)
        deviations = np.sqrt(np.maximum(values[::-1], 0.0))
        count = int(np.sum(deviations[:most] > SMALLEST * deviations[0]))
        if not count:
            return None
        along = H @ vectors[:, ::-1][:, :count]
        # LAPACK's packed QR: the reflectors are applied as such, and Q is never formed.
        (packed, scales), _ = linalg.qr(along, mode="raw")
        reflectors = np.tril(packed[:, :count], -1)
        reflectors[np.arange(count), np.arange(count)] = 1.0
        factor = _triangle(reflectors, scales)
        dtype = columns.dtype
        return cls(np.ascontiguousarray(reflectors, dtype), factor.astype(dtype))

    @property
    def n_leading(self) -> int:
        """Number of leading coordinates, those of the principal directions."""
        return int(self.reflectors.shape[1])

    def apply(self, columns: FloatArray) -> None:
        """Rotate rows in place: C-ordered ``columns`` of shape (n_features, n_rows) become Q'H'."""
        parts = transposed_product(self.factor, transposed_product(self.reflectors, columns))
        gemm = blas.sgemm if columns.dtype == np.float32 else blas.dgemm
        # H' - Y (T' Y' H'): the update is accumulated in place, without a second chunk in memory.
        gemm(-1.0, parts.T, self.reflectors.T, beta=1.0, c=columns.T, overwrite_c=1)


@dataclass(frozen=True, eq=False)
class Scaling:
    """Means and deviations of features in a sample, so that each weighs alike in a penalty.

    Parameters
    ----------
    shift, factor : ndarray of shape (n_features,)
        Features become (h - shift) factor.

    Notes
    -----
    Those in float32 are rounded to sixteenths of a deviation, up to 127 of them to either side,
    so that one byte keeps them (:class:`ActivationCache`): the same values, kept or not.  Rounding
    adds 1/3072 to a variance of 1, less than the ridge penalty adds; and sums of
    products of such numbers over some thousand rows are exact in float32.
    """

    shift: FloatArray
    factor: FloatArray
    n_leading = 0

    @property
    def is_rounded(self) -> bool:
        """Whether scaled features are rounded."""
        return self.factor.dtype == np.float32

    @classmethod
    def of(cls, columns: FloatArray) -> Scaling:
        """Compute it from a sample of rows, by columns, of shape (n_features, n_rows).

        Features that hardly vary keep to a hundredth of the others' mean square deviation, so
        that their noise is not blown up.
        """
        means = columns.mean(axis=1, dtype=np.float64)
        variances = columns.var(axis=1, dtype=np.float64)
        floor = 1e-4 * variances.mean() or 1.0
        factor = (1.0 / np.sqrt(variances + floor)).astype(columns.dtype)
        return cls(means.astype(columns.dtype), factor)

    def apply(self, columns: FloatArray) -> None:
        """Scale rows in place: C-ordered ``columns`` of shape (n_features, n_rows)."""
        factor = self.factor / STEP if self.is_rounded else self.factor

        def part(start: int, stop: int) -> None:
            for i in range(start, stop):  # one row at a time stays in the cache
                row = columns[i]
                row -= self.shift[i]
                row *= factor[i]
                if self.is_rounded:
                    np.rint(row, out=row)
                    np.clip(row, -MOST_STEPS, MOST_STEPS, out=row)
                    row *= STEP

        run_blocks(part, len(columns), at_least=64)


def _triangle(reflectors: Float64Array, scales: Float64Array) -> Float64Array:
    """Return T of I - Y T Y' = (I - tau_1 y_1 y_1') (I - tau_2 y_2 y_2') ... (Schreiber, 1989)."""
    count = reflectors.shape[1]
    factor: Any = np.zeros((count, count))
    for j in range(count):
        factor[j, j] = scales[j]
        factor[:j, j] = -scales[j] * factor[:j, :j] @ (reflectors[:, :j].T @ reflectors[:, j])
    return np.asarray(factor, np.float64)
