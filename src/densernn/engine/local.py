"""Passes on this machine: chunk after chunk, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from densernn.engine.budget import CHUNK_BYTES, chunk_rows
from densernn.phases import Phase
from densernn.sources.rows import NOTHING, RowSource, Skipped

Fold = TypeVar("Fold")


@dataclass(frozen=True)
class Folded(Generic[Fold]):
    """Result of a pass, or of part of one.

    Parameters
    ----------
    fold
        Statistic of the rows so far.
    n_rows : int
        How many those are.
    skipped : Skipped
        Rows that were skipped.
    """

    fold: Fold
    n_rows: int = 0
    skipped: Skipped = NOTHING


Watcher = Callable[[Folded[Any]], None]
"""Is called with the result so far after each chunk."""


def fold_rows(
    phase: Phase[Fold],
    source: RowSource,
    *,
    begun: Folded[Fold] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    watcher: Watcher | None = None,
) -> Folded[Fold]:
    """Accumulate the statistic of all rows of a source.

    Parameters
    ----------
    phase : Phase
        Names the statistic.
    source : RowSource
        Yields chunks of rows in order.
    begun : Folded, optional
        Result of the first rows, to go on from, which may be changed in place.
    chunk_bytes : int, optional
        Memory that a chunk may take.
    watcher : callable, optional
        Called with the result so far after each chunk.

    Returns
    -------
    Folded
        The same, to the last bit, however the source is stored: chunks are cut here.
    """
    state = Folded(phase.zero()) if begun is None else begun
    # The engine fixes the chunks, not the source: results do not depend on how rows are stored
    # (docs/decisions/0010).
    size = chunk_rows(phase.row_bytes, chunk_bytes)
    for chunk in source.chunks(size, state.n_rows):
        state = Folded(
            phase.add(state.fold, chunk),
            state.n_rows + len(chunk.X),
            state.skipped.merge(chunk.skipped) if chunk.skipped.count else state.skipped,
        )
        # After the chunk is complete: a checkpoint never contains part of one.
        if watcher is not None:
            watcher(state)
    return state


def run(phase: Phase[Fold], source: RowSource, *, chunk_bytes: int = CHUNK_BYTES) -> Fold:
    """Return the statistic of all rows of a source; see :func:`fold_rows`."""
    return fold_rows(phase, source, chunk_bytes=chunk_bytes).fold
