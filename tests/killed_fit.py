"""A training that a test kills: run as a script, with writing as often as can be."""

import hashlib
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from densernn import (
    DenseRNNClassifier,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNForestClassifier,
    RNNImageClassifier,
    open_rows,
)
from densernn.engine import checkpoint
from densernn.sources.arrays import ArraySource

checkpoint.LEAST_SECONDS, checkpoint.SHARE = 0.02, 0.5


class Slow(ArraySource):
    """Rows that come slowly, so that there is time to kill between and inside chunks."""

    def chunks(self, n_rows, first=0):
        for chunk in super().chunks(min(n_rows, 64), first):
            time.sleep(0.004)
            yield chunk


def rows(n_rows=6000, n_columns=12):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def write(path, n_rows=60_000):
    X, y = rows(n_rows)
    table = pa.table({**{f"x{j}": column for j, column in enumerate(X.T)}, "y": y})
    with pa.CompressedOutputStream(str(path), "gzip") as stream:
        pa.csv.write_csv(table, stream)


def source(kind, checkpoint):
    if kind == "file":
        return open_rows(Path(checkpoint).parent / "rows.csv.gz", "y")
    X, y = rows()
    return Slow(X, None if kind == "autoencoder" else y)


def make(kind, checkpoint):
    if kind == "shallow":
        return RNNELMClassifier(150, checkpoint=checkpoint, random_state=None)
    common = {"checkpoint": checkpoint, "random_state": 3}
    makers = {
        "file": lambda: DenseRNNClassifier((20,), 500, **common),
        "deep": lambda: DenseRNNClassifier((20, 10), 300, **common),
        "forest": lambda: RNNForestClassifier(4, **common),
        "image": lambda: RNNImageClassifier((3, 6), image_shape=(3, 4), augment=True, **common),
        "published": lambda: DenseRNNClassifier(
            (20,), 80, weights="dense", encoder="fista", **common
        ),
        "autoencoder": lambda: RNNAutoencoder(8, max_iter=6, tol=0, **common),
    }
    return makers[kind]()


def digest(model):
    found = hashlib.sha256()
    for name in (
        "readout_coef_",
        "readout_intercept_",
        "weights_",
        "decoder_weights_",
        "alpha_",
        "cost_",
    ):
        if hasattr(model, name):
            found.update(np.ascontiguousarray(getattr(model, name)).tobytes())
    if isinstance(model, RNNForestClassifier):
        found.update(model.predict_proba(rows()[0]).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    kind, checkpoint, output = sys.argv[1:]
    model = make(kind, checkpoint)
    print("ready", flush=True)
    model.fit(source(kind, checkpoint))
    Path(output).write_text(digest(model), encoding="utf-8")
