"""Passes on this machine: chunk after chunk, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from densernn.engine.budget import CHUNK_BYTES, chunk_rows
from densernn.phases import Phase
from densernn.sources.rows import NOTHING, RowSource, Skipped

Statistic = TypeVar("Statistic")


@dataclass(frozen=True)
class PassResult(Generic[Statistic]):
    """Result of a pass, or of part of one.

    Parameters
    ----------
    statistic
        Statistic of the rows so far.
    n_rows : int
        How many those are.
    skipped : Skipped
        Rows that were skipped.
    """

    statistic: Statistic
    n_rows: int = 0
    skipped: Skipped = NOTHING


Watcher = Callable[[PassResult[Any]], None]
"""Is called with the result so far after each chunk."""


def run_pass(
    phase: Phase[Statistic],
    source: RowSource,
    *,
    begun: PassResult[Statistic] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    watcher: Watcher | None = None,
) -> PassResult[Statistic]:
    """Accumulate the statistic of all rows of a source.

    Parameters
    ----------
    phase : Phase
        Names the statistic.
    source : RowSource
        Yields chunks of rows in order.
    begun : PassResult, optional
        Result of the first rows, to go on from, which may be changed in place.
    chunk_bytes : int, optional
        Memory that a chunk may take.
    watcher : callable, optional
        Called with the result so far after each chunk.

    Returns
    -------
    PassResult
        The same, to the last bit, however the source is stored: chunks are cut here.
    """
    state = PassResult(phase.zero()) if begun is None else begun
    # The engine fixes the chunks, not the source: results do not depend on how rows are stored
    # (docs/decisions/0010).
    size = chunk_rows(phase.row_bytes, chunk_bytes, phase.most_rows)
    for chunk in source.chunks(size, state.n_rows):
        state = PassResult(
            phase.add(state.statistic, chunk),
            state.n_rows + len(chunk.X),
            state.skipped.merge(chunk.skipped) if chunk.skipped.count else state.skipped,
        )
        # After the chunk is complete: a checkpoint never contains part of one.
        if watcher is not None:
            watcher(state)
    return state


def run(phase: Phase[Statistic], source: RowSource, *, chunk_bytes: int = CHUNK_BYTES) -> Statistic:
    """Return the statistic of all rows of a source; see :func:`run_pass`."""
    return run_pass(phase, source, chunk_bytes=chunk_bytes).statistic
