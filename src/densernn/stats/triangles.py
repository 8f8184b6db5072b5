"""Symmetric matrices stored as their upper triangle: packed, whole, and about other shifts."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

Float64Array = NDArray[np.float64]


def packed(upper: Float64Array) -> Float64Array:
    """Return the upper triangle, column by column, in one axis: half of the memory."""
    return np.concatenate([upper[: j + 1, j] for j in range(len(upper))])


def unpacked(triangle: Float64Array, size: int) -> Float64Array:
    """Return the matrix of a packed triangle, in Fortran order and with zeros below."""
    upper = np.zeros((size, size), order="F")
    for j in range(size):
        upper[: j + 1, j] = triangle[j * (j + 1) // 2 :][: j + 1]
    return upper


def rebase(
    second: Float64Array, sums: Float64Array, gap: Float64Array, weight: float
) -> Float64Array:
    """Return S2 - s1 e' - e s1' + n e e' in the upper triangle, in place."""
    if not gap.any():
        return second
    # With v = s1 - (n/2) e this is the symmetric rank-2 update S2 - v e' - e v'.
    return cast(
        "Float64Array",
        blas.dsyr2(-1.0, sums - 0.5 * weight * gap, gap, a=second, lower=0, overwrite_a=1),
    )


def symmetric(upper: Float64Array) -> Float64Array:
    """Return the full symmetric matrix with the given upper triangle."""
    full = upper + upper.T
    np.fill_diagonal(full, upper.diagonal())
    return full
