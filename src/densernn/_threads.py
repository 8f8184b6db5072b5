"""Run compiled kernels, which release the GIL, on a few plain threads.

Numba's own parallel back ends abort the process under one of the two things that users do
with estimators: the portable one when two Python threads enter it at once, GNU OpenMP when the
process has forked.  A pool of ordinary threads that is made anew in a forked child has
neither problem and costs some tens of microseconds per call.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np

Result = TypeVar("Result")


@cache
def n_threads() -> int:
    """Threads for kernels: the processors this process may use, at most ``OMP_NUM_THREADS``.

    Joblib and Dask set that variable in their worker processes, so that kernels of many
    workers together do not ask for more processors than there are.
    """
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:
        available = os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, min(available, int(wanted))) if wanted.isdigit() else available


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the pool of this process: a child of fork has another number, so another pool."""
    return ThreadPoolExecutor(n_threads(), thread_name_prefix=f"densernn-{process}")


def run_blocks(
    function: Callable[[int, int], Result], n_items: int, *, at_least: int = 1
) -> list[Result]:
    """Call ``function(start, stop)`` on contiguous parts of ``range(n_items)``, in threads.

    Parameters
    ----------
    function : callable
        Must release the GIL to gain anything, and must not call this function itself.
    n_items : int
        How many items there are to share out.
    at_least : int, default=1
        Smallest part worth a thread; shorter work runs in the calling thread.

    Returns
    -------
    list
        What the calls returned, in the order of their parts.
    """
    n_parts = max(1, min(n_threads(), n_items // max(1, at_least)))
    if n_parts == 1:
        return [function(0, n_items)]
    edges = (np.arange(n_parts + 1) * n_items // n_parts).tolist()
    return list(_pool(os.getpid()).map(function, edges[:-1], edges[1:]))
