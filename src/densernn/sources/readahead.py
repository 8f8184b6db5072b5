"""Read-ahead: an iterable that a thread runs through while the consumer computes."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
_END: Any = object()


def read_ahead(items: Iterable[Item], depth: int) -> Generator[Item, None, None]:
    """Yield the items of an iterable, in its order, made by a thread that runs ahead.

    Parameters
    ----------
    items : iterable
        Run through by the thread, and closed at the end if it can be closed.
    depth : int
        How many items at most wait or are being made.

    Yields
    ------
    item
        The same ones. What is raised in making one is raised here, with its traceback.

    Notes
    -----
    The thread starts with the first item that is asked for. It ends when the items do, or,
    once the generator is closed or no longer referred to, after the item it is at.

    Examples
    --------
    >>> list(read_ahead(range(4), depth=2))
    [0, 1, 2, 3]
    """
    iterator = iter(items)
    pool = ThreadPoolExecutor(1, thread_name_prefix="densernn-read-ahead")
    reader = pool.submit(threading.current_thread).result()
    process = os.getpid()
    waiting = deque(pool.submit(next, iterator, _END) for _ in range(depth))
    try:
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(pool.submit(next, iterator, _END))
            yield item
            del item  # else it would be held while the next one is waited for
    finally:
        for future in waiting:
            future.cancel()
        # The garbage collector may close this generator from any thread, the reader's too; and in
        # a forked child there is no reader any more.
        elsewhere = reader is not threading.current_thread()
        pool.shutdown(wait=elsewhere)
        if elsewhere and os.getpid() == process and hasattr(iterator, "close"):
            iterator.close()
