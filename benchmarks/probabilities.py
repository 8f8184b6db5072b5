"""Can probabilities and intervals be trusted?

Log loss and expected calibration error of classifiers, beside CalibratedClassifierCV around the
same model and scaled logistic regression; coverage of the 90 % intervals of regressors.  Small
tables: 5 times 5 folds; large ones: 20,000 rows to learn from and 20,000 others, three times.

Run: DENSERNN_DATA=... python benchmarks/probabilities.py [--sets iris,higgs,...] [--models forest]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from processes import machine
from sklearn import datasets as toys
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from table_sources import VALUES

from densernn import RNNELMClassifier, RNNELMRegressor, RNNForestClassifier, RNNForestRegressor
from densernn.datasets import load_covertype, load_higgs

SMALL = {
    "iris": toys.load_iris,
    "wine": toys.load_wine,
    "breast_cancer": toys.load_breast_cancer,
    "digits": toys.load_digits,
}
LARGE = {"higgs": load_higgs, "covertype": load_covertype}

CLASSIFIERS = {"rnn-elm": RNNELMClassifier, "forest": RNNForestClassifier}
REGRESSORS = {"rnn-elm": RNNELMRegressor, "forest": RNNForestRegressor}

N_ROWS, N_BINS, N_REGRESSION = 20_000, 15, 6_000


def labelled(name: str) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield training rows and labels, test rows and labels."""
    if name in SMALL:
        X, y = SMALL[name](return_X_y=True)
        splits = RepeatedStratifiedKFold(n_splits=5, n_repeats=5, random_state=0).split(X, y)
    else:
        data = LARGE[name]()
        X = np.concatenate([data.X_train, data.X_test])
        y = np.concatenate([data.y_train, data.y_test])
        splits = ShuffleSplit(3, train_size=N_ROWS, test_size=N_ROWS, random_state=0).split(X)
    for train, test in splits:
        yield X[train], y[train], X[test], y[test]


def calibration_error(proba: np.ndarray, correct: np.ndarray) -> float:
    """Return the expected calibration error of the likeliest class, in bins of equal width."""
    sure = proba.max(axis=1)
    bins = np.minimum((sure * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, correct - sure, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(sure))


def measure_labels(name: str, models: list[str]) -> None:
    makers: dict[str, Any] = {
        "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    }
    for model in models:
        makers[model] = lambda model=model: CLASSIFIERS[model](random_state=0)
        makers[f"{model} in CalibratedClassifierCV"] = lambda model=model: CalibratedClassifierCV(
            CLASSIFIERS[model](random_state=0), cv=5
        )
    found: dict[str, list[tuple[float, ...]]] = {maker: [] for maker in makers}
    for X, y, X_test, y_test in labelled(name):
        for maker, make in makers.items():
            proba = make().fit(X, y).predict_proba(X_test)
            classes = np.unique(y)
            correct = classes[proba.argmax(axis=1)] == y_test
            loss = log_loss(y_test, proba, labels=classes)
            error = calibration_error(proba, correct)
            found[maker].append((loss, error, correct.mean(), proba.min(), 1.0 - proba.max()))
    for maker, rows in found.items():
        loss, error, accuracy = np.mean(rows, axis=0)[:3]
        least = np.min(rows, axis=0)[3:].min()
        print(f"| {name} | {maker} | {loss:.4f} | {error:.4f} | {accuracy:.4f} | {least:.1e} |")


def measure_values(name: str, models: list[str]) -> None:
    source = VALUES[name]()
    rows = np.random.default_rng(0).permutation(len(source.frame))[:N_REGRESSION]
    X, y = source.frame.iloc[rows], np.asarray(source.target, float)[rows]
    repeats = 3 if len(y) < 2000 else 1
    for model in models:
        found = []
        for train, test in RepeatedKFold(n_splits=5, n_repeats=repeats, random_state=0).split(X):
            fitted = REGRESSORS[model](random_state=0).fit(X.iloc[train], y[train])
            low, high = fitted.predict_interval(X.iloc[test]).T
            value, deviation = fitted.predict(X.iloc[test], return_std=True)
            inside = (low <= y[test]) & (y[test] <= high)
            within = np.abs(value - y[test]) <= 1.645 * deviation
            found.append((inside.mean(), within.mean(), (high - low).mean() / y.std()))
        covered, within, width = np.mean(found, axis=0)
        print(f"| {name} | {model} | {covered:.3f} | {within:.3f} | {width:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join([*SMALL, *LARGE, *VALUES]))
    parser.add_argument("--models", default=",".join(CLASSIFIERS))
    options = parser.parse_args()
    sets, models = options.sets.split(","), options.models.split(",")
    print(machine())
    print("| table | model | log loss | calibration error | accuracy | least of p and 1 - p |")
    print("|---|---|---|---|---|---|")
    for name in sets:
        if name in SMALL or name in LARGE:
            measure_labels(name, models)
    print("\n| table | model | in 90 % intervals | in 1.645 deviations | width |")
    print("|---|---|---|---|---|")
    for name in sets:
        if name in VALUES:
            measure_values(name, models)


if __name__ == "__main__":
    main()
