"""Matrix products of chunks, by the one BLAS that moments are computed with.

NumPy and SciPy each bring a BLAS with threads of its own, which go on spinning for some ten
milliseconds after a product: one that follows from the other library then finds half of a
small machine busy.  So all products between which time is short go through SciPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

FloatArray = NDArray[np.floating[Any]]


def transposed_product(A: FloatArray, B: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return A'B.

    Parameters
    ----------
    A : ndarray of shape (k, m), C order
    B : ndarray of shape (k, n), C order, of the same float dtype
    out : ndarray of shape (m, n), C order, optional
        Where to write it.

    Returns
    -------
    ndarray of shape (m, n), C order

    Notes
    -----
    Arrays in another order are copied first.

    Examples
    --------
    >>> transposed_product(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[3., 4.],
           [6., 8.]])
    """
    if out is None:
        out = np.empty((A.shape[1], B.shape[1]), B.dtype)
    if not A.size or not B.size:
        out[...] = 0.0
        return out
    gemm = blas.sgemm if B.dtype == np.float32 else blas.dgemm
    # What is C order here is Fortran order there: (A'B)' = B'A, of transposed views.
    found = gemm(1.0, B.T, A.T, trans_b=1, beta=0.0, c=out.T, overwrite_c=1)
    if not np.shares_memory(found, out):
        out[...] = found.T
    return out
