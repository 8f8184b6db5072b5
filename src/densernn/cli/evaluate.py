"""``densernn evaluate``: training on a part of the rows, testing on the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

from densernn import ImageSubsampler, datasets
from densernn.cli import report
from densernn.cli.models import (
    check_structure,
    looks_like_images,
    make_model,
    open_own,
    save_model,
    train,
)
from densernn.cli.options import DATASETS, ModelOptions
from densernn.cli.scores import SCORES, baselines, scores
from densernn.cli.task import Task, choose_task
from densernn.errors import DataError
from densernn.sources.arrays import ArraySource
from densernn.sources.load import held


def _load_norb(path: str | None) -> datasets.Dataset:
    """Load small NORB at 32 x 32 pixels, as the paper does."""
    data = datasets.load_norb(path)
    few = ImageSubsampler(shape=data.X_train.shape[1:])
    parts = [X.reshape(len(X), -1) for X in (data.X_train, data.X_test)]
    X_train, X_test = few.fit_transform(parts[0]), few.transform(parts[1])
    names = tuple(few.get_feature_names_out(data.feature_names))
    own = {"a": slice(0, len(names) // 2), "b": slice(len(names) // 2, len(names))}
    return replace(data, X_train=X_train, X_test=X_test, feature_names=names, sources=own)


LOADERS: dict[str, Callable[[str | None], datasets.Dataset]] = {
    **{name: getattr(datasets, f"load_{name}") for name in DATASETS},
    "digits": lambda path: datasets.load_digits(),
    "norb": _load_norb,
}

ROWS_BY_THEMSELVES = ("mnist",)
"""Data sets whose rows are standardised over their columns by default."""

UNSTANDARDISED = ("image", "forest")
"""Models that scale rows themselves."""

BOOSTED_CATEGORIES = 254
"""Categories up to which boosted trees take a column for categorical."""

TIMES = ("fit_seconds", "cpu_seconds", "predict_seconds")


class Parts(NamedTuple):
    """Training and test rows."""

    name: str
    task: Task
    train: ArraySource
    test: ArraySource


def evaluate(
    *,
    table: str | None,
    dataset: str | None,
    data_path: str | None,
    target: str | None,
    test_size: float | None,
    task: str,
    model_options: ModelOptions,
    read_options: dict[str, Any],
    n_seeds: int,
    beside_boosting: bool,
    as_json: bool,
    output: str | None,
) -> None:
    """Run the command: see :func:`densernn.cli.commands.evaluate`."""
    if output is not None:
        report.check_place(output)
    if table is not None:
        rows = held(open_own(table, str(target), read_options))
        found = choose_task(rows.y, f"{table}: the target {target!r}", task)
    else:
        parts = _load(str(dataset), data_path)
    results = []
    for seed in range(model_options.seed, model_options.seed + n_seeds):
        if table is not None:
            parts = _hold_out(table, rows, found, test_size or 0.25, seed)
        images = looks_like_images(parts.task.name, parts.train)
        options = replace(model_options, seed=seed).resolved(images)
        if options.preprocess == "auto":
            by_rows = dataset in ROWS_BY_THEMSELVES and options.model not in UNSTANDARDISED
            options = replace(options, preprocess="zscore-rows" if by_rows else "none")
        model, result = _run(parts, options)
        if beside_boosting:
            result |= _boosting(parts, seed)
        results.append(result)
        if output is not None and len(results) == 1:
            save_model(model, output)
    result = {
        "dataset": parts.name,
        **parts.task.said,
        **_summary(results),
        **baselines(parts.task.name, parts.train, parts.test),
        "seed": model_options.seed,
        **report.environment(),
        "model": output,
    }
    report.show(result, f"densernn on {parts.name}", as_json=as_json)


def _run(parts: Parts, options: ModelOptions) -> tuple[Any, dict[str, Any]]:
    """Train a model and return it, with its scores, choices and times."""
    check_structure(options, parts.train.n_columns, parts.task.n_classes)
    model = make_model(parts.task.name, options)
    trained = train(model, parts.train, parts.train)
    start = time.perf_counter()
    found = scores(model, parts.task.name, parts.test)
    predict_seconds = time.perf_counter() - start
    return model, {
        "model_kind": options.model,
        "structure": options.structure,
        **found,
        "n_test": parts.test.n_rows,
        **trained,
        "predict_seconds": predict_seconds,
        "preprocess": options.preprocess,
    }


def _boosting(parts: Parts, seed: int) -> dict[str, float]:
    """Return scores and CPU seconds of scikit-learn's boosted trees at their defaults."""
    kind = HistGradientBoostingClassifier
    if parts.task.name == "regression":
        kind = HistGradientBoostingRegressor
    encoding = parts.train.encoding
    sizes = () if encoding is None else encoding.n_categories
    few = [j for j, size in enumerate(sizes) if 0 < size <= BOOSTED_CATEGORIES]
    model = kind(random_state=seed, categorical_features=few or None)
    start = time.process_time()
    model.fit(parts.train.X, parts.train.y, sample_weight=parts.train.weight)
    seconds = time.process_time() - start
    found = scores(model, parts.task.name, parts.test)
    found["cpu_seconds"] = seconds
    return {f"boosting_{name}": value for name, value in found.items()}


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of the first seed; of several, means of scores and times, and deviations.

    Deviations are those of a sample, with one degree of freedom less.
    """
    if len(results) == 1:
        return results[0]
    summary = {**results[0], "seeds": len(results)}
    for name in results[0]:
        if name.removeprefix("boosting_") in (*SCORES, *TIMES):
            values = [result[name] for result in results]
            summary[name] = float(np.mean(values))
            if name in SCORES:
                summary[f"{name}_std"] = float(np.std(values, ddof=1))
    return summary


def _load(dataset: str, path: str | None) -> Parts:
    data = LOADERS[dataset](path)
    X_train, X_test = (X.reshape(len(X), -1) for X in (data.X_train, data.X_test))
    task = Task("classification", int(np.unique(data.y_train).size), "the data set")
    return Parts(
        dataset, task, ArraySource(X_train, data.y_train), ArraySource(X_test, data.y_test)
    )


def _hold_out(path: str, rows: ArraySource, task: Task, share: float, seed: int) -> Parts:
    """Hold out a fraction of the rows of a table, stratified by class."""
    stratify = None if task.n_classes is None else rows.y
    if stratify is not None:
        classes, counts = np.unique(stratify, return_counts=True)
        if counts.min() < 2:
            rare = classes[np.argmin(counts)].item()
            raise DataError(
                f"{path}: only one row has the target {rare!r}, and a part of each class is "
                "to be held out: drop the row, or say --task regression if these are no classes"
            )
    train, test = train_test_split(
        np.arange(rows.n_rows), test_size=share, random_state=seed, stratify=stratify
    )
    return Parts(Path(path).name, task, rows.take(train), rows.take(test))
