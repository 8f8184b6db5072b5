"""Rechunking: rows that come in blocks of any size, cut into chunks of an exact one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.sources.rows import NOTHING, Arrays, Chunk, Skipped, cut_arrays


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive rows, as many as were convenient to read.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
    weight : ndarray of shape (n_rows,) or None
    bad : sequence of int
        For each row that was skipped, in order, how many of the rows of X stand before it.
    places : tuple of str
        Where the first of those stand, and what is wrong there.
    """

    X: NDArray[Any]
    y: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None
    bad: Sequence[int] | NDArray[np.intp] = ()
    places: tuple[str, ...] = ()

    def skipped(self, start: int, stop: int) -> Skipped:
        """Return the rows skipped right before rows ``start`` to ``stop`` of X."""
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
        Rows at the beginning to leave out, and with them what was skipped before them.
    start : int, optional
        Number of the first row that is given.

    Yields
    ------
    Chunk
        A view where a block holds all its rows, else a copy, the only one. Rows that were
        skipped are reported with the row that follows them, those at the end with the last
        row. Where blocks have no row at all, one chunk without rows.

    Notes
    -----
    Holds the rows of a chunk and one block: blocks are let go as they are copied.
    """
    pieces: deque[Arrays] = deque()  # of the chunk that is next
    rows = seen = 0
    none: Arrays | None = None
    skipped = lost = NOTHING  # skipped before the last row of the pieces, and behind it
    for block in blocks:
        arrays, length = (block.X, block.y, block.weight), len(block.X)
        if not seen:
            none = cut_arrays(arrays, [])  # a copy: a view would keep the whole block
        seen += length
        at = min(skip, length)
        skip -= at
        if at:
            lost = NOTHING
        while at < length:
            # Only now that a row follows: what is skipped at the end is the last chunk's.
            if rows == n_rows:
                yield Chunk(*_join(pieces, rows), start, skipped)
                start, rows, skipped = start + rows, 0, NOTHING
            stop = min(length, at + n_rows - rows)
            pieces.append(cut_arrays(arrays, slice(at, stop)))
            skipped = skipped.merge(lost).merge(block.skipped(at, stop))
            rows, at, lost = rows + stop - at, stop, NOTHING
        lost = lost.merge(block.skipped(length, length + 1))
        del block, arrays
    if rows:
        yield Chunk(*_join(pieces, rows), start, skipped.merge(lost))
    elif not seen and none:
        yield Chunk(*none, start, lost)


def _join(pieces: deque[Arrays], n_rows: int) -> Arrays:
    """Put pieces together, letting go of each as soon as it is copied."""
    if len(pieces) == 1:
        return pieces.pop()
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
