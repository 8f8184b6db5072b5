"""Slow, obvious versions of what densernn computes fast: by the paper's formulas, row by row."""

from collections import Counter
from functools import cache

import mpmath
import numpy as np

DIGITS = 800
"""To work with: the textbook root cancels up to 330 of them where p is next to nothing."""


# ----------------------------------------------------------------------------- clusters


def quadratic(x, n, p, r, lambda_plus, lambda_minus):
    """Coefficients of equation (4), q^2 first, for exactly the floats given."""
    n, p, r, plus, minus, x = map(mpmath.mpf, (n, p, r, lambda_plus, lambda_minus, x))
    return (
        p * (n - 1) * (minus + x),
        (n - 1) * (r * (1 - p) - plus * p) - n * (r + minus + x),
        plus * n,
    )


def smaller_root(x, **cluster):
    """The smaller root of (4), which is the only one in (0, 1), to more than 60 digits."""
    with mpmath.workdps(DIGITS):
        a, b, c = quadratic(x, **cluster)
        return -c / b if a == 0 else (-b - mpmath.sqrt(b * b - 4 * a * c)) / (2 * a)


def zeta(x, **cluster):
    """zeta(x) by equation (8) in 800 digits, rounded to float64."""
    return float(smaller_root(x, **cluster))


def eta(x, **cluster):
    """The slope of zeta by a central difference of two such values, rounded to float64."""
    with mpmath.workdps(DIGITS):
        x = mpmath.mpf(x)
        step = mpmath.mpf(10) ** -30 * (x + mpmath.mpf(cluster["lambda_plus"]))
        rise = smaller_root(x + step, **cluster) - smaller_root(x - step, **cluster)
        return float(rise / (2 * step))


def signed_zeta(x, e, **cluster):
    """zeta of inhibition and excitation: the root of (4) with lambda_plus + e, or saturation."""
    with mpmath.workdps(DIGITS):
        plus = mpmath.mpf(cluster["lambda_plus"]) + mpmath.mpf(e)
        q = smaller_root(x, **{**cluster, "lambda_plus": plus})
        # Complex where there is no root at all.
        return q if isinstance(q, mpmath.mpf) and q < 1 else mpmath.mpf(1)


def eta_plus(x, e, **cluster):
    """The slope of that in e, by a central difference."""
    with mpmath.workdps(DIGITS):
        step = mpmath.mpf(10) ** -30 * (mpmath.mpf(e) + mpmath.mpf(cluster["lambda_plus"]))
        rise = signed_zeta(x, mpmath.mpf(e) + step, **cluster) - signed_zeta(
            x, mpmath.mpf(e) - step, **cluster
        )
        return float(rise / (2 * step))


def zeta_by_fixed_point(x, n, p, r, lambda_plus, lambda_minus, rounds=20_000):
    """The steady state by iterating equation (3), which knows nothing of the quadratic."""
    q = 0.0
    for _ in range(rounds):
        moved = r * q * (n - 1) / (n - q * p * (n - 1))
        q = (lambda_plus + moved * (1 - p)) / (r + lambda_minus + x + moved * p)
    return q


# ----------------------------------------------------------------------------- folds


def weights_or_ones(rows, weight):
    return np.ones(len(rows)) if weight is None else np.asarray(weight, np.float64)


def second_moments(H, T, weight=None, about=0.0):
    """The sum over rows of w (z - about)(z - about)', one row after the other."""
    T = np.asarray(T, np.float64)
    Z = np.column_stack([np.asarray(H, np.float64), T]) - about
    total = np.zeros((Z.shape[1], Z.shape[1]))
    for z, w in zip(Z, weights_or_ones(Z, weight), strict=True):
        total += w * np.outer(z, z)
    return total


def column_mean(X, weight=None):
    w = weights_or_ones(X, weight)
    return (w[:, None] * np.asarray(X, np.float64)).sum(axis=0) / w.sum()


def column_spread(X, weight=None):
    w = weights_or_ones(X, weight)
    return (w[:, None] * (np.asarray(X, np.float64) - column_mean(X, weight)) ** 2).sum(axis=0)


# ----------------------------------------------------------------------------- ridge


def gcv_by_hat_matrix(H, T, alpha, intercept=True, weight=None):
    """Generalised cross-validation from the n x n hat matrix of the rows themselves."""
    w = weights_or_ones(H, weight)
    root = np.sqrt(w)[:, None]
    T = np.asarray(T, np.float64).reshape(len(H), -1)
    centre_H = column_mean(H, w) if intercept else 0.0
    centre_T = column_mean(T, w) if intercept else 0.0
    A, B = root * (H - centre_H), root * (T - centre_T)
    hat = A @ np.linalg.solve(A.T @ A + alpha * np.eye(A.shape[1]), A.T)
    error = np.sum((B - hat @ B) ** 2)
    n = w.sum()
    return n * error / (n - np.trace(hat) - intercept) ** 2


# ----------------------------------------------------------------------------- network


def split(X, mean, deviation, knots):
    """The parts of the standardised columns above and below each knot, in SplitScaler's order."""
    z = (np.asarray(X, np.float64) - mean) / deviation
    sides = [np.maximum(side, 0.0) for knot in knots for side in (z - knot, knot - z)]
    return np.column_stack(sides)


def nearest_probabilities(outputs):
    """The nearest point of the simplex, by bisection on the number taken off all outputs."""
    low, high = outputs.min() - 1.0, outputs.max()
    for _ in range(200):
        middle = (low + high) / 2
        if np.maximum(outputs - middle, 0.0).sum() > 1.0:
            low = middle
        else:
            high = middle
    return np.maximum(outputs - high, 0.0)


# ----------------------------------------------------------------------------- encoders


def published_code(X, W1, bias_weights, cluster):
    """The published random code: a range per unit, then a z-score per row, then less the least."""
    at_zero = cluster.zeta(0.0)
    H = cluster.zeta(np.asarray(X, np.float64) @ W1 + at_zero * bias_weights)
    H = (H - H.min(axis=0)) / (H.max(axis=0) - H.min(axis=0))
    H = (H - H.mean(axis=1, keepdims=True)) / H.std(axis=1, ddof=1, keepdims=True)
    return H - H.min()


def published_fista(H, T, alpha, n_iter, largest, nonnegative):
    """The published iteration, over the rows themselves, with explicit momentum."""
    W = back = np.zeros((H.shape[1], T.shape[1]))
    age, step = 1.0, 2.0 / largest
    beta = 0.0
    for _ in range(n_iter):
        Y = W + beta * (W - back)
        moved = Y - step * (H.T @ (H @ Y - T))
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * alpha / 2, 0.0)
        back, W = W, np.maximum(new, 0.0) if nonnegative else new
        older = 0.5 + np.sqrt(0.25 + age**2)
        beta, age = -(age - 1.0) / older, older
    return W


def signed_parts(W2):
    """[W2'+ W2'-]."""
    return np.hstack([np.maximum(W2.T, 0.0), np.maximum(-W2.T, 0.0)])


# ----------------------------------------------------------------------------- autoencoders


def spiking_cost(X, W1, W2, cluster, weight=None):
    """(13), each zeta by (8) in many digits: half of its slopes are what (16) and (17) part."""
    H = _each(zeta, X @ W1, cluster)
    Q = _each(zeta, H @ W2, cluster)
    return float(weights_or_ones(X, weight) @ ((X - Q) ** 2).sum(axis=1))


def linear_cost(X, W1, W2, cluster, weight=None):
    """(18) at a given W2."""
    H = _each(zeta, X @ W1, cluster)
    return float(weights_or_ones(X, weight) @ ((X - H @ W2) ** 2).sum(axis=1))


def slopes(cost, W, step=1e-6):
    """Central differences of a cost by each weight, the step relative to it."""
    found = np.empty_like(W)
    for index in np.ndindex(W.shape):
        costs = []
        for sign in (1, -1):
            moved = W.copy()
            moved[index] += sign * step * W[index]
            costs.append(cost(moved))
        found[index] = (costs[0] - costs[1]) / (2 * step * W[index])
    return found


def spiking_fractions(X, W1, W2, cluster):
    """Numerator and denominator of (16), then of (17), as printed, eta and all its signs."""
    H = _each(zeta, X @ W1, cluster)
    phi1, phi3 = _each(eta, X @ W1, cluster), _each(eta, H @ W2, cluster)
    phi2, phi4 = _each(zeta, H @ W2, cluster), H
    return (
        X.T @ (phi1 * ((X * phi3) @ W2.T)),
        X.T @ (phi1 * ((phi2 * phi3) @ W2.T)),
        phi4.T @ (phi2 * phi3),
        phi4.T @ (X * phi3),
    )


def printed_fraction(X, W1, W2, cluster):
    """Numerator and denominator of (20), as printed."""
    phi1, phi4 = _each(eta, X @ W1, cluster), _each(zeta, X @ W1, cluster)
    positive = np.maximum(W2, 0)
    return (
        X.T @ (phi1 * (X @ positive.T)),
        X.T @ (phi1 * ((phi4 @ positive) @ positive.T)),
    )


def _each(function, values, cluster):
    return np.vectorize(lambda x: function(x, **cluster))(values)


# ----------------------------------------------------------------------------- networks


def network_steady_state(network, top):
    """P(k) of all states with each k at most ``top``, from the balance of all flows.

    Events that would lead past ``top`` do not happen: choose it so that they are rare.
    """
    shape = (top + 1,) * network["r"].size
    size = int(np.prod(shape))
    triggered = trigger_outcomes(network)
    flow = np.zeros((size, size))
    for here, state in enumerate(np.ndindex(shape)):
        for rate, after in network_events(network, state, triggered):
            if max(after) <= top:
                flow[np.ravel_multi_index(after, shape), here] += rate
                flow[here, here] -= rate
    flow[0] = 1.0  # probabilities add up to 1, instead of one of the redundant equations
    return np.linalg.solve(flow, np.eye(size)[0]).reshape(shape)


def network_events(network, state, triggered):
    """Rates and resulting states of all that may happen next, as section II tells it."""
    cells = range(len(state))
    for m in cells:
        yield network["lambda_plus"][m], moved(state, m, +1)
        yield network["lambda_minus"][m], moved(state, m, -1)
    for i in cells:
        if state[i] == 0:
            continue
        r, fired = network["r"][i], moved(state, i, -1)
        yield r * network["d"][i], fired
        for j in cells:
            yield r * network["p_plus"][i, j], moved(fired, j, +1)
            yield r * network["p_minus"][i, j], moved(fired, j, -1)
            for after, share in triggered(fired, j).items():
                yield r * network["p"][i, j] * share, after


def trigger_outcomes(network):
    """A function that tells the probabilities of all states after cell j was triggered.

    Chains end, since each link takes one from a cell.
    """

    @cache
    def outcomes(state, j):
        if state[j] == 0:
            return {state: 1.0}
        fallen = moved(state, j, -1)
        found = Counter({fallen: 1.0 - network["Q"][j].sum() - network["pi"][j].sum()})
        for m in range(len(state)):
            found[moved(fallen, m, +1)] += network["Q"][j, m]
            for after, share in outcomes(fallen, m).items():
                found[after] += network["pi"][j, m] * share
        return found

    return outcomes


def moved(state, cell, step):
    """The state with one cell a step higher or lower, where it can be."""
    return (*state[:cell], max(state[cell] + step, 0), *state[cell + 1 :])
