"""Compare the default configuration with the published dense one at the same n_hidden.

Run: DENSERNN_DATA=... python benchmarks/defaults.py
"""

from __future__ import annotations

import argparse
import statistics
import time

from data import read

from densernn import RNNELMClassifier

CASES = {
    "digits": (1000, 2_000),
    "mnist": (2000, 60_000),
    "higgs": (3000, 100_000),
    "covertype": (2000, 150_000),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(CASES))
    options = parser.parse_args()
    print(
        "test accuracy in %, mean and standard deviation over seeds; seconds with choice of alpha"
    )
    for name in options.only:
        n_hidden, most_rows = CASES[name]
        X, y, X_test, y_test = read(name, most_rows)
        results: dict[str, list[tuple[float, float]]] = {"sparse": [], "dense": []}
        for seed in range(options.seeds):
            for weights, rows in results.items():
                if seed == 0:
                    RNNELMClassifier(64, weights=weights).fit(X[:500], y[:500])
                begin = time.perf_counter()
                model = RNNELMClassifier(n_hidden, weights=weights, random_state=seed).fit(X, y)
                seconds = time.perf_counter() - begin
                rows.append((100 * model.score(X_test, y_test), seconds))
        for weights, rows in results.items():
            accuracy = [row[0] for row in rows]
            spread = statistics.stdev(accuracy) if len(accuracy) > 1 else 0.0
            print(
                f"{name:10} {len(X):7} rows, n_hidden {n_hidden}: {weights:6} "
                f"{statistics.mean(accuracy):6.2f} +- {spread:.2f} %, "
                f"{statistics.median(row[1] for row in rows):6.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
