"""Compiled loops over spiking clusters: zeta (8), its derivative, and a sparse layer.

All loops work on arrays whose **rows are clusters and whose columns are samples**, so that
a cluster's parameters are constants of the inner loop and the compiler can use vector
instructions.  ``coefficients`` are the five rows made by :meth:`Cluster.coefficients`.

``fastmath=True`` would let the compiler assume that NaN never occurs and drop the tests for
it; the flags below keep NaN as NaN.  Compiled code is cached on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

_FLAGS = {"contract", "arcp", "afn", "nsz", "reassoc"}

TILE = 2048
"""Samples per tile: input, scratch and output of one tile stay in the first-level cache."""


def _compile(
    function: Callable[..., Any], fastmath: set[str] | bool = _FLAGS
) -> Callable[..., Any]:
    """Compile at first use; without a disk cache where no folder for it can be written."""
    options: dict[str, Any] = {"nogil": True, "fastmath": fastmath, "error_model": "numpy"}
    compiled: Callable[..., Any]
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        compiled = numba.njit(**options)(function)
    return compiled


def exact(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of another module, with rounding as it is written."""
    return _compile(function, fastmath=False)


@_compile
def _zeta_tile(x: Any, out: Any, a0: Any, a1: Any, y0: Any, y1: Any) -> None:
    one = x.dtype.type(1)
    two = one + one
    for i in range(x.size):
        a = a0 + a1 * x[i]
        y = y0 + y1 * x[i]
        disc = (a - one) * (a - one) + y * (two * (a + one) + y)
        out[i] = two / (a + one + y + np.sqrt(disc))


@_compile
def _eta_tile(x: Any, out: Any, a0: Any, a1: Any, y0: Any, y1: Any) -> None:
    one = x.dtype.type(1)
    two = one + one
    half = one / two
    most = np.finfo(x.dtype).max
    for i in range(x.size):
        a = a0 + a1 * x[i]
        y = y0 + y1 * x[i]
        lift = y * (two * (a + one) + y)
        disc = (a - one) * (a - one) + lift
        root = np.sqrt(disc)
        zeta = two / (a + one + y + root)
        # gap = root + a - 1, without cancelling where a < 1; then 1 - zeta = zeta (y + gap) / 2
        gap = lift / (root + one - a) if a < one else root + (a - one)
        slope = -zeta * (y1 + a1 * half * zeta * (y + gap)) / root
        # Where x is so large that squares overflow, eta is next to 0, not 0 * inf = NaN.
        out[i] = -(one - one) if disc > most else slope


@_compile
def _take(x: Any, bits: Any, tile: Any) -> bool:
    """Copy ``x`` into ``tile``; tell whether any sign bit is set.

    ``bits`` is ``x`` seen as integers, whose OR is negative if any sign bit is set: cheaper
    than comparing floats, which NaN keeps the compiler from doing several at a time.
    """
    for i in range(tile.size):
        tile[i] = x[i]
    seen = bits[0] & 0
    for i in range(bits.size):
        seen |= bits[i]
    return bool(seen < 0)


@_compile
def zeta_rows(x: Any, bits: Any, out: Any, coefficients: Any) -> bool:
    """Write zeta of each row of ``x`` into ``out``; tell whether any sign bit was set.

    ``out`` may be ``x``: a tile is copied first, since otherwise the compiler must assume
    that writing changes what is read next, which costs a factor of four.
    """
    scratch = np.empty(TILE, x.dtype)
    signed = False
    for c in range(x.shape[0]):
        k = coefficients[:, c if coefficients.shape[1] > 1 else 0]
        for start in range(0, x.shape[1], TILE):
            stop = min(start + TILE, x.shape[1])
            tile = scratch[: stop - start]
            signed |= _take(x[c, start:stop], bits[c, start:stop], tile)
            _zeta_tile(tile, out[c, start:stop], k[0], k[1], k[2], k[3])
    return signed


@_compile
def eta_rows(x: Any, bits: Any, out: Any, coefficients: Any) -> bool:
    """Write eta, the derivative of zeta, of each row of ``x`` into ``out``: see zeta_rows."""
    scratch = np.empty(TILE, x.dtype)
    signed = False
    for c in range(x.shape[0]):
        k = coefficients[:, c if coefficients.shape[1] > 1 else 0]
        for start in range(0, x.shape[1], TILE):
            stop = min(start + TILE, x.shape[1])
            tile = scratch[: stop - start]
            signed |= _take(x[c, start:stop], bits[c, start:stop], tile)
            _eta_tile(tile, out[c, start:stop], k[0], k[1], k[2], k[3])
    return signed


@_compile
def sparse_zeta_rows(
    z: Any, starts: Any, inputs: Any, values: Any, coefficients: Any, out: Any
) -> None:
    """Write ``zeta(W' z)`` into ``out``, W by its columns as in a compressed sparse matrix.

    The sums of a tile of samples stay in the cache until zeta has been taken of them.
    """
    scratch = np.empty(TILE, z.dtype)
    for start in range(0, z.shape[1], TILE):
        stop = min(start + TILE, z.shape[1])
        tile = scratch[: stop - start]
        for c in range(starts.size - 1):
            tile[:] = 0
            for position in range(starts[c], starts[c + 1]):
                weight = values[position]
                row = z[inputs[position], start:stop]
                for i in range(tile.size):
                    tile[i] += weight * row[i]
            k = coefficients[:, c if coefficients.shape[1] > 1 else 0]
            _zeta_tile(tile, out[c, start:stop], k[0], k[1], k[2], k[3])


@_compile
def centre_rows(z: Any, shift: Any, root_weight: Any, sums: Any) -> None:
    """Take ``shift[c]`` off row c, scale samples by ``root_weight``, and add up weighted sums.

    ``root_weight`` is empty where every sample weighs 1.  Sums are kept in float64, in the
    same pass over memory.
    """
    for c in range(z.shape[0]):
        row = z[c]
        off = shift[c]
        total = 0.0
        if root_weight.size:
            for i in range(row.size):
                row[i] = (row[i] - off) * root_weight[i]
                total += np.float64(row[i]) * np.float64(root_weight[i])
        else:
            for i in range(row.size):
                row[i] -= off
                total += np.float64(row[i])
        sums[c] += total


@_compile
def standardize_samples(z: Any, low: Any, factor: Any, start: Any, stop: Any) -> None:
    """Replace samples (columns) ``start:stop`` of ``z`` by their z-scores over all clusters.

    First ``low[c]`` is taken off row c, and the rest multiplied by ``factor[c]``.  The deviation
    has n - 1 in its denominator; a sample without any becomes 0.  Tiles of samples stay in the
    cache over the three sweeps.
    """
    n_clusters = z.shape[0]
    step = 128
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
            spread = scales[i]
            scales[i] = np.sqrt((n_clusters - 1) / spread) if spread > 0.0 else 0.0
        for c in range(n_clusters):
            row = z[c, first:last]
            for i in range(row.size):
                row[i] = (row[i] - means[i]) * scales[i]


@_compile
def add_upper(total: Any, part: Any, start: Any, stop: Any) -> None:
    """Add columns ``start:stop`` of the upper triangle of ``part`` to those of ``total``.

    Both are passed transposed, so that a column of the Fortran-ordered array is a row here.
    """
    for j in range(start, stop):
        source = part[j, : j + 1]
        target = total[j, : j + 1]
        for i in range(j + 1):
            target[i] += source[i]


@_compile
def scale_columns(x: Any, low: Any, factor: Any, start: Any, stop: Any, out: Any) -> None:
    """Write ``max((x - low) * factor, 0)`` of columns ``start:stop`` as rows of ``out``."""
    zero = low.dtype.type(0)
    for j in range(start, stop):
        for i in range(x.shape[0]):
            value = (x[i, j] - low[j]) * factor[j]
            out[j, i] = zero if value < zero else value


@_compile
def split_columns(
    x: Any, mean: Any, factor: Any, knots: Any, start: Any, stop: Any, out: Any
) -> None:
    """Write the parts of ``(x - mean) * factor`` above and below each knot as rows of ``out``.

    Row ``2 k d + j`` holds the part of column j above knot k, row ``(2 k + 1) d + j`` that below.
    """
    n_columns = x.shape[1]
    zero = mean.dtype.type(0)
    for j in range(start, stop):
        for k in range(knots.size):
            above = out[2 * k * n_columns + j]
            below = out[(2 * k + 1) * n_columns + j]
            for i in range(x.shape[0]):
                value = (x[i, j] - mean[j]) * factor[j] - knots[k]
                above[i] = zero if value < zero else value
                below[i] = zero if value > zero else -value


@_compile
def split_errors(outputs: Any, slope: Any, inputs: Any, weight: Any) -> float:
    """Weigh outputs and inputs by slopes; return the weighted squared error of the outputs.

    ``outputs`` becomes ``w slope outputs`` and ``slope`` becomes ``w slope inputs``, in one pass
    over memory.  ``weight`` is empty where every sample weighs 1.  Errors add up in float64.
    """
    one = outputs.dtype.type(1)
    total = 0.0
    for c in range(outputs.shape[0]):
        for i in range(outputs.shape[1]):
            w = outputs.dtype.type(weight[i]) if weight.size else one
            error = inputs[c, i] - outputs[c, i]
            total += np.float64(w * error) * np.float64(error)
            scale = w * slope[c, i]
            outputs[c, i] = scale * outputs[c, i]
            slope[c, i] = scale * inputs[c, i]
    return total


@_compile
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
    """Take one proximal gradient step from Y = w + beta (w - back), for columns ``start:stop``.

    With S symmetric, ``p`` is S w and ``p_back`` is S back, so that S Y needs no product of its
    own.  The new point replaces ``back``; nothing below ``floor`` is let through (0 for
    nonnegative, -inf for signed solutions).  Of each column it tells ``turn``, the product of
    Y - new with new - w; ``move``, the largest entry of new - Y; ``size``, that of new; and
    ``fit``, w'(S w - 2 cross), the part of the objective at w that changes, with ``threshold``
    / ``step`` times 2 the sum of |w|.
    """
    for j in range(start, stop):
        turn[j] = 0.0
        move[j] = 0.0
        size[j] = 0.0
        fit[j] = 0.0
    cost = 2.0 * threshold / step
    for i in range(w.shape[0]):
        for j in range(start, stop):
            here = w[i, j]
            product = p[i, j]
            fit[j] += here * (product - 2.0 * cross[i, j]) + cost * abs(here)
            y = here + beta[j] * (here - back[i, j])
            value = y - step * (product + beta[j] * (product - p_back[i, j]) - cross[i, j])
            new = np.sign(value) * max(abs(value) - threshold, 0.0)
            new = max(new, floor)
            turn[j] += (y - new) * (new - here)
            move[j] = max(move[j], abs(new - y))
            size[j] = max(size[j], abs(new))
            back[i, j] = new
