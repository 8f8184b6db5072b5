"""Readout of a forest: ridge weights of every region, for a penalty chosen on rows kept aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from densernn.calibration import Calibration
from densernn.errors import DataError
from densernn.forest.boxes import BoxTree
from densernn.forest.checks import are_arrays
from densernn.intervals import Intervals

FloatArray = NDArray[np.float64]

ZERO_TO_ONE = (np.zeros(1), np.ones(1))
"""Limits of probabilities, for any number of them."""

UNCALIBRATED = Calibration()


@dataclass(frozen=True, eq=False)
class ForestSolution:
    """Solution of all regions for one penalty.

    Parameters
    ----------
    weights : tuple of ndarray of shape (n_clusters + n_regions, n_targets), float64
        For each tree, weights of the clusters of each region, and then its constant.
    means : tuple of ndarray of shape (n_regions, n_targets), float64
        For each tree, the mean target of each region.
    limits : ndarray of shape (2, n_targets), float64
        Least and largest output of a tree: of targets.
    alpha : float
        Penalty, as a share of the mean eigenvalue of a region's products.
    finish : callable
        Probabilities or values from mean outputs.
    """

    weights: tuple[FloatArray, ...]
    means: tuple[FloatArray, ...]
    limits: FloatArray
    alpha: float
    finish: Any

    @property
    def n_targets(self) -> int:
        """Columns of outputs."""
        return int(self.means[0].shape[1])

    @property
    def calibration(self) -> Intervals | None:
        """Intervals about values; outputs for labels are calibrated already."""
        return self.finish.intervals if isinstance(self.finish, ValuesInRange) else None

    @property
    def bounds(self) -> None:
        """None: outputs are within limits already."""

    def check(self, trees: Sequence[BoxTree]) -> None:
        """Raise DataError for weights, as from a damaged file, that kernels must not follow."""
        if not are_arrays((*self.weights, *self.means, self.limits), "f", 2):
            raise DataError("the weights of this forest are no numbers: damaged file")
        k = self.n_targets
        wanted = [(len(t.above) + len(t.sizes), k, len(t.sizes), k) for t in trees]
        pairs = zip(self.weights, self.means, strict=False)
        fits = len(self.weights) == len(trees) and self.limits.shape == (2, k)
        if not fits or wanted != [(*w.shape, *m.shape) for w, m in pairs]:
            raise DataError("the weights of this forest do not go with its trees: damaged file")


def output_limits(finish: Any, n_targets: int) -> FloatArray:
    """Return the least and the largest output of a tree, of shape (2, n_targets)."""
    return np.stack([np.broadcast_to(limit, n_targets) for limit in finish.limits])


@dataclass(frozen=True)
class ClassProbabilities:
    """Outputs of one label a row become probabilities of the classes.

    Parameters
    ----------
    calibration : Calibration
    """

    calibration: Calibration = UNCALIBRATED
    limits = ZERO_TO_ONE

    def __call__(self, outputs: FloatArray) -> FloatArray:
        """Return probabilities of shape (n_rows, n_classes)."""
        return self.calibration.probabilities(outputs)

    predict_proba = __call__

    def losses(self, outputs: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the log loss of each row."""
        return self.calibration.log_losses(outputs, targets.argmax(axis=-1))

    def fit(self, outputs: FloatArray, targets: FloatArray, weight: FloatArray) -> Any:
        """Return the same, calibrated."""
        return ClassProbabilities(Calibration.fit(outputs, targets.argmax(axis=-1), weight))

    def regrouped(
        self, places: NDArray[np.intp], other: ClassProbabilities, theirs: NDArray[np.intp]
    ) -> ClassProbabilities:
        """Return the same for other classes; see :meth:`Calibration.regrouped`."""
        return ClassProbabilities(self.calibration.regrouped(places, other.calibration, theirs))


@dataclass(frozen=True)
class LabelProbabilities:
    """Outputs of several labels a row become a probability for each.

    Parameters
    ----------
    calibration : Calibration
        Of the two classes "yes" and "no" of any label.
    """

    calibration: Calibration = UNCALIBRATED
    limits = ZERO_TO_ONE

    def __call__(self, outputs: FloatArray) -> FloatArray:
        """Return probabilities of shape (n_rows, n_labels)."""
        return self.calibration.probabilities(_both(outputs))[..., 1]

    predict_proba = __call__

    def losses(self, outputs: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the log loss of each row, the sum over its labels."""
        codes = (targets > 0.5).astype(np.intp)
        losses = self.calibration.log_losses(_both(outputs), codes)
        return cast("FloatArray", losses.sum(axis=-1))

    def fit(self, outputs: FloatArray, targets: FloatArray, weight: FloatArray) -> Any:
        """Return the same, calibrated."""
        codes = (targets > 0.5).astype(np.intp).ravel()
        both = _both(outputs).reshape(-1, 2)
        return LabelProbabilities(Calibration.fit(both, codes, np.repeat(weight, targets.shape[1])))


def _both(outputs: FloatArray) -> FloatArray:
    return np.stack([1.0 - outputs, outputs], axis=-1)


@dataclass(frozen=True, eq=False)
class ValuesInRange:
    """Outputs are values, within the range of those that the structure was learned from.

    Parameters
    ----------
    least, most : ndarray of shape (n_targets,), float64
    intervals : Intervals, optional
        About predictions, for errors of rows that these had no part in.
    """

    least: FloatArray
    most: FloatArray
    intervals: Intervals | None = None

    @property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """Least and largest values."""
        return self.least, self.most

    def __call__(self, outputs: FloatArray) -> FloatArray:
        """Return values of shape (n_rows, n_targets)."""
        return np.clip(outputs, self.least, self.most)

    def losses(self, outputs: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the squared error of each row, in units of the squared ranges."""
        width = np.where(self.most > self.least, self.most - self.least, 1.0)
        return cast("FloatArray", np.square((self(outputs) - targets) / width).sum(axis=-1))

    def fit(self, outputs: FloatArray, targets: FloatArray, weight: FloatArray) -> Any:
        """Return the same, with intervals."""
        return replace(self, intervals=Intervals.fit(self(outputs), targets, weight))

    def moved(self, least: FloatArray, most: FloatArray, origin: FloatArray) -> ValuesInRange:
        """Return the same for values that are larger by ``origin``, of another range."""
        intervals = None if self.intervals is None else self.intervals.moved(origin)
        return ValuesInRange(least + origin, most + origin, intervals)
