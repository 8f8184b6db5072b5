"""Growth of trees: gains by an independent witness, copies and weights, least leaves, regions."""

from itertools import pairwise

import numpy as np
import pytest
from forest_parts import NONE, boxes_of, grown, rows_of
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from densernn.forest.activations import route
from densernn.forest.bins import ColumnBins
from densernn.forest.growth import grow_tree
from densernn.forest.splits import best_of, left_counts, left_sums, sum_node

SEEDS = st.integers(1, 2**31)


def same(one, other):
    """Whether two trees ask the same of a row."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("column", "code", "right", "parent", "end")
    )


def witnessed_gain(left, targets, weight, *, labelled):
    """How much a split lowers impurity, by scikit-learn's trees."""
    stump = (DecisionTreeClassifier if labelled else DecisionTreeRegressor)(max_depth=1)
    tree = stump.fit(left[:, None], targets, sample_weight=weight).tree_
    if tree.node_count == 1:
        return 0.0
    w, impurity = tree.weighted_n_node_samples, tree.impurity
    return impurity[0] - (w[1] * impurity[1] + w[2] * impurity[2]) / w[0]


@given(seed=SEEDS, n_targets=st.integers(0, 3), whole=st.booleans())
def test_the_split_of_the_largest_gain_is_taken(seed, n_targets, whole):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 9, (120, 8)).astype(np.uint8)
    threshold = rng.integers(0, 8, 8).astype(np.uint8)
    weight = rng.integers(1, 4, 120).astype(np.int32) if whole else rng.uniform(0.5, 2.0, 120)
    labels, n_classes = rng.integers(0, 3, (120, 1)), 0 if n_targets else 3
    targets = rng.normal(size=(120, n_targets)) if n_targets else labels
    n_sums, kind = (1 + n_targets, np.float32) if n_targets else (3, weight.dtype)
    total, present = np.zeros(n_sums), np.empty(n_sums, np.intp)
    n_present, sum_of_weights = sum_node(targets, n_classes, weight, total, present)
    left = left_sums(codes, targets, n_classes, weight, threshold, np.zeros((n_sums, 8), kind))
    limits = sum_of_weights, 1.0
    found = best_of(np.arange(8), left, total, present[:n_present], n_classes, limits)
    assert found >= 0
    labelled = n_targets == 0
    gains = [
        witnessed_gain(c <= t, targets, weight, labelled=labelled)
        for c, t in zip(codes.T, threshold, strict=True)
    ]
    assert gains[found] == pytest.approx(max(gains), rel=1e-4, abs=1e-7)


@given(seed=SEEDS, n_rows=st.integers(1, 700))
def test_counts_of_bytes_are_sums_of_weights_of_1(seed, n_rows):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 9, (n_rows, 8)).astype(np.uint8)
    labels, none = rng.integers(0, 3, (n_rows, 1)), np.zeros((3, 8), np.int32)
    threshold = rng.integers(0, 8, 8).astype(np.uint8)
    summed = left_sums(codes, labels, 3, np.ones(n_rows, np.int32), threshold, none)
    np.testing.assert_array_equal(left_counts(codes, labels, threshold, none), summed)
    below = codes <= threshold
    for label in range(3):
        np.testing.assert_array_equal(summed[label], below[labels[:, 0] == label].sum(axis=0))


@given(seed=SEEDS)
def test_weights_grow_the_tree_of_as_many_copies(seed):
    _, _, rows = rows_of(seed=seed % 7)
    times = rows.weight.astype(int)
    codes, labels = rows.codes.repeat(times, axis=0), rows.labels.repeat(times)
    many = grow_tree(codes, labels, NONE, np.ones(len(labels), np.int32), 0.5, 6.0, seed)
    one = grown(rows, seed=seed)
    assert same(one, many)
    np.testing.assert_array_equal(one.weight, many.weight)
    np.testing.assert_array_equal(one.leaf.repeat(times), many.leaf)


@pytest.mark.parametrize("times", [2.0**10, 2.0**18, 2.0**24, 2.0**40])
def test_the_unit_of_weights_decides_no_split(times):
    _, _, rows = rows_of(9000)  # 2**18 copies of each are more than int32 counts
    heavy = rows.weighing(rows.weight * times)
    for seed in range(1, 9):
        assert same(grown(rows, 50.0, seed), grown(heavy, 50.0 * times, seed))


@given(seed=SEEDS, n_targets=st.integers(0, 2), least=st.floats(0.5, 30.0))
def test_leaves_weigh_enough_and_hold_their_rows(seed, n_targets, least):
    _, _, rows = rows_of(seed=seed % 7, n_targets=n_targets)
    weight = np.random.default_rng(seed).uniform(0.1, 3.0, len(rows))
    tree = grown(rows.weighing(weight), least, seed)
    ends = tree.column < 0
    own = np.bincount(tree.leaf, weight, len(tree.column))
    np.testing.assert_allclose(tree.weight[ends], own[ends], rtol=1e-12)
    assert len(ends) == 1 or tree.weight.min() >= least * (1.0 - 1e-6)
    assert not own[~ends].any()


def test_a_seed_decides_the_tree():
    _, _, rows = rows_of()
    trees = [grown(rows, seed=seed) for seed in range(1, 30)]
    assert all(same(tree, grown(rows, seed=1 + k)) for k, tree in enumerate(trees))
    assert not any(same(a, b) for a, b in pairwise(trees))


def test_each_label_and_value_of_a_lone_row_is_a_leaf():
    codes = np.array([[7, 0]], np.uint8)
    for labels, values in ((np.zeros(1, np.intp), NONE), (np.empty(0, np.intp), np.zeros((1, 2)))):
        tree = grow_tree(codes, labels, values, np.ones(1, np.int32), 1.0, 1.0, 1)
        assert (tree.column.tolist(), tree.leaf.tolist(), tree.end.tolist()) == ([-1], [0], [1])


@given(seed=SEEDS, region=st.floats(1.0, 2000.0), n_columns=st.integers(1, 5))
def test_rows_are_led_to_the_region_that_holds_their_leaf(seed, region, n_columns):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, (250, n_columns)).astype(float)
    _, _, rows = rows_of(250, seed=1)
    bins = ColumnBins.of(x, rows.weight)
    rows = rows.of(bins, x, rows.targets, rows.weight, rows.keys, rows.position, labelled=True)
    tree = grown(rows, seed=seed)
    boxes = boxes_of(rows, bins, tree, region)
    found = np.bincount(route(rows.scores, *boxes.routing), rows.weight, len(boxes.sizes))
    np.testing.assert_allclose(found / rows.weight.sum(), boxes.share, rtol=1e-12)
    assert boxes.share.sum() == pytest.approx(1.0)
