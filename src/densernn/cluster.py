"""Clusters of densely connected spiking cells, and their activation zeta (8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn import _kernels, _signed_kernels
from densernn._nested import NestedParams
from densernn._threads import run_blocks
from densernn.errors import NegativeInputError, ParameterError

FloatArray = NDArray[np.floating[Any]]

WORTH_A_THREAD = 1 << 16
"""Number of elements below which a second thread costs more than it saves."""

_RATES = ("r", "lambda_plus", "lambda_minus")
_PARAMETERS = ("n", "p", *_RATES)


@dataclass(frozen=True, eq=False)
class Cluster(NestedParams):
    r"""A cluster M(n) of n identical, densely connected spiking cells.

    Each cell fires at rate r while it is excited; a firing cell triggers the others with
    probability p/n each and excites them with probability (1 - p)/n each.  External spikes
    arrive at every cell at rates lambda_plus (excitatory) and lambda_minus (inhibitory), and
    the cells of the previous layer add an inhibitory rate x.  In the steady state every cell is
    excited with the same probability, the cluster's activation zeta(x).

    Parameters
    ----------
    n : int or array of shape (n_clusters,), default=20
        Cells in the cluster, at least 2.
    p : float or array of shape (n_clusters,), default=0.05
        Probability that a firing triggers rather than excites, in [0, 1].
    r : float or array of shape (n_clusters,), default=0.001
        Firing rate of each cell, above 0.
    lambda_plus, lambda_minus : float or array of shape (n_clusters,), default=0.005
        Rates of external excitatory and inhibitory spikes, above 0, with
        ``lambda_minus >= lambda_plus`` (the paper's appendix: zeta is then below 1).

    Raises
    ------
    ParameterError
        A parameter violates its condition.

    Notes
    -----
    Only ratios of rates matter: zeta of (c r, c lambda_plus, c lambda_minus) at c x is zeta of
    (r, lambda_plus, lambda_minus) at x.  With

    .. math::

        k = p (n - 1), \quad a = \frac{k (\lambda^- + x)}{n \lambda^+}, \quad
        Y = \frac{(n - k)(\lambda^- + x - \lambda^+) + (1 + k) r}{n \lambda^+},

    equation (7), divided by :math:`n \lambda^+`, reads :math:`a q^2 - (a + 1 + Y) q + 1 = 0`.
    Its root below 1 is computed in conjugate form, a sum of nonnegative terms, which is accurate
    to rounding; (8) as printed subtracts nearly equal numbers for small p or x:

    .. math::

        D = (a - 1)^2 + Y (2 (a + 1) + Y), \quad
        \zeta = \frac{2}{a + 1 + Y + \sqrt{D}}, \quad
        \eta = \frac{d\zeta}{dx} = - \frac{\zeta (n - k \zeta)}{n \lambda^+ \sqrt{D}} .

    **Excitation.** A previous layer that excites, too, at rate e, adds it to :math:`\lambda^+` in
    all of this, and :math:`\partial\zeta/\partial e = -\eta/\zeta`.  The cluster saturates,
    zeta = 1, exactly where :math:`Y \le 0`: docs/theory.md has the proof.

    Examples
    --------
    >>> cluster = Cluster(n=20, p=0.05, r=0.001, lambda_plus=0.005, lambda_minus=0.005)
    >>> cluster.zeta([0.0, 0.01, 0.1]).round(4)
    array([0.98  , 0.3311, 0.0476])
    >>> Cluster(n=1)
    Traceback (most recent call last):
        ...
    densernn.errors.ParameterError: Cluster needs n >= 2: n is 1

    Searches reach the parameters of a cluster that is given, as ``cluster__n``:

    >>> from densernn import RNNELMClassifier
    >>> RNNELMClassifier(cluster=Cluster()).set_params(cluster__n=30).cluster.n
    30
    """

    n: ArrayLike = 20
    p: ArrayLike = 0.05
    r: ArrayLike = 0.001
    lambda_plus: ArrayLike = 0.005
    lambda_minus: ArrayLike = 0.005

    def __post_init__(self) -> None:
        values = {name: _parameter(name, getattr(self, name)) for name in _PARAMETERS}
        sizes = {name: value.size for name, value in values.items() if value.ndim}
        if len(set(sizes.values())) > 1:
            raise ParameterError(f"Cluster needs arrays of one length: their lengths are {sizes}")
        _require(values["n"] >= 2, "n >= 2", n=values["n"])
        _require(values["n"] == np.floor(values["n"]), "whole n", n=values["n"])
        _require((values["p"] >= 0) & (values["p"] <= 1), "0 <= p <= 1", p=values["p"])
        for name in _RATES:
            _require(values[name] > 0, f"{name} > 0", **{name: values[name]})
        plus, minus = values["lambda_plus"], values["lambda_minus"]
        _require(minus >= plus, "lambda_minus >= lambda_plus", lambda_minus=minus, lambda_plus=plus)
        for name, value in values.items():
            object.__setattr__(self, name, value if value.ndim else value.item())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cluster):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in _PARAMETERS
        )

    def __hash__(self) -> int:
        # As float64, and with 0.0 for -0.0: equal clusters must have equal hashes.
        values = (np.asarray(getattr(self, name), np.float64) for name in _PARAMETERS)
        return hash(tuple((value + 0.0).tobytes() for value in values))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():  # pickling drops the read-only flag
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters described by parameter arrays; None if all are scalars."""
        sizes = [np.size(v) for v in (getattr(self, name) for name in _PARAMETERS) if np.ndim(v)]
        return sizes[0] if sizes else None

    def coefficients(self, dtype: Any = np.float64) -> FloatArray:
        """Return the rows b0, b1, y0, y1 of a - 1 = b0 + b1 x and Y = y0 + y1 x (see Notes).

        Parameters
        ----------
        dtype : numpy float dtype, default=float64
            The coefficients are computed in float64 and then rounded to it.

        Returns
        -------
        ndarray of shape (4, 1) or (4, n_clusters)

        Raises
        ------
        ParameterError
            A coefficient overflows ``dtype``: the rates are too small for it.
        """
        n, k, rest, r, plus, minus = self._numbers()
        scale = n * plus
        # Near p = 1, a - 1 is a difference of nearly equal numbers.
        rows = np.broadcast_arrays(
            (k * (minus - plus) - rest * plus) / scale,
            # Not 0 where p is 0: zeta of an infinite x is then 0 rather than 0 * inf = NaN.
            np.maximum(k / scale, np.finfo(np.float32).tiny),
            (rest * (minus - plus) + (1 + k) * r) / scale,
            rest / scale,
        )
        with np.errstate(over="ignore"):
            coefficients = np.stack(rows).astype(dtype)
        if not np.isfinite(coefficients).all():
            raise ParameterError(
                f"Cluster rates are too small for {np.dtype(dtype).name}: smallest lambda_plus is "
                f"{plus.min()}; use float64, or multiply all rates and inputs by one factor"
            )
        return cast("FloatArray", coefficients)

    def _numbers(self) -> tuple[NDArray[np.float64], ...]:
        """Return n, k, n - k, r, lambda_plus and lambda_minus, each of one axis."""
        values = map(np.float64, attrgetter(*_PARAMETERS)(self))
        n, p, r, plus, minus = map(np.atleast_1d, values)
        # Near p = 1, n - k as such is a difference of nearly equal numbers.
        return n, p * (n - 1), n * (1 - p) + p, r, plus, minus

    def signed_rates(self, dtype: Any = np.float64) -> FloatArray:
        """Return the rows (n - k)/n, k/n, (1 + k) r/n, lambda_plus, lambda_minus - lambda_plus.

        They are what zeta needs where excitation reaches the clusters (see Notes).

        Parameters
        ----------
        dtype : numpy float dtype, default=float64
            Computed in float64 and then rounded to it.

        Returns
        -------
        ndarray of shape (5, 1) or (5, n_clusters)
        """
        n, k, rest, r, plus, minus = self._numbers()
        share = np.maximum(k / n, np.finfo(np.float32).tiny)
        rows = np.broadcast_arrays(rest / n, share, (1 + k) * r / n, plus, minus - plus)
        return cast("FloatArray", np.stack(rows).astype(dtype))

    def zeta(
        self, x: ArrayLike, out: FloatArray | None = None, *, excitation: ArrayLike | None = None
    ) -> FloatArray:
        """Return the steady-state activation zeta(x), equation (8).

        Parameters
        ----------
        x : array of any shape, or of shape (..., n_clusters) with parameter arrays
            Inhibitory rates from the previous layer, nonnegative.  float32 and float64 are
            preserved, other real dtypes are converted to float64.  NaN gives NaN.
        out : array of the shape and dtype of the result, optional
            Array for the result; may be ``x``, which is left unchanged if an error is raised.
        excitation : array, optional
            Excitatory rates e from the previous layer, nonnegative, broadcast against ``x``: they
            add to ``lambda_plus``.  Published networks have none.

        Returns
        -------
        ndarray
            Probabilities in (0, 1), to about two units in the last place; 1 where excitation
            saturates the cluster.

        Raises
        ------
        NegativeInputError
            Some of ``x`` is negative, where (8) is not a probability.
        ParameterError
            ``x`` or ``out`` has the wrong shape or dtype.

        Notes
        -----
        One pass over memory, in threads, without temporary arrays.
        """
        if excitation is not None:
            return self._apply_signed(_signed_kernels.signed_zeta_rows, x, excitation, out)
        return self._apply(_kernels.zeta_rows, x, out)

    def eta(
        self, x: ArrayLike, out: FloatArray | None = None, *, excitation: ArrayLike | None = None
    ) -> FloatArray:
        """Return eta(x), the derivative of zeta at x; it is negative and tends to 0.

        Parameters, dtypes, errors and cost are those of :meth:`zeta`; in saturation it is 0.

        Examples
        --------
        >>> cluster, h = Cluster(), 1e-7
        >>> slope = (cluster.zeta(0.01 + h) - cluster.zeta(0.01 - h)) / (2 * h)
        >>> bool(abs(cluster.eta(0.01) / slope - 1) < 1e-6)
        True
        """
        if excitation is not None:
            slope = self.eta_plus(x, excitation)
            slope *= -self.zeta(x, excitation=excitation)
            return _returned(slope, out)
        return self._apply(_kernels.eta_rows, x, out)

    def eta_plus(
        self, x: ArrayLike, excitation: ArrayLike, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the derivative of zeta with regard to excitation: -eta / zeta.

        Parameters, dtypes, errors and cost are those of :meth:`zeta`; in saturation it is 0.

        Examples
        --------
        >>> Cluster().eta_plus(0.01, [0.0, 0.004, 0.02]).round(2)
        array([66.22, 66.21,  0.  ])
        """
        return self._apply_signed(_signed_kernels.signed_slope_rows, x, excitation, out)

    def _apply_signed(
        self, kernel: Callable[..., None], x: ArrayLike, excitation: ArrayLike, out: Any
    ) -> FloatArray:
        values, e = _as_float(x), _as_float(excitation)
        for name, array in (("x", values), ("excitation", e)):
            refuse_negative(array, name)
        dtype = np.result_type(values, e)
        values, e = np.broadcast_arrays(values.astype(dtype), e.astype(dtype))
        shape = values.shape
        if self.n_clusters is None:
            values, e = values.reshape(1, -1), e.reshape(1, -1)
        elif not shape or shape[-1] != self.n_clusters:
            raise ParameterError(
                f"x must end with an axis of {self.n_clusters} clusters: its shape is {shape}"
            )
        else:
            values, e = (array.reshape(-1, shape[-1]).T for array in (values, e))
        values, e = np.ascontiguousarray(values), np.ascontiguousarray(e)
        found = np.empty_like(values)
        rates = self.signed_rates(dtype)

        def part(start: int, stop: int) -> None:
            kernel(values[:, start:stop], e[:, start:stop], found[:, start:stop], rates)

        run_blocks(part, values.shape[1], at_least=-(-WORTH_A_THREAD // max(1, len(values))))
        return _returned(found.T.reshape(shape) if len(found) > 1 else found.reshape(shape), out)

    def _apply(self, kernel: Callable[..., bool], x: ArrayLike, out: Any) -> FloatArray:
        values = _as_float(x)
        if out is None:
            out = np.empty(values.shape, values.dtype)
        else:
            _require_like(out, values)
        if np.may_share_memory(values, out):
            # Check before anything is overwritten, so that ``x`` survives an error.  Arrays that
            # overlap without being identical would be read after they were written: copy those.
            if values.size and sign_bits(np.ascontiguousarray(values)).min() < 0:
                refuse_negative(values, "x")
            same = values.ctypes.data == out.ctypes.data and values.strides == out.strides
            values = values if same else values.copy()
        if self.n_clusters is None:
            signed = self._apply_flat(kernel, values, out)
        else:
            signed = self._apply_columns(kernel, values, out)
        if signed:
            refuse_negative(np.asarray(x), "x")
        return cast("FloatArray", out if out.ndim else out[()])

    def _apply_flat(self, kernel: Callable[..., bool], x: FloatArray, out: FloatArray) -> bool:
        flat = np.ascontiguousarray(x).reshape(1, -1)
        target = out.reshape(1, -1) if out.flags.c_contiguous else np.empty_like(flat)
        coefficients = self.coefficients(x.dtype)
        signed = run_blocks(
            lambda i, j: kernel(
                flat[:, i:j], sign_bits(flat)[:, i:j], target[:, i:j], coefficients
            ),
            flat.size,
            at_least=WORTH_A_THREAD,
        )
        if not out.flags.c_contiguous:
            out[...] = target.reshape(out.shape)
        return any(signed)

    def _apply_columns(self, kernel: Callable[..., bool], x: FloatArray, out: FloatArray) -> bool:
        if x.ndim == 0 or x.shape[-1] != self.n_clusters:
            raise ParameterError(
                f"x must end with an axis of {self.n_clusters} clusters: its shape is {x.shape}"
            )
        by_cluster = np.array(x.reshape(-1, x.shape[-1]).T, order="C")  # always a copy
        signed = apply_rows(kernel, by_cluster, by_cluster, self.coefficients(x.dtype))
        out[...] = by_cluster.T.reshape(out.shape)
        return signed


def apply_rows(
    kernel: Callable[..., bool], x: FloatArray, out: FloatArray, coefficients: FloatArray
) -> bool:
    """Apply a kernel to the rows (clusters) of ``x``, in threads.

    Parameters
    ----------
    kernel : callable
        ``zeta_rows`` or ``eta_rows``.
    x, out : ndarray of shape (n_clusters, n_samples), C order, of one float dtype
        May be the same array.
    coefficients : ndarray of shape (4, 1) or (4, n_clusters)

    Returns
    -------
    bool
        Whether the sign bit of any entry of ``x`` was set (negative, -0.0 or NaN).
    """
    bits = sign_bits(x)

    def part(start: int, stop: int) -> bool:
        own = coefficients if coefficients.shape[1] == 1 else coefficients[:, start:stop]
        return kernel(x[start:stop], bits[start:stop], out[start:stop], own)

    columns = max(1, x.shape[1])
    return any(run_blocks(part, x.shape[0], at_least=-(-WORTH_A_THREAD // columns)))


def sign_bits(x: FloatArray) -> NDArray[np.signedinteger[Any]]:
    """Return a view of ``x`` as integers, negative where the sign bit is set."""
    return x.view(np.int32 if x.dtype == np.float32 else np.int64)


def refuse_negative(x: NDArray[Any], name: str, first_row: int = 0) -> None:
    """Raise :class:`NegativeInputError` if any entry of ``x`` is negative.

    Parameters
    ----------
    x : ndarray
        If it has two axes, rows are samples.
    name : str
        Name of ``x`` in the message.
    first_row : int, default=0
        Index of the first row of ``x`` within the whole data.
    """
    with np.errstate(invalid="ignore"):
        where = np.argwhere(x < 0)
    if not len(where):
        return
    first = tuple(int(i) for i in where[0])
    value = x[first]
    rows = sorted({int(index[0]) + first_row for index in where}) if x.ndim > 1 else []
    named = f" in rows {_listed(rows)}" if rows else ""
    raise NegativeInputError(
        f"{name} has {len(where)} negative entries{named}, the first at {first}: {value!s}. "
        "Input of a network is a rate or a probability: scale it to [0, 1] with UnitScaler, or "
        "split it into parts above and below with SplitScaler"
    )


def _listed(rows: list[int], most: int = 5) -> str:
    shown = ", ".join(map(str, rows[:most]))
    return shown if len(rows) <= most else f"{shown} and {len(rows) - most} more"


def _returned(found: FloatArray, out: FloatArray | None) -> FloatArray:
    """Return a result, or ``out`` with it."""
    if out is None:
        return found if found.ndim else found[()]
    _require_like(out, found)
    out[...] = found
    return out


def _require_like(out: FloatArray, values: FloatArray) -> None:
    """Refuse an ``out`` that has not the shape and dtype of a result, or cannot be written."""
    if out.shape != values.shape or out.dtype != values.dtype:
        raise ParameterError(
            f"out must have shape {values.shape} and dtype {values.dtype}: "
            f"it has {out.shape} and {out.dtype}"
        )
    if not out.flags.writeable:
        raise ParameterError("out must be writeable: it is a read-only array")


def _as_float(x: ArrayLike) -> FloatArray:
    values = np.asarray(x)
    if values.dtype in (np.float32, np.float64):
        return values
    if values.dtype.kind not in "biuf":
        raise ParameterError(f"x must be real numbers: its dtype is {values.dtype}")
    return values.astype(np.float64)


def _parameter(name: str, value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.ndim > 1 or array.size == 0:
        raise ParameterError(f"Cluster needs a number or a 1-D array for {name}: it is {value!r}")
    if not np.isfinite(array).all():
        raise ParameterError(f"Cluster needs finite {name}: it is {value!r}")
    if array.ndim:
        array = array.copy()
        array.setflags(write=False)
    return array


def _require(holds: NDArray[np.bool_], condition: str, **values: NDArray[Any]) -> None:
    """Raise :class:`ParameterError` for the first cluster that violates the condition."""
    if np.all(holds):
        return
    index = int(np.argmin(np.atleast_1d(holds)))
    where = f"[{index}]" if np.ndim(holds) else ""
    shown = ", ".join(
        f"{name}{where if value.ndim else ''} is {value[index] if value.ndim else value[()]}"
        for name, value in values.items()
    )
    raise ParameterError(f"Cluster needs {condition}: {shown}")
