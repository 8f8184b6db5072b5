"""Compiled sums of a tree: activations of rows, region by region, and their products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import exact
from densernn._syrk import add_products
from densernn.forest.activations import activations, by_region, route
from densernn.forest.boxes import BoxTree

TILE = 512
"""Rows whose activations are held at once."""


def add_rows(
    scores: NDArray[np.float32],
    targets: NDArray[np.float64],
    root_weight: NDArray[np.float64],
    tree: BoxTree,
    coefficients: NDArray[np.float32],
    second: NDArray[np.float64],
    cross: NDArray[np.float64],
) -> None:
    """Add rows to the sums of a tree in place; see ``TreeMoments``.

    ``root_weight`` holds the roots of weights, and is empty where every row weighs 1.
    """
    _add(scores, targets, root_weight, tree.routing, tree.clusters, coefficients, second, cross)


@exact
def _add(
    scores: Any,
    targets: Any,
    root_weight: Any,
    routing: Any,
    clusters: Any,
    coefficients: Any,
    second: Any,
    cross: Any,
) -> None:
    starts = clusters[0]
    n_regions = starts.size - 1
    rows, edges = by_region(route(scores, *routing), n_regions)
    most = (starts[1:] - starts[:-1]).max()
    # Fresh arrays for every tile would cost more in page faults than the activations.
    room = np.empty((most + 1) * TILE)
    scratch = np.empty((most + scores.shape[1]) * TILE, np.float32)
    room_of_products = np.empty(most * most)
    entry = 0
    for r in range(n_regions):
        start, stop = starts[r], starts[r + 1]
        m = stop - start
        if edges[r] == edges[r + 1]:
            entry += m * (m + 1) // 2
            continue
        products = room_of_products[: m * m].reshape(m, m)
        products[:] = 0.0
        for first in range(edges[r], edges[r + 1], TILE):
            own = rows[first : min(first + TILE, edges[r + 1])]
            h = room[: (m + 1) * own.size].reshape(m + 1, own.size)
            activations(scores, own, r, clusters, coefficients, scratch, h)
            h[m] = 1.0
            t = _weighted(targets, root_weight, own, h)
            cross[start + r : stop + r + 1] += np.dot(h, t)
            if m:
                add_products(h[:m], products)
        for c in range(m):
            for b in range(c + 1):
                second[entry + b] += products[c, b]
            entry += c + 1


@exact
def _weighted(targets: Any, root_weight: Any, rows: Any, h: Any) -> Any:
    """Return (1, t) of some rows times the roots of their weights, and scale ``h`` by these."""
    t = np.ones((rows.size, 1 + targets.shape[1]))
    for i in range(rows.size):
        t[i, 1:] = targets[rows[i]]
    if root_weight.size:
        for i in range(rows.size):
            t[i] *= root_weight[rows[i]]
        for c in range(h.shape[0]):
            for i in range(rows.size):
                h[c, i] *= t[i, 0]
    return t


@exact
def add_outputs(
    scores: Any,
    gate: Any,
    routing: Any,
    clusters: Any,
    coefficients: Any,
    weights: Any,
    means: Any,
    limits: Any,
    total: Any,
) -> None:
    """Add the outputs of a tree to ``total``, of shape (n_solutions, n_rows, n_targets).

    They are the region's mean and, times ``gate``, what the activations add to it, within
    ``limits``: two rows of the least and the largest output.  ``weights`` has a set for each
    solution.
    """
    starts = clusters[0]
    n_regions = starts.size - 1
    rows, edges = by_region(route(scores, *routing), n_regions)
    most = (starts[1:] - starts[:-1]).max()
    room = np.empty(most * TILE)
    scratch = np.empty((most + scores.shape[1]) * TILE, np.float32)
    for r in range(n_regions):
        start, stop = starts[r], starts[r + 1]
        m = stop - start
        for first in range(edges[r], edges[r + 1], TILE):
            own = rows[first : min(first + TILE, edges[r + 1])]
            h = room[: m * own.size].reshape(m, own.size)
            activations(scores, own, r, clusters, coefficients, scratch, h)
            for k in range(len(weights)):
                for q in range(total.shape[2]):
                    found = np.full(own.size, weights[k, stop + r, q])
                    for c in range(m):
                        w = weights[k, start + r + c, q]
                        for i in range(own.size):
                            found[i] += w * h[c, i]
                    for i in range(own.size):
                        output = means[r, q] + gate[own[i]] * found[i]
                        total[k, own[i], q] += min(max(output, limits[0, q]), limits[1, q])
