"""Read in a thread while the consumer computes."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
_Message = tuple[bool, Item | None, BaseException | None]


def read_ahead(items: Iterable[Item], depth: int) -> Generator[Item, None, None]:
    """Give what an iterable gives, in its order, made by a thread that runs ahead.

    Parameters
    ----------
    items : iterable
        Gone through by the thread, and closed there if it can be closed.
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
    messages: SimpleQueue[_Message[Item]] = SimpleQueue()
    room = threading.Semaphore(depth)
    stop = threading.Event()
    thread = threading.Thread(
        target=_fill, args=(items, messages, room, stop), name="densernn-read-ahead", daemon=True
    )
    thread.start()
    try:
        while True:
            more, item, error = messages.get()
            if error is not None:
                raise error
            if not more:
                return
            room.release()
            yield item  # type: ignore[misc]
            del item  # else it would be held while the next one is waited for
    finally:
        error = None  # a cycle of the error, its traceback and this frame would keep both alive
        stop.set()
        room.release()
        # The garbage collector may close this generator from any thread, the reader's too.
        if thread is not threading.current_thread():
            thread.join()


def _fill(
    items: Iterable[Item],
    messages: SimpleQueue[_Message[Item]],
    room: threading.Semaphore,
    stop: threading.Event,
) -> None:
    """Make items while there is room, until they end, fail or are not wanted any more."""
    try:
        iterator = iter(items)
        try:
            while True:
                room.acquire()
                if stop.is_set():
                    return
                try:
                    item = next(iterator)
                except StopIteration:
                    break
                messages.put((True, item, None))
                del item
        finally:
            if hasattr(iterator, "close"):
                iterator.close()
    except BaseException as error:
        messages.put((False, None, error))
    else:
        messages.put((False, None, None))
