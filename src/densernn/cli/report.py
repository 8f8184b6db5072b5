"""Output of results, as a table or as one JSON object."""

from __future__ import annotations

import json
import math
import platform
import sys
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

import densernn
from densernn._threads import n_threads
from densernn.errors import DataError

FEW = 12
"""Maximum number of items of a list in a table."""

CPUINFO = Path("/proc/cpuinfo")


def show(result: dict[str, Any], title: str, *, as_json: bool) -> None:
    """Print a result on standard output.

    Parameters
    ----------
    result : dict
        Names and values, in their order.
    title : str
        Title of the table.
    as_json : bool
        Whether to print one line of JSON instead, with null for numbers that are not finite.
    """
    if as_json:
        finite = {name: _finite(value) for name, value in result.items()}
        print(json.dumps(finite, default=str, allow_nan=False))
        return
    from rich.console import Console  # noqa: PLC0415 - not needed for JSON
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=Text(title), show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in result.items():
        if value is not None:
            table.add_row(name.replace("_", " "), Text(_text(name, value)))
    Console().print(table)


def show_rows(rows: list[dict[str, Any]], title: str) -> None:
    """Print a table of results on standard output, one row each."""
    from rich.console import Console  # noqa: PLC0415 - not needed for JSON
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=Text(title), title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        cells = (f"{v:.5g}" if isinstance(v, float) else _text(k, v) for k, v in row.items())
        table.add_row(*cells)
    Console().print(table)


def environment() -> dict[str, Any]:
    """Return the environment of a measurement: versions, processor, threads, memory."""
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "peak_memory_mb": _peak_memory_mb(),
        "densernn": densernn.__version__,
        "processor": _processor(),
        "n_threads": n_threads(),
        "blas_threads": max(blas, default=None),
    }


def _peak_memory_mb() -> float | None:
    """Return the most memory that this process has held so far; None on Windows."""
    try:
        import resource  # noqa: PLC0415 - only where there is one
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # kilobytes on Linux


def check_place(path: str, *read: str) -> None:
    """Raise :class:`DataError` if no file can be written at ``path``, or an input is there."""
    place = Path(path)
    for source in map(Path, read):
        if source.exists() and place.resolve() == source.resolve():
            raise DataError(f"{path}: is read, and cannot be written too: name another file")
        if source.is_dir() and source.resolve() in place.resolve().parents:
            raise DataError(f"{path}: lies in the folder that is read: name a place elsewhere")
    if place.is_dir():
        raise DataError(f"{path}: is a folder; give the name of a file")
    if not place.resolve().parent.is_dir():
        raise DataError(f"{path}: there is no folder {place.parent}")


def _processor() -> str:
    if CPUINFO.exists():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(name: str, value: Any) -> str:
    """Return the text of a value in a table."""
    if name.endswith("accuracy"):
        return f"{100 * value:.2f} %"
    if isinstance(value, float):
        return f"{value:.4g}" if not name.endswith("mb") else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool) and name != "seed":
        return f"{value:,}"
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:FEW]))
        return shown if len(value) <= FEW else f"{shown}, ... ({len(value)} in all)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
