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
from sklearn.base import is_classifier

from densernn._files import atomic_write
from densernn.cli import report
from densernn.cli.reading import column_of
from densernn.errors import DataError
from densernn.estimators.trained import Trained
from densernn.persistence import load
from densernn.sources.open import open_rows
from densernn.sources.rows import RowSource

CHUNK_ROWS = 65_536
"""Rows at a time."""

TASKS = {True: "classification", False: "regression"}


def predict(
    *,
    model: str,
    table: str,
    output: str,
    proba: bool,
    target: str | None,
    task: str,
    read_options: dict[str, Any],
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
    if task not in ("auto", found := TASKS[is_classifier(estimator)]):
        raise DataError(f"{model}: was trained for {found}: leave --task out")
    source = _open(model, estimator, table, target, read_options)
    answers = _answers(estimator, source, proba)
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


def _open(
    model: str, estimator: Any, path: str, target: str | None, read_options: dict[str, Any]
) -> RowSource:
    """Open the rows, with the columns of the model by name, or by place if there are none."""
    options = dict(read_options)
    categorical, unused = options.pop("categorical"), [options.pop("weight")]
    if target is not None:
        unused.append(column_of(target, header=options["header"]))
    drop = [*options.pop("drop"), *(column for column in unused if column is not None)]
    encoder = getattr(estimator, "table_encoder_", None)
    known = () if encoder is None else encoder.categories
    strange = [name for name in categorical if name not in known]
    if strange:
        raise DataError(f"{model}: column {strange[0]!r} held numbers in training")
    if encoder is None and (names := getattr(estimator, "feature_names_in_", None)) is not None:
        options["columns"] = list(names)
    source = open_rows(path, drop=drop if options["columns"] is None else (), **options)
    wanted = estimator.n_features_in_
    if encoder is None and source.n_columns != wanted:
        raise DataError(
            f"{path}: has {source.n_columns} columns, and {model} was trained on {wanted} without "
            "names: give these columns alone, in their order"
        )
    return source


def _answers(estimator: Any, source: RowSource, proba: bool) -> Iterator[dict[str, list[Any]]]:
    """Yield predictions by the names of their columns, some rows at a time."""
    methods = ("predict", "predict_proba") if proba else ("predict",)
    for answers in _parts(estimator, source, methods):
        columns = _columns("prediction", answers[0])
        if proba:
            labels = [f"probability_{label}" for label in estimator.classes_]
            columns |= dict(zip(labels, answers[1].T.tolist(), strict=True))
        yield columns


def _parts(
    estimator: Any, source: RowSource, methods: tuple[str, ...]
) -> Iterator[list[NDArray[Any]]]:
    """Yield what each method returns, some rows at a time."""
    if isinstance(estimator, Trained):
        yield from estimator.answer(source, methods)
        return
    with warnings.catch_warnings():
        # They have been brought into the model's order by their names just now.
        warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
        for chunk in source.chunks(CHUNK_ROWS):
            yield [getattr(estimator, method)(chunk.X) for method in methods]


def _columns(name: str, predictions: NDArray[Any]) -> dict[str, list[Any]]:
    """Return predictions by the names of their columns; of several outputs, numbered."""
    if predictions.ndim == 1:
        return {name: predictions.tolist()}
    return {f"{name}_{number}": values.tolist() for number, values in enumerate(predictions.T)}
