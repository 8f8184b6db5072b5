"""Make the model that the options ask for, train it and time it."""

from __future__ import annotations

import time
import warnings
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline

from densernn import RNNELMClassifier, RNNELMRegressor, RowStandardizer
from densernn.cli.options import ModelOptions
from densernn.errors import DataError
from densernn.sources.tables import Table

MANY_VALUES = 20
"""Different values up to which a floating target counts as classes."""

WARM_ROWS, WARM_HIDDEN = 256, 32


def choose_task(table: Table, task: str) -> str:
    """Return the task that is asked for, or that the target suggests; refuse one it forbids."""
    y = table.y
    if y is None:
        raise DataError(f"{table.path}: has no target")
    place = f"{table.path}: the target {table.target_name!r}"
    if task == "auto":
        many = y.dtype.kind == "f" and np.unique(y).size > MANY_VALUES
        task = "regression" if many else "classification"
    if task == "regression" and y.dtype.kind == "U":
        raise DataError(f"{place} holds text, which --task regression cannot predict")
    if task == "classification" and y.dtype.kind == "f" and (y != np.floor(y)).any():
        raise DataError(f"{place} holds fractions, which are no classes: say --task regression")
    return task


def make_model(task: str, options: ModelOptions) -> Any:
    """Return an untrained estimator, in a pipeline if rows are to be preprocessed."""
    kind = RNNELMRegressor if task == "regression" else RNNELMClassifier
    named = options.preprocess in ("unit", "split")
    learner = kind(
        options.n_hidden,
        weights=options.weights,
        fan_in=options.fan_in,
        preparation=options.preprocess if named else "auto",
        alpha=options.alpha,
        dtype=options.dtype,
        random_state=options.seed,
        verbose=1,
    )
    if options.preprocess == "zscore-rows":
        return make_pipeline(RowStandardizer(), learner)
    return learner


def last_step(model: Any) -> Any:
    """Return the estimator of a pipeline, or the model itself."""
    return model[-1] if isinstance(model, Pipeline) else model


def train(model: Any, X: NDArray[Any], y: NDArray[Any]) -> dict[str, Any]:
    """Train, and return what to report: choices that were made, and seconds.

    ``fit_seconds`` is what training with the chosen penalty takes; the search for that penalty
    is ``alpha_seconds``.  Compilation is left out, by training on a few rows before.
    """
    learner = last_step(model)
    rows, preprocess_seconds = X, 0.0
    if isinstance(model, Pipeline):
        start = time.perf_counter()
        rows = model[:-1].fit_transform(X)
        preprocess_seconds = time.perf_counter() - start
    _warm_up(learner, rows)
    learner.fit(rows, y)
    tries = max(1, len(learner.alpha_scores_))
    solve = learner.fit_seconds_["readout"] / tries
    return {
        "n_train": len(X),
        "n_features": X.shape[1],
        "n_hidden": learner.n_hidden,
        "weights": learner.weights,
        "fan_in": learner.fan_in if learner.weights == "sparse" else None,
        "preparation": type(learner.stack_.preparation).__name__,
        "dtype": learner.stack_.dtype.name,
        "alpha": float(learner.alpha_),
        "alphas_tried": tries,
        "fit_seconds": learner.fit_seconds_["moments"] + solve,
        "alpha_seconds": solve * (tries - 1),
        "preprocess_seconds": preprocess_seconds,
    }


def save_model(model: Any, names: tuple[str, ...] | None, path: str, moments: bool = True) -> None:
    """Save a trained model, with the names of the columns that it was trained on, if any."""
    from densernn import save  # noqa: PLC0415 - skops takes most of a second to import

    if names is not None:
        first = model[0] if isinstance(model, Pipeline) else model
        first.feature_names_in_ = np.asarray(names, dtype=object)
    last_step(model).set_params(verbose=0)
    save(model, path, moments=moments)


def _warm_up(learner: Any, rows: NDArray[Any]) -> None:
    """Train small models on a few rows, so that all kernels are compiled and BLAS is awake."""
    few = rows[:: max(1, len(rows) // WARM_ROWS)][:WARM_ROWS]
    labels = np.arange(len(few)) % 2
    dtypes = ("float32", "float64") if learner.dtype == "auto" else (learner.dtype,)
    preparations = ("unit", "split") if learner.preparation == "auto" else (learner.preparation,)
    for dtype, preparation in product(dtypes, preparations):
        small = clone(learner).set_params(
            n_hidden=WARM_HIDDEN, alpha=1.0, dtype=dtype, preparation=preparation, verbose=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            small.fit(few, labels).predict(few)
