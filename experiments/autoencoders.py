"""Costs of the autoencoders of section III on MNIST digits: (16) and (17), and forms of (20).

Prints one JSON object.  Costs are squared errors over the training rows, scaled to [0, 1]; the best
linear autoencoder without a constant, by singular values, stands beside them.

Run: DENSERNN_DATA=... python experiments/autoencoders.py
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from densernn import RNNAutoencoder
from densernn.datasets import load_digits, load_mnist

RUNS: dict[str, dict[str, Any]] = {
    "(16), (17)": {"method": "spiking"},
    "(16), (17), exponent at most 1": {"method": "spiking", "max_exponent": 1.0},
    "(20) signed": {"method": "rnn-elm"},
    "(20) signed, exponent at most 1": {"method": "rnn-elm", "max_exponent": 1.0},
    "(20) signed, from the published scale": {"input_scale": 0.1},
    "(20) signed, from the published scale, exponent at most 1": {
        "input_scale": 0.1,
        "max_exponent": 1.0,
    },
    "(20) printed, full steps": {"variant": "printed"},
    "(20) printed, full steps, from the published scale": {
        "variant": "printed",
        "input_scale": 0.1,
    },
    "(20) inverted, full steps": {"variant": "inverted"},
    "(20) inverted, full steps, from the published scale": {
        "variant": "inverted",
        "input_scale": 0.1,
    },
    "(19) alone": {"method": "ridge"},
}


def measure(X: np.ndarray, n_hidden: int, seed: int, options: dict[str, Any]) -> dict[str, Any]:
    model = RNNAutoencoder(n_hidden, tol=0.0, random_state=seed, **options)
    start = time.perf_counter()
    model.fit(X)
    seconds = time.perf_counter() - start
    exponents = getattr(model, "exponents_", np.ones(1))
    return {
        "start": float(model.cost_[0]),
        "final": float(model.cost_[-1]),
        "factor": float(model.cost_[0] / model.cost_[-1]),
        "iterations": model.n_iter_,
        "seconds": round(seconds, 2),
        "rises": int((np.diff(model.cost_) > 0).sum()),
        "highest": float(model.cost_.max()),
        "below 1": int((exponents < 1).sum()),
        "largest exponent": float(exponents.max()),
        "refused": getattr(model, "n_refused_", 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=("mnist", "digits"), default="mnist")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--n-hidden", type=int, default=50)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    data = load_mnist() if arguments.dataset == "mnist" else load_digits()
    X = data.X_train[: arguments.rows]
    values = np.linalg.svd(X / X.max(), compute_uv=False)
    report: dict[str, Any] = vars(arguments) | {
        "best linear": float(np.sum(values[arguments.n_hidden :] ** 2)),
        "runs": {},
    }
    for name, options in RUNS.items():
        report["runs"][name] = [
            measure(X, arguments.n_hidden, seed, options | {"max_iter": arguments.iterations})
            for seed in range(arguments.seeds)
        ]
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
