"""Do importances without rows rank features as permutations of held-out rows do?

Forests have ``feature_importances_``.  Networks know mean and standard deviation of a column: for
them, the same effects are computed with columns drawn from normal distributions.

Prints, for each data set and model, Spearman's correlation of importances with
permutation importances; that of permutations on two halves of the rows with each other, which
is what can be expected; and how many of the features that matter come first.

Run: python experiments/feature_importances.py
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import norm, spearmanr
from sklearn import datasets
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from densernn import (
    DenseRNNClassifier,
    DenseRNNRegressor,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
)
from densernn.forest.importances import draw_ranks, total_effects

HELD_OUT = 10_000
"""Held-out rows of generated tables."""


def tables() -> Iterator[tuple[str, Any, Any, set[int] | None]]:
    """Yield name, rows, targets, and the features that matter if they are known."""
    for name in ("diabetes", "breast_cancer", "wine", "digits"):
        yield name, *getattr(datasets, f"load_{name}")(return_X_y=True), None
    for seed in (0, 1):
        n_rows = 1000 + HELD_OUT
        X, y = datasets.make_friedman1(n_rows, 10, noise=1.0, random_state=seed)
        yield f"friedman1 {seed}", X, y, set(range(5))
        X, y = datasets.make_classification(
            n_rows, 15, n_informative=5, n_redundant=0, shuffle=False, random_state=seed
        )
        yield f"classes {seed}", X, y, set(range(5))
    yield "rare", *rare(1000 + HELD_OUT), set(range(5))
    yield "skewed", *skewed(2000 + HELD_OUT), {0, 1, 3, 4}
    X, y = datasets.make_classification(
        3000 + HELD_OUT, 40, n_informative=6, n_redundant=6, shuffle=False, random_state=5
    )
    yield "redundant", X, y, None


def skewed(n_rows: int) -> tuple[Any, Any]:
    """Return a table of skewed columns, counts and indicators, of which half matter."""
    rng = np.random.default_rng(3)
    columns = [
        rng.lognormal(1.0, 0.5, n_rows),
        rng.integers(1, 50, n_rows),
        rng.normal(size=n_rows),
        rng.integers(0, 2, n_rows),
        rng.uniform(30.0, 40.0, n_rows),
        rng.exponential(1.0, n_rows),
        rng.normal(size=n_rows),
        rng.integers(0, 2, n_rows),
    ]
    X = np.column_stack(columns)
    noise = 0.3 * rng.normal(size=n_rows)
    y = 2.0 * np.log(X[:, 0]) + 0.3 * np.sin(X[:, 4]) * X[:, 3] + 0.02 * X[:, 1] + noise
    return X, y


def rare(n_rows: int) -> tuple[Any, Any]:
    """Return a table of five columns that matter and ten rare indicators that do not."""
    rng = np.random.default_rng(0)
    X = np.hstack([rng.normal(size=(n_rows, 5)), rng.random((n_rows, 10)) < 0.03])
    return X, X[:, :5] @ [1.0, 1.0, 0.5, 0.5, 0.3] + 0.5 * rng.normal(size=n_rows)


def importances(model: Any) -> Any:
    """Return the importances of a forest, or what a network can know of them."""
    if hasattr(model, "feature_importances_"):
        return model.feature_importances_
    features, scaler = model.feature_map_, model.feature_map_.preparation
    factor = np.where(scaler.factor_ > 0, scaler.factor_, np.inf)
    rows = scaler.mean_ + norm.ppf(draw_ranks(len(factor))) / factor
    labelled = hasattr(model, "classes_")
    return total_effects(lambda X: features.outputs(X, model._solution()), rows, not labelled)


def models(labelled: bool) -> dict[str, Any]:
    """Return a model of each family."""
    forest = RNNForestClassifier if labelled else RNNForestRegressor
    network = RNNELMClassifier if labelled else RNNELMRegressor
    deep = DenseRNNClassifier if labelled else DenseRNNRegressor
    return {
        "network": network(300, preparation="split", random_state=0),
        "deep": deep((20,), 300, preparation="split", random_state=0),
        "forest": forest(random_state=0),
    }


def brier(model: Any, X: Any, y: Any) -> float:
    """Return the negative squared error of probabilities: accuracy is too coarse."""
    return -float(np.mean((model.predict_proba(X) - (y[:, None] == model.classes_)) ** 2))


def first(importances: Any, count: int) -> set[int]:
    """Return the features of the largest importances."""
    return set(np.argsort(importances)[-count:].tolist())


def compare(model: Any, X: Any, y: Any, relevant: set[int] | None) -> tuple[float, float, str]:
    """Return both correlations, and how many of the first features are right."""
    labelled, half = hasattr(model, "classes_"), len(X) // 2
    permuted = [
        permutation_importance(
            model,
            X[rows],
            y[rows],
            scoring=brier if labelled else "r2",
            n_repeats=3 if len(X) == HELD_OUT else 10,
            random_state=seed,
        ).importances_mean
        for seed, rows in enumerate((slice(half), slice(half, None)))
    ]
    mean, found = np.mean(permuted, axis=0), importances(model)
    wanted = first(mean, 5) if relevant is None else relevant
    right = f"{len(first(found, len(wanted)) & wanted)} of {len(wanted)}"
    return spearmanr(found, mean)[0], spearmanr(*permuted)[0], right


def main() -> None:
    correlations: dict[str, list[tuple[float, float]]] = {}
    for name, X, y, relevant in tables():
        held_out = HELD_OUT if len(X) > HELD_OUT else 0.4
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=held_out, random_state=0
        )
        for kind, model in models(y.dtype.kind == "i").items():
            model.fit(X_train, y_train)
            own, halves, right = compare(model, X_test, y_test, relevant)
            correlations.setdefault(kind, []).append((own, halves))
            print(f"{name:14s} {kind:8s} {own:5.2f}  halves {halves:5.2f}  {right}", flush=True)
    for kind, pairs in correlations.items():
        own, halves = np.median(pairs, axis=0)
        print(f"{'median':14s} {kind:8s} {own:5.2f}  halves {halves:5.2f}")


if __name__ == "__main__":
    main()
