"""Compiled activations of boxes: from rows to their regions, and to the clusters there."""

from __future__ import annotations

from typing import Any

import numpy as np

from densernn._kernels import exact


@exact
def route(scores: Any, column: Any, right: Any, region: Any, wall: Any) -> Any:
    """Return the region of each row."""
    found = np.empty(scores.shape[0], np.intp)
    for i in range(scores.shape[0]):
        node = 0
        while column[node] >= 0:
            # Comparisons with NaN are false: missing values go right.
            node = node + 1 if scores[i, column[node]] <= wall[node] else right[node]
        found[i] = region[node]
    return found


@exact
def by_region(region: Any, n_regions: Any) -> Any:
    """Return rows in the order of their regions, and where each region starts among them."""
    starts = np.zeros(n_regions + 1, np.intp)
    for r in region:
        starts[r + 1] += 1
    for r in range(n_regions):
        starts[r + 1] += starts[r]
    rows, ends = np.empty(region.size, np.intp), starts[:-1].copy()
    for i in range(region.size):
        rows[ends[region[i]]] = i
        ends[region[i]] += 1
    return rows, starts


@exact
def activations(
    scores: Any,
    rows: Any,
    region: Any,
    clusters: Any,
    k: Any,
    scratch: Any,
    out: Any,
) -> None:
    """Write the activations of a region's clusters for some rows into ``out``, clusters by rows.

    ``clusters`` are those of all regions, ``k`` holds the coefficients of zeta; ``scratch`` has
    room for a number for every cluster and column of each row.
    """
    starts, above, column, hinge, factor = clusters
    start, stop = starts[region], starts[region + 1]
    above, column, factor = above[start:stop], column[start:stop], factor[start:stop]
    hinge = hinge[:, start:stop]
    n = rows.size
    zero = np.float32(0.0)  # before other numbers in max, which then is 0 of NaN, a missing value
    two = np.float32(2.0)
    sums = scratch[: above.size * n].reshape(above.size, n)
    columns = scratch[above.size * n :][: scores.shape[1] * n].reshape(scores.shape[1], n)
    ready = np.zeros(scores.shape[1], np.bool_)
    for c in range(above.size):
        j = column[c]
        z = columns[j]
        if not ready[j]:
            ready[j] = True
            for i in range(n):
                z[i] = scores[rows[i], j]
        sign, wall, former, steepness = hinge[0, c], hinge[1, c], hinge[2, c], hinge[3, c]
        own = sums[c]
        if above[c] < 0:
            for i in range(n):
                own[i] = max(zero, sign * z[i] - wall) * steepness
        else:
            parent = sums[above[c]]
            for i in range(n):
                at = sign * z[i]
                own[i] = parent[i] + (max(zero, at - wall) - max(zero, at - former)) * steepness
    for c in range(above.size):
        own, activation = sums[c], out[c]
        for i in range(n):
            x = own[i] * factor[c]
            b = k[0] + k[1] * x
            y = k[2] + k[3] * x
            activation[i] = two / (b + two + y + np.sqrt(b * b + y * (two * (b + two) + y)))
