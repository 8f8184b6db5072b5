"""Time deep training on MNIST beside its own matrix products, and the default beside the published.

For both networks of 784-500-5000-10, the bare run makes the GEMM, SYRK and Cholesky calls that
training makes, on chunks of the same rows and in the same dtypes, and nothing else: no zeta, no
preparation, no solver.  Runs alternate.  Accuracy is that on the test rows.

Run: DENSERNN_DATA=... python benchmarks/fit_deep.py [--only published] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Any

import numpy as np
from processes import peak_mib
from scipy.linalg import blas, lapack

from densernn import DenseRNNClassifier, RowStandardizer
from densernn.datasets import load_mnist
from densernn.paper import classifier2

SIZE, FEATURES, HIDDEN, INPUTS, OUTPUTS = 500, 1000, 5000, 784, 10
STRUCTURE = f"{INPUTS}-{SIZE}-{HIDDEN}-{OUTPUTS}"
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
CHUNK = 96 * 2**20

PASSES = {
    "published": [
        (SINGLE, [(INPUTS, SIZE)], 0),
        (DOUBLE, [(INPUTS, SIZE)], SIZE + INPUTS + 1),
        (SINGLE, [(INPUTS, FEATURES)], 0),
        (SINGLE, [(INPUTS, FEATURES), (FEATURES, HIDDEN)], 0),
        (DOUBLE, [(INPUTS, FEATURES), (FEATURES, HIDDEN)], HIDDEN + OUTPUTS),
    ],
    # Codes and random layer are sparse: their products are no GEMM.
    "default": [
        (SINGLE, [], SIZE + INPUTS),
        (SINGLE, [(INPUTS, FEATURES)], HIDDEN + OUTPUTS),
    ],
}
"""For each pass the dtype, the shapes of layers that are multiplied, and the size of moments."""

SOLVER_PRODUCTS = {"published": 150, "default": 0}
"""Products of a 500 x 500 matrix that the solver makes."""


def bare_pass(
    n_rows: int, dtype: np.dtype[Any], layers: list[tuple[int, int]], size: int
) -> tuple[float, float]:
    """Return seconds of the GEMM and SYRK calls of a pass."""
    rng = np.random.default_rng(0)
    widest = max([size, *(wide for _, wide in layers)])
    rows = min(8192, CHUNK // (dtype.itemsize * (INPUTS + widest)) // 64 * 64)
    weights = [rng.random(shape).astype(dtype) for shape in layers]
    inputs = rng.random((INPUTS, rows)).astype(dtype)
    moments = rng.random((size, rows)).astype(dtype)
    gram = np.zeros((size, size), dtype, order="F")
    syrk = blas.ssyrk if dtype == SINGLE else blas.dsyrk
    gemm_seconds = syrk_seconds = 0.0
    for start in range(0, n_rows, rows):
        count = min(rows, n_rows - start)
        values = inputs[:, :count]
        begin = time.perf_counter()
        for W in weights:
            values = W.T @ values
        middle = time.perf_counter()
        if size:
            syrk(1.0, moments[:, :count].T, beta=1.0, c=gram, trans=1, overwrite_c=1)
        gemm_seconds += middle - begin
        syrk_seconds += time.perf_counter() - middle
    return gemm_seconds, syrk_seconds


def bare(name: str, n_rows: int) -> dict[str, float]:
    """Return seconds of all bare calls of a training."""
    passes = [bare_pass(n_rows, *one) for one in PASSES[name]]
    matrix = np.eye(HIDDEN, order="F") + 1e-3
    begin = time.perf_counter()
    lapack.dpotrf(matrix, overwrite_a=1)
    cholesky = time.perf_counter() - begin
    S, W = np.ones((SIZE, SIZE)), np.ones((SIZE, INPUTS + 1))
    begin = time.perf_counter()
    for _ in range(SOLVER_PRODUCTS[name]):
        S @ W
    solver = time.perf_counter() - begin
    gemm, syrk = (sum(part) for part in zip(*passes, strict=True))
    return {"gemm": gemm, "syrk": syrk, "cholesky": cholesky, "solver's gemm": solver}


def make(name: str, seed: int, alpha: Any = None) -> DenseRNNClassifier:
    if name == "published":
        return classifier2(STRUCTURE, random_state=seed)
    options = {} if alpha is None else {"alpha": alpha}
    return DenseRNNClassifier((SIZE,), HIDDEN, random_state=seed, **options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=tuple(PASSES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = load_mnist()
    X, X_test = (RowStandardizer().transform(rows) for rows in (data.X_train, data.X_test))
    y, names = data.y_train, [options.only] if options.only else list(PASSES)
    for name in names:  # compile
        make(name, 0).set_params(n_hidden=64, encoder_sizes=(8,)).fit(X[:2000], y[:2000])
    whole: dict[str, list[float]] = {name: [] for name in names}
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(options.rounds):
        for name in names:
            model = make(name, seed)
            begin = time.perf_counter()
            model.fit(X, y)
            whole[name].append(time.perf_counter() - begin)
            tries = max(1, len(model.alpha_scores_))
            search = model.fit_seconds_["readout"] * (tries - 1) / tries
            peak = peak_mib()
            parts = bare(name, len(X))
            ratios[name].append((whole[name][-1] - search) / sum(parts.values()))
            shown = ", ".join(f"{part} {value:.1f}" for part, value in parts.items())
            print(
                f"{name}, seed {seed}: accuracy {100 * model.score(X_test, data.y_test):.2f} %, "
                f"fit {whole[name][-1]:.1f} s (of it {search:.1f} s to choose among {tries} "
                f"penalties), bare {sum(parts.values()):.1f} s ({shown}), peak {peak:.0f} MiB",
                flush=True,
            )
    bound = (X.nbytes + 3 * HIDDEN**2 * 8) / 2**20 + 512
    for name in names:
        print(f"{name}: fit / own bare calls, median {statistics.median(ratios[name]):.2f}")
    print(f"memory bound, data + 3 L^2 x 8 + 512 MiB: {bound:.0f} MiB")
    if len(names) > 1:
        pairs = [d / p for d, p in zip(whole["default"], whole["published"], strict=True)]
        print(
            f"default, choice of alpha included / published: median {statistics.median(pairs):.2f}"
        )


if __name__ == "__main__":
    main()
