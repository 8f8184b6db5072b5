"""One process with two threads beside two Dask workers with one thread each, on the same rows.

Both have the same two cores and fit from the same Parquet file of generated HIGGS-like rows, in
turn; the penalty is fixed, so that seconds are those of the passes.  Bytes moved are what the
model of docs/scaling.md says, not a measurement.  Needs ``pip install 'densernn[dask]'``.

Run: python benchmarks/dask_scaling.py [--rows 2000000] [--n-hidden 2000] [-o out.json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from processes import machine, peak_mib
from scaling_model import reduce_bytes
from threadpoolctl import threadpool_limits

from densernn import RNNELMClassifier
from densernn.datasets import make_higgs_like, write_higgs_like
from densernn.datasets.higgs import TARGET

ENGINES = ("local", "dask")


def fit(path: Path, engine: str, options: argparse.Namespace) -> tuple[float, RNNELMClassifier]:
    """Return the seconds of a fit, and the model."""
    from densernn import open_rows

    model = RNNELMClassifier(options.n_hidden, alpha=options.alpha, random_state=0, engine=engine)
    begin = time.perf_counter()
    model.fit(open_rows(path, TARGET))
    return time.perf_counter() - begin, model


def rows_file(options: argparse.Namespace, n_rows: int) -> Path:
    """Return the file of so many rows, generated if it is absent."""
    path = options.folder / f"HIGGS-like-{n_rows}.parquet"
    if not path.exists():
        write_higgs_like(path, n_rows, verbose=1)
    return path


def compare(options: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Fit in turn; another engine goes first in every round."""
    seconds: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    models = {}
    for number in range(options.rounds):
        for engine in ENGINES[:: -1 if number % 2 else 1]:
            spent, models[engine] = fit(path, engine, options)
            seconds[engine].append(spent)
            print(f"round {number + 1}, {engine}: {spent:.1f} s", flush=True)
    X, y = make_higgs_like(50_000, seed=1)
    outputs = [models[engine].decision_function(X) for engine in ENGINES]
    few, most = reduce_bytes(options.n_hidden + 2, options.workers)
    return {
        "rows": options.rows,
        "n_hidden": options.n_hidden,
        "seconds": seconds,
        "median_seconds": {engine: statistics.median(spent) for engine, spent in seconds.items()},
        "speed_dask_to_local": statistics.median(
            one / d for one, d in zip(seconds["local"], seconds["dask"], strict=True)
        ),
        "largest_difference": float(np.abs(outputs[0] - outputs[1]).max()),
        "accuracy": {engine: float(models[engine].score(X, y)) for engine in ENGINES},
        "bytes_moved_by_the_model": [few, most],
        "peak_mib_of_the_client": peak_mib(),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--n-hidden", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("-o", "--output", type=Path)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    from distributed import Client, LocalCluster

    path, small = rows_file(options, options.rows), rows_file(options, 20_000)
    places = {"n_workers": options.workers, "threads_per_worker": 1, "processes": True}
    with (
        threadpool_limits(options.workers),
        LocalCluster(**places, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        for engine in ENGINES:  # compile, and start what starts at first use
            fit(small, engine, argparse.Namespace(**{**vars(options), "n_hidden": 64}))
        found = compare(options, path)
    median = found["median_seconds"]
    print(
        f"{options.rows:,} rows, {options.n_hidden:,} clusters, medians of {options.rounds}: "
        f"{options.workers} threads {median['local']:.1f} s, {options.workers} workers "
        f"{median['dask']:.1f} s, speed of workers {found['speed_dask_to_local']:.2f} of that of "
        f"threads; outputs differ by at most "
        f"{found['largest_difference']:.1e}; moved, by the model, "
        f"{' to '.join(f'{b / 1e6:,.0f}' for b in found['bytes_moved_by_the_model'])} MB"
    )
    if options.output:
        options.output.write_text(json.dumps({**found, "machine": machine()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
