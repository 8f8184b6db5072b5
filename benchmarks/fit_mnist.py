"""Time a fit on MNIST beside the matrix products that it cannot do without.

The bare run does, on chunks of the same size and in the same dtypes, the product X W, the
symmetric update H'H, and one Cholesky factorisation: nothing else.  Both runs alternate.  The
choice of alpha is timed apart.

Run: DENSERNN_DATA=... python benchmarks/fit_mnist.py [--weights dense] [--n-hidden 5000]
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from processes import peak_mib
from scipy.linalg import blas, lapack

from densernn import RNNELMClassifier, RowStandardizer
from densernn.datasets import load_mnist


def bare(X: np.ndarray, n_hidden: int, rows: int, dtype: type) -> dict[str, float]:
    """Return seconds of GEMM, SYRK and Cholesky."""
    W = np.random.default_rng(0).random((X.shape[1], n_hidden)).astype(dtype)
    syrk = blas.ssyrk if dtype == np.float32 else blas.dsyrk
    H = np.empty((n_hidden, rows), dtype)
    gram = np.zeros((n_hidden, n_hidden), dtype, order="F")
    seconds = {"gemm": 0.0, "syrk": 0.0, "cholesky": 0.0}
    for start in range(0, len(X), rows):
        chunk = X[start : start + rows].astype(dtype, copy=False)
        hidden = H[:, : len(chunk)]
        begin = time.perf_counter()
        np.matmul(W.T, chunk.T, out=hidden)
        middle = time.perf_counter()
        syrk(1.0, H.T[: len(chunk)], beta=1.0, c=gram, trans=1, overwrite_c=1)
        seconds["gemm"] += middle - begin
        seconds["syrk"] += time.perf_counter() - middle
    matrix = gram.astype(np.float64)
    matrix.ravel(order="K")[:: n_hidden + 1] += matrix.trace()
    begin = time.perf_counter()
    lapack.dpotrf(matrix, overwrite_a=1)
    seconds["cholesky"] = time.perf_counter() - begin
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", default="sparse")
    parser.add_argument("--n-hidden", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = load_mnist()
    X, y = RowStandardizer().transform(data.X_train.astype(np.float32)), data.y_train
    settings = {"weights": options.weights, "random_state": 0}
    small = RNNELMClassifier(64, alpha=1.0, **settings).fit(X[:500], y[:500])
    dtype = np.float64 if options.weights == "dense" else np.float32
    before = peak_mib()
    ratios, sparse_ratios = [], []
    for _ in range(options.rounds):
        begin = time.perf_counter()
        model = RNNELMClassifier(options.n_hidden, alpha=1.0, **settings).fit(X, y)
        fit = time.perf_counter() - begin
        peak = peak_mib()
        rows = 96 * 2**20 // (np.dtype(dtype).itemsize * options.n_hidden)
        parts = bare(X, options.n_hidden, rows, dtype)
        ratios.append(fit / sum(parts.values()))
        sparse_ratios.append(fit / (parts["syrk"] + parts["cholesky"]))
        shown = ", ".join(f"{name} {value:.2f}" for name, value in parts.items())
        dtype = model.feature_map_.dtype
        print(f"fit {fit:.2f} s ({dtype}); bare {sum(parts.values()):.2f} s ({shown})")
    print(f"fit / (GEMM + SYRK + Cholesky): median {statistics.median(ratios):.2f}")
    print(f"fit / (SYRK + Cholesky):        median {statistics.median(sparse_ratios):.2f}")
    bound = X.nbytes + 3 * options.n_hidden**2 * 8 + 512 * 2**20
    print(
        f"peak memory {peak:.0f} MiB in the first fit ({before:.0f} before it); "
        f"data + 3 L^2 x 8 + 512 MiB = {bound / 2**20:.0f} MiB"
    )
    del small
    automatic = RNNELMClassifier(options.n_hidden, alpha="auto", **settings).fit(X, y)
    print(
        f"alpha='auto': {automatic.fit_seconds_['readout']:.2f} s for "
        f"{len(automatic.alpha_scores_)} penalties, chose {automatic.alpha_:.3g}"
    )


if __name__ == "__main__":
    main()
