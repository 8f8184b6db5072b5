"""Numba kernels of clusters that excitation reaches, too: zeta of two inputs, and its slope.

Rows of arrays are clusters, columns are samples, as in :mod:`densernn._kernels`; ``rates`` are the
five rows of :meth:`Cluster.signed_rates`.  Kernels do not check bounds: callers do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from densernn._kernels import inlined, reordering


@inlined
def signed_zeta_tile(
    more: Any, unit: Any, out: Any, rest: Any, k: Any, loss: Any, gap: Any
) -> None:
    """Write zeta where inhibition exceeds excitation by ``more``; 1 in saturation.

    ``unit`` is 1 / (lambda_plus + e), of one excitation e for all.
    """
    for i in range(more.size):
        out[i] = _zeta(more[i] + gap, unit, rest, k, loss)


@inlined
def _zeta(above: Any, unit: Any, rest: Any, k: Any, loss: Any) -> Any:
    """Return zeta from Lambda_minus - Lambda_plus and 1 / Lambda_plus."""
    zero, one, two = type(above)(0), type(above)(1), type(above)(2)
    y = (rest * above + loss) * unit
    b = k * above * unit - rest
    # In saturation y is not above 0, and the rest of the formula means nothing.
    safe = max(y, zero)
    disc = b * b + safe * (two * (b + two) + safe)
    root = two / (b + two + safe + np.sqrt(disc))
    return one if y <= zero else root  # NaN stays NaN


@inlined
def _signed_slope_tile(
    x: Any, e: Any, out: Any, rest: Any, k: Any, loss: Any, plus: Any, gap: Any
) -> None:
    zero, one, two = x.dtype.type(0), x.dtype.type(1), x.dtype.type(2)
    half, most = x.dtype.type(0.5), np.finfo(x.dtype).max
    for i in range(x.size):
        more = (x[i] - e[i]) + gap
        unit = one / (plus + e[i])
        y = (rest * more + loss) * unit
        b = k * more * unit - rest
        safe = max(y, zero)
        lift = safe * (two * (b + two) + safe)
        disc = b * b + lift
        root = np.sqrt(disc)
        zeta = two / (b + two + safe + root)
        # As in eta: 1 - zeta = zeta (y + root + b) / 2 without cancellation.
        rise = lift / (root - b) if b < zero else root + b
        slope = (rest + k * half * zeta * (safe + rise)) * unit / root
        out[i] = zero if y <= zero or disc > most else slope


@reordering
def signed_zeta_rows(x: Any, e: Any, out: Any, rates: Any) -> None:
    """Write zeta of each row of ``x`` and ``e`` into ``out``, an array of its own."""
    one = x.dtype.type(1)
    for c in range(x.shape[0]):
        s = rates[:, c if rates.shape[1] > 1 else 0]
        for i in range(x.shape[1]):
            # Before anything else is added: rounding would hide a small difference of large rates.
            above = (x[c, i] - e[c, i]) + s[4]
            out[c, i] = _zeta(above, one / (s[3] + e[c, i]), s[0], s[1], s[2])


@reordering
def signed_slope_rows(x: Any, e: Any, out: Any, rates: Any) -> None:
    """Write the slope of zeta in ``e`` for each row of ``x`` and ``e``; 0 in saturation."""
    for c in range(x.shape[0]):
        s = rates[:, c if rates.shape[1] > 1 else 0]
        _signed_slope_tile(x[c], e[c], out[c], s[0], s[1], s[2], s[3], s[4])
