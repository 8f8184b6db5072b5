"""Classifier-3, -4 and -5 beside -1 and -2 on rows of several sources (the paper's Table IV).

Six real sources (Multiple Features) and generated stereo pairs after small NORB's plan.
Classifier-1 and -2 hear all sources wired together, as in Table III, at the size of one
source's encoder and at that of all.  The penalty of every readout is chosen by generalised cross-
validation on training rows; accuracy is that on test rows.  Prints JSON lines, then a table.

Run: DENSERNN_DATA=... python experiments/several_sources.py [mfeat | stereo] [--seeds 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from typing import Any

import numpy as np
from stereo_objects import make_stereo_objects

from densernn import DenseRNNClassifier, RNNELMClassifier, RowStandardizer, UnitScaler
from densernn.datasets import load_mfeat
from densernn.paper import from_structure

MFEAT = "216+76+64+6+240+47"

STRUCTURES: dict[str, list[tuple[int, str]]] = {
    "mfeat": [
        (1, "649-100-1000-10"),
        (1, "649-600-1000-10"),
        (2, "649-100-1000-10"),
        (2, "649-600-1000-10"),
        (3, f"{MFEAT}-6x100-1000-10"),
        (4, f"{MFEAT}-6x4x100-1000-10"),
        (5, f"{MFEAT}-6x4x100-10"),
    ],
    "stereo": [
        (1, "2048-200-2000-5"),
        (1, "2048-400-2000-5"),
        (2, "2048-200-2000-5"),
        (2, "2048-400-2000-5"),
        (3, "2x32x32-2x200-2000-5"),
        (4, "2x32x32-2x4x100-2000-5"),
        (5, "2x32x32-2x4x100-5"),
    ],
}

SIZES = {"mfeat": (100, 1000), "stereo": (200, 2000)}


def read(name: str) -> tuple[Any, Any]:
    """Return the data set, and how its input becomes nonnegative."""
    if name == "mfeat":
        return load_mfeat(), "auto"
    return make_stereo_objects(5, 9, 18, 6), UnitScaler(shared=True)


def models(name: str, preparation: Any, sources: dict[str, slice]) -> dict[str, Any]:
    """Return all models to compare, by what they are called."""
    published = {
        f"Classifier-{number} {text}": from_structure(
            text, number, alpha="auto", preparation=preparation
        )
        for number, text in STRUCTURES[name]
    }
    size, n_hidden = SIZES[name]
    own = {"preparation": preparation}
    return published | {
        f"RNNELMClassifier {n_hidden}": RNNELMClassifier(n_hidden, **own),
        f"DenseRNNClassifier ({size},) {n_hidden}": DenseRNNClassifier((size,), n_hidden, **own),
        f"DenseRNNClassifier ({size},) {n_hidden}, by source": DenseRNNClassifier(
            (size,), n_hidden, views=list(sources.values()), **own
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", default=["mfeat", "stereo"])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = []
    for name in options.datasets:
        data, preparation = read(name)
        X, X_test = (rows.reshape(len(rows), -1) for rows in (data.X_train, data.X_test))
        if name == "stereo":
            X, X_test = (RowStandardizer().transform(rows) for rows in (X, X_test))
        for what, model in models(name, preparation, data.sources).items():
            accuracy, seconds = [], []
            for seed in range(options.seeds):
                start = time.perf_counter()
                model.set_params(random_state=seed).fit(X, data.y_train)
                seconds.append(time.perf_counter() - start)
                accuracy.append(100 * float(np.mean(model.predict(X_test) == data.y_test)))
            spread = statistics.stdev(accuracy) if len(accuracy) > 1 else 0.0
            row = {
                "dataset": name,
                "model": what,
                "accuracy": round(statistics.mean(accuracy), 2),
                "deviation": round(spread, 2),
                "seconds": round(statistics.median(seconds), 1),
                "by_seed": [round(value, 2) for value in accuracy],
            }
            print(json.dumps(row), flush=True)
            table.append(row)
    print("\n| data | model | accuracy, % | fit, s |\n| --- | --- | --- | --- |")
    for row in table:
        print(
            f"| {row['dataset']} | {row['model']} | {row['accuracy']:.2f} ± {row['deviation']:.2f} "
            f"| {row['seconds']} |"
        )


if __name__ == "__main__":
    main()
