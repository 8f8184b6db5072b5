"""Moments of forests as a monoid, against dense float64 sums, and readouts at their limits."""

from dataclasses import replace

import numpy as np
import pytest
from forest_parts import COEFFICIENTS, activations_of, boxes_of, grown, rows_of
from hypothesis import given
from hypothesis import strategies as st

from densernn.errors import DataError, MergeError
from densernn.forest.activations import route
from densernn.forest.moments import ForestMoments
from densernn.forest.ridge import solve_tree

N_ROWS = 240


@pytest.fixture(scope="module")
def parts():
    """Two trees, and the rows to add up."""
    _, bins, rows = rows_of(N_ROWS, n_targets=2)
    trees = tuple(boxes_of(rows, bins, grown(rows, seed=seed)) for seed in (1, 2))
    return trees, rows


def moments_of(parts, own=slice(None), weight=None):
    trees, rows = parts
    weight = rows.weight if weight is None else weight
    zero = ForestMoments.zero(trees, 2)
    given = rows.scores[own], rows.targets[own], weight[own]
    return zero.added(trees, COEFFICIENTS, *given)


def assert_equal(one, other, rtol=1e-10):
    """Compare all sums, in units of the largest."""
    assert one.weight == pytest.approx(other.weight, rel=1e-12)
    for mine, theirs in zip(one.trees, other.trees, strict=True):
        for name in ("second", "cross"):
            a, b = getattr(mine, name), getattr(theirs, name)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * (1.0 + np.abs(b).max()))


def dense(tree, rows):
    """Activations and 1 of all rows, at the places of sums; 0 outside of a row's region."""
    region = route(rows.scores, *tree.routing)
    H = np.zeros((len(rows), len(tree.above) + len(tree.sizes)))
    for i, r in enumerate(region):
        cut = slice(tree.starts[r], tree.starts[r + 1])
        H[i, cut.start + r : cut.stop + r] = activations_of(tree, rows.scores[i])
        H[i, cut.stop + r] = 1.0
    return H


@given(seed=st.integers(0, 1000))
def test_sums_are_those_of_dense_activations(parts, seed):
    trees, rows = parts
    rng = np.random.default_rng(seed)
    weight = rng.choice([0.0, 0.3, 1.0, 7.5], len(rows))
    found = moments_of(parts, weight=weight)
    for tree, sums in zip(trees, found.trees, strict=True):
        H = dense(tree, rows)
        wanted = (H * weight[:, None]).T @ np.column_stack([np.ones(len(rows)), rows.targets])
        np.testing.assert_allclose(sums.cross, wanted, atol=1e-9)
        second = (H * weight[:, None]).T @ H
        packed = [
            second[start + r : stop + r, start + r : stop + r][np.tril_indices(stop - start)]
            for r, (start, stop) in enumerate(zip(tree.starts, tree.starts[1:], strict=False))
        ]
        np.testing.assert_allclose(sums.second, np.concatenate(packed), atol=1e-9)


@given(first=st.integers(0, N_ROWS), second=st.integers(0, N_ROWS))
def test_parts_merge_to_the_whole_in_any_order(parts, first, second):
    low, high = sorted((first, second))
    a, b, c = (moments_of(parts, cut) for cut in (slice(low), slice(low, high), slice(high, None)))
    whole = moments_of(parts)
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        assert_equal(merged, whole)
        np.testing.assert_array_equal([merged.least, merged.most], [whole.least, whole.most])


@given(cut=st.integers(1, N_ROWS - 1), factor=st.floats(0.0, 1.0))
def test_subtracting_undoes_merging_and_decay_scales_weights(parts, cut, factor):
    a, b = moments_of(parts, slice(cut)), moments_of(parts, slice(cut, None))
    assert_equal(a.merge(b).subtract(b), a)
    assert_equal(a.merge(b).subtract(b).subtract(a), ForestMoments.zero(parts[0], 2))
    assert_equal(b.decayed(factor), moments_of(parts, slice(cut, None), parts[1].weight * factor))


def test_rows_of_weight_0_and_moments_of_no_rows_count_nowhere(parts):
    zero = ForestMoments.zero(parts[0], 2)
    assert moments_of(parts, weight=np.zeros(N_ROWS)).weight == 0.0
    assert_equal(zero.merge(moments_of(parts)), moments_of(parts), rtol=0.0)
    ends = parts[1].targets.argmin(axis=0), parts[1].targets.argmax(axis=0)
    kept = np.delete(np.arange(N_ROWS), np.concatenate(ends))
    weight = np.zeros(N_ROWS)
    weight[kept] = parts[1].weight[kept]
    found, wanted = moments_of(parts, weight=weight), moments_of(parts, kept)
    assert_equal(found, wanted)
    np.testing.assert_array_equal([found.least, found.most], [wanted.least, wanted.most])


def test_no_weights_are_weights_of_1(parts):
    trees, rows = parts
    plain = ForestMoments.zero(trees, 2).added(trees, COEFFICIENTS, rows.scores, rows.targets, None)
    assert_equal(plain, moments_of(parts, weight=np.ones(N_ROWS)))


def test_more_weight_than_there_is_cannot_be_taken_away(parts):
    part = moments_of(parts, slice(100))
    with pytest.raises(MergeError, match="total weight"):
        part.subtract(moments_of(parts))


def test_targets_move_to_their_places(parts):
    found = moments_of(parts)
    wider = found.place_targets(4, [2, 0])
    for before, after in zip(found.trees, wider.trees, strict=True):
        np.testing.assert_array_equal(after.cross[:, [0, 3, 1]], before.cross)
        assert not after.cross[:, [2, 4]].any()
    assert wider.most.tolist() == [found.most[1], 0.0, found.most[0], 0.0]


def test_sums_of_other_trees_are_refused(parts):
    trees, _ = parts
    found = moments_of(parts)
    found.check(trees)
    with pytest.raises(DataError, match="damaged"):
        found.check(trees[::-1])
    with pytest.raises(DataError, match="damaged"):
        replace(found, least=found.least.astype(np.float32)[:1]).check(trees)


# ---------------------------------------------------------------------------------- readouts


def test_a_region_without_rows_answers_the_mean_of_all_and_others_their_own(parts):
    trees, rows = parts
    region = route(rows.scores, *trees[0].routing)
    weight = np.where(region == 0, 0.0, rows.weight)
    weights, means = solve_tree(
        trees[0], moments_of(parts, weight=weight).trees[0], np.array([0.1])
    )
    np.testing.assert_allclose(means[0], weight @ rows.targets / weight.sum())
    assert not weights[0, : trees[0].starts[1] + 1].any()
    for r in range(1, len(means)):
        own = region == r
        np.testing.assert_allclose(means[r], weight[own] @ rows.targets[own] / weight[own].sum())


def test_a_region_without_clusters_answers_its_mean():
    _, bins, rows = rows_of(N_ROWS, n_targets=2)
    ends = boxes_of(rows, bins, grown(rows), region=1.0)
    assert not ends.sizes.any()
    sums = moments_of(((ends,), rows)).trees[0]
    weights, means = solve_tree(ends, sums, np.array([0.1, 1.0]))
    assert not weights.any()
    region = route(rows.scores, *ends.routing)
    for r in np.unique(region):
        own = rows.weight * (region == r)
        np.testing.assert_allclose(means[r], own @ rows.targets / own.sum(), atol=1e-12)


@given(exponent=st.integers(-60, 60))
def test_the_unit_of_weights_changes_no_readout(parts, exponent):
    trees, rows = parts
    alphas = np.array([1e-3, 1.0])
    plain = solve_tree(trees[0], moments_of(parts).trees[0], alphas)
    sums = moments_of(parts, weight=rows.weight * 4.0**exponent).trees[0]
    for found, wanted in zip(solve_tree(trees[0], sums, alphas), plain, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_larger_penalties_leave_less_beside_the_mean(parts):
    trees, _ = parts
    alphas = np.array([1e-4, 1e-2, 1.0, 1e2, 1e12])
    weights, _ = solve_tree(trees[0], moments_of(parts).trees[0], alphas)
    ends = trees[0].starts[1:] + np.arange(len(trees[0].sizes))
    size = np.sqrt(np.square(np.delete(weights, ends, axis=1)).sum(axis=(1, 2)))
    assert (np.diff(size) < 0).all()
    assert size[-1] < 1e-8
