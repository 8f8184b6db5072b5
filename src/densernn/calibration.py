"""Calibration: probabilities of classes from least-squares outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
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

CERTAIN = 1e8
"""Rows that weights stand for at most: that many leave no doubt that matters."""

FIRST = 2000
"""Rows of a first search."""

N_STEPS, ENOUGH_GAIN = 50, 1e-3
"""Steps of a search at most, and log loss of all rows that is not worth another one."""


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

    def regrouped(
        self, places: NDArray[np.intp], other: Calibration, theirs: NDArray[np.intp]
    ) -> Self:
        """Return the calibration of other classes.

        Parameters
        ----------
        places, theirs : ndarray of shape (n_classes,)
            The place of each among the classes of this calibration, and of ``other``; -1 where it
            is not there.  What this one does not know is taken from the other.
        """
        own = np.zeros((3, len(places)))
        for calibration, where in ((other, theirs), (self, places)):
            if calibration.own is not None:
                own = np.where(where < 0, own, calibration.own[:, where])
        return replace(self, own=own)

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
        n = min(len(outputs), max(FEWEST, ENOUGH // n_classes))
        counts = as_rows(weight)
        counts = counts * min(1.0, CERTAIN / float(counts.max()) / len(counts))
        doubt = 0.5 / (float(counts.sum()) + 1.0)
        numbers = np.concatenate([USUAL, np.zeros(3 * n_classes)])
        for stop in sorted({min(FIRST, n), n}):  # from near the end, few steps take all rows
            cost = _Cost(outputs[:stop], codes[:stop], counts[:stop], doubt)
            numbers = _least(cost, numbers)
        floor, power, slope = np.exp(numbers[:3]).tolist()
        return cls(floor, power, slope, doubt, numbers[3:].reshape(3, -1))


@dataclass(frozen=True, eq=False)
class _Cost:
    """Log loss of some rows; numbers are logarithms of the common ones, then those of classes."""

    outputs: FloatArray
    codes: NDArray[np.intp]
    weight: FloatArray
    doubt: float

    def terms(self, numbers: FloatArray) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        """Return the log loss, its derivatives, and its curvature: expected, and what that lacks.

        The expected curvature (Fisher's information) is no less than 0 in any direction; with the
        rest it is that of the loss, but for the little that :attr:`doubt` adds.
        """
        o, n_classes = self.outputs, self.outputs.shape[1]
        floor, power, slope = np.exp(numbers[:3])
        offset, *factors = numbers[3:].reshape(3, n_classes)
        logs, root = _log_softened(o, floor), np.sqrt(o * o + floor * floor)
        by_power = power * np.exp(factors[0]) * logs
        by_slope = slope * np.exp(factors[1]) * o
        # d log g / d log floor, from g = (o + root) / 2 with d root / d floor = floor / root.
        of_log = floor * floor / (2.0 * np.exp(logs) * root)
        by_floor = power * np.exp(factors[0]) * of_log
        share = softmax(offset + by_power + by_slope, axis=1)
        rows = np.arange(len(o))
        mine = (1.0 - self.doubt) * share[rows, self.codes]
        certain = mine + self.doubt / n_classes
        weight = self.weight * mine / certain
        # Of -log p by the exponents: the excess of the shares over the row's own class.
        excess = share * weight[:, None]
        excess[rows, self.codes] -= weight
        # Of the exponents by the numbers of their class, and of these once more.
        slopes = np.stack([by_floor, np.ones_like(o), by_power, by_slope], axis=1)
        bent = by_floor * (2.0 - of_log - np.square(floor / root))
        first = np.einsum("rkc,rc->kc", slopes, excess)
        rest = np.zeros((4, n_classes, 4, n_classes))
        at = np.arange(n_classes)
        for k, kind in enumerate((np.einsum("rc,rc->c", bent, excess), 0.0, first[2], first[3])):
            rest[k, at, k, at] = kind
        rest[0, at, 2, at] = rest[2, at, 0, at] = first[0]
        pulled = slopes * (share * weight[:, None])[:, None]
        expected = np.zeros_like(rest)
        expected[:, at, :, at] = np.einsum("rkc,rlc->ckl", pulled, slopes)
        flat = (slopes * (share * np.sqrt(weight)[:, None])[:, None]).reshape(len(o), -1)
        expected -= (flat.T @ flat).reshape(expected.shape)
        halves = (_gathered(c.reshape(-1, 4, n_classes)) for c in (expected, rest))
        curvatures = (_gathered(half.T.reshape(-1, 4, n_classes)) for half in halves)
        return -float(self.weight @ np.log(certain)), _gathered(first[None])[0], *curvatures


def _gathered(slopes: FloatArray) -> FloatArray:
    """Return derivatives by what classes share and by what they have, of shape (m, 3 + 3 K).

    From those by floor, offset, power and slope of each of K classes, of shape (m, 4, K).
    """
    common = slopes[:, (0, 2, 3)].sum(axis=2)
    return np.concatenate([common, slopes[:, 1:].reshape(len(slopes), -1)], axis=1)


def _least(cost: _Cost, start: FloatArray) -> FloatArray:
    """Return the numbers of the least cost with the prior: Newton's steps, within bounds."""
    n_classes = cost.outputs.shape[1]
    usual = np.concatenate([USUAL, np.zeros(3 * n_classes)])
    prior = 2.0 * np.concatenate([PRIOR, np.repeat(CLASS_PRIOR, n_classes)])
    low, high = np.concatenate([BOUNDS, np.repeat(CLASS_BOUNDS, n_classes, axis=0)]).T

    def total(point: FloatArray, loss: float) -> float:
        return loss + 0.5 * float(prior @ np.square(point - usual))

    point, terms, halved = start, cost.terms(start), 0
    for _ in range(N_STEPS):
        loss, first, expected, rest = terms
        first = first + prior * (point - usual)
        # What is at its bound and would leave stays there.
        free = ((point > low) | (first < 0)) & ((point < high) | (first > 0))
        step, own = np.zeros_like(point), np.ix_(free, free)
        step[free] = -_solved((expected + np.diag(prior))[own], rest[own], first[free])
        if -float(first @ step) < ENOUGH_GAIN:
            break
        step *= 0.5**halved
        tried = np.clip(point + step, low, high)
        found = cost.terms(tried)
        if total(tried, found[0]) < total(point, loss):
            point, terms, halved = tried, found, 0
        else:
            halved += 1
    return point


def _solved(expected: FloatArray, rest: FloatArray, first: FloatArray) -> FloatArray:
    """Return Newton's step; where the loss bends down, the one by the expected curvature."""
    try:
        factor = linalg.cho_factor(expected + rest)
    except linalg.LinAlgError:
        factor = linalg.cho_factor(expected)
    found: FloatArray = linalg.cho_solve(factor, first)
    return found


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
