"""Targets of a readout: the encoding of labels and values, and predictions from outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn.errors import DataError, MergeError, ParameterError
from densernn.stats import ClassCounts
from densernn.stats.distinct import Block

Float64Array = NDArray[np.float64]

MIXED = "cannot merge a multilabel model and one of classes"

LABEL_ERROR = 1e-6
"""Mean squared error of 0/1 targets that counts as none: an error of 0.001 moves no label."""

UNJUDGED = (
    "this model knows nothing of its errors, as it had no rows to leave out (or is of version "
    "0.3): fit it on more rows (or anew)"
)

LABEL_LIMITS = -1.0, 2.0
"""Least and largest output for 0/1 targets: what lies beyond says no more than these."""


@dataclass(frozen=True, eq=False)
class ClassTargets:
    """One target per class: 1 where the row is of it, 0 elsewhere.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, sorted and different.
    class_weight : ndarray of shape (n_classes,), float64, optional
        Factor on the weights of the rows of each class.
    """

    classes: NDArray[Any]
    class_weight: Float64Array | None = None
    negligible = LABEL_ERROR
    limits = LABEL_LIMITS
    n_columns = 1

    @property
    def n_targets(self) -> int:
        """Columns of the encoded targets."""
        return self.classes.size

    def codes(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of each label among the classes.

        Raises
        ------
        DataError
            A label is not among the classes; the text names it and its row.
        """
        y = self.labels(y)
        codes = self.places(y)
        if codes.size and codes.min() < 0:
            row = int(np.argmin(codes))
            raise DataError(
                f"y has the label {y.tolist()[row]!r} in row {row}, which is not among the classes "
                f"{self.classes.tolist()}: name all classes in the first call of partial_fit"
            )
        return codes

    def places(self, labels: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of each label among the classes, -1 for others."""
        places = np.minimum(np.searchsorted(self.classes, labels), self.n_targets - 1)
        return np.where(self.classes[places] == labels, places, -1)

    def labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return labels in one axis, of the same kind as the classes.

        Raises
        ------
        DataError
            Some are text and the others are numbers, or true and false.
        """
        mine, theirs = _kind(self.classes), _kind(y)
        if mine != theirs:
            raise DataError(
                f"the targets are {theirs}, and the classes of this model are {mine} "
                f"({', '.join(map(repr, self.classes.tolist()[:5]))}): open the rows with "
                "open_same() of the training source or with target_type=, or convert the targets"
            )
        return y.reshape(len(y))  # a single column counts as none

    def count(
        self, y: NDArray[Any] | None = None, weight: Float64Array | None = None
    ) -> ClassCounts:
        """Return the total weight of each label; without rows, zeros."""
        if y is None:
            return ClassCounts.zero(self.classes)
        return ClassCounts.of(y.reshape(len(y)), weight)

    def weigh(self, y: NDArray[Any], weight: Float64Array | None) -> Float64Array | None:
        """Return the weight of each row, times that of its class."""
        if self.class_weight is None:
            return weight
        per_row = self.class_weight[self.codes(y)]
        return per_row if weight is None else per_row * weight

    def unite(self, other: Any) -> ClassTargets:
        """Return targets over the classes of both; where both weigh a class, the weight of this."""
        if not isinstance(other, ClassTargets):
            raise MergeError(MIXED)
        kinds = _kind(self.classes), _kind(other.classes)
        if kinds[0] != kinds[1]:
            raise MergeError(
                f"cannot merge classes that are {kinds[0]} and classes that are {kinds[1]}"
            )
        classes = np.union1d(self.classes, other.classes)
        if self.class_weight is None:
            return ClassTargets(classes)
        class_weight = np.ones(classes.size)
        for targets in (other, self):
            if targets.class_weight is not None:
                class_weight[np.searchsorted(classes, targets.classes)] = targets.class_weight
        return ClassTargets(classes, class_weight)

    def encode(self, y: NDArray[Any]) -> Float64Array:
        """Return targets of shape (n_rows, n_classes)."""
        targets = np.zeros((len(y), self.n_targets))
        targets[np.arange(len(y)), self.codes(y)] = 1.0
        return targets

    def shaped(self, answers: Float64Array) -> Float64Array:
        """Return answers for all classes as they are."""
        return answers

    def predict(self, outputs: Float64Array) -> NDArray[Any]:
        """Return the label of the largest output of each row."""
        return cast("NDArray[Any]", self.classes[np.argmax(outputs, axis=1)])

    def predict_proba(self, outputs: Float64Array) -> Float64Array:
        """Return the nearest probability vector to each row of outputs."""
        return project_to_simplex(outputs)

    def decision_function(self, outputs: Float64Array) -> Float64Array:
        """Return the outputs; for two classes how much the second exceeds the first, up to 2."""
        return np.clip(np.diff(outputs)[:, 0], -2.0, 2.0) if self.n_targets == 2 else outputs


def _kind(labels: NDArray[Any]) -> str:
    """Name the kind of labels, of which text goes with no other and objects are what they hold."""
    if labels.dtype == object and labels.size:
        labels = np.asarray([labels.flat[0]])
    if labels.dtype.kind in "OUST":
        return "text"
    return "true and false" if labels.dtype.kind == "b" else "numbers"


@dataclass(frozen=True, eq=False)
class UncountedTargets:
    """Base of targets that are no classes: rows are not counted, and weigh what they come with.

    Parameters
    ----------
    n_targets : int
        Labels, or outputs, there are.
    """

    n_targets: int

    @property
    def n_columns(self) -> int:
        """Columns of y."""
        return self.n_targets

    def count(
        self, y: NDArray[Any] | None = None, weight: Float64Array | None = None
    ) -> ClassCounts:
        """Return no counts."""
        return ClassCounts.zero()

    def weigh(self, y: NDArray[Any], weight: Float64Array | None) -> Float64Array | None:
        """Return the weights as they are."""
        return weight

    def unite(self, other: Any) -> Self:
        """Return these targets, if others are of the same kind."""
        if type(other) is not type(self):
            raise MergeError(MIXED)
        return self


@dataclass(frozen=True, eq=False)
class LabelTargets(UncountedTargets):
    """One target per label of a multilabel indicator matrix.

    Parameters
    ----------
    n_targets : int
        Labels there are.
    """

    negligible = LABEL_ERROR
    limits = LABEL_LIMITS
    class_weight = None

    @property
    def classes(self) -> NDArray[np.intp]:
        """Numbers of the labels."""
        return np.arange(self.n_targets)

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

    def shaped(self, answers: Float64Array) -> Float64Array:
        """Return answers for all labels as they are."""
        return answers

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
class RealTargets(UncountedTargets):
    """Real values, of one or several outputs.

    Parameters
    ----------
    n_targets : int
        Outputs there are.
    flat : bool
        Whether y has one axis, so predictions have too.
    """

    flat: bool
    negligible = 0.0
    limits = -np.inf, np.inf

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

    def shaped(self, answers: Float64Array) -> Float64Array:
        """Return answers in the shape that y had."""
        return answers[:, 0] if self.flat else answers

    predict = shaped

    def predict_interval(self, outputs: Float64Array, coverage: float) -> Float64Array:
        """Refuse: nothing is known about errors."""
        raise DataError(UNJUDGED)

    def predict_std(self, outputs: Float64Array) -> Float64Array:
        """Refuse: nothing is known about errors."""
        raise DataError(UNJUDGED)


def encode_sample(targets: Any, rows: Block) -> tuple[Float64Array, Float64Array]:
    """Return the encoded targets of sampled rows, and weights times those of their classes."""
    return targets.encode(rows.y), targets.weigh(rows.y, rows.weight)


def make_targets(
    labelled: bool,
    n_columns: int,
    counts: ClassCounts,
    classes: ArrayLike | None = None,
    class_weight: Any = None,
) -> ClassTargets | LabelTargets | RealTargets:
    """Return the targets that training rows call for.

    Parameters
    ----------
    labelled : bool
        Whether y holds labels, and not values.
    n_columns : int
        Columns of y where it has two axes, 0 where it has one.
    counts : ClassCounts
        Total weight of each label in the rows.
    classes : array, optional
        All classes, where the rows do not show them.
    class_weight : dict, "balanced" or None
        As in the classifiers.
    """
    if not labelled:
        return RealTargets(n_columns or 1, flat=not n_columns)
    if n_columns > 1:
        if class_weight is not None:
            raise ParameterError("class_weight is not defined for a multilabel indicator")
        return LabelTargets(n_columns)
    known = counts.classes if classes is None else np.unique(np.asarray(classes))
    if class_weight is None:
        return ClassTargets(known)
    return ClassTargets(known, _factors(class_weight, known.tolist(), counts.counts))


def _factors(class_weight: Any, classes: list[Any], counts: Float64Array) -> Float64Array:
    """Return a weight for each class."""
    if isinstance(class_weight, dict):
        strange = [label for label in class_weight if label not in classes]
        if strange:
            raise ParameterError(
                f"class_weight names {strange}, which are not among the classes {classes}"
            )
        weights = [float(class_weight.get(label, 1.0)) for label in classes]
        if not all(0 <= weight < np.inf for weight in weights):
            raise ParameterError(
                f"class_weight must not be negative, and be finite: it is {class_weight}"
            )
        return np.asarray(weights)
    if not isinstance(class_weight, str) or class_weight != "balanced":
        raise ParameterError(
            f"class_weight must be a dict, 'balanced' or None: it is {class_weight!r}"
        )
    factors = np.ones_like(counts)
    np.divide(counts.sum() / np.count_nonzero(counts), counts, out=factors, where=counts > 0)
    return factors


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
