"""Time zeta and eta on 16 million numbers beside a plain copy of the array.

Run: python benchmarks/zeta.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from densernn import Cluster

N = 16_000_000
ROUNDS = 15


def textbook(x: np.ndarray, cluster: Cluster) -> np.ndarray:
    """Return (8) as printed, in NumPy."""
    n, p, r = cluster.n, cluster.p, cluster.r
    plus, minus = cluster.lambda_plus, cluster.lambda_minus
    e = plus * p + r * p - minus * n - r - plus * p * n - n * p * r
    b = e - n * x
    a = p * (n - 1) * (minus + x)
    return (-b - np.sqrt(b * b - 4 * a * n * plus)) / (2 * a)


def main() -> None:
    cluster = Cluster()
    print(f"{N / 1e6:.0f}M elements, median of {ROUNDS} rounds taken in turn")
    for dtype in (np.float32, np.float64):
        x = np.random.default_rng(0).random(N, dtype=dtype)
        out = np.empty_like(x)
        tasks: dict[str, Callable[[], object]] = {
            "copy": lambda x=x, out=out: np.copyto(out, x),
            "zeta": lambda x=x, out=out: cluster.zeta(x, out=out),
            "zeta in place": lambda out=out: cluster.zeta(out, out=out),
            "eta": lambda x=x, out=out: cluster.eta(x, out=out),
            "textbook (8), NumPy": lambda x=x: textbook(x, cluster),
        }
        seconds: dict[str, list[float]] = {name: [] for name in tasks}
        for task in tasks.values():
            task()
        for _ in range(ROUNDS):
            for name, task in tasks.items():
                start = time.perf_counter()
                task()
                seconds[name].append(time.perf_counter() - start)
        copy = statistics.median(seconds["copy"])
        for name, taken in seconds.items():
            median = statistics.median(taken)
            print(
                f"{np.dtype(dtype).name:8} {name:20} {median * 1e3:7.1f} ms  {median / copy:5.2f} x"
            )


if __name__ == "__main__":
    main()
