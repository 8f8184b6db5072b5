"""CPU seconds and peak memory of reading rows from files that this script makes.

Run it with each version of the library whose ``src`` folder is to be compared::

    python benchmarks/read_rows.py --src OLD/src NEW/src [--file covtype.data.gz]

Each reading is a process of its own, on Linux. Memory is what the peak rises by over the imports.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

READ = """
import json, re, sys, time
import pyarrow.csv, pyarrow.parquet, pyarrow.compute
from densernn.sources.open import open_rows
def peak():
    return int(re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/self/status").read())[1]) / 1024
header = json.loads(sys.argv[2])
start, before = time.process_time(), peak()
rows = sum(len(c.X) for c in open_rows(sys.argv[1], -1, header=header).chunks(20_000))
print(json.dumps({"rows": rows, "cpu_s": time.process_time() - start, "mb": peak() - before}))
"""


def make(folder: Path, n_rows: int, n_columns: int) -> list[Path]:
    """Write the same rows as CSV, CSV packed by gzip, and Parquet."""
    rng = np.random.default_rng(0)
    columns = {f"x{j}": rng.normal(size=n_rows).astype(np.float32) for j in range(n_columns - 1)}
    table = pa.table(columns | {"y": rng.integers(0, 2, n_rows)})
    paths = [folder / name for name in ("rows.csv", "rows.csv.gz", "rows.parquet")]
    pa.csv.write_csv(table, paths[0])
    with paths[0].open("rb") as plain, gzip.open(paths[1], "wb", 1) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    pa.parquet.write_table(table, paths[2])
    return paths


def main() -> None:
    """Print a line for each file and version: the least of several readings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--src", nargs="+", default=[None], help="folders to import from")
    parser.add_argument("--file", nargs="*", default=[], help="more files, without a header")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=29)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = [(path, True) for path in make(Path(folder), asked.rows, asked.columns)]
        for path, header in made + [(Path(name), False) for name in asked.file]:
            for source in asked.src:
                more = {} if source is None else {"PYTHONPATH": source}
                line = [sys.executable, "-c", READ, str(path), json.dumps(header)]
                runs = [
                    json.loads(subprocess.check_output(line, env=os.environ | more))
                    for _ in range(asked.repeats)
                ]
                cpu, memory = (min(run[key] for run in runs) for key in ("cpu_s", "mb"))
                name = source or "installed"
                print(
                    f"{path.name:16} {name}: {runs[0]['rows']:,} rows, {cpu:.2f} s, {memory:.0f} MB"
                )


if __name__ == "__main__":
    main()
