"""``densernn predict``: predict the rows of a file with a saved model."""

from __future__ import annotations

import csv
import warnings
from typing import Any

import click
from numpy.typing import NDArray

from densernn.cli import report
from densernn.errors import DataError
from densernn.persistence import load
from densernn.sources.tables import Table, read_table


def predict(*, model: str, table: str, output: str, proba: bool) -> None:
    """Run the command: see :func:`densernn.cli.commands.predict`."""
    if output != "-":
        report.check_place(output)
    estimator = load(model)
    if not hasattr(estimator, "predict"):
        raise DataError(f"{model}: holds a {type(estimator).__name__}, which does not predict")
    if proba and not hasattr(estimator, "predict_proba"):
        raise DataError(
            f"{model}: holds a {type(estimator).__name__}, which has no probabilities: leave "
            "--proba out"
        )
    rows = _read(model, estimator, table)
    with warnings.catch_warnings():
        # They have been brought into the model's order by their names just now.
        warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
        columns = _columns("prediction", estimator.predict(rows.X))
        if proba:
            labels = [f"probability_{label}" for label in estimator.classes_]
            columns |= dict(zip(labels, estimator.predict_proba(rows.X).T.tolist(), strict=True))
    with click.open_file(output, "w", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _read(model: str, estimator: Any, path: str) -> Table:
    """Read the model's columns, by name if it has names."""
    names = getattr(estimator, "feature_names_in_", None)
    table = read_table(path, columns=None if names is None else list(names))
    wanted, found = estimator.n_features_in_, len(table.feature_names)
    if wanted != found:
        raise DataError(
            f"{path}: has {found} columns, and {model} was trained on {wanted} without names: give "
            "these columns alone, in their order"
        )
    return table


def _columns(name: str, predictions: NDArray[Any]) -> dict[str, list[Any]]:
    """Return predictions by the names of their columns; of several outputs, numbered."""
    if predictions.ndim == 1:
        return {name: predictions.tolist()}
    return {f"{name}_{number}": values.tolist() for number, values in enumerate(predictions.T)}
