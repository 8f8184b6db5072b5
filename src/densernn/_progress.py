"""A progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class Progress:
    """Counts rows or the like; shows a bar if asked to and if standard error is a terminal.

    Parameters
    ----------
    label : str
        What is being done.
    n_items : int
        Rows, or the like, there are to do.
    shown : bool
        Whether to show anything at all.
    """

    def __init__(self, label: str, n_items: int, shown: bool) -> None:
        self._label = label
        self._n_items = n_items
        self._bar: Any = None
        self._task: Any = None
        self._shown = shown and sys.stderr.isatty()

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console  # noqa: PLC0415 - only where a bar is shown
            from rich.progress import Progress as Bar  # noqa: PLC0415

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._n_items)
        return self

    def advance(self, n_items: int) -> None:
        """Tell that so many more are done."""
        if self._bar is not None:
            self._bar.advance(self._task, n_items)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
