"""Calibration: probabilities from the mean outputs of a forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]

FLOORS = (1e-3, 0.3)
"""Bounds of the floor."""

POWERS = (0.5, 4.0)
"""Bounds of the power."""

ENOUGH, FEWEST = 200_000, 500
"""Outputs that decide two numbers as well as more would, and rows at least."""


@dataclass(frozen=True)
class Calibration:
    r"""Probabilities of classes from least-squares outputs, by two numbers.

    Outputs o estimate probabilities and may leave [0, 1].  With

    .. math:: g(o) = \tfrac12 \left(o + \sqrt{o^2 + \varepsilon^2}\right)

    which is o far above the floor :math:`\varepsilon` and positive everywhere, probabilities are
    :math:`g(o_c)^a / \sum_k g(o_k)^a`, mixed with a little of the same for all classes: never 0 or
    1, and in the order of the outputs.

    Parameters
    ----------
    floor, power : float
        :math:`\varepsilon` and a.
    doubt : float
        Share of the same probability for all: no more certainty than the rows allow that the
        calibration was learned from.

    Examples
    --------
    >>> Calibration(0.01, 1.0).probabilities(np.array([[0.7, 0.4, -0.1]])).round(4)
    array([[0.6332, 0.3633, 0.0036]])
    """

    floor: float = 0.05
    power: float = 1.0
    doubt: float = 0.01

    def probabilities(self, outputs: FloatArray) -> FloatArray:
        """Return probabilities of classes, of shape (..., n_classes)."""
        found = _softened(outputs, self.floor)
        np.power(found, self.power, out=found)
        found *= (1.0 - self.doubt) / found.sum(axis=-1, keepdims=True)
        found += self.doubt / outputs.shape[-1]
        return found

    def log_losses(self, outputs: FloatArray, codes: NDArray[np.intp]) -> FloatArray:
        """Return minus the log of the probability of each row's class, numbered ``codes``."""
        own = np.take_along_axis(self.probabilities(outputs), codes[..., None], axis=-1)
        return -np.log(own[..., 0])

    @classmethod
    def fit(cls, outputs: FloatArray, codes: NDArray[np.intp], weight: FloatArray) -> Self:
        """Return the calibration with the least log loss on rows that taught the outputs nothing.

        A weak prior keeps the power near 1 where there are few rows.
        """
        n = max(FEWEST, ENOUGH // outputs.shape[1])
        o, c, w = outputs[:n], codes[:n], weight[:n]
        doubt = 0.5 / (len(weight) + 1.0)

        def cost(point: FloatArray) -> float:
            tried = cls(*_bounded(point), doubt)
            return float(w @ tried.log_losses(o, c) + 2.0 * point[1] ** 2)

        start = np.log([0.05, 1.0])
        options = {"maxfev": 40, "xatol": 0.02, "fatol": 1e-3}
        return cls(*_bounded(minimize(cost, start, method="Nelder-Mead", options=options).x), doubt)


def _softened(o: FloatArray, floor: float) -> FloatArray:
    """Return g(o), in a form that does not cancel for negative o."""
    root = np.sqrt(o * o + floor * floor)
    positive = 0.5 * (np.abs(o) + root)
    found: FloatArray = np.where(o >= 0, positive, 0.25 * floor * floor / positive)
    return found


def _bounded(point: FloatArray) -> tuple[float, float]:
    lowest, highest = np.log([FLOORS, POWERS]).T
    floor, power = np.exp(np.clip(point, lowest, highest))
    return float(floor), float(power)
