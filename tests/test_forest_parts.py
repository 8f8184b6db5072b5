"""Parts of forests against slow, obvious oracles: bins, trees, boxes, sums, readouts, samples."""

import numpy as np
import pytest
from forest_parts import CLUSTER, COEFFICIENTS, NONE, activations_of, boxes_of, grown, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.linear_model import Ridge

from densernn.errors import DataError
from densernn.forest.activations import by_region, route
from densernn.forest.bins import MOST, ColumnBins
from densernn.forest.choice import gap_and_error, simplest_alpha
from densernn.forest.evaluation import sum_rows
from densernn.forest.forest_map import ForestMap
from densernn.forest.growth import grow_tree
from densernn.forest.products import add_outputs
from densernn.forest.ridge import JITTER, solve_tree
from densernn.forest.sampled import blocks_of
from densernn.forest.structure import Structure
from densernn.stats.distinct import DistinctSample, hash_rows

# ----------------------------------------------------------------------------------------- bins


def test_scores_are_normal_quantiles_of_mid_ranks_and_bins_end_between_values():
    x = np.array([5.0, 1.0, 1.0, 3.0, 3.0, 3.0, 9.0])
    bins = ColumnBins.of(x[:, None], np.ones(7))
    middle = (rankdata(x, "min") + rankdata(x, "max")) / 2 - 0.5
    expected = ndtri(middle / 7)
    np.testing.assert_allclose(bins.normal_scores(x[:, None])[:, 0], expected, rtol=1e-6)
    assert bins.codes(np.array([[-9.0], [1.9], [2.1], [7.1], [99.0]])).ravel().tolist() == [
        *(0, 0, 1, 3, 3)
    ]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(1, 900))
def test_scores_and_codes_rise_with_values(seed, n_rows):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.standard_cauchy(n_rows))[:, None]
    bins = ColumnBins.of(x, rng.uniform(0.1, 2.0, n_rows))
    assert (np.diff(bins.codes(x).ravel().astype(int)) >= 0).all()
    assert (np.diff(bins.normal_scores(x).ravel()) >= 0).all()
    assert len(bins.knots) <= MOST
    assert (bins.knots[0], bins.knots[-1]) == (x[0, 0], x[-1, 0])


def test_weights_of_bins_count_copies():
    X, _, _ = rows_of(50)
    times = np.arange(50) % 3 + 1
    one, many = ColumnBins.of(X, times * 1.0), ColumnBins.of(X.repeat(times, axis=0), np.ones(99))
    np.testing.assert_array_equal(one.knots, many.knots)
    np.testing.assert_allclose(one.scores, many.scores, rtol=1e-12)


# ---------------------------------------------------------------------------------------- trees


@pytest.mark.parametrize("n_targets", [0, 1, 2])
def test_each_node_is_split_as_its_rows_are_and_keeps_enough_of_them(n_targets):
    _, _, rows = rows_of(n_targets=n_targets)
    tree = grown(rows)
    members = {0: np.arange(len(rows))}
    for node in range(len(tree.column)):
        own = members[node]
        assert tree.weight[node] == rows.weight[own].sum() >= 6.0
        if tree.column[node] < 0:
            assert (tree.leaf[own] == node).all()
            continue
        left = rows.codes[own, tree.column[node]] <= tree.code[node]
        members[node + 1], members[tree.right[node]] = own[left], own[~left]
        assert tree.parent[node + 1] == tree.parent[tree.right[node]] == node
    assert len(tree.column) > 20


def impurity(rows, own):
    """Weighted Gini's impurity of labels, or variance of values, times the weight."""
    w, t = rows.weight[own], rows.targets[own]
    mean = w @ t / w.sum()
    return float(w @ np.square(t - mean).sum(axis=1))


def test_splits_are_better_than_those_drawn_at_random():
    _, _, rows = rows_of(2000)
    rng, everything = np.random.default_rng(0), np.arange(2000)
    gains = []
    for seed in range(20):
        tree = grown(rows, least=200.0, seed=seed + 1)
        left = rows.codes[:, tree.column[0]] <= tree.code[0]
        gains.append(-impurity(rows, everything[left]) - impurity(rows, everything[~left]))
    random = []
    for _ in range(200):
        j = rng.integers(4)
        left = rows.codes[:, j] <= rng.integers(rows.codes[:, j].max())
        if min(rows.weight[left].sum(), rows.weight[~left].sum()) >= 200.0:
            random.append(-impurity(rows, everything[left]) - impurity(rows, everything[~left]))
    assert np.mean(gains) > np.mean(random)


def test_pure_nodes_and_constant_columns_stay_leaves():
    codes = np.zeros((50, 3), np.uint8)
    labels = np.arange(50) % 2
    assert len(grow_tree(codes, labels, NONE, np.ones(50, np.int32), 0.5, 1.0, 1).column) == 1
    codes[:, 1] = np.arange(50)
    pure = np.zeros(50, np.intp)
    assert len(grow_tree(codes, pure, NONE, np.ones(50, np.int32), 0.5, 1.0, 1).column) == 1


def test_large_nodes_are_scored_on_some_rows_and_keep_enough_of_all():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 200, (30_000, 3)).astype(np.uint8)
    labels = (codes[:, 0] > 195).astype(np.intp)
    tree = grow_tree(codes, labels, NONE, np.ones(30_000, np.int32), 1.0, 400.0, 5)
    counts = np.bincount(tree.leaf)
    assert counts[counts > 0].min() >= 400


# ---------------------------------------------------------------------------------------- boxes


def walls_of(tree, bins, node, root):
    """Walls of a node below a region's root: the tightest for each column and side."""
    walls = {}
    while node != root:
        above = tree.parent[node]
        j, code = tree.column[above], tree.code[above]
        bound = bins.wall(np.array([j]), np.array([code]))[0]
        side = 1 if node == above + 1 else -1  # the left child lies below the wall
        key = (j, side)
        if key not in walls or side * bound < side * walls[key]:
            walls[key] = bound
        node = above
    return walls


def slow_activations(tree, boxes, bins, rows, z, scale, region_weight):
    """Activations of the clusters of a row's region, wall by wall, as the theory has them."""
    node = 0
    while tree.column[node] >= 0 and tree.weight[node] > region_weight:
        j = tree.column[node]
        below = z[j] <= bins.wall(np.array([j]), tree.code[node : node + 1])[0]
        node = node + 1 if below else tree.right[node]
    inside = np.flatnonzero((tree.leaf >= node) & (tree.leaf < tree.end[node]))
    w = rows.weight[inside] / rows.weight[inside].sum()
    scores = rows.scores[inside].astype(float)
    spread = np.sqrt(np.maximum(w @ np.square(scores - w @ scores), 0.0)).clip(1e-3)
    found = []
    for below in range(node + 1, tree.end[node]):
        if tree.column[below] < 0 and below != tree.parent[below] + 1:
            continue  # an end on the right
        walls = walls_of(tree, bins, below, node)
        beyond = sum(max(s * (z[j] - u), 0.0) / spread[j] for (j, s), u in walls.items())
        found.append(CLUSTER.zeta(scale / len(walls) * beyond))
    return np.array(found)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(1, 10_000))
def test_activations_are_zeta_of_distances_from_boxes(seed):
    _, bins, rows = rows_of(seed=seed % 5)
    tree = grown(rows, seed=seed)
    boxes = boxes_of(rows, bins, tree)
    for z in np.random.default_rng(seed).normal(0.0, 2.0, (5, 4)).astype(np.float32):
        slow = slow_activations(tree, boxes, bins, rows, z, 0.02, 150.0)
        np.testing.assert_allclose(activations_of(boxes, z), slow, rtol=2e-4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(1, 10_000), data=st.data())
def test_an_activation_is_largest_inside_its_box_and_falls_with_distance(seed, data):
    _, bins, rows = rows_of(seed=seed % 5)
    boxes = boxes_of(rows, bins, grown(rows, seed=seed), region=1e9)
    inside = activations_of(boxes, rows.scores[data.draw(st.integers(0, len(rows) - 1))])
    direction = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=4, max_size=4)))
    start = rows.scores[data.draw(st.integers(0, len(rows) - 1))]
    path = [activations_of(boxes, start + t * direction) for t in np.linspace(0.0, 8.0, 9)]
    largest = CLUSTER.zeta(0.0)
    assert inside.max() <= largest * (1 + 1e-6)
    # The distance from a box is convex along a line: once it has risen, it rises on.
    rising = np.cumsum(np.diff(path, axis=0) < -1e-6, axis=0) > 0
    assert (np.diff(path, axis=0)[rising] <= 1e-6).all()


# --------------------------------------------------------------------------- sums and readouts


def features(boxes, rows):
    """Activations of all rows as one wide matrix, zero outside of a row's region, and regions."""
    H = np.zeros((len(rows), len(boxes.above)))
    region = route(rows.scores, *boxes.routing)
    for i, z in enumerate(rows.scores):
        cut = slice(boxes.starts[region[i]], boxes.starts[region[i] + 1])
        H[i, cut] = activations_of(boxes, z)
    return H, region


@pytest.mark.parametrize("n_targets", [0, 2])
def test_sums_and_solutions_are_those_of_ridge_in_each_region(n_targets):
    _, bins, rows = rows_of(n_targets=n_targets)
    boxes = boxes_of(rows, bins, grown(rows), region=250.0)
    moments = sum_rows(boxes, COEFFICIENTS, rows)
    H, region = features(boxes, rows)
    alphas = np.array([1e-3, 0.1])
    weights, means = solve_tree(boxes, moments, alphas)
    assert len(boxes.sizes) >= 3
    entry = 0
    for r, m in enumerate(boxes.sizes):
        own = region == r
        h, w, t = H[own, boxes.starts[r] : boxes.starts[r + 1]], rows.weight[own], rows.targets[own]
        second = (h * w[:, None]).T @ h
        packed = moments.second[entry : entry + m * (m + 1) // 2]
        entry += packed.size
        np.testing.assert_allclose(packed, second[np.tril_indices(m)], rtol=1e-9)
        np.testing.assert_allclose(means[r], w @ t / w.sum(), atol=1e-12)
        if not m:
            continue
        centred = second - np.outer(w @ h, w @ h) / w.sum()
        for k, alpha in enumerate(alphas):
            penalty = alpha * np.trace(centred) / m + JITTER * w.sum()
            ridge = Ridge(penalty, solver="cholesky").fit(h, t, sample_weight=w)
            rows_of_region = slice(boxes.starts[r] + r, boxes.starts[r + 1] + r)
            found = weights[k, rows_of_region]
            np.testing.assert_allclose(found, np.atleast_2d(ridge.coef_).T, rtol=1e-4, atol=1e-5)
    limits = np.array([[-np.inf] * t.shape[1], [np.inf] * t.shape[1]])
    total = np.zeros((2, len(rows), t.shape[1]))
    gate = np.ones(len(rows))
    add_outputs(
        *(rows.scores, gate, boxes.routing, boxes.clusters, COEFFICIENTS),
        *(weights, means, limits, total),
    )
    expected = [means[r] + H[i, boxes.starts[r] : boxes.starts[r + 1]] @ weights[
        1, boxes.starts[r] + r : boxes.starts[r + 1] + r] + weights[1, boxes.starts[r + 1] + r]
        for i, r in enumerate(region)]  # fmt: skip
    np.testing.assert_allclose(total[1], expected, atol=1e-8)
    total[:] = 0.0
    add_outputs(
        *(rows.scores, gate, boxes.routing, boxes.clusters, COEFFICIENTS),
        *(weights, means, limits.clip(-0.1, 0.2), total),
    )
    np.testing.assert_allclose(total[1], np.clip(expected, -0.1, 0.2), atol=1e-8)


def test_rows_in_the_order_of_their_regions():
    region = np.array([2, 0, 2, 1, 0])
    rows, starts = by_region(region, 4)
    assert rows.tolist() == [1, 4, 3, 0, 2]
    assert starts.tolist() == [0, 2, 3, 5, 5]


def test_ramps_are_clusters_of_the_whole_range_of_a_column():
    _, bins, rows = rows_of()
    boxes = boxes_of(rows, bins, grown(rows), region=250.0)
    ramped = boxes.with_ramps(bins.varying, 0.005)
    z = rows.scores[7]
    found, plain = activations_of(ramped, z), activations_of(boxes, z)
    np.testing.assert_array_equal(found[: len(plain)], plain)
    expected = CLUSTER.zeta(0.005 * (z.astype(float) + 4.0))
    np.testing.assert_allclose(found[len(plain) :], expected, rtol=1e-5)


def test_a_forest_of_damaged_trees_is_refused():
    _, bins, rows = rows_of()
    boxes = boxes_of(rows, bins, grown(rows))
    state = {"bins": bins, "cluster": CLUSTER, "origin": np.zeros(1)}
    state |= {"trees": (boxes,), "structure": Structure(1.0, 1.0, 1.0)}
    ForestMap.__new__(ForestMap).__setstate__(state)
    boxes.above[3] = 7
    with pytest.raises(DataError, match="damaged"):
        ForestMap.__new__(ForestMap).__setstate__(state)


# ------------------------------------------------------------------------------ samples, choice


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), most=st.integers(1, 60), data=st.data())
def test_a_sample_is_that_of_the_smallest_hashes_in_any_order_and_cut(seed, most, data):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 4, (80, 2)).astype(float), rng.integers(0, 2, 80)
    weight = rng.integers(0, 3, 80).astype(float)
    counted = np.repeat(np.arange(80), weight.astype(int))
    if not counted.size:
        return
    expected = {}
    for i in counted:
        expected[tuple(X[i]), y[i]] = expected.get((tuple(X[i]), y[i]), 0) + 1
    keys = {row: hash_rows(np.array([row[0]]), np.array([row[1]]))[0] for row in expected}
    smallest = sorted(expected, key=keys.get)[:most]
    cut = data.draw(st.integers(0, 80))
    order = np.array(data.draw(st.permutations(range(80))))
    parts = [
        DistinctSample.zero(most).add(X[p], y[p], weight[p]) for p in (order[:cut], order[cut:])
    ]
    found = parts[0].merge(parts[1]).rows()
    assert [(tuple(x), v) for x, v in zip(found.X, found.y, strict=True)] == smallest
    assert found.weight.tolist() == [expected[row] for row in smallest]


def test_positions_are_the_weight_before_a_row():
    X, y = np.arange(5.0)[:, None], np.zeros(5)
    sample = DistinctSample.zero(9).add(X[:2], y[:2], [2.0, 1.0])
    rows = sample.merge(DistinctSample.zero(9).add(X[2:], y[2:], [1.0, 0.0, 4.0])).rows()
    assert dict(zip(rows.X.ravel().tolist(), rows.position.tolist(), strict=True)) == {
        **{0.0: 0.0, 1.0: 2.0, 2.0: 3.0, 4.0: 4.0}
    }


@pytest.mark.parametrize("copies", [False, True])
def test_rows_are_dealt_in_whole_blocks_or_like_cards(copies):
    _, _, rows = rows_of(1200)
    rows = rows.weighing(np.full(1200, 4.0 if copies else 1.0))
    dealt = list(rows.dealt(5, 1))
    np.testing.assert_allclose(np.sum(dealt, axis=0), rows.weight)
    assert [own.sum() for own in dealt] == pytest.approx([rows.weight.sum() / 5] * 5, rel=0.02)
    if not copies:  # thirty blocks
        fold = np.argmax(dealt, axis=0)[np.argsort(rows.position)]
        assert np.count_nonzero(np.diff(fold)) == 29


def test_errors_are_those_of_blocks():
    rng = np.random.default_rng(0)
    losses = np.repeat(rng.normal(size=50), 20) + 0.01 * rng.normal(size=1000)
    weight, zeros = np.ones(1000), np.zeros(1000)
    block = blocks_of(np.arange(1000.0), weight)
    gap, error = gap_and_error(losses, zeros, weight, block)
    _, naive = gap_and_error(losses, zeros, weight, np.arange(1000))
    assert gap == pytest.approx(losses.mean())
    assert error > 3 * naive


def test_the_largest_penalty_that_is_as_good_is_taken():
    rng = np.random.default_rng(0)
    weight, block = np.ones(400), np.arange(400)
    base = rng.uniform(size=400)
    noise = 0.1 * rng.normal(size=400)
    noise -= noise.mean()
    losses = np.stack([base, base + noise + 1e-4, base + 0.2])
    assert simplest_alpha(losses, weight, block, np.array([0.1, 1.0, 10.0])) == 1
