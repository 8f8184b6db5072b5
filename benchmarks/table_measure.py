"""Measure one model on one table, in a process of its own with one thread.

Run: python benchmarks/table_measure.py SET MODEL default|tuned
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
import warnings
from typing import Any

# Before NumPy starts its threads; benchmarks do not use an old kernel that a shell asks for.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = os.environ.get("TABLE_THREADS", "1")
for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)

import numpy as np  # noqa: E402
from processes import peak_mib  # noqa: E402
from sklearn import metrics  # noqa: E402
from table_peers import make_peer  # noqa: E402
from table_sets import TableSet, load_set  # noqa: E402

WARM_ROWS = 6000
"""Rows of a first fit that is not timed: compiled kernels are loaded, imports done."""


def measure(set_name: str, model_name: str, tuned: bool) -> dict[str, Any]:
    """Return scores on the test rows, seconds, MiB and bytes."""
    data = load_set(set_name)
    held = peak_mib()
    for n_rows in (300, min(WARM_ROWS, len(data.y_train))):
        if model_name == "RNNForest":  # others compile nothing
            rows = np.random.default_rng(0).permutation(len(data.y_train))[:n_rows]
            make_peer(model_name, data.labelled, tuned).fit(data.X_train[rows], data.y_train[rows])
    model = make_peer(model_name, data.labelled, tuned)
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(data.X_train, data.y_train)
    found = {"fit": time.perf_counter() - wall, "fit_cpu": time.process_time() - cpu}
    start = time.perf_counter()
    found |= _scores(model, data)
    found["predict"] = time.perf_counter() - start
    found["memory"], found["held_before"] = peak_mib(), held
    found["bytes"] = len(pickle.dumps(model))
    return found


def _scores(model: Any, data: TableSet) -> dict[str, float]:
    y = data.y_test
    if not data.labelled:
        predicted = model.predict(data.X_test)
        return {
            "r2": metrics.r2_score(y, predicted),
            "mae": metrics.mean_absolute_error(y, predicted),
        }
    probabilities = np.clip(model.predict_proba(data.X_test), 1e-15, 1.0)
    found = {
        "accuracy": metrics.accuracy_score(y, model.classes_[probabilities.argmax(axis=1)]),
        "log_loss": metrics.log_loss(y, probabilities, labels=model.classes_),
    }
    if len(model.classes_) == 2:
        found["auc"] = metrics.roc_auc_score(y, probabilities[:, 1])
    return found


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # of peers, of which a table cannot rid them
    set_name, model_name, setting = sys.argv[1:]
    print(json.dumps(measure(set_name, model_name, setting == "tuned")))
