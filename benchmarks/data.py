"""The data sets that benchmarks compare on, cut to a stated number of training rows."""

from __future__ import annotations

import numpy as np

from densernn import RowStandardizer
from densernn.datasets import load_covertype, load_digits, load_higgs, load_mnist

LOADERS = {
    "digits": load_digits,
    "mnist": load_mnist,
    "higgs": load_higgs,
    "covertype": load_covertype,
}


def read(name: str, most_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training rows and labels, test rows and labels, in float32."""
    data = LOADERS[name]()
    X, X_test = data.X_train.astype(np.float32), data.X_test.astype(np.float32)
    if name == "mnist":
        X, X_test = RowStandardizer().transform(X), RowStandardizer().transform(X_test)
    return X[:most_rows], data.y_train[:most_rows], X_test, data.y_test
