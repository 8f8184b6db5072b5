r"""Multiplicative updates of autoencoder weights, from row sums: equations (13) to (20).

A cost falls along :math:`W * (N / P)^g` for small g > 0 whenever its gradient by W is a positive
multiple of P - N with P, N >= 0: the slope by g is :math:`\sum (P - N) W \log(N / P)`, no term of
which is positive.  Weights that start positive stay so.  N and P are sums over rows, so a pass
folds them, and this module never sees more than a chunk; :mod:`densernn.solvers.descent` finds g.

Chunks are kept by columns: Z = X', of shape (n_inputs, n_rows).  Since eta < 0, everything is
written with :math:`|\eta|`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
"""Added to numerator and denominator, in units of their mean: a weight whose pull is less than
this stays, and one that nothing holds back (that to a pixel which is always 0) stays finite."""

LARGEST = 1e30
"""No weight grows beyond: sums of such weights are still finite in float32."""

TINIEST = 1e-12
"""Penalty per row and cluster that stands for the pseudo-inverse of (19)."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Numerator and denominator of an update: a fold of rows.

    Parameters
    ----------
    numerator, denominator : ndarray of the shape of the weights, float64
        N and P, not negative.

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
        """Return the fold of no rows, for weights of a shape."""
        return cls(np.zeros(shape), np.zeros(shape))

    def merge(self, other: Terms) -> Self:
        """Return the fold of the rows of both."""
        return type(self)(self.numerator + other.numerator, self.denominator + other.denominator)


@dataclass(frozen=True, eq=False)
class SpikingTerms:
    """What (16) and (17) need, and the cost (13) at the same weights: a fold of rows.

    Parameters
    ----------
    cost : float
        Weighted squared error of the reconstruction.
    encoder, decoder : Terms
        Of W1 (16) and of W2 (17).
    """

    cost: float
    encoder: Terms
    decoder: Terms

    @classmethod
    def zero(cls, n_inputs: int, n_hidden: int) -> Self:
        """Return the fold of no rows."""
        return cls(0.0, Terms.zero((n_inputs, n_hidden)), Terms.zero((n_hidden, n_inputs)))

    def merge(self, other: SpikingTerms) -> Self:
        """Return the fold of the rows of both."""
        return type(self)(
            self.cost + other.cost,
            self.encoder.merge(other.encoder),
            self.decoder.merge(other.decoder),
        )


@dataclass(frozen=True, eq=False)
class CodeMoments:
    """What the linear decoder (19) needs: a fold of rows.

    Unlike :class:`densernn.Moments` it holds of X'X the trace alone, which is all that a cost
    takes: the whole would be most of the work where there are many more inputs than clusters.

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
        """Return the fold of no rows."""
        return cls(0.0, np.zeros((n_hidden, n_hidden)), np.zeros((n_hidden, n_inputs)), 0.0)

    def merge(self, other: CodeMoments) -> Self:
        """Return the fold of the rows of both."""
        return type(self)(
            self.weight + other.weight,
            self.HtH + other.HtH,
            self.HtX + other.HtX,
            self.squares + other.squares,
        )

    def decode(self, alpha: float) -> tuple[Float64Array, float]:
        r"""Return W2 of (19) with a penalty, and the penalised cost.

        .. math::

            \min_{W_2} \|X - H W_2\|^2 + \alpha \|W_2\|^2 = \mathrm{tr}\, X'X +
            \min_{W_2} \mathrm{tr}\, W_2' ((H'H + \alpha I) W_2 - 2 H'X)

        Parameters
        ----------
        alpha : float
            Raised to :data:`TINIEST` per row and cluster: clusters are nearly collinear, and
            below that rounding, not the data, would decide what comes out.

        Returns
        -------
        W2 : ndarray of shape (n_hidden, n_inputs), float64
        cost : float
        """
        size = len(self.HtH)
        alpha = max(alpha, TINIEST * self.weight * size)
        penalised = self.HtH + alpha * np.eye(size)
        decoder = linalg.cho_solve(linalg.cho_factor(penalised), self.HtX)
        cost = self.squares + np.vdot(decoder, penalised @ decoder - 2.0 * self.HtX)
        return decoder, max(float(cost), 0.0)


def update(
    W: Float64Array, numerator: Float64Array, denominator: Float64Array, exponent: float = 1.0
) -> Float64Array:
    """Return W * (N / P)^g: equations (16), (17) and (20), damped.

    Parameters
    ----------
    W, numerator, denominator : ndarray of one shape, float64
        Not negative.
    exponent : float, default=1.0
        g; 1 is the published step.

    Returns
    -------
    ndarray of the same shape, float64
        Not negative, finite.

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
    r"""Fold a chunk for (16) and (17), of the cost (13) :math:`\|X - \zeta(\zeta(X W_1) W_2)\|^2`.

    With H = zeta(X W1), Q = zeta(H W2), :math:`E_1 = |\eta(X W_1)|`, :math:`E_2 = |\eta(H W_2)|`
    the gradients are

    .. math::

        \tfrac12 \partial L / \partial W_1 =
        X'(E_1 * ((Q * E_2) W_2')) - X'(E_1 * ((X * E_2) W_2')), \quad
        \tfrac12 \partial L / \partial W_2 = H'(X * E_2) - H'(Q * E_2) .

    The chain rule passes eta twice for W1, whose sign cancels, and once for W2.  So the fraction
    of (16) has the term in X above, that of (17) the term in Q: both are right as printed.

    Parameters
    ----------
    Z : ndarray of shape (n_inputs, n_rows), float32 or float64, C order
        X', not negative.
    encoder, decoder : ndarray of shape (n_inputs, n_hidden) and (n_hidden, n_inputs)
        W1 and W2, not negative, of the dtype of Z.
    cluster : Cluster
        Of both layers, with one number for each parameter.
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
    r"""Fold a chunk for the update of W1 in (18), :math:`\|X - H W_2\|^2` with H = zeta(X W1).

    With :math:`E = |\eta(X W_1)|` the gradient is :math:`\tfrac12 \partial L / \partial W_1 =
    X'(E * ((X - H W_2) W_2'))`: the sign of eta has turned that of a linear factorisation.  W2
    of (19) is signed; with its parts W2 = V - U, both >= 0, multiplying out gives P - N for

    .. math::

        P = X'(E * (X V' + H (V U' + U V'))), \quad N = X'(E * (X U' + H (V V' + U U'))) .

    Parameters
    ----------
    Z, encoder, weight
        As in :func:`spiking_terms`.
    decoder : ndarray of shape (n_hidden, n_inputs)
        W2, signed, of the dtype of Z.
    cluster : Cluster
        Numbers, or arrays of n_hidden.
    variant : {"signed", "printed", "inverted"}, default="signed"
        ``"signed"`` is the form above, which descends.  ``"printed"`` is (20): W2 is replaced by
        its positive part, N = X'(E * (X V')) and P = X'(E * (H V V')), whose fraction is upside
        down for a falling zeta.  ``"inverted"`` turns it over and still takes U for 0, which
        is the gradient of another cost than that which (19) lowers.

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
        signals = np.concatenate([above, below]) @ Z  # one product for both, and one below
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
    """Fold a chunk for the decoder (19); parameters are those of :func:`linear_terms`.

    Notes
    -----
    Products are in float64 whatever the dtype of Z, since clusters are nearly collinear: one of
    n_rows x n_inputs x n_hidden in each of both dtypes.
    """
    drive = encoder.T @ Z
    apply_rows(_kernels.zeta_rows, drive, drive, cluster.coefficients(drive.dtype))
    hidden, inputs = drive.astype(np.float64, copy=False), Z.astype(np.float64, copy=False)
    weighted = hidden if weight is None else hidden * weight
    squares = np.einsum("ij,ij->j", inputs, inputs)
    total = float(len(squares)) if weight is None else float(weight.sum())
    return CodeMoments(
        total,
        weighted @ hidden.T,
        weighted @ inputs.T,
        float(squares.sum() if weight is None else squares @ weight),
    )


def _activate(drive: FloatArray, cluster: Cluster) -> tuple[FloatArray, FloatArray]:
    """Return zeta and |eta| of pre-activations, which are overwritten."""
    coefficients = cluster.coefficients(drive.dtype)
    slope = np.empty_like(drive)
    apply_rows(_kernels.eta_rows, drive, slope, coefficients)
    np.negative(slope, out=slope)
    apply_rows(_kernels.zeta_rows, drive, drive, coefficients)
    return drive, slope


def _split_errors(
    outputs: FloatArray, slope: FloatArray, Z: FloatArray, weight: Float64Array | None
) -> float:
    """Write w * slope * outputs and w * slope * Z over the first two; return the squared error."""
    weights = np.empty(0) if weight is None else weight
    costs = run_blocks(
        lambda i, j: _kernels.split_errors(outputs[i:j], slope[i:j], Z[i:j], weights),
        len(Z),
        at_least=-(-WORTH_A_THREAD // max(1, Z.shape[1])),
    )
    return float(sum(costs))


def _terms(numerator: FloatArray, denominator: FloatArray) -> Terms:
    return Terms(numerator.astype(np.float64), denominator.astype(np.float64))
