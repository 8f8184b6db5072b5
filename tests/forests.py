"""Small forests of every kind of target, for tests of the estimators."""

import numpy as np
from problems import classification, regression

from densernn import RNNForestClassifier, RNNForestRegressor
from densernn.forest.activations import route

GIVEN = {
    "region_size": 100,
    "min_samples_leaf": 5,
    "input_scale": 0.02,
    "alpha": 0.1,
    "random_state": 0,
}
"""Choices by which a forest is fitted in some milliseconds."""

KINDS = ("classes", "labels", "values", "two values")


def forest(kind, n_trees=3, **options):
    """An estimator for a kind of targets, with few trees and nothing left to choose."""
    options = {**GIVEN, **options}
    labelled = kind in ("classes", "labels")
    return (RNNForestClassifier if labelled else RNNForestRegressor)(n_trees, **options)


def auto(kind, n_trees=3, **options):
    """An estimator with few trees that chooses everything else."""
    chosen = dict.fromkeys(GIVEN, "auto") | {"random_state": 0}
    return forest(kind, n_trees, **{**chosen, **options})


def table(kind, n_rows=400, seed=0):
    """Rows and targets of a kind."""
    if kind == "classes":
        X, y = classification(n_rows, seed=seed)
        return X, np.array(["ant", "bee", "cat"])[y]
    if kind == "labels":
        X, y = classification(n_rows, seed=seed)
        return X, np.column_stack([y > 0, y > 1, X[:, 0] > 3.0]).astype(int)
    return regression(n_rows, n_outputs=2 if kind == "two values" else None, seed=seed)


def answers(model, X):
    """Everything that a model says of some rows, as numbers."""
    if hasattr(model, "predict_proba"):
        return np.column_stack([model.predict_proba(X), model.decision_function(X)])
    return model.predict(X)


def assert_close(one, other, X, atol=1e-8):
    """Compare all answers; those to values are compared in units of their range."""
    mine, theirs = answers(one, X), answers(other, X)
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=atol * max(1.0, np.ptp(mine)))


def assert_same(one, other, X):
    """Compare all answers to the last bit."""
    np.testing.assert_array_equal(answers(one, X), answers(other, X))
    assert one.alpha_ == other.alpha_
    assert one.feature_map_.fingerprint() == other.feature_map_.fingerprint()


def regions(model, X):
    """The region of each row in each tree."""
    scores = model.feature_map_.bins.normal_scores(X)
    return [route(scores, *tree.routing) for tree in model.feature_map_.trees]
