"""Calibration: probabilities of classes from least-squares outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax

from densernn.stats.column_stats import as_rows

FloatArray = NDArray[np.float64]

USUAL = np.log([0.1, 1.0, 1.0])
"""Logarithms of floor, power and slope that a few rows are not enough to move away from."""

BOUNDS = np.log([(1e-3, 0.5), (0.05, 8.0), (0.05, 20.0)])
"""Bounds of the same."""

PRIOR = np.array([0.1, 0.5, 0.25])
"""Log loss of all rows together that a factor of e from the usual numbers must be worth."""

CLASS_BOUNDS = np.array([(-5.0, 5.0), (-2.0, 2.0), (-2.0, 2.0)])
"""Bounds of a class's offset, and of the logarithms of its factors of power and slope."""

CLASS_PRIOR = np.array([2.0, 5.0, 5.0])
"""Log loss of all rows together that 1 in one of these must be worth."""

ENOUGH, FEWEST = 200_000, 500
"""Outputs that decide these numbers as well as more would, and rows at least."""

N_STEPS = 200


@dataclass(frozen=True, eq=False)
class Calibration:
    r"""Probabilities of classes from least-squares outputs, by a few numbers a class.

    Outputs o estimate probabilities and may leave [0, 1].  With

    .. math:: g(o) = \tfrac12 \left(o + \sqrt{o^2 + \varepsilon^2}\right)

    which is o far above the floor :math:`\varepsilon` and positive everywhere, probabilities are
    in proportion to :math:`g(o_c)^{a_c} \, e^{b_c o_c + d_c}`, mixed with a little of the same
    for all classes: never 0 or 1.  The power suits outputs that are probabilities already, the
    slope those that tell classes apart beyond doubt; an output of 0.3 says more of a rare class
    than of a common one, so that each class has its own.

    The class of the largest output stays the likeliest: where another would be, the two (and any
    in between) share what they have.

    Parameters
    ----------
    floor, power, slope : float
        :math:`\varepsilon`, and a and b of all classes.
    doubt : float
        Share of the same probability for all: no more certainty than the rows allow that the
        calibration was learned from.
    own : ndarray of shape (3, n_classes), float64, optional
        Of each class :math:`d_c`, :math:`\log(a_c / a)` and :math:`\log(b_c / b)`; 0 if not given.

    Examples
    --------
    >>> Calibration(0.01, 1.0, 0.0).probabilities(np.array([[0.7, 0.4, -0.1]])).round(4)
    array([[0.6332, 0.3633, 0.0036]])
    """

    floor: float = 0.05
    power: float = 1.0
    slope: float = 0.0
    doubt: float = 0.01
    own: FloatArray | None = None

    def probabilities(self, outputs: FloatArray) -> FloatArray:
        """Return probabilities of classes, of shape (..., n_classes)."""
        n_classes = outputs.shape[-1]
        offset, *factors = np.zeros((3, n_classes)) if self.own is None else self.own
        power, slope = np.multiply([[self.power], [self.slope]], np.exp(factors))
        exponents = offset + power * _log_softened(outputs, self.floor) + slope * outputs
        found: FloatArray = softmax(exponents, axis=-1)
        found *= 1.0 - self.doubt
        found += self.doubt / n_classes
        _keep_likeliest(found, outputs.argmax(axis=-1))
        return found

    def regrouped(self, places: NDArray[np.intp]) -> Self:
        """Return the calibration of other classes: for each its place among these, or -1."""
        if self.own is None:
            return self
        return replace(self, own=np.where(places < 0, 0.0, self.own[:, places]))

    def log_losses(self, outputs: FloatArray, codes: NDArray[np.intp]) -> FloatArray:
        """Return minus the log of the probability of each row's class, numbered ``codes``."""
        own = np.take_along_axis(self.probabilities(outputs), codes[..., None], axis=-1)
        return -np.log(own[..., 0])

    @classmethod
    def fit(cls, outputs: FloatArray, codes: NDArray[np.intp], weight: FloatArray) -> Self:
        """Return the calibration with the least log loss on rows that taught the outputs nothing.

        A weak prior keeps the numbers near the usual ones where there are few rows, and those of
        classes near one another.  Weights that are shares of 1 stand for rows.
        """
        n_classes = outputs.shape[1]
        n = max(FEWEST, ENOUGH // n_classes)
        counts = as_rows(weight)
        doubt = 0.5 / (float(counts.sum()) + 1.0)
        rows = outputs[:n], codes[:n], counts[:n]
        usual = np.concatenate([USUAL, np.zeros(3 * n_classes)])
        prior = np.concatenate([PRIOR, np.repeat(CLASS_PRIOR, n_classes)])

        def cost(point: FloatArray) -> tuple[float, FloatArray]:
            loss, slopes = _loss(*rows, point[:3], point[3:].reshape(3, -1), doubt)
            away = point - usual
            return loss + float(prior @ np.square(away)), slopes + 2.0 * prior * away

        bounds = np.concatenate([BOUNDS, np.repeat(CLASS_BOUNDS, n_classes, axis=0)])
        best = minimize(
            cost, usual, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": N_STEPS}
        )
        floor, power, slope = np.exp(best.x[:3]).tolist()
        return cls(floor, power, slope, doubt, best.x[3:].reshape(3, -1))


def _loss(
    o: FloatArray,
    codes: NDArray[np.intp],
    weight: FloatArray,
    common: FloatArray,
    own: FloatArray,
    doubt: float,
) -> tuple[float, FloatArray]:
    """Return the log loss and its derivatives by the logarithms of ``common``, and by ``own``."""
    floor, power, slope = np.exp(common)
    powers, slopes = power * np.exp(own[1]), slope * np.exp(own[2])
    logs = _log_softened(o, floor)
    share = softmax(own[0] + powers * logs + slopes * o, axis=1)
    rows = np.arange(len(o))
    mine = (1.0 - doubt) * share[rows, codes]
    certain = mine + doubt / o.shape[1]
    # Of -log p by the exponents: the excess of the shares over the row's own class.
    excess = share
    excess[rows, codes] -= 1.0
    excess *= (weight * mine / certain)[:, None]
    # d log g / d log floor, from g = (o + root) / 2 with root' = floor^2 / root.
    by_floor = floor * floor / (2.0 * np.exp(logs) * np.sqrt(o * o + floor * floor))
    by_power = powers * np.einsum("ij,ij->j", excess, logs)
    by_slope = slopes * np.einsum("ij,ij->j", excess, o)
    common_slopes = [np.vdot(excess, powers * by_floor), by_power.sum(), by_slope.sum()]
    found = np.concatenate([common_slopes, excess.sum(axis=0), by_power, by_slope])
    return float(-(weight @ np.log(certain))), found


def _log_softened(o: FloatArray, floor: float) -> FloatArray:
    """Return log g(o), in a form that does not cancel for negative o."""
    positive = 0.5 * (np.abs(o) + np.sqrt(o * o + floor * floor))
    found: FloatArray = np.log(np.where(o >= 0, positive, 0.25 * floor * floor / positive))
    return found


def _keep_likeliest(probabilities: FloatArray, likeliest: NDArray[np.intp]) -> None:
    """Let a class be the likeliest of each row, by the nearest probabilities in which it is.

    In these it and the classes above it share equally; it keeps the last digit more.
    """
    rows, first = probabilities.reshape(-1, probabilities.shape[-1]), likeliest.ravel()
    for row in np.flatnonzero(rows.argmax(axis=1) != first):
        p, own = rows[row], first[row]
        others = np.argsort(-p)
        others = others[others != own]
        means = (p[own] + np.cumsum(p[others])) / np.arange(2, len(p) + 1)
        n_shared = int(np.argmax(np.append(p[others[1:]] <= means[:-1], True))) + 1
        p[others[:n_shared]] = means[n_shared - 1]
        p[own] = np.nextafter(means[n_shared - 1], 1.0)
