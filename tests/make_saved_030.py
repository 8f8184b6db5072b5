"""Writer of the model files in formats/0.3.0: run with densernn 0.3.0, never again after it.

Usage: PYTHONPATH=<densernn 0.3.0>/src python tests/make_saved_030.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import densernn
from densernn import (
    Cluster,
    ClusterFeatures,
    DenseRNNClassifier,
    DenseRNNRegressor,
    ImageSubsampler,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    RowStandardizer,
    SignSplitter,
    SplitScaler,
    UnitScaler,
    ZCAWhitener,
)
from densernn.solvers import FistaSolver, RidgeSolver

FOLDER = Path(__file__).parent / "formats" / "0.3.0"
RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 4)).round(3)
CLASSES = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 0)
WORDS = np.array(["low", "middle", "high"])[CLASSES]
LABELS = np.stack([CLASSES > 0, CLASSES > 1], axis=1).astype(int)
VALUE = X @ np.arange(4.0) + X[:, 0] ** 2
VALUES = np.stack([VALUE, X[:, 1] * X[:, 2]], axis=1)
FIXED = {"random_state": 0, "alpha": 0.01}
SMALL = {"n_hidden": 10, "fan_in": 2, **FIXED}
DEEP = {"encoder_sizes": (5,), **SMALL}

MODELS = {
    "classifier": (RNNELMClassifier(**SMALL), WORDS),
    "classifier-alpha-auto": (RNNELMClassifier(**{**SMALL, "alpha": "auto"}), CLASSES),
    "classifier-dense": (RNNELMClassifier(**SMALL, weights="dense"), CLASSES),
    "classifier-float32": (RNNELMClassifier(**SMALL, dtype="float32"), CLASSES),
    "classifier-multilabel": (RNNELMClassifier(**SMALL), LABELS),
    "classifier-balanced": (RNNELMClassifier(**SMALL, class_weight="balanced"), CLASSES),
    "classifier-weighted": (RNNELMClassifier(**SMALL, class_weight={0: 3.0}), CLASSES),
    "classifier-cluster": (RNNELMClassifier(**SMALL, cluster=Cluster(n=7, p=0.2)), CLASSES),
    "classifier-signs": (RNNELMClassifier(**SMALL, preparation=SignSplitter()), CLASSES),
    "regressor": (RNNELMRegressor(**SMALL), VALUE),
    "regressor-dense": (RNNELMRegressor(**SMALL, weights="dense"), VALUE),
    "regressor-targets": (RNNELMRegressor(**SMALL), VALUES),
    "deep-ridge": (DenseRNNClassifier(**DEEP), WORDS),
    "deep-fista": (DenseRNNClassifier(**DEEP, encoder="fista"), CLASSES),
    "deep-nonnegative": (DenseRNNClassifier(**DEEP, encoder="nonnegative-fista"), CLASSES),
    "deep-solver": (DenseRNNClassifier(**DEEP, encoder=FistaSolver(0.1)), CLASSES),
    "deep-dense": (DenseRNNClassifier(**DEEP, weights="dense"), CLASSES),
    "deep-views": (
        DenseRNNClassifier(**DEEP, sources=[slice(0, 2), [2, 3]], replicas=4),
        CLASSES,
    ),
    "deep-balanced": (DenseRNNClassifier(**DEEP, class_weight="balanced"), CLASSES),
    "deep-two-layers": (
        DenseRNNClassifier(**{**DEEP, "encoder_sizes": (5, 4)}, random_hidden=False),
        CLASSES,
    ),
    "deep-regressor": (DenseRNNRegressor(**DEEP), VALUE),
    "deep-regressor-views": (
        DenseRNNRegressor(**DEEP, encoder=RidgeSolver(0.1), sources=[[0, 1], [2, 3]]),
        VALUES,
    ),
    "autoencoder": (RNNAutoencoder(3, random_state=0), None),
    "autoencoder-ridge": (RNNAutoencoder(3, method="ridge", random_state=0), None),
    "autoencoder-spiking": (RNNAutoencoder(3, method="spiking", random_state=0), None),
    "features": (ClusterFeatures(6, fan_in=2, random_state=0), None),
    "features-dense": (ClusterFeatures(6, weights="dense", random_state=0), None),
    "unit-scaler": (UnitScaler(), None),
    "split-scaler": (SplitScaler(), None),
    "row-standardizer": (RowStandardizer("float64"), None),
    "sign-splitter": (SignSplitter(), None),
    "image-subsampler": (ImageSubsampler((2, 2), step=2), None),
    "whitener": (ZCAWhitener(), None),
    "pipeline": (make_pipeline(StandardScaler(), RNNELMClassifier(**SMALL)), WORDS),
    "pipeline-whitened": (make_pipeline(ZCAWhitener(), RNNELMRegressor(**SMALL)), VALUE),
}


def outputs(model):
    """Return what a model computes of the first rows, by the method's name."""
    methods = ("predict", "predict_proba", "decision_function", "transform")
    return {m: getattr(model, m)(X[:12]).tolist() for m in methods if hasattr(model, m)}


def main():
    assert densernn.__version__ == "0.3.0", densernn.__version__
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, (model, y) in MODELS.items():
        train = slice(0, 40)
        model.fit(X[train]) if y is None else model.fit(X[train], y[train])
        densernn.save(model, FOLDER / f"{name}.skops")
        entry = {"class": type(model).__name__, "outputs": outputs(model)}
        if hasattr(model, "forget"):
            densernn.save(model, FOLDER / f"{name}-no-moments.skops", moments=False)
            if "balanced" not in name:  # which partial_fit refuses
                model.partial_fit(X[40:], y[40:])
            entry |= {"y": y.tolist(), "after": outputs(model.forget(X[:5], y[:5]))}
        expected[name] = entry
    content = {"X": X.tolist(), "models": expected}
    (FOLDER / "expected.json").write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
