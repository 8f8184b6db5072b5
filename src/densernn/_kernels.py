"""Numba kernels: the activation zeta (8), its derivative eta, sparse layers and scalers.

In all kernels the **rows of an array are clusters or features and its columns are samples**, so
that the parameters of a cluster are constants of the inner loop and the compiler can use vector
instructions (docs/decisions/0005).  ``coefficients`` are the four rows of
:meth:`Cluster.coefficients`.  Compiled code is cached on disk.

Kernels do not check bounds: callers do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Not fastmath=True, which assumes that NaN never occurs and removes the tests for it.
_FLAGS = {"contract", "arcp", "afn", "nsz", "reassoc"}

TILE = 2048
"""Samples per tile: input, scratch and output of a tile fit in the first-level cache."""


def _compile(function: Callable[..., Any], fastmath: set[str] | bool) -> Callable[..., Any]:
    """Return the function compiled at its first call, cached on disk where that is possible."""
    # nogil lets kernels run in plain threads: docs/decisions/0001.
    options: dict[str, Any] = {"nogil": True, "fastmath": fastmath, "error_model": "numpy"}
    compiled: Callable[..., Any]
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder for the cache can be written
        compiled = numba.njit(**options)(function)
    return compiled


def reordering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function whose sums may be reordered, so that they use vector instructions."""
    return _compile(function, _FLAGS)


def exact(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without fast-math reordering."""
    return _compile(function, fastmath=False)


def as_native(values: Any) -> Any:
    """Return numbers in a dtype that kernels know; float16, longer and swapped become float64."""
    known = values.dtype.kind != "f" or values.dtype.itemsize in (4, 8)
    return values if known and values.dtype.isnative else values.astype(np.float64)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled into each kernel that calls it.

    As a function of its own it would be optimised on its own, too, and fast-math rounds by what
    the optimiser sees: the process that compiles would use one version of it, and later ones,
    which load the kernel from the cache, another.
    """
    inlined: Callable[..., Any] = numba.njit(
        nogil=True, fastmath=_FLAGS, error_model="numpy", forceinline=True
    )(function)
    return inlined


@inlined
def _zeta_tile(x: Any, out: Any, b0: Any, b1: Any, y0: Any, y1: Any) -> None:
    # Literals are float64 and would widen float32 arithmetic: constants take the array's dtype.
    two = x.dtype.type(2)
    for i in range(x.size):
        b = b0 + b1 * x[i]
        y = y0 + y1 * x[i]
        # Only sums of nonnegative terms: b^2 - 4ad of (8) cancels for small p or x.
        disc = b * b + y * (two * (b + two) + y)
        out[i] = two / (b + two + y + np.sqrt(disc))


@inlined
def _eta_tile(x: Any, out: Any, b0: Any, b1: Any, y0: Any, y1: Any) -> None:
    zero, two = x.dtype.type(0), x.dtype.type(2)
    half = x.dtype.type(0.5)
    most = np.finfo(x.dtype).max
    for i in range(x.size):
        b = b0 + b1 * x[i]
        y = y0 + y1 * x[i]
        lift = y * (two * (b + two) + y)
        disc = b * b + lift
        root = np.sqrt(disc)
        zeta = two / (b + two + y + root)
        # 1 - zeta = zeta (y + gap) / 2 with gap = root + b, which cancels where b < 0: there it is
        # taken in conjugate form, lift / (root - b).
        gap = lift / (root - b) if b < zero else root + b
        slope = -zeta * (y1 + b1 * half * zeta * (y + gap)) / root
        # Where squares of x overflow, eta is 0 to working precision, not 0 * inf = NaN.
        out[i] = -zero if disc > most else slope


@inlined
def _copy_tile(x: Any, bits: Any, tile: Any) -> bool:
    """Copy ``x`` into ``tile`` and return whether any sign bit is set.

    ``bits`` is a view of ``x`` as integers.
    """
    for i in range(tile.size):
        tile[i] = x[i]
    # The OR of integers vectorises; a comparison of floats does not, since NaN must be kept apart
    # (docs/decisions/0001).
    union = bits[0] & 0
    for i in range(bits.size):
        union |= bits[i]
    return bool(union < 0)


@reordering
def zeta_rows(x: Any, bits: Any, out: Any, coefficients: Any) -> bool:
    """Write zeta of each row of ``x`` into ``out``; return whether any sign bit was set.

    ``out`` may be ``x``.
    """
    scratch = np.empty(TILE, x.dtype)
    signed = False
    for c in range(x.shape[0]):
        k = coefficients[:, c if coefficients.shape[1] > 1 else 0]
        for start in range(0, x.shape[1], TILE):
            stop = min(start + TILE, x.shape[1])
            tile = scratch[: stop - start]
            # A kernel that reads and writes one array cannot be vectorised, since each write might
            # change the next read: four times slower (docs/decisions/0001).
            signed |= _copy_tile(x[c, start:stop], bits[c, start:stop], tile)
            _zeta_tile(tile, out[c, start:stop], k[0], k[1], k[2], k[3])
    return signed


@reordering
def eta_rows(x: Any, bits: Any, out: Any, coefficients: Any) -> bool:
    """Write eta of each row of ``x`` into ``out``; parameters are those of :func:`zeta_rows`."""
    scratch = np.empty(TILE, x.dtype)
    signed = False
    for c in range(x.shape[0]):
        k = coefficients[:, c if coefficients.shape[1] > 1 else 0]
        for start in range(0, x.shape[1], TILE):
            stop = min(start + TILE, x.shape[1])
            tile = scratch[: stop - start]
            signed |= _copy_tile(x[c, start:stop], bits[c, start:stop], tile)
            _eta_tile(tile, out[c, start:stop], k[0], k[1], k[2], k[3])
    return signed


@reordering
def sparse_zeta_rows(
    z: Any, starts: Any, inputs: Any, values: Any, coefficients: Any, out: Any
) -> None:
    """Write ``zeta(W' z)`` into ``out``, with W given as compressed sparse columns."""
    scratch = np.empty(TILE, z.dtype)
    for start in range(0, z.shape[1], TILE):
        stop = min(start + TILE, z.shape[1])
        tile = scratch[: stop - start]
        # Tiles outside, clusters inside: the pre-activations of a tile are still in the cache when
        # zeta is applied to them.
        for c in range(starts.size - 1):
            tile[:] = 0
            for position in range(starts[c], starts[c + 1]):
                weight = values[position]
                row = z[inputs[position], start:stop]
                for i in range(tile.size):
                    tile[i] += weight * row[i]
            k = coefficients[:, c if coefficients.shape[1] > 1 else 0]
            _zeta_tile(tile, out[c, start:stop], k[0], k[1], k[2], k[3])


@reordering
def centre_rows(z: Any, shift: Any, root_weight: Any, sums: Any) -> None:
    """Subtract ``shift[c]`` from row c, scale samples by ``root_weight``, and add to ``sums``.

    ``root_weight`` is empty where every sample has weight 1.  One pass over memory.
    """
    for c in range(z.shape[0]):
        row = z[c]
        off = shift[c]
        total = 0.0  # float64 whatever the dtype of z: long sums of float32 lose digits
        if root_weight.size:
            for i in range(row.size):
                row[i] = (row[i] - off) * root_weight[i]
                # The row now holds sqrt(w) (z - s), of which SYRK makes w (z - s)(z - s)'.
                total += np.float64(row[i]) * np.float64(root_weight[i])
        else:
            for i in range(row.size):
                row[i] -= off
                total += np.float64(row[i])
        sums[c] += total


@reordering
def standardize_samples(z: Any, low: Any, factor: Any, start: Any, stop: Any) -> None:
    """Replace samples (columns) ``start:stop`` of ``z`` by their z-scores over all clusters.

    Row c is first shifted by ``-low[c]`` and scaled by ``factor[c]``.  The standard deviation has
    n - 1 in its denominator, as in MATLAB's ``zscore``; a constant sample becomes 0.
    """
    n_clusters = z.shape[0]
    step = 128  # samples of a tile, which stays in the cache over the three sweeps
    means = np.empty(step, np.float64)
    scales = np.empty(step, np.float64)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        means[:] = 0.0
        scales[:] = 0.0
        for c in range(n_clusters):
            row = z[c, first:last]
            for i in range(row.size):
                row[i] = (row[i] - low[c]) * factor[c]
                means[i] += row[i]
        for i in range(last - first):
            means[i] /= n_clusters
        for c in range(n_clusters):
            row = z[c, first:last]
            for i in range(row.size):
                gap = row[i] - means[i]
                scales[i] += gap * gap
        for i in range(last - first):
            squares = scales[i]
            scales[i] = np.sqrt((n_clusters - 1) / squares) if squares > 0.0 else 0.0
        for c in range(n_clusters):
            row = z[c, first:last]
            for i in range(row.size):
                row[i] = (row[i] - means[i]) * scales[i]


@reordering
def add_upper(total: Any, part: Any, start: Any, stop: Any) -> None:
    """Add columns ``start:stop`` of the upper triangle of ``part`` to those of ``total``.

    Both are passed transposed: a column of the Fortran-ordered matrix is a contiguous row here.
    """
    # part may be float32 and total float64: totals never lose digits (docs/decisions/0003).
    for j in range(start, stop):
        source = part[j, : j + 1]
        target = total[j, : j + 1]
        for i in range(j + 1):
            target[i] += source[i]


@reordering
def scale_columns(
    x: Any, low: Any, factor: Any, most: Any, start: Any, stop: Any, out: Any
) -> None:
    """Write ``(x - low) * factor``, within 0 and ``most``, of some columns as rows of ``out``.

    A missing value, NaN, becomes 0.
    """
    zero = low.dtype.type(0)
    for j in range(start, stop):
        for i in range(x.shape[0]):
            value = (x[i, j] - low[j]) * factor[j]
            # Comparisons with NaN are false.
            value = value if value > zero else zero
            out[j, i] = value if value < most else most


@reordering
def split_columns(
    x: Any, mean: Any, factor: Any, limits: Any, knots: Any, start: Any, stop: Any, out: Any
) -> None:
    """Write the parts of ``(x - mean) * factor`` above and below each knot as rows of ``out``.

    Row ``2 k d + j`` holds the part of column j above knot k, row ``(2 k + 1) d + j`` that below.
    Values count as those of the nearest of the two ``limits`` of their column; a missing value,
    NaN, has no part.
    """
    n_columns = x.shape[1]
    zero = mean.dtype.type(0)
    for j in range(start, stop):
        least, most = limits[0, j], limits[1, j]
        for k in range(knots.size):
            above = out[2 * k * n_columns + j]
            below = out[(2 * k + 1) * n_columns + j]
            for i in range(x.shape[0]):
                z = (x[i, j] - mean[j]) * factor[j]
                z = least if z < least else z
                z = most if z > most else z
                value = z - knots[k]
                # Comparisons with NaN are false.
                above[i] = value if value > zero else zero
                below[i] = -value if value < zero else zero


@reordering
def split_errors(outputs: Any, slope: Any, inputs: Any, weight: Any) -> float:
    """Return the weighted squared error of the outputs, and scale both by the slopes.

    ``outputs`` becomes ``w slope outputs`` and ``slope`` becomes ``w slope inputs``, the products
    that (16) and (17) share.  ``weight`` is empty where every sample has weight 1.
    """
    one = outputs.dtype.type(1)
    total = 0.0
    for c in range(outputs.shape[0]):
        for i in range(outputs.shape[1]):
            w = outputs.dtype.type(weight[i]) if weight.size else one
            # Before outputs are overwritten: the cost (13) costs no pass of its own.
            error = inputs[c, i] - outputs[c, i]
            total += np.float64(w * error) * np.float64(error)
            scale = w * slope[c, i]
            outputs[c, i] = scale * outputs[c, i]
            slope[c, i] = scale * inputs[c, i]
    return total


@reordering
def proximal_step(
    w: Any,
    back: Any,
    p: Any,
    p_back: Any,
    cross: Any,
    beta: Any,
    step: Any,
    threshold: Any,
    floor: Any,
    start: Any,
    stop: Any,
    turn: Any,
    move: Any,
    size: Any,
    fit: Any,
) -> None:
    """Proximal gradient step from Y = w + beta (w - back), for columns ``start:stop``.

    ``p`` is S w and ``p_back`` is S back, with S symmetric.  The new point replaces ``back``; it
    is bounded below by ``floor`` (0 for nonnegative, -inf for signed solutions).

    Written for each column: ``turn``, the inner product of Y - new and new - w; ``move``, the
    largest absolute entry of new - Y; ``size``, that of new; and ``fit``, the part of the
    objective at w that depends on w, w'(S w - 2 cross) + 2 ``threshold`` / ``step`` |w|_1.
    """
    for j in range(start, stop):
        turn[j] = 0.0
        move[j] = 0.0
        size[j] = 0.0
        fit[j] = 0.0
    cost = 2.0 * threshold / step  # alpha: threshold is step * alpha / 2
    # Rows outside: w and the products are C-ordered, so that the inner loop is contiguous.
    for i in range(w.shape[0]):
        for j in range(start, stop):
            here = w[i, j]
            product = p[i, j]
            fit[j] += here * (product - 2.0 * cross[i, j]) + cost * abs(here)
            y = here + beta[j] * (here - back[i, j])
            # S Y = S w + beta (S w - S back): the products of two iterates give it for nothing.
            value = y - step * (product + beta[j] * (product - p_back[i, j]) - cross[i, j])
            new = np.sign(value) * max(abs(value) - threshold, 0.0)
            new = max(new, floor)
            turn[j] += (y - new) * (new - here)
            move[j] = max(move[j], abs(new - y))
            size[j] = max(size[j], abs(new))
            back[i, j] = new
