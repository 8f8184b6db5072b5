"""Matrix products of chunks, computed by SciPy's BLAS.

NumPy and SciPy each bring a BLAS with its own threads, which keep spinning for some ten
milliseconds after a product.  A product by the other library that follows at once finds those
processors busy, so all products within a pass go through SciPy, which SYRK needs anyway
(docs/decisions/0014).
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
        Array for the result.

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
    # BLAS expects Fortran order: transposed views of C-ordered arrays, and (A'B)' = B'A.
    found = gemm(1.0, B.T, A.T, trans_b=1, beta=0.0, c=out.T, overwrite_c=1)
    if not np.shares_memory(found, out):  # f2py made a copy, as of an ``out`` of another order
        out[...] = found.T
    return out
