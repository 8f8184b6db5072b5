"""Layers side by side, sources and replicas: who hears what."""

import numpy as np
import pandas as pd
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densernn import Cluster, SplitScaler, UnitScaler
from densernn.errors import DataError, NegativeInputError, ParameterError
from densernn.estimators.views import view_columns
from densernn.layers import ClusterLayer, prepare
from densernn.stats import Extrema
from densernn.weights import DenseWeights
from densernn.wiring import ParallelLayer, ViewPreparation, input_spans, replicas_per_view

RNG = np.random.default_rng(0)


def dense(n_inputs, n_clusters, seed=0, offset=True):
    rng = np.random.default_rng(seed)
    bias = rng.random(n_clusters) if offset else None
    return ClusterLayer(DenseWeights(rng.random((n_inputs, n_clusters)) * 0.01), Cluster(), bias)


def out_of(layer, z):
    out = np.full((layer.n_clusters, z.shape[1]), np.nan)
    layer.forward(z, out)
    return out


@given(
    spans=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=5),
    offset=st.booleans(),
)
def test_each_part_hears_its_own_columns_and_joining_changes_nothing(spans, offset):
    parts = tuple(dense(n, 2 + i, i, offset) for i, (_, n) in enumerate(spans))
    starts = np.array([start for start, _ in spans])
    layer = ParallelLayer(parts, starts, 9)
    z = RNG.random((9, 7))
    expected = [out_of(p, z[s : s + n]) for p, (s, n) in zip(parts, spans, strict=True)]
    np.testing.assert_array_equal(out_of(layer, z), np.vstack(expected))
    joined = layer.joined()
    np.testing.assert_allclose(out_of(joined, z), np.vstack(expected), rtol=1e-12)
    drives = [p.preactivation(z[s : s + n]).max() for p, (s, n) in zip(parts, spans, strict=True)]
    np.testing.assert_allclose(layer.preactivation_maxima(z), drives, rtol=1e-12)


def test_neighbours_that_hear_the_same_columns_become_one_layer():
    pair = ParallelLayer((dense(4, 2), dense(4, 3)), np.array([0, 0]), 4)
    assert isinstance(pair.joined(), ClusterLayer)
    apart = ParallelLayer((dense(2, 2), dense(2, 3), dense(2, 1)), np.array([0, 2, 2]), 4)
    assert [part.n_clusters for part in apart.joined().parts] == [2, 4]


def test_scaling_goes_by_part_and_counts_the_offset():
    layer = ParallelLayer((dense(2, 2), dense(2, 3)), np.array([0, 2]), 4)
    z = RNG.random((4, 5))
    scaled = layer.scaled(np.array([2.0, 3.0]))
    expected = layer.preactivation_maxima(z) * [2.0, 3.0]
    np.testing.assert_allclose(scaled.preactivation_maxima(z), expected, rtol=1e-12)
    assert scaled.astype(np.float32).dtype == np.float32


def test_a_layer_that_does_not_fit_is_refused():
    layer = ParallelLayer((dense(2, 2), dense(2, 3)), np.array([0, 3]), 4)
    with pytest.raises(DataError, match="up to 5 of 4"):
        layer.forward(np.ones((4, 2)), np.empty((5, 2)))
    with pytest.raises(DataError, match="got 3 columns"):
        ParallelLayer((dense(2, 2),), np.array([0]), 4).forward(np.ones((3, 2)), np.empty((2, 2)))


def test_sources_are_prepared_apart_and_in_their_order():
    X = RNG.normal(size=(30, 5))
    columns = (np.array([3, 1]), np.array([0, 2]), np.array([4]))
    first, second = UnitScaler().fit(X[:, columns[0]]), SplitScaler().fit(X[:, columns[1]])
    shifted = X - X.min(axis=0)
    both = ViewPreparation(columns, (first, second, None), (2, 16, 1))
    expected = np.hstack(
        [first.transform(shifted[:, [3, 1]]), second.transform(shifted[:, [0, 2]]), shifted[:, [4]]]
    )
    assert both.spans == [(0, 2), (2, 18), (18, 19)]
    np.testing.assert_array_equal(prepare(both, shifted, np.float64), expected.T)
    live = both.varying_outputs(Extrema.of(X))
    assert live.shape == (19,)
    assert live[[0, 1, 18]].all()


def test_negative_input_of_a_bare_source_names_its_row():
    scaler = UnitScaler().fit([[0.0], [1.0]])
    bare = ViewPreparation((np.array([0]), np.array([1])), (scaler, None), (1, 1))
    with pytest.raises(NegativeInputError, match="rows 11"):
        prepare(bare, np.array([[0.0, 1.0], [0.0, -1.0]]), np.float64, 10)


@pytest.mark.parametrize(
    ("replicas", "n_layers", "n_sources", "expected"),
    [
        (1, 2, 3, (1, 1)),
        (10, 1, 2, (5,)),
        ((80, 10), 2, 2, (40, 5)),
        ((10, 80), 2, 2, (5, 40)),
        (np.int64(4), 2, 1, (4, 4)),
        ((1, 4), 2, 2, (1, 2)),
    ],
)
def test_replicas_share_out_among_sources(replicas, n_layers, n_sources, expected):
    assert replicas_per_view(replicas, n_layers, n_sources) == expected


@pytest.mark.parametrize(
    ("replicas", "n_sources", "text"),
    [
        (5, 2, "multiple of the 2 views"),
        ((4, 6), 1, "divide one another"),
        ((4,), 1, "each of the 2"),
        (0, 1, "whole number"),
        ("many", 1, "whole number"),
        ((2.5, 5), 1, "whole number"),
    ],
)
def test_replicas_that_do_not_go_are_refused(replicas, n_sources, text):
    with pytest.raises(ParameterError, match=text):
        replicas_per_view(replicas, 2, n_sources)


def test_shrinkage_joins_neighbours_and_growth_replicates():
    below = [[(0, 2), (2, 4), (4, 6), (6, 8)], [(8, 10), (10, 12), (12, 14), (14, 16)]]
    assert input_spans(below, 2) == [[(0, 4), (4, 8)], [(8, 12), (12, 16)]]
    assert input_spans(below[:1], 8)[0][:3] == [(0, 2), (0, 2), (2, 4)]


def test_columns_of_sources_by_slice_number_and_name():
    names = ["a", "b", "c", "d"]
    found = view_columns({"left": slice(0, 2), "right": [3, 2]}, 4)
    assert [c.tolist() for c in found] == [[0, 1], [3, 2]]
    assert view_columns([["d", "a"], ["b", "c"]], 4, names)[0].tolist() == [3, 0]
    mask = np.array([True, False, False, True])
    mixed = [range(1, 3), mask, pd.Index(["b"])]
    assert [c.tolist() for c in view_columns(mixed, 4, names)] == [[1, 2], [0, 3], [1]]
    both = np.arange(4).reshape(2, 2)
    assert [c.tolist() for c in view_columns(both, 4)] == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("sources", "text"),
    [
        ("ab", "must be a list"),
        ([], "must be a list"),
        ([[0, 1]], "2 of 4 columns are in no view .c, d."),
        ([[0, 1, 2, 4]], "from 0 to 3"),
        ([[0, 0], [1, 2, 3]], "each once"),
        ([slice(4, 9), slice(0, 4)], "view 0"),
        ([slice(0, 9)], "within the 4 columns"),
        ([slice("a", "c")], "view 0"),
        ([[[0, 1], [2, 3]]], "view 0"),
        (3, "must be a list"),
        ([[0.5, 1]], "view 0"),
        ([["a", "z"]], "no column 'z'"),
        ([["a", "a"], ["b", "c", "d"]], "twice"),
    ],
)
def test_sources_that_name_no_columns_are_refused(sources, text):
    with pytest.raises(ParameterError, match=text):
        view_columns(sources, 4, list("abcd"))


def test_names_need_a_data_frame():
    with pytest.raises(ParameterError, match="X has none"):
        view_columns([["a"]], 1)


def test_ragged_sparse_parts_can_stand_side_by_side():
    parts = tuple(
        ClusterLayer(problems.ragged_weights([1, 2], 3, seed), Cluster()) for seed in (0, 1)
    )
    layer = ParallelLayer(parts, np.array([0, 3]), 6)
    z = RNG.random((6, 4))
    expected = np.vstack([out_of(parts[0], z[:3]), out_of(parts[1], z[3:])])
    np.testing.assert_array_equal(out_of(layer, z), expected)
