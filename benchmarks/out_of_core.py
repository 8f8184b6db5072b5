"""Fit on more rows than memory holds: from Parquet, from CSV.gz, and beside a fit from memory.

On generated HIGGS-like rows; each measurement has a process of its own.  A bare read of the CSV.gz
unpacks and parses it by Arrow and does nothing else.  Parquet and memory are also compared on the
same rows, in turn, so that both meet the same noise.  Files that are absent are generated.

Run: python benchmarks/out_of_core.py [--rows 11000000] [--folder .] [--alpha 1.0] [-o out.json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processes import alone, machine, peak_mib

from densernn import RNNELMClassifier
from densernn.datasets import make_higgs_like, write_higgs_like
from densernn.datasets.higgs import FEATURE_NAMES, TARGET

COLUMNS = (TARGET, *FEATURE_NAMES)
N_TEST, TEST_SEED = 50_000, 1


def place(options: argparse.Namespace, rows: int, suffix: str) -> Path:
    return options.folder / f"HIGGS-like-{rows}{suffix}"


def make(options: argparse.Namespace) -> dict[str, Any]:
    """Generate the files that are absent."""
    files = [place(options, options.rows, suffix) for suffix in (".parquet", ".csv.gz")]
    sample = place(options, options.sample, ".parquet")
    begin = time.perf_counter()
    if absent := [path for path in files if not path.exists()]:
        write_higgs_like(absent, options.rows, verbose=1)
    if not sample.exists():
        write_higgs_like(sample, options.sample, verbose=1)
    sizes = {path.name: path.stat().st_size for path in (*files, sample)}
    return {"seconds": time.perf_counter() - begin, "bytes": sizes}


def source(options: argparse.Namespace, rows: int, suffix: str) -> Any:
    from densernn import open_rows

    path = place(options, rows, suffix)
    if suffix == ".parquet":
        return open_rows(path, TARGET)
    return open_rows(path, TARGET, names=COLUMNS, header=False)


def timed(model: RNNELMClassifier, *data: Any) -> float:
    begin = time.perf_counter()
    model.fit(*data)
    return time.perf_counter() - begin


def estimator(options: argparse.Namespace) -> RNNELMClassifier:
    alpha = options.alpha if options.alpha == "auto" else float(options.alpha)
    limit = options.memory_limit
    return RNNELMClassifier(options.n_hidden, alpha=alpha, memory_limit=limit, random_state=0)


def compile_kernels() -> None:
    X, y = make_higgs_like(2000)
    RNNELMClassifier(64, random_state=0).fit(X, y)


def fit(options: argparse.Namespace, suffix: str) -> dict[str, Any]:
    """Fit from a file."""
    import pandas as pd

    compile_kernels()
    model = estimator(options)
    seconds = timed(model, source(options, options.rows, suffix))
    peak = peak_mib()
    X, y = make_higgs_like(N_TEST, seed=TEST_SEED)
    accuracy = model.score(pd.DataFrame(X, columns=FEATURE_NAMES), y)
    parts = {name: round(value, 3) for name, value in model.fit_seconds_.items()}
    return result(options.rows, seconds, peak, accuracy=accuracy, alpha=model.alpha_, parts=parts)


def read(options: argparse.Namespace) -> dict[str, Any]:
    """Unpack and parse the CSV.gz, and nothing else."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    path = place(options, options.rows, ".csv.gz")
    names = arrow_csv.ReadOptions(column_names=COLUMNS, block_size=4 << 20)
    types = arrow_csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.float32()))
    begin = time.perf_counter()
    with pa.input_stream(str(path), compression="gzip") as stream:
        batches = arrow_csv.open_csv(stream, names, convert_options=types)
        rows = sum(batch.num_rows for batch in batches)
    return result(rows, time.perf_counter() - begin, peak_mib())


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """Fit the same rows from arrays and from Parquet, in turn."""
    compile_kernels()
    X, y = make_higgs_like(options.sample)
    begin = time.perf_counter()
    arrays, streamed = [], []
    for _ in range(options.rounds):
        arrays.append(timed(estimator(options), X, y))
        streamed.append(timed(estimator(options), source(options, options.sample, ".parquet")))
    ratio = statistics.median(a / s for a, s in zip(arrays, streamed, strict=True))
    return {
        **result(options.sample, statistics.median(arrays), peak_mib()),
        "parquet_seconds": statistics.median(streamed),
        "parquet_to_memory": ratio,
        "measured_for_seconds": time.perf_counter() - begin,
    }


def result(rows: int, seconds: float, peak: float, **more: Any) -> dict[str, Any]:
    return {"rows": rows, "seconds": seconds, "rows/s": rows / seconds, "peak_mib": peak, **more}


MEASUREMENTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "make": make,
    "fit, Parquet": lambda options: fit(options, ".parquet"),
    "fit, CSV.gz": lambda options: fit(options, ".csv.gz"),
    "bare read, CSV.gz": read,
    "fit, memory": memory,
}


def line(name: str, found: dict[str, Any]) -> str:
    if "rows/s" not in found:
        return f"{name}: {found}"
    text = (
        f"{name:18} {found['rows']:11,} rows {found['seconds']:8.1f} s {found['rows/s']:10,.0f} "
        f"rows/s  peak {found['peak_mib']:6,.0f} MiB"
    )
    return text + (f"  accuracy {100 * found['accuracy']:.2f} %" if "accuracy" in found else "")


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return what may be compared of what did not fail."""
    rate = {name: one["rows/s"] for name, one in found.items() if "rows/s" in one}
    pairs = {
        "rows/s, Parquet / memory, all rows / sample": ("fit, Parquet", "fit, memory"),
        "rows/s, fit from CSV.gz / bare read": ("fit, CSV.gz", "bare read, CSV.gz"),
    }
    shown = {what: rate[a] / rate[b] for what, (a, b) in pairs.items() if {a, b} <= rate.keys()}
    if "parquet_to_memory" in found["fit, memory"]:
        shown["rows/s, Parquet / memory, same rows in turn"] = found["fit, memory"][
            "parquet_to_memory"
        ]
    return shown


def arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, help="rows in memory; 1,000,000 or --rows if fewer")
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--n-hidden", type=int, default=1000)
    parser.add_argument("--alpha", default="auto")
    parser.add_argument("--memory-limit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--one", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options, rest = parser.parse_args(), []
    options.sample = min(options.sample or 1_000_000, options.rows)
    for name in ("rows", "sample", "folder", "n_hidden", "alpha", "memory_limit", "rounds"):
        if getattr(options, name) is not None:
            rest += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    return options, rest


def main() -> None:
    options, rest = arguments()
    if options.one:
        print(json.dumps(MEASUREMENTS[options.one](options)))
        return
    found = {}
    for name in MEASUREMENTS:
        found[name] = alone(__file__, "--one", name, *rest)
        print(line(name, found[name]), flush=True)
    compared = ratios(found)
    for what, value in compared.items():
        print(f"{what}: {value:.2f}")
    report = {"measurements": found, "ratios": compared, "machine": machine()}
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")
    if any("failed" in one for one in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
