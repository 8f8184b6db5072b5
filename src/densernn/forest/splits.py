"""Splits of nodes: thresholds drawn for columns, sums on both sides, and the best of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from densernn._kernels import exact


@exact
def seeded(seed: Any) -> Any:
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
def ranges(codes: Any, low: Any, high: Any) -> None:
    """Write the least and the largest bin of each column."""
    least, most = codes[0].copy(), codes[0].copy()  # arrays made here are known not to overlap
    for i in range(1, codes.shape[0]):
        x = codes[i]
        for j in range(x.size):
            least[j] = min(least[j], x[j])
            most[j] = max(most[j], x[j])
    low[:] = least
    high[:] = most


@exact
def draw(low: Any, high: Any, max_features: Any, state: Any, live: Any, threshold: Any) -> Any:
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
def sum_node(targets: Any, n_classes: Any, weight: Any, total: Any, present: Any) -> Any:
    """Sum a node's rows into ``total``; return how many of the sums matter, and the weight.

    Labels: a sum for each class, of which those above 0 matter.  Values: the weight and a sum
    for each target; none matters where all rows are alike.
    """
    total[:] = 0.0
    whole = 0.0
    n_present = 0
    if n_classes:
        for r in range(len(targets)):
            c = np.intp(targets[r, 0])
            if total[c] == 0.0:
                present[n_present] = c
                n_present += 1
            total[c] += weight[r]
            whole += weight[r]
        return (n_present if n_present > 1 else 0), whole
    varies = False
    for r in range(len(targets)):
        whole += weight[r]
        for q in range(targets.shape[1]):
            total[q + 1] += weight[r] * targets[r, q]
            varies |= targets[r, q] != targets[0, q]
    for q in range(total.size):
        present[q] = q
    return (total.size if varies else 0), whole


@exact
def left_sums(
    codes: Any, targets: Any, n_classes: Any, weight: Any, threshold: Any, none: Any
) -> Any:
    """Return the sums of the rows on the left of every column's split, from those of none."""
    left = none.copy()  # arrays made here are known not to overlap
    bound = threshold.copy()
    for r in range(len(codes)):
        x = codes[r]
        if n_classes:
            w, counts = weight[r], left[np.intp(targets[r, 0])]
            for j in range(x.size):
                counts[j] += w if x[j] <= bound[j] else 0
            continue
        for q in range(len(left)):
            value = np.float32(weight[r])
            if q:
                value *= np.float32(targets[r, q - 1])
            sums = left[q]
            for j in range(x.size):
                sums[j] += value if x[j] <= bound[j] else np.float32(0.0)
    return left


@exact
def left_counts(codes: Any, targets: Any, threshold: Any, none: Any) -> Any:
    """Return the same for labelled rows that all weigh 1: counted in bytes, many at a time."""
    left = none.copy()
    bound = threshold.copy()
    few = np.zeros(none.shape, np.uint8)
    for first in range(0, len(codes), 255):
        few[:] = 0
        for r in range(first, min(first + 255, len(codes))):
            x, counts = codes[r], few[np.intp(targets[r, 0])]
            for j in range(x.size):
                counts[j] += np.uint8(x[j] <= bound[j])
        for c in range(len(few)):
            for j in range(few.shape[1]):
                left[c, j] += few[c, j]
    return left


@exact
def best_of(drawn: Any, left: Any, total: Any, present: Any, n_classes: Any, limits: Any) -> int:
    """Return the drawn column with the largest gain, or -1 where none leaves enough on a side."""
    whole, min_weight = limits
    best, column = -1.0, -1
    for j in drawn:
        n_left = 0.0
        if n_classes:
            for c in present:
                n_left += left[c, j]
        else:
            n_left += left[0, j]
        n_right = whole - n_left
        if n_left < min_weight or n_right < min_weight:
            continue
        gain = 0.0
        for c in present[0 if n_classes else 1 :]:
            a = np.float64(left[c, j])
            gain += a * a / n_left + (total[c] - a) * (total[c] - a) / n_right
        if gain > best:
            best, column = gain, j
    return column
