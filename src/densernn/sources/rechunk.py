"""Rechunking: rows that come in blocks of any size, cut into chunks of an exact one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.sources.rows import NOTHING, Arrays, Chunk, Skipped, cut_arrays


def _none() -> NDArray[np.intp]:
    return np.zeros(0, np.intp)


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive rows, as many as were convenient to read.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
    weight : ndarray of shape (n_rows,) or None
    bad : ndarray of shape (n_skipped,)
        For each row that was passed over, in order, how many of the rows of X stand before it.
    places : tuple of str
        Where the first of those stand, and what is wrong there.
    """

    X: NDArray[Any]
    y: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None
    bad: NDArray[np.intp] = field(default_factory=_none)
    places: tuple[str, ...] = ()

    def skipped(self, start: int, stop: int) -> Skipped:
        """Return the rows passed over right before rows ``start`` to ``stop`` of X."""
        first, last = np.searchsorted(self.bad, [start, stop])
        return Skipped(int(last - first), self.places[first:last])

    @property
    def arrays(self) -> Arrays:
        """The rows."""
        return self.X, self.y, self.weight


def rechunk(
    blocks: Iterable[Block], n_rows: int, *, skip: int = 0, start: int = 0
) -> Iterator[Chunk]:
    """Cut blocks into chunks of ``n_rows`` rows; only the last may be shorter.

    Parameters
    ----------
    blocks : iterable of Block
        The rows.
    n_rows : int
        Rows of a chunk.
    skip : int, optional
        Rows at the beginning to leave out, and with them what was passed over before them.
    start : int, optional
        Number of the first row that is given.

    Yields
    ------
    Chunk
        A view where a block holds all its rows, else a copy, the only one. Rows that were
        passed over are reported with the row that follows them, those at the end with the last
        row. Where blocks have no row at all, one chunk without rows.

    Notes
    -----
    Holds the rows of a chunk and one block: blocks are let go as they are copied.
    """
    waiting = _Waiting()
    empty: Arrays | None = None
    seen = 0
    for block in blocks:
        if empty is None:  # copied: a view would keep the whole block
            empty = cut_arrays(block.arrays, [])
        seen += len(block.X)
        skip -= waiting.add(block, skip)
        # Not >=: rows passed over at the very end belong to the last chunk.
        while waiting.rows > n_rows:
            yield waiting.take(n_rows, start)
            start += n_rows
    if waiting.rows:
        yield waiting.take(waiting.rows, start, to_the_end=True)
    elif not seen and empty is not None:
        yield Chunk(*empty, start, waiting.lost)


class _Waiting:
    """Rows that have been read and not yet been given."""

    def __init__(self) -> None:
        self.rows = 0
        self.lost = NOTHING  # passed over behind the last row
        self._blocks: deque[tuple[Block, int, Skipped]] = deque()

    def add(self, block: Block, skip: int) -> int:
        """Append a block but for some rows at its beginning; return how many these are."""
        total = len(block.X)
        first = min(skip, total)
        lost = NOTHING if first else self.lost
        if first < total:
            self._blocks.append((block, first, lost))
            self.rows += total - first
            lost = NOTHING
        self.lost = lost.merge(block.skipped(total, total + 1))
        return first

    def take(self, n_rows: int, start: int, *, to_the_end: bool = False) -> Chunk:
        """Return so many rows, which must be there, as a chunk."""
        pieces: deque[Arrays] = deque()
        skipped, left = NOTHING, n_rows
        while left:
            block, first, lost = self._blocks.popleft()
            stop = min(len(block.X), first + left)
            left -= stop - first
            pieces.append(cut_arrays(block.arrays, slice(first, stop)))
            skipped = skipped.merge(lost).merge(block.skipped(first, stop))
            if stop < len(block.X):
                self._blocks.appendleft((block, stop, NOTHING))
            del block
        self.rows -= n_rows
        return Chunk(
            *_join(pieces, n_rows), start, skipped.merge(self.lost) if to_the_end else skipped
        )


def _join(pieces: deque[Arrays], n_rows: int) -> Arrays:
    """Put pieces together, letting go of each as soon as it is copied."""
    if len(pieces) == 1:
        return pieces[0]
    targets = [y for _, y, _ in pieces if y is not None]
    weights = [weight for *_, weight in pieces if weight is not None]
    X = np.empty((n_rows, pieces[0][0].shape[1]), np.result_type(*(x.dtype for x, *_ in pieces)))
    start = 0
    while pieces:
        piece = pieces.popleft()[0]
        X[start : start + len(piece)] = piece
        start += len(piece)
    y = np.concatenate(targets) if targets else None
    return X, y, np.concatenate(weights) if weights else None
