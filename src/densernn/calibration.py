"""Calibration: probabilities of classes from least-squares outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax

from densernn.stats.column_stats import as_rows

FloatArray = NDArray[np.float64]

BOUNDS = ((1e-3, 0.5), (0.05, 8.0), (0.05, 20.0))
"""Bounds of floor, power and slope."""

USUAL = (0.1, 1.0, 1.0)
"""Floor, power and slope that a few rows are not enough to move away from."""

PRIOR = (0.1, 0.5, 0.25)
"""Log loss of all rows together that a factor of e from the usual numbers must be worth."""

ENOUGH, FEWEST = 200_000, 500
"""Outputs that decide three numbers as well as more would, and rows at least."""


@dataclass(frozen=True)
class Calibration:
    r"""Probabilities of classes from least-squares outputs, by three numbers.

    Outputs o estimate probabilities and may leave [0, 1].  With

    .. math:: g(o) = \tfrac12 \left(o + \sqrt{o^2 + \varepsilon^2}\right)

    which is o far above the floor :math:`\varepsilon` and positive everywhere, probabilities are
    in proportion to :math:`g(o_c)^a \, e^{b o_c}`, mixed with a little of the same for all classes:
    never 0 or 1, and in the order of the outputs.  The power suits outputs that are probabilities
    already, the slope those that tell classes apart beyond doubt.

    Parameters
    ----------
    floor, power, slope : float
        :math:`\varepsilon`, a and b.
    doubt : float
        Share of the same probability for all: no more certainty than the rows allow that the
        calibration was learned from.

    Examples
    --------
    >>> Calibration(0.01, 1.0, 0.0).probabilities(np.array([[0.7, 0.4, -0.1]])).round(4)
    array([[0.6332, 0.3633, 0.0036]])
    """

    floor: float = 0.05
    power: float = 1.0
    slope: float = 0.0
    doubt: float = 0.01

    def probabilities(self, outputs: FloatArray) -> FloatArray:
        """Return probabilities of classes, of shape (..., n_classes)."""
        exponents = self.power * np.log(_softened(outputs, self.floor)) + self.slope * outputs
        found: FloatArray = softmax(exponents, axis=-1)
        found *= 1.0 - self.doubt
        found += self.doubt / outputs.shape[-1]
        return found

    def log_losses(self, outputs: FloatArray, codes: NDArray[np.intp]) -> FloatArray:
        """Return minus the log of the probability of each row's class, numbered ``codes``."""
        own = np.take_along_axis(self.probabilities(outputs), codes[..., None], axis=-1)
        return -np.log(own[..., 0])

    @classmethod
    def fit(cls, outputs: FloatArray, codes: NDArray[np.intp], weight: FloatArray) -> Self:
        """Return the calibration with the least log loss on rows that taught the outputs nothing.

        A weak prior keeps the numbers near the usual ones where there are few rows.  Weights that
        are shares of 1 stand for rows.
        """
        n = max(FEWEST, ENOUGH // outputs.shape[1])
        counts = as_rows(weight)
        doubt = 0.5 / (float(counts.sum()) + 1.0)
        o, c, w = outputs[:n], codes[:n], counts[:n]
        start = np.log(USUAL)

        def cost(point: FloatArray) -> tuple[float, FloatArray]:
            loss, slopes = _loss(o, c, w, np.exp(point), doubt)
            away = point - start
            return loss + float(PRIOR @ np.square(away)), slopes + 2.0 * np.multiply(PRIOR, away)

        limits = [tuple(np.log(pair)) for pair in BOUNDS]
        best = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=limits)
        floor, power, slope = np.exp(best.x).tolist()
        return cls(floor, power, slope, doubt)


def _loss(
    o: FloatArray, codes: NDArray[np.intp], weight: FloatArray, numbers: FloatArray, doubt: float
) -> tuple[float, FloatArray]:
    """Return the log loss and its derivatives by the logarithms of floor, power and slope."""
    floor, power, slope = numbers
    softened = _softened(o, floor)
    logs = np.log(softened)
    share = softmax(power * logs + slope * o, axis=1)
    rows = np.arange(len(o))
    own = (1.0 - doubt) * share[rows, codes]
    certain = own + doubt / o.shape[1]
    # Of -log p by the exponents: the excess of the shares over the row's own class.
    excess = share
    excess[rows, codes] -= 1.0
    excess *= (weight * own / certain)[:, None]
    by_floor = power * floor * floor / (2.0 * softened * np.sqrt(o * o + floor * floor))
    slopes = [np.vdot(excess, term) for term in (by_floor, power * logs, slope * o)]
    return float(-(weight @ np.log(certain))), np.array(slopes)


def _softened(o: FloatArray, floor: float) -> FloatArray:
    """Return g(o), in a form that does not cancel for negative o."""
    root = np.sqrt(o * o + floor * floor)
    positive = 0.5 * (np.abs(o) + root)
    found: FloatArray = np.where(o >= 0, positive, 0.25 * floor * floor / positive)
    return found
