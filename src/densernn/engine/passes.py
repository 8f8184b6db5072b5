"""Pass after pass over the same rows: here or on a cluster, and taken up again where one ended."""

from __future__ import annotations

import sys
import warnings
from typing import Any, Protocol, TypeVar, cast

from densernn._progress import Progress
from densernn.engine.budget import CHUNK_BYTES
from densernn.engine.journal import Journal
from densernn.engine.local import Folded, Watcher, fold_rows
from densernn.errors import SkippedRowsWarning
from densernn.layers import Layer
from densernn.phases import LearningPhase, Phase
from densernn.sources.rows import RowSource, Skipped

Fold = TypeVar("Fold")


class Engine(Protocol):
    """Where a pass runs."""

    def __call__(
        self,
        phase: Phase[Fold],
        source: RowSource,
        *,
        begun: Folded[Fold] | None,
        chunk_bytes: int,
        watcher: Watcher | None,
    ) -> Folded[Fold]:
        """Fold all rows of a source; see :func:`densernn.engine.local.fold_rows`."""


class Passes:
    """The passes of one training, in their order.

    Parameters
    ----------
    source : RowSource
        Training rows.
    chunk_bytes : int, optional
        Memory that a chunk may take.
    engine : Engine, optional
        Where passes run: on this machine if not given.
    journal : Journal, optional
        Keeps what passes have made, and gives it back after a kill.
    shown : bool
        Whether to show a bar for each pass.

    Attributes
    ----------
    n_rows : int or None
        Rows there are; known after the first pass at the latest.
    skipped : Skipped
        Rows that the last pass went over without using them.
    """

    def __init__(
        self,
        source: RowSource,
        *,
        chunk_bytes: int = CHUNK_BYTES,
        engine: Engine = fold_rows,
        journal: Journal | None = None,
        shown: bool = False,
    ) -> None:
        self.source = source
        self.chunk_bytes = chunk_bytes
        self.n_rows = source.n_rows
        self.skipped = Skipped()
        self.engine = engine
        self._journal = journal
        self._shown = shown
        self._number = 0

    def run(self, phase: Phase[Fold], label: str = "pass") -> Fold:
        """Fold all rows, or what a journal has not seen of them.

        Parameters
        ----------
        phase : Phase
            Names the fold.
        label : str
            What a bar calls the pass.

        Returns
        -------
        fold
        """
        self._number += 1
        begun, complete = None, False
        if self._journal is not None:
            begun, complete = self._journal.recall(self._number, type(phase).__name__)
        made = begun if begun is not None and complete else self._fold(phase, begun, label)
        if self._journal is not None and not complete:
            self._journal.complete(self._number, type(phase).__name__, made)
        self.n_rows, self.skipped = made.n_rows, made.skipped
        return cast("Fold", made.fold)

    def _fold(self, phase: Phase[Fold], begun: Folded[Fold] | None, label: str) -> Folded[Fold]:
        number, name, journal = self._number, type(phase).__name__, self._journal
        if not self._shown and journal is None:
            return self.engine(
                phase, self.source, begun=None, chunk_bytes=self.chunk_bytes, watcher=None
            )
        with Progress(label, self.n_rows, self._shown) as progress:

            def watch(state: Folded[Any]) -> None:
                progress.reach(state.n_rows)
                if journal is not None:
                    journal.note(number, name, state)

            return self.engine(
                phase, self.source, begun=begun, chunk_bytes=self.chunk_bytes, watcher=watch
            )

    def learn_layer(self, phase: LearningPhase[Any], label: str) -> Layer:
        """Run a phase, and what follows from it, until a layer comes out.

        Parameters
        ----------
        phase : LearningPhase
            Makes another phase, or a layer, of its fold.
        label : str
            What a bar calls it.

        Returns
        -------
        Layer
        """
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
    level = 1  # of the first caller outside this package, to whom the warning is shown
    while sys._getframe(level).f_globals.get("__name__", "").startswith("densernn."):
        level += 1
    warnings.warn(
        f"{skipped.count} bad rows were skipped beside {n_rows} good ones: {shown}{more}",
        SkippedRowsWarning,
        stacklevel=level + 1,
    )
