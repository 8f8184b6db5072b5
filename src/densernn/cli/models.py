"""Models of the command line: construction from options, timed training, saving."""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline

from densernn import (
    Cluster,
    DenseRNNClassifier,
    DenseRNNRegressor,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    RNNImageClassifier,
    RowStandardizer,
)
from densernn.cli.options import PUBLISHED, ModelOptions
from densernn.cli.reading import column_of
from densernn.errors import DataError
from densernn.estimators.forest import RNNForest
from densernn.paper import from_structure, parse_structure
from densernn.preparation import shares_unit
from densernn.sources.arrays import ArraySource
from densernn.sources.encoded import coded
from densernn.sources.open import open_rows
from densernn.sources.rows import RowSource
from densernn.stats import Extrema

WARM_ROWS, WARM_HIDDEN = 256, 32

LEAST_PIXELS = 256
"""Columns from which on rows may be images."""

WARM_FOREST_ROWS = 6000
"""A forest of more than 5,000 rows is learned in another way."""


def open_own(path: str, target: str, options: dict[str, Any], **more: Any) -> RowSource:
    """Open a file of the user's own, which must have its target, as models take its rows."""
    column = column_of(target, header=options["header"])
    return coded(open_rows(path, column, **options, **more))


def make_model(task: str, options: ModelOptions) -> Any:
    """Return an untrained estimator, in a pipeline if rows are to be preprocessed."""
    if options.model == "forest":
        return _forest(task, options)
    if options.model == "image":
        return _image(task, options)
    if options.model in PUBLISHED:
        if task == "regression":
            raise DataError(f"--model {options.model} is a classifier: say --model dense-rnn")
        learner = _published(options)
    else:
        learner = _own(task, options)
    named = options.preprocess in ("unit", "split")
    learner.set_params(
        preparation=options.preprocess if named else "auto",
        dtype=options.dtype,
        random_state=options.seed,
        verbose=1,
    )
    if options.preprocess == "zscore-rows":
        return make_pipeline(RowStandardizer(), learner)
    return learner


def looks_like_images(task: str, rows: ArraySource) -> bool:
    """Return whether rows look like square images of 16 x 16 pixels or more, to be told apart."""
    if task == "regression":
        return False
    square = math.isqrt(rows.n_columns) ** 2 == rows.n_columns
    return square and rows.n_columns >= LEAST_PIXELS and shares_unit(Extrema.of(rows.X))


def _forest(task: str, options: ModelOptions) -> Any:
    kind = RNNForestRegressor if task == "regression" else RNNForestClassifier
    names = ("n_trees", "region_size", "min_samples_leaf", "input_scale", "alpha")
    chosen = {name: getattr(options, name) for name in names}
    return kind(**chosen, random_state=options.seed, verbose=1)


def _image(task: str, options: ModelOptions) -> Any:
    if task == "regression":
        raise DataError("--model image is a classifier: say --model rnn-elm, or forest")
    names = ("n_filters", "image_shape", "n_views", "standardize", "augment", "readout")
    chosen = {name: getattr(options, name) for name in names}
    known: dict[str, Any] = {k: value for k, value in chosen.items() if value is not None}
    known |= {"alpha": options.alpha, "dtype": options.dtype, "random_state": options.seed}
    return RNNImageClassifier(**known, verbose=1)


def _own(task: str, options: ModelOptions) -> Any:
    """Return an estimator with the defaults of the library."""
    cluster = None
    if options.lam is not None:
        cluster = Cluster(lambda_plus=options.lam, lambda_minus=options.lam)
    common: dict[str, Any] = {
        "cluster": cluster,
        "weights": options.weights,
        "fan_in": options.fan_in,
        "alpha": options.alpha,
    }
    if options.readout is not None:
        if task == "regression":
            raise DataError("--readout is for classes: a regressor's is that of ridge")
        common["readout"] = options.readout
    if options.model == "rnn-elm":
        shallow = RNNELMRegressor if task == "regression" else RNNELMClassifier
        return shallow(options.n_hidden, **common)
    deep = DenseRNNRegressor if task == "regression" else DenseRNNClassifier
    sizes: tuple[int, ...] = (500,)
    n_hidden = options.n_hidden if "n_hidden" in options.given else None
    if options.structure is not None:
        plan = parse_structure(options.structure)
        sizes, n_hidden = plan.encoder_sizes, plan.n_hidden
    model = deep(sizes, **common)
    if n_hidden is not None:
        model.set_params(n_hidden=n_hidden)
    if options.encoder is not None:
        model.set_params(encoder=options.encoder)
    if options.kappa is not None:
        model.set_params(encoder_alpha=1.0 / options.kappa)
    return model


def _published(options: ModelOptions) -> Any:
    """Return a classifier of the paper, from its structure."""
    chosen: dict[str, Any] = {"encoder": options.encoder, "kappa": options.kappa}
    chosen |= {"lam": options.lam}
    if "alpha" in options.given:
        chosen["alpha"] = options.alpha
    known = {name: value for name, value in chosen.items() if value is not None}
    return from_structure(str(options.structure), PUBLISHED[options.model], **known)


def check_structure(options: ModelOptions, n_columns: int, n_classes: int | None) -> None:
    """Raise an error if data do not match the structure; ``n_classes`` is None if unknown."""
    if options.structure is None:
        return
    plan = parse_structure(options.structure, PUBLISHED.get(options.model, 2))
    plan.check(n_columns, plan.n_outputs if n_classes is None else n_classes)


def last_step(model: Any) -> Any:
    """Return the estimator of a pipeline, or the model itself."""
    return model[-1] if isinstance(model, Pipeline) else model


def train(model: Any, rows: RowSource, few: ArraySource) -> dict[str, Any]:
    """Train, and return choices and times for the report.

    ``fit_seconds`` is the time of training with the chosen penalty, ``alpha_seconds`` that of the
    search for it.  Compilation is excluded by training on a few rows before: ``few``.
    """
    learner = last_step(model)
    preprocess_seconds = 0.0
    if isinstance(model, Pipeline):
        start = time.perf_counter()
        rows = few = _preprocessed(model, few)
        preprocess_seconds = time.perf_counter() - start
    _warm_up(learner, few.X)
    return {**_fitted(learner, rows), "preprocess_seconds": preprocess_seconds}


def _preprocessed(model: Pipeline, rows: ArraySource) -> ArraySource:
    """Return rows as the last step of a pipeline gets them."""
    names = () if rows.encoding is None else tuple(rows.encoding.categories)
    if names:
        raise DataError(
            f"--preprocess zscore-rows is for numbers alone, and column {names[0]!r} holds "
            "categories: leave one of them out"
        )
    X = model[0].fit_transform(rows.X)
    if rows.feature_names is not None:
        model[0].feature_names_in_ = np.asarray(rows.feature_names, dtype=object)
    return ArraySource(X, rows.y, rows.weight)


def _fitted(learner: Any, rows: RowSource) -> dict[str, Any]:
    start = time.process_time()
    learner.fit(rows)
    cpu_seconds = time.process_time() - start
    n_rows = rows.n_rows or round(learner.moments_.weight)
    return {**_trained(learner, n_rows), "cpu_seconds": cpu_seconds}


def _trained(learner: Any, n_rows: int) -> dict[str, Any]:
    """Return the choices and times of a trained estimator."""
    if isinstance(learner, RNNForest):
        return {
            "n_train": n_rows,
            "n_features": learner.n_features_in_,
            "n_trees": learner.n_trees_,
            "region_size": learner.region_size_,
            "min_samples_leaf": learner.min_samples_leaf_,
            "input_scale": learner.input_scale_,
            "alpha": float(learner.alpha_),
            "fit_seconds": sum(learner.fit_seconds_.values()),
        }
    if isinstance(learner, RNNImageClassifier):
        return {
            "n_train": n_rows,
            "n_features": learner.n_features_in_,
            "image_shape": list(learner.image_shape_),
            "n_views": learner.n_views,
            "n_filters": list(learner.n_filters),
            "n_hidden": learner.feature_map_.n_features,
            "dtype": learner.feature_map_.dtype.name,
            "alpha": float(learner.alpha_),
            "augment": bool(learner.augment),
            "readout": learner.readout,
            "n_iter": learner.n_iter_,
            "fit_seconds": sum(learner.fit_seconds_.values()),
        }
    tries = max(1, len(learner.alpha_scores_))
    solve = learner.fit_seconds_["readout"] / tries
    return {
        "n_train": n_rows,
        "n_features": learner.n_features_in_,
        **_deep(learner),
        "n_hidden": learner.n_hidden if getattr(learner, "random_hidden", True) else None,
        "weights": learner.weights,
        "fan_in": learner.fan_in if learner.weights == "sparse" else None,
        "preparation": type(learner.feature_map_.preparation).__name__,
        "dtype": learner.feature_map_.dtype.name,
        "alpha": float(learner.alpha_),
        "alphas_tried": tries,
        "fit_seconds": learner.fit_seconds_["moments"] + solve,
        "alpha_seconds": solve * (tries - 1),
    }


def _deep(learner: Any) -> dict[str, Any]:
    """Return the choices of encoders."""
    if not isinstance(learner, (DenseRNNClassifier, DenseRNNRegressor)):
        return {}
    return {
        "encoder_sizes": list(learner.encoder_sizes),
        "encoder": learner.encoder if isinstance(learner.encoder, str) else repr(learner.encoder),
        "layers": [layer.n_clusters for layer in learner.feature_map_.layers],
    }


def save_model(model: Any, path: str, moments: bool = True) -> None:
    """Save a trained model."""
    from densernn import save  # noqa: PLC0415 - skops takes most of a second to import

    last_step(model).set_params(verbose=0)
    save(model, path, moments=moments)


def _warm_up(learner: Any, rows: NDArray[Any]) -> None:
    """Train small models on a few rows, which compiles all kernels and starts BLAS threads."""
    if isinstance(learner, RNNForest):
        _warm_up_forest(learner, rows)
        return
    few = rows[:: max(1, len(rows) // WARM_ROWS)][:WARM_ROWS]
    if isinstance(learner, RNNImageClassifier):
        small = clone(learner).set_params(n_filters=(2, 4), verbose=0)
        _try(small.set_params(checkpoint=None, memory_limit=None), few)
        return
    for dtype in ("float32", "float64") if learner.dtype == "auto" else (learner.dtype,):
        small = clone(learner).set_params(n_hidden=WARM_HIDDEN, alpha=1.0, dtype=dtype, verbose=0)
        small.set_params(checkpoint=None, memory_limit=None)
        if hasattr(small, "encoder_sizes"):
            small.set_params(encoder_sizes=(WARM_HIDDEN,) * len(small.encoder_sizes))
        _try(small, few)


def _warm_up_forest(learner: Any, rows: NDArray[Any]) -> None:
    """Train small forests, as few rows are learned and as many are."""
    for n_rows in (WARM_ROWS, WARM_FOREST_ROWS):
        few = rows[:: max(1, len(rows) // n_rows)][:n_rows]
        _try(clone(learner).set_params(n_trees=2, verbose=0, checkpoint=None), few)


def _try(model: Any, rows: NDArray[Any]) -> None:
    """Train a model on labels that mean nothing, without its warnings, and predict."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, np.arange(len(rows)) % 2).predict(rows)
