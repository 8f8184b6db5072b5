"""``densernn fit``: training on all rows of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from densernn.cli import report
from densernn.cli.models import (
    check_structure,
    choose_task,
    count_classes,
    looks_like_images,
    make_model,
    read_own,
    save_model,
    target_column,
    train,
    train_streamed,
)
from densernn.cli.options import ModelOptions, StreamOptions
from densernn.errors import DataError
from densernn.sources.load import Table
from densernn.sources.open import open_rows

STREAMED = (".feather", ".arrow", ".ipc", ".npy")

FIRST_ROWS = 65_536
"""Rows by which a stream's task is chosen."""


def fit(
    *,
    table: str,
    target: str,
    output: str,
    task: str,
    model_options: ModelOptions,
    stream_options: StreamOptions,
    read_options: dict[str, Any],
    moments: bool,
    as_json: bool,
) -> None:
    """Run the command: see :func:`densernn.cli.commands.fit`."""
    report.check_place(output, table)
    if model_options.preprocess == "auto":
        model_options = replace(model_options, preprocess="none")
    if stream_options.wanted or _streams_by_itself(table):
        names, result = _fit_streamed(
            table, target, task, model_options, stream_options, read_options
        )
    else:
        rows = read_own(table, target, read_options)
        names, result = _fit_loaded(rows, task, model_options)
    save_model(result.pop("estimator"), names, output, moments)
    shown = {**result, **report.environment(), "model": output}
    report.show(shown, f"densernn on {shown['dataset']}", as_json=as_json)


def _streams_by_itself(path: str) -> bool:
    """Return whether a path is a folder, a pattern, or a file that is always streamed."""
    return Path(path).is_dir() or "*" in path or path.lower().endswith(STREAMED)


def _fit_loaded(
    rows: Table, task: str, options: ModelOptions
) -> tuple[tuple[str, ...], dict[str, Any]]:
    task = choose_task(rows, task)
    y = np.asarray(rows.y)
    options = options.resolved(looks_like_images(rows.X))
    check_structure(options, rows.X.shape[1], count_classes(y, task))
    model = make_model(task, options)
    trained = train(model, rows.X, y)
    return rows.feature_names, _result(rows.path.name, task, trained, options, model)


def _fit_streamed(
    path: str,
    target: str,
    task: str,
    options: ModelOptions,
    stream: StreamOptions,
    read_options: dict[str, Any],
) -> tuple[tuple[str, ...], dict[str, Any]]:
    if options.preprocess == "zscore-rows":
        raise DataError("--preprocess zscore-rows does not go with rows that stream")
    column = target_column(target, read_options)
    source = open_rows(path, column, on_bad_rows=stream.on_bad_rows, **read_options)
    first = next(source.chunks(FIRST_ROWS))
    names = source.feature_names or ()
    task = choose_task(Table(Path(path), names, first.X, first.y, target), task)
    options = options.resolved(looks_like_images(first.X))
    check_structure(options, source.n_columns, None)
    model = make_model(task, options)
    model.set_params(memory_limit=stream.memory_limit, checkpoint=stream.checkpoint)
    trained = train_streamed(model, source, first.X)
    return names, _result(Path(path).name, task, trained, options, model)


def _result(
    name: str, task: str, trained: dict[str, Any], options: ModelOptions, model: Any
) -> dict[str, Any]:
    return {
        "dataset": name,
        "task": task,
        "model_kind": options.model,
        **trained,
        "preprocess": options.preprocess,
        "seed": options.seed,
        "estimator": model,
    }
