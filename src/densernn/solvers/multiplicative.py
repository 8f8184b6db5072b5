r"""Multiplicative updates of autoencoder weights, from sums over rows: equations (13) to (20).

If the gradient of a cost with respect to W is a positive multiple of P - N with P, N >= 0, the cost
decreases along :math:`W * (N / P)^g` for small g > 0: its derivative at g = 0 is proportional to
:math:`\sum (P - N) W \log(N / P)`, no term of which is positive.  Positive weights stay positive.
N and P are sums over rows, which passes accumulate; :mod:`densernn.solvers.descent` chooses g.

Chunks are stored by columns: Z = X', of shape (n_inputs, n_rows).  Since eta < 0, formulas are
written with :math:`|\eta|`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from densernn import _kernels
from densernn._threads import run_blocks
from densernn.cluster import WORTH_A_THREAD, Cluster, FloatArray, apply_rows

Float64Array = NDArray[np.float64]

VARIANTS = ("signed", "printed", "inverted")
"""Forms of (20): see :func:`linear_terms`."""

FLOOR = 1e-8
"""Added to numerator and denominator, relative to their mean: weights with next to no gradient
stay as they are, and weights with a denominator of 0, as of constant pixels, stay finite
(docs/decisions/0006)."""

LARGEST = 1e30
"""Upper bound of weights, sums of which are still finite in float32."""

TINIEST = 1e-12
"""Penalty per row and cluster that replaces the pseudo-inverse of (19)."""


class _RowSums:
    """Base class of dataclasses whose fields are sums over rows, or such classes themselves."""

    def merge(self, other: Self) -> Self:
        """Return the sums over the rows of both."""
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]  # type: ignore[arg-type]
        return type(self)(*(a.merge(b) if isinstance(a, _RowSums) else a + b for a, b in pairs))


@dataclass(frozen=True, eq=False)
class Terms(_RowSums):
    """Numerator and denominator of an update, as sums over rows.

    Parameters
    ----------
    numerator, denominator : ndarray of the shape of the weights, float64
        N and P, nonnegative.

    Examples
    --------
    >>> part = Terms(np.array([[1.0]]), np.array([[2.0]]))
    >>> whole = part.merge(part)
    >>> whole.numerator, whole.denominator
    (array([[2.]]), array([[4.]]))
    """

    numerator: Float64Array
    denominator: Float64Array

    @classmethod
    def zero(cls, shape: tuple[int, int]) -> Self:
        """Return the terms of no rows, for weights of a shape."""
        return cls(np.zeros(shape), np.zeros(shape))


@dataclass(frozen=True, eq=False)
class SpikingTerms(_RowSums):
    """Terms of (16) and (17), and the cost (13) at the same weights, as sums over rows.

    Parameters
    ----------
    cost : float
        Weighted squared error of the reconstruction.
    encoder, decoder : Terms
        Terms of W1 (16) and of W2 (17).
    """

    cost: float
    encoder: Terms
    decoder: Terms

    @classmethod
    def zero(cls, n_inputs: int, n_hidden: int) -> Self:
        """Return the terms of no rows."""
        return cls(0.0, Terms.zero((n_inputs, n_hidden)), Terms.zero((n_hidden, n_inputs)))


@dataclass(frozen=True, eq=False)
class CodeMoments(_RowSums):
    """Moments of codes and inputs for the linear decoder (19).

    Unlike :class:`densernn.Moments` they contain only the trace of X'X, which is enough for the
    cost: the whole matrix would dominate the work with many more inputs than clusters.

    Parameters
    ----------
    weight : float
        Total weight of the rows.
    HtH : ndarray of shape (n_hidden, n_hidden), float64
    HtX : ndarray of shape (n_hidden, n_inputs), float64
    squares : float
        tr X'X.
    """

    weight: float
    HtH: Float64Array
    HtX: Float64Array
    squares: float

    @classmethod
    def zero(cls, n_inputs: int, n_hidden: int) -> Self:
        """Return the moments of no rows."""
        return cls(0.0, np.zeros((n_hidden, n_hidden)), np.zeros((n_hidden, n_inputs)), 0.0)

    def decode(self, alpha: float) -> tuple[Float64Array, float]:
        r"""Return W2 of (19), penalised, and its cost.

        .. math::

            \min_{W_2} \|X - H W_2\|^2 + \alpha \|W_2\|^2 = \mathrm{tr}\, X'X +
            \min_{W_2} \mathrm{tr}\, W_2' ((H'H + \alpha I) W_2 - 2 H'X)

        Parameters
        ----------
        alpha : float
            Penalty, raised to at least :data:`TINIEST` per row and cluster: clusters are nearly
            collinear, and rounding dominates the solutions of smaller penalties.

        Returns
        -------
        W2 : ndarray of shape (n_hidden, n_inputs), float64
        cost : float
        """
        size = len(self.HtH)
        alpha = max(alpha, TINIEST * self.weight * size)
        penalised = self.HtH + alpha * np.eye(size)
        decoder = linalg.cho_solve(linalg.cho_factor(penalised), self.HtX)
        # Evaluated as a quadratic form, whose error is of second order in that of W2; tr X'X minus
        # tr W2'H'X would be of first order.
        cost = self.squares + np.vdot(decoder, penalised @ decoder - 2.0 * self.HtX)
        return decoder, max(float(cost), 0.0)


def update(
    W: Float64Array, numerator: Float64Array, denominator: Float64Array, exponent: float = 1.0
) -> Float64Array:
    """Return W * (N / P)^g: equations (16), (17) and (20), damped.

    Parameters
    ----------
    W, numerator, denominator : ndarray of one shape, float64
        Nonnegative.
    exponent : float, default=1.0
        g; 1 is the published step.

    Returns
    -------
    ndarray of the same shape, float64
        Nonnegative and finite.

    Examples
    --------
    >>> update(np.array([1.0, 1.0]), np.array([4.0, 1.0]), np.array([1.0, 1.0]), 0.5).round(6)
    array([2., 1.])
    """
    floor = FLOOR * 0.5 * float(numerator.mean() + denominator.mean())
    if not floor > 0:
        return W
    with np.errstate(over="ignore"):
        factor = ((numerator + floor) / (denominator + floor)) ** exponent
        factor = np.minimum(factor, np.finfo(np.float64).max)  # 0 * inf would be NaN
        return np.minimum(W * factor, LARGEST)


def spiking_terms(
    Z: FloatArray,
    encoder: FloatArray,
    decoder: FloatArray,
    cluster: Cluster,
    weight: Float64Array | None = None,
) -> SpikingTerms:
    r"""Return the terms of (16) and (17) for a chunk.

    The cost (13) is :math:`\|X - \zeta(\zeta(X W_1) W_2)\|^2`.
    With H = zeta(X W1), Q = zeta(H W2), :math:`E_1 = |\eta(X W_1)|`, :math:`E_2 = |\eta(H W_2)|`
    the gradients are

    .. math::

        \tfrac12 \partial L / \partial W_1 =
        X'(E_1 * ((Q * E_2) W_2')) - X'(E_1 * ((X * E_2) W_2')), \quad
        \tfrac12 \partial L / \partial W_2 = H'(X * E_2) - H'(Q * E_2) .

    The chain rule contains eta twice for W1, where its sign cancels, and once for W2.  So the
    numerator of (16) is the term in X, and that of (17) the term in Q: both are right as printed.

    Parameters
    ----------
    Z : ndarray of shape (n_inputs, n_rows), float32 or float64, C order
        X', nonnegative.
    encoder, decoder : ndarray of shape (n_inputs, n_hidden) and (n_hidden, n_inputs)
        W1 and W2, nonnegative, of the dtype of Z.
    cluster : Cluster
        Parameters of both layers, all scalars.
    weight : ndarray of shape (n_rows,), optional
        Weights of rows.

    Returns
    -------
    SpikingTerms

    Notes
    -----
    Cost: 8 products of n_rows x n_inputs x n_hidden.  Memory: 2 arrays of the shape of Z, 4 of
    the shape of H'.
    """
    hidden, slope = _activate(encoder.T @ Z, cluster)
    against, along = _activate(decoder.T @ hidden, cluster)
    cost = _split_errors(against, along, Z, weight)  # now E2 * Q and E2 * X, weighted
    # For E2 * X and for E2 * Q: the terms in X' (E1 * (part W2')) and H' part of both gradients.
    terms = [(Z @ (slope * (decoder @ part)).T, hidden @ part.T) for part in (along, against)]
    (up1, down2), (down1, up2) = terms
    return SpikingTerms(cost, _terms(up1, down1), _terms(up2, down2))


def linear_terms(
    Z: FloatArray,
    encoder: FloatArray,
    decoder: FloatArray,
    cluster: Cluster,
    weight: Float64Array | None = None,
    variant: str = "signed",
) -> Terms:
    r"""Return the terms of the update of W1 for (18), :math:`\|X - H W_2\|^2` with H = zeta(X W1).

    With :math:`E = |\eta(X W_1)|` the gradient is :math:`\tfrac12 \partial L / \partial W_1 =
    X'(E * ((X - H W_2) W_2'))`, the negative of that of a linear factorisation, since eta < 0.  W2
    of (19) is signed; with its parts W2 = V - U, both >= 0, the gradient is P - N for

    .. math::

        P = X'(E * (X V' + H (V U' + U V'))), \quad N = X'(E * (X U' + H (V V' + U U'))) .

    Parameters
    ----------
    Z, encoder, weight
        As in :func:`spiking_terms`.
    decoder : ndarray of shape (n_hidden, n_inputs)
        W2, signed, of the dtype of Z.
    cluster : Cluster
        Scalars, or arrays of n_hidden values.
    variant : {"signed", "printed", "inverted"}, default="signed"
        ``"signed"`` is the form above, which descends.  ``"printed"`` is (20): W2 is replaced by
        its positive part, N = X'(E * (X V')) and P = X'(E * (H V V')), the reciprocal of the
        fraction that a decreasing zeta needs.  ``"inverted"`` exchanges the two, which descends
        the cost of the decoder V, not that of the decoder (19).

    Returns
    -------
    Terms

    Notes
    -----
    Cost: 5 products of n_rows x n_inputs x n_hidden.  Memory: 5 arrays of the shape of H'.
    """
    hidden, slope = _activate(encoder.T @ Z, cluster)
    if weight is not None:
        slope *= weight.astype(slope.dtype)
    above, below = np.maximum(decoder, 0), np.maximum(-decoder, 0)
    if variant == "signed":
        mixed = above @ below.T
        # Concatenated, so that P and N share one product here and one at the end.
        signals = np.concatenate([above, below]) @ Z
        pulls, pushes = np.split(signals, 2)
        pulls += (mixed + mixed.T) @ hidden
        pushes += (above @ above.T + below @ below.T) @ hidden
    else:
        signals = np.concatenate([above @ Z, (above @ above.T) @ hidden])
    signals.reshape(2, *slope.shape)[...] *= slope
    denominator, numerator = np.split(Z @ signals.T, 2, axis=1)
    if variant == "printed":
        numerator, denominator = denominator, numerator
    return _terms(numerator, denominator)


def code_moments(
    Z: FloatArray, encoder: FloatArray, cluster: Cluster, weight: Float64Array | None = None
) -> CodeMoments:
    """Return the moments of a chunk for the decoder (19); parameters as in :func:`linear_terms`.

    Notes
    -----
    Cost: one product of n_rows x n_inputs x n_hidden in the dtype of Z, and one in float64.
    """
    codes = encoder.T @ Z
    apply_rows(_kernels.zeta_rows, codes, codes, cluster.coefficients(codes.dtype))
    # In float64 whatever the dtype of Z, since clusters are nearly collinear.
    hidden, inputs = codes.astype(np.float64, copy=False), Z.astype(np.float64, copy=False)
    weighted = hidden if weight is None else hidden * weight
    squares = np.einsum("ij,ij->j", inputs, inputs)
    total = float(len(squares)) if weight is None else float(weight.sum())
    return CodeMoments(
        total,
        weighted @ hidden.T,
        weighted @ inputs.T,
        float(squares.sum() if weight is None else squares @ weight),
    )


def _activate(preactivation: FloatArray, cluster: Cluster) -> tuple[FloatArray, FloatArray]:
    """Return zeta and |eta| of pre-activations, which are overwritten."""
    coefficients = cluster.coefficients(preactivation.dtype)
    slope = np.empty_like(preactivation)
    apply_rows(_kernels.eta_rows, preactivation, slope, coefficients)
    np.negative(slope, out=slope)
    apply_rows(_kernels.zeta_rows, preactivation, preactivation, coefficients)
    return preactivation, slope


def _split_errors(
    outputs: FloatArray, slope: FloatArray, Z: FloatArray, weight: Float64Array | None
) -> float:
    """Replace the first two by w * slope * outputs and w * slope * Z; return the squared error."""
    weights = np.empty(0) if weight is None else weight
    costs = run_blocks(
        lambda i, j: _kernels.split_errors(outputs[i:j], slope[i:j], Z[i:j], weights),
        len(Z),
        at_least=-(-WORTH_A_THREAD // max(1, Z.shape[1])),
    )
    return float(sum(costs))


def _terms(numerator: FloatArray, denominator: FloatArray) -> Terms:
    return Terms(numerator.astype(np.float64), denominator.astype(np.float64))
