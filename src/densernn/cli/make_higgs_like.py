"""``densernn datasets make-higgs-like``: synthetic rows with the columns of HIGGS."""

from __future__ import annotations

import time
from pathlib import Path

from densernn.cli import report
from densernn.datasets import write_higgs_like


def make_higgs_like(*, rows: int, seed: int, outputs: tuple[str, ...], as_json: bool) -> None:
    """Run the command: see :func:`densernn.cli.commands.make_higgs_like`."""
    start = time.perf_counter()
    write_higgs_like(outputs, rows, seed=seed, verbose=1)
    result = {
        "rows": rows,
        "seed": seed,
        "files": list(outputs),
        "bytes": [Path(path).stat().st_size for path in outputs],
        "seconds": time.perf_counter() - start,
    }
    report.show(result, "HIGGS-like rows", as_json=as_json)
