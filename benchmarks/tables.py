"""Is the forest as good on tables as what people use?  Beside boosted trees and others.

Each model learns each table in a process of its own, with one thread.  Results are kept in a JSON
file, so that a run goes on where it ended, and written as Markdown.

Run: DENSERNN_DATA=... python benchmarks/tables.py RESULTS.json REPORT.md [--tuned] [--sets a,b]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from processes import machine
from table_peers import PEERS
from table_report import report

LONGEST = 900
"""Seconds after which a model is stopped and named as not finished."""

SETS = (
    *("wine", "penguins", "breast_cancer", "titanic", "digits", "mfeat", "mortgage", "chile"),
    *("flchain", "insurance", "higgs", "flights_late", "covertype"),
    *("diabetes", "wages", "computers", "friedman1", "elevation", "diamonds", "movies"),
    "flights_delay",
)
"""Names of the sets, here as well, so that this process stays small: children inherit its peak."""


def run_alone(set_name: str, model: str, setting: str) -> dict[str, Any]:
    """Return what a process of its own measured, or why it did not."""
    script = Path(__file__).with_name("table_measure.py")
    command = [sys.executable, str(script), set_name, model, setting]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done in {LONGEST} s"}
    if done.returncode:
        return {"failed": f"exit status {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--tuned", action="store_true", help="also at the tuned settings")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--models", default=",".join(PEERS))
    options = parser.parse_args()
    kept = json.loads(options.results.read_text()) if options.results.exists() else {}
    for setting in ("default", "tuned")[: 1 + options.tuned]:
        for set_name in options.sets.split(","):
            for model in options.models.split(","):
                own = kept.setdefault(setting, {}).setdefault(set_name, {})
                if model not in own:
                    own[model] = run_alone(set_name, model, setting)
                    print(setting, set_name, model, own[model], flush=True)
                    part = options.results.with_suffix(".part")
                    part.write_text(json.dumps(kept, indent=1))
                    part.replace(options.results)
    about = machine()
    options.report.write_text(report(kept["default"], kept.get("tuned", {}), about))


if __name__ == "__main__":
    main()
