"""``densernn predict``: predictions of a saved model for the rows of a file."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import click
from numpy.typing import NDArray

from densernn._files import atomic_write
from densernn.cli import report
from densernn.errors import DataError
from densernn.persistence import load
from densernn.sources.open import open_rows

CHUNK_ROWS = 65_536
"""Rows at a time."""


def predict(
    *, model: str, table: str, output: str, proba: bool, read_options: dict[str, Any]
) -> None:
    """Run the command: see :func:`densernn.cli.commands.predict`."""
    if output != "-":
        report.check_place(output, table, model)
    estimator = load(model)
    if not hasattr(estimator, "predict"):
        raise DataError(f"{model}: holds a {type(estimator).__name__}, which does not predict")
    if proba and not hasattr(estimator, "predict_proba"):
        raise DataError(
            f"{model}: holds a {type(estimator).__name__}, which has no probabilities: leave "
            "--proba out"
        )
    parts = _read(model, estimator, table, read_options)
    answers = (_answer(estimator, rows, proba=proba) for rows in parts)
    first = next(answers)  # before the output is opened: most of what can be wrong is wrong here
    with _opened(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(first)
        for columns in chain([first], answers):
            writer.writerows(zip(*columns.values(), strict=True))


@contextmanager
def _opened(output: str) -> Iterator[IO[str]]:
    """Open the output, a file whole or not at all; but never put a file in a device's place."""
    path = Path(output)
    if output == "-" or (path.exists() and not path.is_file()):
        with click.open_file(output, "w", encoding="utf-8") as file:
            yield file
        return
    with atomic_write(path.resolve()) as part, part.open("w", encoding="utf-8") as file:
        yield file


def _read(
    model: str, estimator: Any, path: str, read_options: dict[str, Any]
) -> Iterator[NDArray[Any]]:
    """Yield the rows of the model's columns, by name if it has names, some at a time."""
    names = getattr(estimator, "feature_names_in_", None)
    columns = None if names is None else list(names)
    source = open_rows(path, columns=columns, **read_options)
    found = source.n_columns
    wanted = estimator.n_features_in_
    if wanted != found:
        raise DataError(
            f"{path}: has {found} columns, and {model} was trained on {wanted} without names: give "
            "these columns alone, in their order"
        )
    return (chunk.X for chunk in source.chunks(CHUNK_ROWS))


def _answer(estimator: Any, rows: NDArray[Any], *, proba: bool) -> dict[str, list[Any]]:
    """Return predictions by the names of their columns."""
    with warnings.catch_warnings():
        # They have been brought into the model's order by their names just now.
        warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
        columns = _columns("prediction", estimator.predict(rows))
        if proba:
            labels = [f"probability_{label}" for label in estimator.classes_]
            columns |= dict(zip(labels, estimator.predict_proba(rows).T.tolist(), strict=True))
    return columns


def _columns(name: str, predictions: NDArray[Any]) -> dict[str, list[Any]]:
    """Return predictions by the names of their columns; of several outputs, numbered."""
    if predictions.ndim == 1:
        return {name: predictions.tolist()}
    return {f"{name}_{number}": values.tolist() for number, values in enumerate(predictions.T)}
