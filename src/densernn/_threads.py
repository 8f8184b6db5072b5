"""Thread pool for compiled kernels, which release the GIL.

Numba's own parallel back ends are not used: the portable one aborts the process when two Python
threads enter it at once, GNU OpenMP when the process has forked.  A pool of Python threads,
created anew in a forked child, supports both and costs some tens of microseconds per call
(docs/decisions/0001).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


@cache
def n_threads() -> int:
    """Return the number of threads for kernels.

    It is the number of processors available to this process, at most ``OMP_NUM_THREADS``.
    Joblib and Dask set that variable in their worker processes, so that the workers together do
    not use more threads than there are processors.
    """
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        available = os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, min(available, int(wanted))) if wanted.isdigit() else available


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the pool of a process, by its id: the threads of a pool do not survive a fork."""
    return ThreadPoolExecutor(n_threads(), thread_name_prefix=f"densernn-{process}")


def run_blocks(
    function: Callable[[int, int], Result], n_items: int, *, at_least: int = 1
) -> list[Result]:
    """Call ``function(start, stop)`` on contiguous blocks of ``range(n_items)``, in threads.

    Parameters
    ----------
    function : callable
        It should release the GIL, and must not call :func:`run_blocks` itself.
    n_items : int
        Number of items to divide among the threads.
    at_least : int, default=1
        Smallest block worth a thread; less work runs in the calling thread.

    Returns
    -------
    list
        Results of the calls, in the order of the blocks.
    """
    n_parts = max(1, min(n_threads(), n_items // max(1, at_least)))
    if n_parts == 1:
        return [function(0, n_items)]
    edges = (np.arange(n_parts + 1) * n_items // n_parts).tolist()
    return list(_pool(os.getpid()).map(function, edges[:-1], edges[1:]))


def run_each(function: Callable[..., Result], *items: Sequence[Any]) -> list[Result]:
    """Call ``function`` on items that belong together, one of each sequence, in threads.

    Parameters
    ----------
    function : callable
        As in :func:`run_blocks`.
    *items : sequences of one length
        An argument of the function each.

    Returns
    -------
    list
        Results of the calls, in the order of the items.
    """

    def part(start: int, stop: int) -> list[Result]:
        own = (sequence[start:stop] for sequence in items)
        return [function(*arguments) for arguments in zip(*own, strict=True)]

    return [one for block in run_blocks(part, len(items[0])) for one in block]


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


class _Limit:
    """Who wants BLAS to run in the calling thread alone, and what is to be restored after."""

    lock = Lock()
    users = 0
    limiter: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Inside, matrix products run in the thread that calls them: for products within a thread.

    BLAS knows one number of threads for the whole process.  So the first that comes in sets it
    and the last that leaves restores it, whichever thread they are.
    """
    with _Limit.lock:
        if not _Limit.users:
            _Limit.limiter = _blas().limit(limits=1)
        _Limit.users += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.users -= 1
            if not _Limit.users:
                _Limit.limiter.restore_original_limits()
