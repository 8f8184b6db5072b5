"""How labels and values become the readout's targets, and its outputs become predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.folds import ClassCounts

Float64Array = NDArray[np.float64]

LABEL_ERROR = 1e-6
"""Mean squared error of 0/1 targets that counts as none: an error of 0.001 moves no label."""


@dataclass(frozen=True, eq=False)
class ClassTargets:
    """One target per class: 1 where the row is of it, 0 elsewhere.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, sorted and different.
    """

    classes: NDArray[Any]
    negligible = LABEL_ERROR

    @property
    def n_targets(self) -> int:
        """Targets there are."""
        return self.classes.size

    def codes(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of each label among the classes.

        Raises
        ------
        DataError
            A label is not among the classes; the text names it and its row.
        """
        y = self.labels(y)
        codes = np.searchsorted(self.classes, y)
        known = self.classes[np.minimum(codes, self.n_targets - 1)] == y
        if not np.all(known):
            row = int(np.argmin(known))
            raise DataError(
                f"y has the label {y.tolist()[row]!r} in row {row}, which is not among the classes "
                f"{self.classes.tolist()}: name all classes in the first call of partial_fit"
            )
        return codes

    def labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return labels in one axis, of the same kind as the classes.

        Raises
        ------
        DataError
            Some are text and the others are numbers, or true and false.
        """
        mine, theirs = (_kind(labels) for labels in (self.classes, y))
        if mine != theirs:
            raise DataError(
                f"the targets are {theirs}, and the classes of this model are {mine} "
                f"({', '.join(map(repr, self.classes.tolist()[:5]))}): open the rows with like() "
                "of the training source or with target_type=, or convert the targets"
            )
        return y.reshape(len(y))  # a single column counts as none

    def count(self, y: NDArray[Any], weight: Float64Array | None) -> ClassCounts:
        """Return the total weight of each label."""
        return ClassCounts.of(y.reshape(len(y)), weight)

    def encode(self, y: NDArray[Any]) -> Float64Array:
        """Return targets of shape (n_rows, n_classes)."""
        targets = np.zeros((len(y), self.n_targets))
        targets[np.arange(len(y)), self.codes(y)] = 1.0
        return targets

    def predict(self, outputs: Float64Array) -> NDArray[Any]:
        """Return the label of the largest output of each row."""
        return cast("NDArray[Any]", self.classes[np.argmax(outputs, axis=1)])

    def predict_proba(self, outputs: Float64Array) -> Float64Array:
        """Return the nearest probability vector to each row of outputs."""
        return project_to_simplex(outputs)

    def decision_function(self, outputs: Float64Array) -> Float64Array:
        """Return the outputs; for two classes how much the second exceeds the first."""
        return outputs[:, 1] - outputs[:, 0] if self.n_targets == 2 else outputs


def _kind(labels: NDArray[Any]) -> str:
    """Name the kind of labels, of which text goes with no other and objects are what they hold."""
    if labels.dtype == object and labels.size:
        labels = np.asarray([labels.flat[0]])
    if labels.dtype.kind in "OUST":
        return "text"
    return "true and false" if labels.dtype.kind == "b" else "numbers"


@dataclass(frozen=True, eq=False)
class LabelTargets:
    """One target per label of a multilabel indicator matrix.

    Parameters
    ----------
    n_targets : int
        Labels there are.
    """

    n_targets: int
    negligible = LABEL_ERROR

    @property
    def classes(self) -> NDArray[np.intp]:
        """Numbers of the labels."""
        return np.arange(self.n_targets)

    def count(self, y: NDArray[Any], weight: Float64Array | None) -> ClassCounts:
        """Return no counts: rows may have several labels."""
        return ClassCounts.zero()

    def encode(self, y: NDArray[Any]) -> Float64Array:
        """Return targets of shape (n_rows, n_labels), of 0 and 1.

        Raises
        ------
        DataError
            There is another value.
        """
        targets = np.asarray(y, np.float64)
        known = (targets == 0) | (targets == 1)
        if not known.all():
            row, label = np.argwhere(~known)[0]
            raise DataError(
                f"several target columns are labels of 0 and 1, and y is {targets[row, label]} in "
                f"row {row}, column {label}: take a regressor, or a single column of classes"
            )
        return targets

    def predict(self, outputs: Float64Array) -> NDArray[Any]:
        """Return 1 for the labels that are more likely than not."""
        return (outputs > 0.5).astype(np.intp)

    def predict_proba(self, outputs: Float64Array) -> Float64Array:
        """Return the nearest probability to each output, inside (0, 1) by a rounding error."""
        margin = np.finfo(np.float64).eps
        return np.clip(outputs, margin, 1.0 - margin)

    def decision_function(self, outputs: Float64Array) -> Float64Array:
        """Return by how much outputs exceed one half."""
        return outputs - 0.5


@dataclass(frozen=True, eq=False)
class RealTargets:
    """Real values, of one or several outputs.

    Parameters
    ----------
    n_targets : int
        Outputs there are.
    flat : bool
        Whether y has one axis, so predictions have too.
    """

    n_targets: int
    flat: bool
    negligible = 0.0

    def count(self, y: NDArray[Any], weight: Float64Array | None) -> ClassCounts:
        """Return no counts: there are no labels."""
        return ClassCounts.zero()

    def encode(self, y: NDArray[Any]) -> Float64Array:
        """Return targets of shape (n_rows, n_outputs).

        Raises
        ------
        DataError
            They are no numbers.
        """
        if y.dtype.kind not in "biuf":
            raise DataError(f"a regressor needs numbers as targets, and y holds {y.dtype}")
        return np.asarray(y, np.float64).reshape(len(y), self.n_targets)

    def predict(self, outputs: Float64Array) -> Float64Array:
        """Return outputs in the shape that y had."""
        return outputs[:, 0] if self.flat else outputs


@dataclass(frozen=True, eq=False)
class ClassWeights:
    """Makes the weight of a row of that of its class and of its own.

    Parameters
    ----------
    targets : ClassTargets
    per_class : ndarray of shape (n_classes,), float64
    """

    targets: ClassTargets
    per_class: Float64Array

    def __call__(self, y: NDArray[Any], weight: Float64Array | None) -> Float64Array:
        """Return the weight of each row."""
        per_row = self.per_class[self.targets.codes(y)]
        return per_row if weight is None else per_row * weight


def project_to_simplex(outputs: Float64Array) -> Float64Array:
    """Return the nearest probability vector to each row (Held, Wolfe and Crowder, 1974).

    The largest output stays the largest, so that the likeliest class is the predicted one.

    Examples
    --------
    >>> project_to_simplex(np.array([[0.7, 0.5, -0.2], [0.2, 0.3, 0.5]])).round(3)
    array([[0.6, 0.4, 0. ],
           [0.2, 0.3, 0.5]])
    """
    outputs = outputs - outputs.max(axis=1, keepdims=True)  # large ones keep their digits
    ordered = -np.sort(-outputs, axis=1)
    ranks = np.arange(1, outputs.shape[1] + 1)
    offsets = (np.cumsum(ordered, axis=1) - 1.0) / ranks
    support = np.sum(ordered > offsets, axis=1, keepdims=True)
    threshold = np.take_along_axis(offsets, np.maximum(support - 1, 0), axis=1)
    return cast("Float64Array", np.maximum(outputs - threshold, 0.0))
