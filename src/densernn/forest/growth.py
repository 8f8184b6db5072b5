"""Extremely randomised trees over binned columns: compiled growth of one tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import exact
from densernn.forest.splits import (
    best_of,
    draw,
    left_counts,
    left_sums,
    ranges,
    seeded,
    sum_node,
)

TRIES = 3
"""Draws of thresholds at a node before it stays a leaf."""

SCORED = 10_000
"""Rows of a node by which splits are scored, at most."""


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
    Splits of nodes of more than 10,000 rows are scored on 10,000 of them.

    Cost: two passes over the rows of a node, in which the columns of a row, one or two cache lines
    of bytes, are compared with their thresholds by vector instructions.
    """
    total = float(weight.sum(dtype=np.float64))
    capacity = 2 * int(min(total // min_weight, len(codes))) + 1
    whole = np.empty((5, capacity), np.intp)
    node_weight = np.empty(capacity)
    leaf = np.empty(len(codes), np.intp)
    n_classes = int(labels.max()) + 1 if labels.size else 0
    targets = labels[:, None] if labels.size else values
    n_sums, dtype = (
        (n_classes, weight.dtype) if n_classes else (1 + values.shape[1], np.dtype(np.float32))
    )
    padded = np.zeros((len(codes), -(-codes.shape[1] // 8) * 8), np.uint8)
    padded[:, : codes.shape[1]] = codes
    none = np.zeros((n_sums, padded.shape[1]), dtype)
    given = padded, targets, n_classes, weight
    n_nodes = _grow(*given, max_features, min_weight, seed, none, whole, node_weight, leaf)
    column, code, parent, right, end = whole[:, :n_nodes].copy()
    return GrownTree(column, code, parent, right, end, node_weight[:n_nodes].copy(), leaf)


@exact
def _partition(moved: Any, spare: Any, column: Any, threshold: Any) -> int:
    """Put rows that go left first, both sides in their order; return how many go left.

    ``moved`` holds bins, bins as words of eight, targets, weights and numbers of rows.
    """
    codes, words, targets, weight, rows = moved
    spare_words, spare_targets, spare_weight, spare_rows = spare
    n_left = 0
    n_right = 0
    for i in range(rows.size):
        if codes[i, column] <= threshold:
            # Loops, since assigning rows of arrays costs several times as much.
            for j in range(words.shape[1]):
                words[n_left, j] = words[i, j]
            for q in range(targets.shape[1]):
                targets[n_left, q] = targets[i, q]
            weight[n_left] = weight[i]
            rows[n_left] = rows[i]
            n_left += 1
        else:
            for j in range(words.shape[1]):
                spare_words[n_right, j] = words[i, j]
            for q in range(targets.shape[1]):
                spare_targets[n_right, q] = targets[i, q]
            spare_weight[n_right] = weight[i]
            spare_rows[n_right] = rows[i]
            n_right += 1
    words[n_left:] = spare_words[:n_right]
    targets[n_left:] = spare_targets[:n_right]
    weight[n_left:] = spare_weight[:n_right]
    rows[n_left:] = spare_rows[:n_right]
    return n_left


@exact
def _fits(codes: Any, weight: Any, column: Any, threshold: Any, whole: Any, min_weight: Any) -> Any:
    """Return whether a split that was scored on some rows leaves enough of all on both sides."""
    if len(codes) <= SCORED:
        return True
    n_left = 0.0
    for r in range(len(codes)):
        if codes[r, column] <= threshold:
            n_left += weight[r]
    return n_left >= min_weight and whole - n_left >= min_weight


@exact
def _split(
    codes: Any, targets: Any, weight: Any, node_weight: Any, given: Any, state: Any, room: Any
) -> Any:
    """Return the column by which a node is split, or -1 where it stays a leaf.

    The threshold of the column stands in ``room``, whose arrays are used for every node.
    """
    n_classes, unit, max_features, min_weight = given
    threshold, low, high, live, total, present, none = room
    # Rows come in an order as good as random: the first ones stand for all.
    some, some_targets, some_weight = codes[:SCORED], targets[:SCORED], weight[:SCORED]
    n_present, whole = sum_node(some_targets, n_classes, some_weight, total, present)
    if not n_present or node_weight < 2.0 * min_weight:
        return -1
    ranges(some, low, high)
    limits = whole, min_weight * whole / node_weight
    for _ in range(TRIES):
        n_drawn = draw(low, high, max_features, state, live, threshold)
        if not n_drawn:
            return -1
        if unit:
            left = left_counts(some, some_targets, threshold, none)
        else:
            left = left_sums(some, some_targets, n_classes, some_weight, threshold, none)
        column = best_of(live[:n_drawn], left, total, present[:n_present], n_classes, limits)
        if column >= 0 and _fits(codes, weight, column, threshold[column], node_weight, min_weight):
            return column
    return -1


@exact
def _grow(
    codes: Any,
    targets: Any,
    n_classes: Any,
    weight: Any,
    max_features: Any,
    min_weight: Any,
    seed: Any,
    none: Any,
    nodes: Any,
    node_weight: Any,
    leaf: Any,
) -> int:
    n, d = codes.shape
    state = seeded(seed)
    # Rows are moved with their nodes: rows of a node lie side by side in memory.
    rows, codes, targets, weight = np.arange(n), codes.copy(), targets.copy(), weight.copy()
    words = codes.view(np.uint64)
    spare = words.copy(), targets.copy(), weight.copy(), rows.copy()
    threshold = np.empty(d, np.uint8)
    low, high, live = np.empty(d, np.uint8), np.empty(d, np.uint8), np.empty(d, np.intp)
    total, present = np.zeros(len(none)), np.empty(len(none), np.intp)
    room = threshold, low, high, live, total, present, none
    unit = n_classes > 0 and weight.max() == 1
    given = n_classes, unit, max_features, min_weight
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
        own, own_targets, own_weight = codes[start:stop], targets[start:stop], weight[start:stop]
        node_weight[node] = own_weight.sum()
        column = _split(own, own_targets, own_weight, node_weight[node], given, state, room)
        if column < 0:
            leaf[rows[start:stop]] = node
            continue
        nodes[0, node] = column
        nodes[1, node] = threshold[column]
        moved = own, words[start:stop], own_targets, own_weight, rows[start:stop]
        middle = start + _partition(moved, spare, column, threshold[column])
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
