"""Measure in processes of their own, so that the peak memory of one is not that of another."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from typing import Any

import numpy as np

from densernn.cli.report import environment


def peak_mib() -> float:
    """Return the most memory that this process has held so far, in MiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def alone(script: str, *arguments: Any) -> dict[str, Any]:
    """Run a script and return the JSON object in its last line; ``failed`` says it went wrong.

    Peak memory that a process reports includes what its parent held when it was started: whoever
    calls this should be small.
    """
    command = [sys.executable, script, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"failed": f"exit status {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, Any]:
    """Return what a reader needs beside a measurement."""
    about = environment()
    del about["peak_memory_mb"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {**about, **versions, "memory_gib": round(memory, 1), "command": " ".join(sys.argv)}
