"""Cut rows that come in blocks of any size into chunks of an exact one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.sources.rows import Chunk, Skipped


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
        """Tell of the rows passed over before rows ``start`` to ``stop`` of X."""
        first, last = np.searchsorted(self.bad, [start, stop])
        return Skipped(int(last - first), self.places[first:last])


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
        passed over are told of with the row that follows them, those at the end with the last
        row. Where blocks have no row at all, one chunk without rows.

    Notes
    -----
    Holds the rows of a chunk and one block: blocks are let go as they are copied.
    """
    waiting = _Waiting()
    seen = 0
    for block in blocks:
        seen += len(block.X)
        waiting.add(block)
        skip -= waiting.drop(skip)
        # Not >=: rows passed over at the very end belong to the last chunk.
        while waiting.rows > n_rows:
            yield waiting.take(n_rows, start)
            start += n_rows
    if waiting.rows or (not seen and waiting.template is not None):
        yield waiting.take(waiting.rows, start, to_the_end=True)


class _Waiting:
    """Rows that have been read and not yet been given."""

    def __init__(self) -> None:
        self.rows = 0
        self.template: Block | None = None
        self._blocks: deque[Block] = deque()
        self._first = 0  # of the first block, the rows that are gone already
        self._carried = Skipped()  # passed over since the last row that was given

    def add(self, block: Block) -> None:
        """Append a block."""
        if self.template is None:
            X, y, weight = _cut(block, 0, 0)  # copied: a view would keep the whole block
            self.template = Block(
                X.copy(), None if y is None else y.copy(), None if weight is None else weight.copy()
            )
        if len(block.X):
            self._blocks.append(block)
            self.rows += len(block.X)
        elif self._blocks and len(block.bad):
            # Behind the last block that has rows: told of when that one is used up.
            last = self._blocks.pop()
            behind = np.full(len(block.bad), len(last.X), np.intp)
            self._blocks.append(
                Block(
                    *_cut(last, 0, len(last.X)),
                    np.concatenate([last.bad, behind]),
                    # Places go with the first of the bad rows, so a gap must not be filled.
                    last.places + (block.places if len(last.places) == len(last.bad) else ()),
                )
            )
        else:
            self._carried = self._carried.merge(block.skipped(0, 1))

    def drop(self, n_rows: int) -> int:
        """Let go of at most so many rows; return how many it were."""
        dropped = 0
        while dropped < n_rows and self._blocks:
            block, start, stop = self._next(n_rows - dropped)
            dropped += stop - start
            self._carried = self._behind(block, stop)
        return dropped

    def take(self, n_rows: int, start: int, *, to_the_end: bool = False) -> Chunk:
        """Return so many rows, which must be there, as a chunk."""
        pieces: deque[Block] = deque()
        skipped = Skipped()
        left = n_rows
        while left:
            block, first, stop = self._next(left)
            left -= stop - first
            pieces.append(Block(*_cut(block, first, stop)))
            skipped = skipped.merge(self._carried).merge(block.skipped(first, stop))
            self._carried = self._behind(block, stop)
            del block
        if to_the_end:
            skipped = skipped.merge(self._carried)
        if not pieces and self.template is not None:
            pieces.append(self.template)
        return Chunk(*_join(pieces, n_rows), start, skipped)

    def _next(self, most: int) -> tuple[Block, int, int]:
        """Take at most so many rows of the first block: the block and their range."""
        block, start = self._blocks[0], self._first
        stop = min(len(block.X), start + most)
        self.rows -= stop - start
        self._first = stop
        if stop == len(block.X):
            self._blocks.popleft()
            self._first = 0
        return block, start, stop

    @staticmethod
    def _behind(block: Block, stop: int) -> Skipped:
        """Tell of the rows passed over behind the last one, if a block is used up."""
        return block.skipped(stop, stop + 1) if stop == len(block.X) else Skipped()


def _cut(
    block: Block, start: int, stop: int
) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[np.float64] | None]:
    part = slice(start, stop)
    return (
        block.X[part],
        None if block.y is None else block.y[part],
        None if block.weight is None else block.weight[part],
    )


def _join(
    pieces: deque[Block], n_rows: int
) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[np.float64] | None]:
    """Put pieces together, letting go of each as soon as it is copied."""
    if len(pieces) == 1:
        return pieces[0].X, pieces[0].y, pieces[0].weight
    targets = [piece.y for piece in pieces if piece.y is not None]
    weights = [piece.weight for piece in pieces if piece.weight is not None]
    X = np.empty((n_rows, pieces[0].X.shape[1]), np.result_type(*(p.X.dtype for p in pieces)))
    start = 0
    while pieces:
        piece = pieces.popleft().X
        X[start : start + len(piece)] = piece
        start += len(piece)
    return (
        X,
        np.concatenate(targets) if targets else None,
        np.concatenate(weights) if weights else None,
    )
