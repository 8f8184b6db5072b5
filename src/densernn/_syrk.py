"""SYRK for compiled kernels: symmetric products without the interpreter's lock.

Numba's own matrix products know only GEMM, which computes both halves, and SciPy's wrappers hold
the lock.  So the address of SciPy's BLAS routine is given a name that kernels, also those loaded
from Numba's cache, are linked to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding
from numba import types
from numba.extending import get_cython_function_address

from densernn._kernels import exact

_NAME = "densernn_dsyrk"

binding.add_symbol(_NAME, get_cython_function_address("scipy.linalg.cython_blas", "dsyrk"))

# Ten pointers, which are passed as whole numbers of their size.
_dsyrk = types.ExternalFunction(_NAME, types.void(*[types.uintp] * 10))


@exact
def add_products(h: Any, out: Any) -> None:
    """Add h h' to the lower triangle of ``out``.

    Parameters
    ----------
    h : ndarray of shape (m, n), float64, C order
    out : ndarray of shape (m, m), float64, C order
    """
    # In the column order of BLAS h is h', and the lower triangle the upper one.
    uplo, trans = np.array([ord("U")], np.uint8), np.array([ord("T")], np.uint8)
    sizes = np.array([h.shape[0], h.shape[1]], np.int32)
    one = np.ones(1)
    m, n = sizes.ctypes.data, sizes[1:].ctypes.data
    _dsyrk(
        uplo.ctypes.data,
        trans.ctypes.data,
        m,
        n,
        one.ctypes.data,
        h.ctypes.data,
        n,
        one.ctypes.data,
        out.ctypes.data,
        m,
    )
    # Arrays are freed after their last use, of which taking an address is none.
    sizes[0] = np.int32(one[0]) * uplo[0] * trans[0]
