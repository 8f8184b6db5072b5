"""The cost model of docs/scaling.md: measure what it takes from a machine, and try its predictions.

Prints the rates of this machine, then predicted and measured seconds of a fit from memory for two
sizes, as tables for the page.

Run: python benchmarks/scaling_model.py [--rows 100000] [--sizes 1000 2000] [-o out.json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from processes import machine
from scipy.linalg import blas, lapack

from densernn import ClusterFeatures, RNNELMClassifier
from densernn.datasets import make_higgs_like
from densernn.engine import chunk_rows

LEAVES = 32
"""Groups of rows that a distributed pass folds at most; a tree of merges joins them."""


def partial_bytes(size: int) -> int:
    """Return the bytes of moments of ``size`` features and targets, as they travel."""
    return 8 * size**2


def reduce_bytes(size: int, workers: int, leaves: int = LEAVES) -> tuple[int, int]:
    """Return the fewest and the most bytes that a pass moves between workers.

    Fewest: the leaves of a worker are neighbours in the tree, so that one partial leaves each but
    one.  Most: every merge takes one of its two sides from elsewhere.
    """
    few = min(workers, leaves) - 1
    return few * partial_bytes(size), (leaves - 1 if few else 0) * partial_bytes(size)


def pass_seconds(rows: int, size: int, flops: float, layer_seconds: float = 0.0) -> float:
    """Return the seconds of SYRK, and of a layer by its seconds for a row and cluster."""
    return rows * (size**2 / flops + size * layer_seconds)


def least_seconds(call: Callable[[], Any], rounds: int = 5) -> float:
    """Return the least of several: what other jobs take meanwhile is not the machine's rate."""
    call()
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def syrk_flops(size: int) -> float:
    """Return the rate of DSYRK on chunks as training cuts them."""
    rows = chunk_rows(8 * size)
    columns = np.random.default_rng(0).random((size, rows))
    gram = np.zeros((size, size), order="F")

    def call() -> None:
        blas.dsyrk(1.0, columns.T, beta=1.0, c=gram, trans=1, overwrite_c=1)

    return rows * size**2 / least_seconds(call)


def cholesky_flops(size: int) -> float:
    matrix = np.eye(size, order="F") + 1e-3
    return size**3 / 3 / least_seconds(lambda: lapack.dpotrf(matrix))


def bandwidth(mib: int = 256) -> float:
    """Return bytes read and written in a second by a copy."""
    source = np.ones(mib * 2**17)
    target = np.empty_like(source)
    return 2 * source.nbytes / least_seconds(lambda: np.copyto(target, source))


def layer_seconds(X: np.ndarray, n_hidden: int = 500) -> float:
    """Return the seconds of preparation and sparse layer, for a row and cluster."""
    features = ClusterFeatures(n_hidden, random_state=0).fit(X[:2000])
    return least_seconds(lambda: features.transform(X), 3) / (len(X) * n_hidden)


def try_fit(X: np.ndarray, y: np.ndarray, size: int, per_activation: float) -> dict[str, Any]:
    """Return predicted and measured seconds of a fit with a fixed penalty."""
    syrk, cholesky = syrk_flops(size), cholesky_flops(size)
    predicted = pass_seconds(len(X), size, syrk, per_activation) + size**3 / 3 / cholesky
    model = RNNELMClassifier(size, alpha=1.0, random_state=0)
    measured = least_seconds(lambda: model.fit(X, y), 3)
    return {
        "clusters": size,
        "rows": len(X),
        "SYRK, GF/s": syrk / 1e9,
        "Cholesky, GF/s": cholesky / 1e9,
        "predicted, s": predicted,
        "measured, s": measured,
        "rows/s": len(X) / measured,
        "measured / predicted": measured / predicted,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as a table for a page."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    for row in rows:
        cells = (f"{v:,}" if isinstance(v, int) else f"{v:.3g}" for v in row.values())
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000])
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    X, y = make_higgs_like(options.rows)
    per_activation = layer_seconds(X[:50_000])
    rates = {"copy, GB/s": bandwidth() / 1e9, "layer, ns for a cluster": per_activation * 1e9}
    fits = [try_fit(X, y, size, per_activation) for size in options.sizes]
    print(f"{table([rates])}\n\n{table(fits)}")
    if options.output:
        report = {"rates": rates, "fits": fits, "machine": machine()}
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
