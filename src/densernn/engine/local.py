"""Run a phase on this machine: chunk after chunk, in order."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from densernn._progress import Progress
from densernn.engine.budget import CHUNK_BYTES, chunk_rows
from densernn.layers import Layer
from densernn.phases import LearningPhase, Phase
from densernn.sources.arrays import ArraySource

Fold = TypeVar("Fold")


def run(
    phase: Phase[Fold],
    source: ArraySource,
    *,
    fold: Fold | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    progress: Progress | None = None,
) -> Fold:
    """Fold all rows of a source.

    Parameters
    ----------
    phase : Phase
        Names the fold.
    source : ArraySource
        Gives chunks of rows in order.
    fold : optional
        Fold to go on from, which may be changed in place; that of no rows if not given.
    chunk_bytes : int, optional
        Memory that a chunk may take.
    progress : Progress, optional
        Told of rows as they are done.

    Returns
    -------
    fold
        The same, to the last bit, however the source is stored: chunks are cut here.
    """
    total = phase.zero() if fold is None else fold
    for chunk in source.chunks(chunk_rows(phase.width, phase.itemsize, chunk_bytes)):
        total = phase.add(total, chunk)
        if progress is not None:
            progress.advance(len(chunk.X))
    return total


def learn_layer(
    phase: LearningPhase[Any],
    source: ArraySource,
    *,
    chunk_bytes: int = CHUNK_BYTES,
    label: str = "layer",
    shown: bool = False,
) -> Layer:
    """Run a phase, and what follows from it, until a layer comes out.

    Parameters
    ----------
    phase : LearningPhase
        Makes another phase, or a layer, of its fold.
    source, chunk_bytes
        As in :func:`run`.
    label : str
        What a progress bar calls it.
    shown : bool
        Whether to show one, for each pass.

    Returns
    -------
    Layer
    """
    made: Any = phase
    number = 0
    while hasattr(made, "finish"):
        number += 1
        with Progress(f"{label}, pass {number}", source.n_rows, shown) as progress:
            fold = run(made, source, chunk_bytes=chunk_bytes, progress=progress)
        made = made.finish(fold)
    return cast("Layer", made)
