"""Does a logistic readout pay?  Beside ridge, at equal features: accuracy, log loss and time.

Calibration errors are those of ten bins of the largest probability, of equal width.

Run: DENSERNN_DATA=... python benchmarks/readouts.py [mnist higgs covertype mfeat]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import log_loss

from densernn import RNNELMClassifier, RNNImageClassifier, datasets

N_COVERTYPE = 100_000
"""Training rows of Covertype."""


def _network(readout: str) -> Any:
    return RNNELMClassifier(1000, readout=readout, random_state=0)


def _image(readout: str) -> Any:
    return RNNImageClassifier(readout=readout, random_state=0)


def _mfeat(readout: str) -> Any:
    return RNNImageClassifier(image_shape=(16, 15), readout=readout, random_state=0)


SETS: dict[str, Callable[[str], Any]] = {
    "mnist": _image,
    "higgs": _network,
    "covertype": _network,
    "mfeat": _mfeat,
}


def load(name: str) -> tuple[Any, Any, Any, Any]:
    """Return training and test rows and labels."""
    data = getattr(datasets, f"load_{name}")()
    X_train, X_test = (X.reshape(len(X), -1) for X in (data.X_train, data.X_test))
    y_train = data.y_train
    if name == "mfeat":
        X_train, X_test = X_train[:, data.sources["pixel"]], X_test[:, data.sources["pixel"]]
    if name == "covertype":
        rows = np.random.default_rng(0).permutation(len(X_train))[:N_COVERTYPE]
        X_train, y_train = X_train[rows], y_train[rows]
    return X_train, y_train, X_test, data.y_test


def calibration_error(P: np.ndarray, right: np.ndarray) -> float:
    """Return the mean distance of the largest probability from the share that is right."""
    likeliest = P.max(axis=1)
    bins = np.minimum((likeliest * 10).astype(int), 9)
    gaps = np.bincount(bins, right - likeliest, minlength=10)
    return float(np.abs(gaps).sum() / len(P))


def main(names: list[str]) -> None:
    """Print a line for each set and readout."""
    print(f"{'set':12}{'readout':10}{'accuracy':>9}{'log loss':>9}{'cal.':>8}{'passes':>8}{'s':>7}")
    for name in names or SETS:
        X_train, y_train, X_test, y_test = load(name)
        for readout in ("ridge", "logistic"):
            start = time.process_time()
            model = SETS[name](readout).fit(X_train, y_train)
            seconds = time.process_time() - start
            P = model.predict_proba(X_test)
            right = model.classes_[P.argmax(axis=1)] == y_test
            loss = log_loss(y_test, P, labels=model.classes_)
            print(
                f"{name:12}{readout:10}{right.mean():9.4f}{loss:9.4f}"
                f"{calibration_error(P, right):8.4f}{model.n_iter_:8d}{seconds:7.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
