"""Progress bar on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self


class Progress:
    """Progress bar that is shown only if standard error is a terminal.

    Parameters
    ----------
    label : str
        Text beside the bar.
    n_items : int or None
        Total number of items, such as rows; None if it is unknown.
    shown : bool
        Whether to show the bar.
    """

    def __init__(self, label: str, n_items: int | None, shown: bool) -> None:
        self._label = label
        self._n_items = n_items
        self._bar: Any = None
        self._done = 0
        self._task: Any = None
        self._shown = shown and sys.stderr.isatty()
        self._first: int | None = None
        self._start = 0.0

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console  # noqa: PLC0415 - only where a bar is shown
            from rich.progress import (  # noqa: PLC0415
                BarColumn,
                TaskProgressColumn,
                TextColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Bar  # noqa: PLC0415

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.completed:,.0f} done, {task.fields[rate]:,.0f}/s"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._n_items, rate=0.0)
        return self

    def advance(self, n_items: int) -> None:
        """Add to the number of items done."""
        self.reach(self._done + n_items)

    def reach(self, n_items: int) -> None:
        """Set the number of items done; the rate counts from the first call on."""
        self._done = n_items
        if self._bar is None:
            return
        now = time.monotonic()
        if self._first is None:
            self._first, self._start = n_items, now
        rate = (n_items - self._first) / max(now - self._start, 1e-9)
        self._bar.update(self._task, completed=n_items, rate=rate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
