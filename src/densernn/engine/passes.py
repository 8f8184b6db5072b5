"""Passes of a training over the same rows: here or on a cluster, resumed where one ended."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from densernn._progress import Progress
from densernn.engine.budget import CHUNK_BYTES
from densernn.engine.checkpoint import Checkpoint
from densernn.engine.engines import dask_engine
from densernn.engine.local import PassResult, run_pass
from densernn.errors import SkippedRowsWarning, user_level
from densernn.layers import Layer
from densernn.phases import LearningPhase, Phase
from densernn.sources.rows import NOTHING, RowSource, Skipped

Statistic = TypeVar("Statistic")


@dataclass(eq=False)
class Passes:
    """The passes of one training, in their order.

    Parameters
    ----------
    source : RowSource
        Training rows.
    chunk_bytes : int, optional
        Memory that a chunk may take.
    engine : {"local", "dask"}, default="local"
        Where passes run.
    checkpoint : Checkpoint, optional
        Saves the statistics of passes, and returns them after a kill.
    shown : bool
        Whether to show a bar for each pass.
    n_rows : int or None
        Rows there are; known after the first pass at the latest.
    skipped : Skipped
        Rows that the last pass skipped.
    number : int
        Passes begun.
    """

    source: RowSource
    chunk_bytes: int = CHUNK_BYTES
    engine: str = "local"
    checkpoint: Checkpoint | None = None
    shown: bool = False
    n_rows: int | None = None
    skipped: Skipped = NOTHING
    number: int = 0

    def run(self, phase: Phase[Statistic], label: str = "pass") -> Statistic:
        """Accumulate all rows, or those that a checkpoint does not have yet.

        Parameters
        ----------
        phase : Phase
            Names the statistic.
        label : str
            What a bar calls the pass.

        Returns
        -------
        The statistic of all rows.
        """
        self.number += 1
        # After an interruption the same call repeats all steps; finished passes are loaded, not run
        # (docs/decisions/0011).
        checkpoint, key = self.checkpoint, (self.number, type(phase).__name__)
        begun, complete = (None, False) if checkpoint is None else checkpoint.load(*key)
        made = begun
        if made is None or not complete:
            n_rows = self.source.n_rows if self.n_rows is None else self.n_rows
            with Progress(label, n_rows, True) if self.shown else nullcontext() as progress:

                def watch(state: PassResult[Any]) -> None:
                    if progress is not None:
                        progress.reach(state.n_rows)
                    if checkpoint is not None:
                        checkpoint.save_partial(*key, state)

                run: Any = run_pass if self.engine == "local" else dask_engine()
                watcher = watch if progress or checkpoint else None
                options = {"chunk_bytes": self.chunk_bytes, "begun": begun, "watcher": watcher}
                made = run(phase, self.source, **options)
            if checkpoint is not None:
                checkpoint.save(*key, made)
        # Of this pass: every pass reads, and may skip, the same rows.
        self.n_rows, self.skipped = made.n_rows, made.skipped
        return cast("Statistic", made.statistic)

    def learn_layer(self, phase: LearningPhase[Any], label: str) -> Layer:
        """Run a phase, and those that follow from it, until one returns a layer.

        Parameters
        ----------
        phase : LearningPhase
            Returns the next phase, or a layer, from its statistic.
        label : str
            What a bar calls it.

        Returns
        -------
        Layer
        """
        # A phase returns another phase or a layer, so that encoders of one pass and of three are
        # trained alike.
        made: Any = phase
        number = 0
        while hasattr(made, "finish"):
            number += 1
            made = made.finish(self.run(made, f"{label}, pass {number}"))
        return cast("Layer", made)


def warn_of_skipped(skipped: Skipped, n_rows: int | None) -> None:
    """Warn of rows that were skipped, if there were any, beside ``n_rows`` others."""
    if not skipped.count:
        return
    shown = "; ".join(skipped.places)
    more = ", ..." if skipped.count > len(skipped.places) else ""
    warnings.warn(
        f"{skipped.count} bad rows were skipped beside {n_rows} good ones: {shown}{more}",
        SkippedRowsWarning,
        stacklevel=user_level(),
    )
