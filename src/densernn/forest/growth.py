"""Extremely randomised trees over binned columns: compiled growth of one tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import exact

TRIES = 3
"""Draws of thresholds at a node before it stays a leaf."""


@dataclass(frozen=True, eq=False)
class GrownTree:
    """A tree in preorder: the left child of an inner node follows it.

    Parameters
    ----------
    column, code : ndarray of shape (n_nodes,), intp
        Rows whose bin of ``column`` is at most ``code`` go left; -1 in a leaf.
    parent, right, end : ndarray of shape (n_nodes,), intp
        Number of the parent (-1 at the root), of the right child (-1 in a leaf), and of the first
        node behind the subtree.
    weight : ndarray of shape (n_nodes,), float64
        Total weight of the sampled rows in each node.
    leaf : ndarray of shape (n_rows,), intp
        The leaf of each sampled row.
    """

    column: NDArray[np.intp]
    code: NDArray[np.intp]
    parent: NDArray[np.intp]
    right: NDArray[np.intp]
    end: NDArray[np.intp]
    weight: NDArray[np.float64]
    leaf: NDArray[np.intp]


def grow_tree(
    codes: NDArray[np.uint8],
    labels: NDArray[np.intp],
    values: NDArray[np.float64],
    weight: NDArray[Any],
    max_features: float,
    min_weight: float,
    seed: int,
) -> GrownTree:
    r"""Grow a tree on sampled rows.

    At a node, a share ``max_features`` of the columns that vary in it is drawn, with one threshold
    each, uniform over the bins between the node's least and largest.  Kept is the split with the
    largest :math:`\sum_q s_{q,L}^2 / n_L + s_{q,R}^2 / n_R`, with s the sums of the targets: of
    one-hot labels this is Gini's gain, of values that of variance (Geurts, Ernst and Wehenkel,
    2006).

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_columns)
        Bins, C order.
    labels : ndarray of shape (n_rows,), or empty
        Classes, numbered from 0.
    values : ndarray of shape (n_rows, n_targets), or empty
        Centred values, where there are no labels.
    weight : ndarray of shape (n_rows,), int32 or float64
        Above 0; whole numbers are faster and exact.
    max_features : float
        In (0, 1].
    min_weight : float
        Least total weight of a child.
    seed : int

    Returns
    -------
    GrownTree

    Notes
    -----
    Cost: two passes over the rows of a node, in which the columns of a row, one or two cache lines
    of bytes, are compared with their thresholds by vector instructions.
    """
    total = float(weight.sum(dtype=np.float64))
    capacity = 2 * int(min(total // min_weight, len(codes))) + 1
    whole = np.empty((5, capacity), np.intp)
    node_weight = np.empty(capacity)
    leaf = np.empty(len(codes), np.intp)
    n_classes = int(labels.max()) + 1 if labels.size else 0
    grow = _grow_by_labels if labels.size else _grow_by_values
    targets = labels if labels.size else values
    n_nodes = grow(
        codes, targets, n_classes, weight, max_features, min_weight, seed, whole, node_weight, leaf
    )
    return GrownTree(*(row[:n_nodes].copy() for row in whole), node_weight[:n_nodes].copy(), leaf)


@exact
def _seeded(seed: Any) -> Any:
    """Return the state of a generator: neighbouring seeds give unrelated ones (SplitMix64)."""
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.array([(x ^ (x >> np.uint64(31))) | np.uint64(1)])


@exact
def _next(state: Any) -> Any:
    """Advance a 64-bit xorshift generator (Marsaglia, 2003), and return 31 random bits."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    # The high bits of a product are better than the bits themselves (xorshift*).
    return np.intp((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33))


@exact
def _ranges(codes: Any, low: Any, high: Any) -> None:
    low[:] = 255
    high[:] = 0
    for i in range(codes.shape[0]):
        x = codes[i]
        for j in range(x.size):
            low[j] = min(low[j], x[j])
            high[j] = max(high[j], x[j])


@exact
def _draw(low: Any, high: Any, max_features: Any, state: Any, live: Any, threshold: Any) -> int:
    """Draw columns into the front of ``live``, with thresholds; return how many."""
    n_live = 0
    for j in range(low.size):
        threshold[j] = 255  # a column that was not drawn: all rows on one side
        if low[j] < high[j]:
            live[n_live] = j
            n_live += 1
    n_drawn = np.intp(np.ceil(max_features * n_live))
    for k in range(n_drawn):
        other = k + _next(state) % (n_live - k)
        live[k], live[other] = live[other], live[k]
        j = live[k]
        threshold[j] = low[j] + _next(state) % (np.intp(high[j]) - low[j])
    return n_drawn


@exact
def _partition(
    codes: Any, targets: Any, weight: Any, rows: Any, column: Any, threshold: Any, spare: Any
) -> int:
    """Put rows that go left first, both sides in their order; return how many go left."""
    spare_codes, spare_targets, spare_weight, spare_rows = spare
    n_left = 0
    n_right = 0
    for i in range(rows.size):
        if codes[i, column] <= threshold:
            codes[n_left] = codes[i]
            targets[n_left] = targets[i]
            weight[n_left] = weight[i]
            rows[n_left] = rows[i]
            n_left += 1
        else:
            spare_codes[n_right] = codes[i]
            spare_targets[n_right] = targets[i]
            spare_weight[n_right] = weight[i]
            spare_rows[n_right] = rows[i]
            n_right += 1
    codes[n_left:] = spare_codes[:n_right]
    targets[n_left:] = spare_targets[:n_right]
    weight[n_left:] = spare_weight[:n_right]
    rows[n_left:] = spare_rows[:n_right]
    return n_left


@exact
def _grow_by_labels(
    codes: Any,
    labels: Any,
    n_classes: Any,
    weight: Any,
    max_features: Any,
    min_weight: Any,
    seed: Any,
    nodes: Any,
    node_weight: Any,
    leaf: Any,
) -> int:
    n, d = codes.shape
    state = _seeded(seed)
    # Rows are moved with their nodes: rows of a node lie side by side in memory.
    rows, codes, labels, weight = np.arange(n), codes.copy(), labels.copy(), weight.copy()
    spare = codes.copy(), labels.copy(), weight.copy(), rows.copy()
    low, high, threshold = (np.empty(d, np.uint8), np.empty(d, np.uint8), np.empty(d, np.uint8))
    live = np.empty(d, np.intp)
    left = np.zeros((n_classes, d), weight.dtype)
    total = np.zeros(n_classes)
    present = np.empty(n_classes, np.intp)
    stack = np.empty((64 + n, 3), np.intp)
    stack[0] = 0, n, -1
    n_stacked, n_nodes = 1, 0
    while n_stacked:
        n_stacked -= 1
        start, stop, parent = stack[n_stacked]
        node = n_nodes
        n_nodes += 1
        nodes[:, node] = -1
        nodes[2, node] = parent
        if parent >= 0 and node > parent + 1:
            nodes[3, parent] = node
        n_present = 0
        whole = 0.0
        for r in range(start, stop):
            c = labels[r]
            if total[c] == 0.0:
                present[n_present] = c
                n_present += 1
            total[c] += weight[r]
            whole += weight[r]
        node_weight[node] = whole
        best, column = -1.0, -1
        if n_present > 1 and whole >= 2.0 * min_weight:
            _ranges(codes[start:stop], low, high)
            for _ in range(TRIES):
                n_drawn = _draw(low, high, max_features, state, live, threshold)
                for k in range(n_present):
                    left[present[k]] = 0
                for r in range(start, stop):
                    x, w, counts = codes[r], weight[r], left[labels[r]]
                    for j in range(d):
                        counts[j] += w if x[j] <= threshold[j] else 0
                for k in range(n_drawn):
                    j = live[k]
                    n_left = 0.0
                    for i in range(n_present):
                        n_left += left[present[i], j]
                    n_right = whole - n_left
                    if n_left < min_weight or n_right < min_weight:
                        continue
                    gain = 0.0
                    for i in range(n_present):
                        c = present[i]
                        a = np.float64(left[c, j])
                        gain += a * a / n_left + (total[c] - a) * (total[c] - a) / n_right
                    if gain > best:
                        best, column = gain, j
                if column >= 0 or not n_drawn:
                    break
        for k in range(n_present):
            total[present[k]] = 0.0
        if column < 0:
            leaf[rows[start:stop]] = node
            continue
        nodes[0, node] = column
        nodes[1, node] = threshold[column]
        middle = start + _partition(
            codes[start:stop],
            labels[start:stop],
            weight[start:stop],
            rows[start:stop],
            column,
            threshold[column],
            spare,
        )
        stack[n_stacked] = middle, stop, node
        stack[n_stacked + 1] = start, middle, node
        n_stacked += 2
    _find_ends(nodes, n_nodes)
    return n_nodes


@exact
def _grow_by_values(
    codes: Any,
    values: Any,
    n_classes: Any,
    weight: Any,
    max_features: Any,
    min_weight: Any,
    seed: Any,
    nodes: Any,
    node_weight: Any,
    leaf: Any,
) -> int:
    n, d = codes.shape
    n_targets = values.shape[1]
    state = _seeded(seed)
    rows, codes, values, weight = np.arange(n), codes.copy(), values.copy(), weight.copy()
    spare = codes.copy(), values.copy(), weight.copy(), rows.copy()
    low, high, threshold = (np.empty(d, np.uint8), np.empty(d, np.uint8), np.empty(d, np.uint8))
    live = np.empty(d, np.intp)
    left = np.zeros((n_targets + 1, d))
    total = np.zeros(n_targets)
    stack = np.empty((64 + n, 3), np.intp)
    stack[0] = 0, n, -1
    n_stacked, n_nodes = 1, 0
    while n_stacked:
        n_stacked -= 1
        start, stop, parent = stack[n_stacked]
        node = n_nodes
        n_nodes += 1
        nodes[:, node] = -1
        nodes[2, node] = parent
        if parent >= 0 and node > parent + 1:
            nodes[3, parent] = node
        total[:] = 0.0
        whole = 0.0
        varies = False
        for r in range(start, stop):
            whole += weight[r]
            for q in range(n_targets):
                total[q] += weight[r] * values[r, q]
                varies |= values[r, q] != values[start, q]
        node_weight[node] = whole
        best, column = -1.0, -1
        if varies and whole >= 2.0 * min_weight:
            _ranges(codes[start:stop], low, high)
            for _ in range(TRIES):
                n_drawn = _draw(low, high, max_features, state, live, threshold)
                left[:] = 0.0
                for r in range(start, stop):
                    x = codes[r]
                    for q in range(n_targets + 1):
                        w = np.float64(weight[r])
                        if q:
                            w *= values[r, q - 1]
                        sums = left[q]
                        for j in range(d):
                            sums[j] += w if x[j] <= threshold[j] else 0.0
                for k in range(n_drawn):
                    j = live[k]
                    n_left = left[0, j]
                    n_right = whole - n_left
                    if n_left < min_weight or n_right < min_weight:
                        continue
                    gain = 0.0
                    for q in range(n_targets):
                        a = left[q + 1, j]
                        gain += a * a / n_left + (total[q] - a) * (total[q] - a) / n_right
                    if gain > best:
                        best, column = gain, j
                if column >= 0 or not n_drawn:
                    break
        if column < 0:
            leaf[rows[start:stop]] = node
            continue
        nodes[0, node] = column
        nodes[1, node] = threshold[column]
        middle = start + _partition(
            codes[start:stop],
            values[start:stop],
            weight[start:stop],
            rows[start:stop],
            column,
            threshold[column],
            spare,
        )
        stack[n_stacked] = middle, stop, node
        stack[n_stacked + 1] = start, middle, node
        n_stacked += 2
    _find_ends(nodes, n_nodes)
    return n_nodes


@exact
def _find_ends(nodes: Any, n_nodes: Any) -> None:
    """Write the first node behind each subtree: children come after their parents."""
    for node in range(n_nodes - 1, -1, -1):
        right = nodes[3, node]
        nodes[4, node] = node + 1 if right < 0 else nodes[4, right]
