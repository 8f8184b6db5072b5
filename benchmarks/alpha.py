"""How should alpha="auto" choose: by generalised cross-validation, or on held-out moments?

Both see moments alone.  A fifth of the training rows judges both and is used by neither; test
rows are not touched.  The held-out way keeps a fifth of its rows as a second fold of moments
(twice the memory), picks the penalty of least squared error there, and solves on all.

Run: DENSERNN_DATA=... python benchmarks/alpha.py
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from data import read
from scipy import linalg

from densernn import Moments, RNNELMClassifier
from densernn.solvers import RidgeSystem
from densernn.stats.moments import symmetric

CASES = {
    "digits": (1000, 2_000),
    "mnist": (1000, 30_000),
    "higgs": (1000, 36_239),
    "covertype": (1000, 60_000),
}


def held_out_error(fitted: Moments, judge: Moments, alpha: float) -> tuple[float, object]:
    """Return the squared error per row on the judge's moments, from moments alone."""
    solution = RidgeSystem(fitted).solve(alpha)
    size = judge.n_features
    about = judge.about(np.concatenate([fitted.means[:size], fitted.means[size:]]))
    second = symmetric(about.second)
    W = solution.coef
    error = np.trace(second[size:, size:]) - 2 * np.sum(W * second[:size, size:])
    error += np.sum(W * linalg.blas.dgemm(1.0, second[:size, :size], W))
    return float(error / judge.weight), solution


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for name, (n_hidden, most_rows) in CASES.items():
        X, y, _, _ = read(name, most_rows)
        cut = len(X) * 4 // 5
        X, y, X_judge, y_judge = X[:cut], y[:cut], X[cut:], y[cut:]
        for weights in ("sparse", "dense"):
            rows = []
            for seed in range(options.seeds):
                model = RNNELMClassifier(
                    n_hidden, weights=weights, dtype="float64", random_state=seed
                ).fit(X, y)
                gcv = (model.alpha_, model.score(X_judge, y_judge), model.fit_seconds_["readout"])
                start = time.perf_counter()
                inner = len(X) * 4 // 5
                part = model.fresh().partial_fit(X[:inner], y[:inner]).moments_
                rest = model.fresh().partial_fit(X[inner:], y[inner:]).moments_
                folded = time.perf_counter()
                grid = [a for a in model.alpha_scores_ if np.isfinite(model.alpha_scores_[a])]
                errors = {alpha: held_out_error(part, rest, alpha)[0] for alpha in grid}
                chosen = min(errors, key=errors.get)
                seconds = time.perf_counter() - folded
                model.set_params(alpha=chosen)
                model._renew_readout()
                rows.append((*gcv, chosen, model.score(X_judge, y_judge), seconds, folded - start))
            a, _, t_gcv, b, _, t_held, _ = np.median(rows, axis=0)
            mean = np.mean(rows, axis=0)
            print(
                f"{name:10} {weights:6}: GCV alpha {a:8.2g}, {100 * mean[1]:.2f} %, {t_gcv:.2f} s; "
                f"held-out alpha {b:8.2g}, {100 * mean[4]:.2f} %, {t_held:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
