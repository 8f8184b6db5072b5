r"""Logistic readout: log loss, minimised from the ridge readout on in the metric of its moments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

from densernn.errors import ConvergenceWarning, user_level
from densernn.solvers.ridge import RidgeSolution, RidgeSystem

Float64Array = NDArray[np.float64]

NEAR = 0.003
"""Weight of the distance from the ridge readout, beside the mean log loss of a row."""

TOLERANCE = 0.01
"""Share of the first objective by which a step lowers it less, and is the last one."""

MOST_PASSES = 20

FLOOR = 1e-10
"""Least probability."""

NOTHING = 1e-3
"""Log loss of a row that leaves nothing to gain, as of rows of one class."""


@dataclass(frozen=True, eq=False)
class LogisticSums:
    """Sums over rows of the log loss and its gradient, at given weights.

    Parameters
    ----------
    loss : float
    gradient : ndarray of shape (n_features, n_targets)
        Sum of h (p - t)', with h centred.
    excess : ndarray of shape (n_targets,)
        Sum of p - t.
    weight : float
        Total weight of the rows.
    """

    loss: float
    gradient: Float64Array
    excess: Float64Array
    weight: float

    @classmethod
    def zero(cls, n_features: int, n_targets: int) -> LogisticSums:
        """Return the sums over no rows."""
        return cls(0.0, np.zeros((n_features, n_targets)), np.zeros(n_targets), 0.0)

    def merge(self, other: LogisticSums) -> LogisticSums:
        """Return the sums over the rows of both."""
        return LogisticSums(
            self.loss + other.loss,
            self.gradient + other.gradient,
            self.excess + other.excess,
            self.weight + other.weight,
        )


@dataclass(frozen=True)
class Softmax:
    """Probabilities of classes from their scores."""

    def losses(self, scores: Float64Array, targets: Float64Array) -> tuple[Float64Array, Any]:
        """Return the log loss of each row, and its derivative in the scores."""
        logs = special.log_softmax(scores, axis=1)
        return -np.einsum("ij,ij->i", targets, logs), np.exp(logs) - targets

    def predict_proba(self, scores: Float64Array) -> Float64Array:
        """Return probabilities, of which none is 0 or 1."""
        found = special.softmax(scores, axis=1)
        return cast("Float64Array", FLOOR + (1.0 - found.shape[1] * FLOOR) * found)

    def decision_function(self, scores: Float64Array) -> Float64Array:
        """Return the scores; for two classes how much the second exceeds the first."""
        return np.diff(scores)[:, 0] if scores.shape[1] == 2 else scores


@dataclass(frozen=True)
class Sigmoid:
    """Independent probabilities of labels from their scores."""

    def losses(self, scores: Float64Array, targets: Float64Array) -> tuple[Float64Array, Any]:
        """Return the log loss of each row, and its derivative in the scores."""
        losses = np.logaddexp(0.0, scores) - targets * scores
        return losses.sum(axis=1), special.expit(scores) - targets

    def predict_proba(self, scores: Float64Array) -> Float64Array:
        """Return probabilities, of which none is 0 or 1."""
        return cast("Float64Array", np.clip(special.expit(scores), FLOOR, 1.0 - FLOOR))

    def predict(self, scores: Float64Array) -> NDArray[Any]:
        """Return 1 for the labels that are more likely than not."""
        return (scores > 0).astype(np.intp)

    def decision_function(self, scores: Float64Array) -> Float64Array:
        """Return the scores, which are above 0 where a label is more likely than not."""
        return scores


Link = Softmax | Sigmoid


def best_scale(
    link: Link, outputs: Float64Array, targets: Float64Array, weight: Float64Array
) -> tuple[float, float]:
    """Return the factor that makes scores of outputs, by the least log loss, and the curvature.

    The curvature is the mean of p (1 - p), the second derivative of the log loss in a score.

    Parameters
    ----------
    link : Softmax or Sigmoid
    outputs : ndarray of shape (n_rows, n_targets)
        Of a ridge readout that these rows had no part in.
    targets : ndarray of shape (n_rows, n_targets)
    weight : ndarray of shape (n_rows,)
    """
    centred = outputs if isinstance(link, Softmax) else outputs - 0.5

    def loss(log_scale: float) -> float:
        return float(weight @ link.losses(np.exp(log_scale) * centred, targets)[0])

    found = optimize.minimize_scalar(loss, bounds=(-2.0, 5.0), method="bounded")
    scale = float(np.exp(found.x))
    P = link.predict_proba(scale * centred)
    return scale, float(weight @ (P * (1.0 - P)).mean(axis=1) / weight.sum())


def solve_logistic(
    system: RidgeSystem,
    ridge: RidgeSolution,
    link: Link,
    scale: float,
    curvature: float,
    evaluate: Callable[[Float64Array, Float64Array], LogisticSums],
) -> tuple[RidgeSolution, int]:
    r"""Return a readout of small log loss near a ridge readout, and the passes it took.

    Minimised are, over the weights W of centred activations h and intercepts b,

    .. math::

        \frac{1}{w} \sum_i w_i \ell_i(h_i'W + b)
        + \frac{\mu}{2} \mathrm{tr}\,(W - s W_0)' \frac{S + \alpha I}{w} (W - s W_0)
        + \frac{c \alpha}{2 w} \|W\|^2,

    with the log loss of a row, the total weight w, the mean curvature c of the log loss, and the
    ridge readout W_0 times the scale s of its outputs as scores.  The second term is the mean
    square by which scores of the training rows leave the ridge readout's, whatever the scale of
    activations; it makes the minimum unique and well-conditioned.  With the Cholesky factor
    :math:`R'R = (S + \alpha I)/w` and :math:`V = RW`, L-BFGS takes some 3 to 8 evaluations, each
    of them a pass over the rows.

    Parameters
    ----------
    system : RidgeSystem
        Of the moments of the rows.
    ridge : RidgeSolution
        Its solution.
    link : Softmax or Sigmoid
    scale, curvature : float
        s and c; see :func:`best_scale`.
    evaluate : callable
        Returns sums over all rows, from W and b.

    Warns
    -----
    ConvergenceWarning
        Twenty passes did not settle it.

    References
    ----------
    Boehning (1992): a bound of the Hessian by the moments, which this metric follows.
    """
    weight, size = system.moments.weight, system.moments.n_features
    triangle = system.factor(ridge.alpha) / np.sqrt(weight)
    means = system.moments.means[:size]
    at_mean = means @ ridge.coef + ridge.intercept - (0.5 if isinstance(link, Sigmoid) else 0.0)
    start = np.vstack([triangle @ ridge.coef, at_mean]) * scale
    penalty = curvature * ridge.alpha / weight
    first = 0.0

    def objective(point: Float64Array) -> tuple[float, Float64Array]:
        nonlocal first
        V, b = point.reshape(start.shape)[:-1], point.reshape(start.shape)[-1]
        away, coef = V - start[:-1], linalg.solve_triangular(triangle, V)
        sums = evaluate(coef, b)
        value = sums.loss / sums.weight + 0.5 * NEAR * float(np.sum(away * away))
        value += 0.5 * penalty * float(np.sum(coef * coef))
        inner = sums.gradient / sums.weight + penalty * coef
        slope = linalg.solve_triangular(triangle, inner, trans="T")
        gradient = np.vstack([slope + NEAR * away, sums.excess / sums.weight])
        # As a share of the first value: the optimiser's tolerance is absolute below 1.
        first = first or max(value, NOTHING)
        return value / first, gradient.ravel() / first

    options = {"maxfun": MOST_PASSES, "ftol": TOLERANCE, "gtol": 1e-9}
    found = optimize.minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B", options=options
    )
    if found.nfev >= MOST_PASSES:
        warnings.warn(
            f"the logistic readout still improves after {found.nfev} passes over the rows: it is "
            "better than the ridge readout, and not yet the best",
            ConvergenceWarning,
            stacklevel=user_level(),
        )
    best = found.x.reshape(start.shape)
    coef = linalg.solve_triangular(triangle, best[:-1])
    intercept = best[-1] - means @ coef
    none = np.full(len(intercept), np.inf)
    solution = replace(
        ridge, coef=coef, intercept=intercept, calibration=link, bounds=(-none, none)
    )
    return solution, int(found.nfev)
