"""Why not RBFSampler and Ridge in a Pipeline?  Both at the same number of features.

The peer standardises (tables) or scales (images), and its gamma is the best of five on a fifth
of a part of the training rows; its ridge penalty is chosen in the same way.  densernn runs with
its defaults.

Run: DENSERNN_DATA=... python benchmarks/peers.py
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
import warnings

import numpy as np
from data import read
from processes import peak_mib
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from densernn import RNNELMClassifier

CASES = {
    "digits": (1000, 2_000),
    "mnist": (2000, 60_000),
    "higgs": (2000, 100_000),
    "covertype": (2000, 100_000),
}


def peer(n_features: int, gamma: float, alpha: float, images: bool) -> object:
    """Return a Pipeline of scikit-learn's kernel approximation and ridge classifier."""
    scaler = StandardScaler(with_std=not images)
    return make_pipeline(
        scaler,
        RBFSampler(gamma=gamma, n_components=n_features, random_state=0),
        RidgeClassifier(alpha=alpha),
    )


def tuned(name: str, n_features: int, X: np.ndarray, y: np.ndarray) -> tuple:
    """Return the best gamma and alpha on a fifth of at most 10,000 training rows."""
    images = name in ("mnist", "digits")
    X, y = X[:10_000], y[:10_000]
    cut = len(X) * 4 // 5
    centred = X - X.mean(axis=0)
    base = 1.0 / (X.shape[1] * (centred.var() if images else 1.0))
    scores = {}
    for factor, alpha in itertools.product((0.03, 0.1, 0.3, 1.0, 3.0), (1e-2, 1.0)):
        model = peer(min(n_features, 1000), base * factor, alpha, images)
        scores[base * factor, alpha] = model.fit(X[:cut], y[:cut]).score(X[cut:], y[cut:])
    return max(scores, key=scores.get)


def one(name: str, who: str) -> None:
    """Run one contestant in this process and print its line."""
    n_features, most_rows = CASES[name]
    X, y, X_test, y_test = read(name, most_rows)
    tuning = 0.0
    if who == "densernn":
        RNNELMClassifier(64).fit(X[:500], y[:500])
        model = RNNELMClassifier(n_features, random_state=0)
    else:
        begin = time.perf_counter()
        gamma, alpha = tuned(name, n_features, X, y)
        tuning = time.perf_counter() - begin
        model = peer(n_features, gamma, alpha, name in ("mnist", "digits"))
    begin = time.perf_counter()
    model.fit(X, y)
    fit = time.perf_counter() - begin
    begin = time.perf_counter()
    accuracy = model.score(X_test, y_test)
    predict = time.perf_counter() - begin
    peak = peak_mib()
    print(
        f"{name:10} {who:11} {100 * accuracy:6.2f} %  fit {fit:6.1f} s (+ {tuning:.1f} s tuning)"
        f"  predict {predict:5.2f} s  peak {peak:6.0f} MiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", nargs=2)
    options = parser.parse_args()
    if options.one:
        warnings.simplefilter("ignore")
        one(*options.one)
        return
    for name, who in itertools.product(CASES, ("densernn", "RBFSampler")):
        subprocess.run([sys.executable, __file__, "--one", name, who], check=True)


if __name__ == "__main__":
    main()
