"""The task that a target calls for: classification or regression, given, guessed or asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError

MOST_CLASSES, FEW_ROWS = 50, 20
"""Classes of whole numbers at most, and rows a class that are too few, for a guess."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted.

    Parameters
    ----------
    name : {"classification", "regression"}
    n_classes : int or None
        None for regression.
    reason : str
        Why it is this.
    """

    name: str
    n_classes: int | None
    reason: str

    @property
    def said(self) -> dict[str, Any]:
        """What a report says of it."""
        return {"task": self.name, "n_classes": self.n_classes, "task_by": self.reason}


def choose_task(y: NDArray[Any] | None, place: str, task: str) -> Task:
    """Return the given task, or for ``"auto"`` that of the target.

    Parameters
    ----------
    y : ndarray or None
        Targets; None where there are none.
    place : str
        File and target, for messages.
    task : {"auto", "classification", "regression"}

    Raises
    ------
    DataError
        The target does not allow the task, or may be either.
    """
    if y is None:
        raise DataError(f"{place}: there is no target")
    n_classes = int(np.unique(y).size)
    fractions = bool(y.dtype.kind == "f" and (y != np.floor(y)).any())
    if task == "regression":
        if y.dtype.kind == "U":
            raise DataError(f"{place} holds text, which --task regression cannot predict")
        return Task(task, None, "--task")
    if task == "classification":
        if fractions:
            raise DataError(f"{place} holds fractions, which are no classes: say --task regression")
        return Task(task, n_classes, "--task")
    if y.dtype.kind in "Ub":
        return Task("classification", n_classes, f"{n_classes} classes of text or truth values")
    if fractions:
        return Task("regression", None, "fractions in the target")
    if n_classes > MOST_CLASSES or len(y) <= FEW_ROWS * n_classes:
        raise DataError(
            f"{place} holds {n_classes} different whole numbers in {len(y)} rows, which may be "
            "classes or values: say --task classification or --task regression"
        )
    return Task("classification", n_classes, f"{n_classes} classes of whole numbers")
