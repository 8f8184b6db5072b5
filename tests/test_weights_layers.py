"""How weights are drawn, and layers against the plain product zeta(Z W + b), equation (11)."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import classification, ragged_weights
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

from densernn import Cluster, ClusterFeatures, SplitScaler, UnitScaler
from densernn._kernels import TILE
from densernn.errors import DataError, NegativeInputError, ParameterError
from densernn.estimators.network_spec import PUBLISHED_SCALE, SPLIT_SCALE, UNIT_SCALE
from densernn.layers import ClusterLayer, FeatureMap, prepare
from densernn.stats import Extrema
from densernn.weights import DenseWeights, SparseWeights, draw_dense, draw_patches, draw_sparse

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}


def generator(seed=0):
    return np.random.default_rng(seed)


def per_cluster(n_clusters, seed=0):
    rng = generator(seed)
    return Cluster(p=rng.random(n_clusters), n=rng.integers(2, 50, n_clusters))


def activations(layer, Z):
    out = np.full((layer.n_clusters, len(Z)), np.nan, layer.dtype)
    layer.forward(np.ascontiguousarray(Z.T, layer.dtype), out)
    return out.T


def by_definition(layer, Z):
    """zeta(Z W + b) in float64, cluster by cluster."""
    drive = Z.astype(np.float64) @ layer.weights.toarray().astype(np.float64)
    if layer.offset is not None:
        drive = drive + layer.offset
    return layer.cluster.zeta(drive)


# ----------------------------------------------------------------------------- weights


def test_dense_weights_are_uniform_over_0_to_1():
    W = draw_dense(40, 50, generator()).toarray()
    assert W.shape == (40, 50)
    assert W.dtype == np.float64
    assert (W >= 0).all()
    assert stats.kstest(W.ravel(), "uniform").pvalue > 1e-3


@given(
    n_inputs=st.integers(1, 40),
    n_clusters=st.integers(1, 20),
    fan_in=st.integers(1, 50),
    seed=st.integers(0, 99),
)
def test_sparse_weights_hear_fan_in_inputs_and_sum_to_1(n_inputs, n_clusters, fan_in, seed):
    weights = draw_sparse(n_inputs, n_clusters, fan_in, generator(seed))
    assert (weights.n_inputs, weights.n_clusters) == (n_inputs, n_clusters)
    W = weights.toarray()
    assert W.shape == (n_inputs, n_clusters)
    assert (weights.values > 0).all()
    assert ((W > 0).sum(axis=0) == min(fan_in, n_inputs)).all()
    np.testing.assert_allclose(W.sum(axis=0), 1.0)
    for start, stop in zip(weights.starts[:-1], weights.starts[1:], strict=True):
        assert (np.diff(weights.inputs[start:stop]) > 0).all()


@given(live=st.lists(st.booleans(), min_size=1, max_size=20), fan_in=st.integers(1, 8))
def test_dead_inputs_are_not_heard(live, fan_in):
    live = np.asarray(live)
    weights = draw_sparse(live.size, 5, fan_in, generator(), live)
    if live.any():
        assert live[weights.inputs].all()
        assert (np.diff(weights.starts) == min(fan_in, live.sum())).all()
    else:  # nothing to choose by
        assert (np.diff(weights.starts) == min(fan_in, live.size)).all()


def test_all_live_inputs_are_heard_alike():
    live = np.arange(30) % 3 > 0
    heard = np.bincount(draw_sparse(30, 4000, 5, generator(), live).inputs, minlength=30)
    assert not heard[~live].any()
    assert stats.chisquare(heard[live]).pvalue > 1e-3


@given(
    side=st.integers(1, 30),
    fan_in=st.integers(1, 20),
    share=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_patches_hear_live_pixels_of_one_rectangle(side, fan_in, share, seed):
    live = generator(seed).random(side * side) < share
    weights = draw_patches(side, 30, fan_in, generator(seed), live)
    assert (weights.n_inputs, weights.n_clusters) == (side * side, 30)
    np.testing.assert_allclose(weights.toarray().sum(axis=0), 1.0)
    largest = min(side, max(8, side // 2))
    heard = np.diff(weights.starts)
    assert ((heard >= 1) & (heard <= fan_in)).all()
    for start, stop in zip(weights.starts[:-1], weights.starts[1:], strict=True):
        inputs = weights.inputs[start:stop]
        assert (np.diff(inputs) > 0).all()
        assert max(np.ptp(inputs // side), np.ptp(inputs % side)) < largest
        assert live[inputs].all() or not live.any()


def test_every_pixel_is_heard_by_some_patch():
    weights = draw_patches(12, 2000, 8, generator())
    assert np.bincount(weights.inputs, minlength=144).min() > 0


@pytest.mark.parametrize(
    "draw",
    [
        lambda r: draw_dense(6, 5, r),
        lambda r: draw_sparse(6, 5, 3, r),
        lambda r: draw_patches(9, 5, 3, r),
    ],
)
def test_weights_follow_from_the_random_state(draw):
    first, again, other = (draw(generator(seed)).toarray() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fan_in", [0, -1])
def test_a_fan_in_below_1_is_refused(fan_in):
    with pytest.raises(ParameterError, match=f"fan_in must be at least 1: it is {fan_in}"):
        draw_sparse(3, 3, fan_in, generator())
    with pytest.raises(ParameterError, match=f"fan_in must be at least 1: it is {fan_in}"):
        draw_patches(3, 3, fan_in, generator())


@pytest.mark.parametrize(
    "weights", [DenseWeights(generator().random((4, 3))), ragged_weights([2, 0, 4], 4)]
)
def test_weights_scale_as_a_whole_or_by_cluster_and_cast(weights):
    W = weights.toarray()
    np.testing.assert_allclose(weights.scaled(2.0).toarray(), 2 * W)
    factors = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(weights.scaled(factors).toarray(), W * factors)
    np.testing.assert_array_equal(weights.astype(np.float32).toarray(), W.astype(np.float32))
    np.testing.assert_array_equal(weights.toarray(), W)


def test_damaged_sparse_weights_are_refused_when_they_are_read():
    good = vars(ragged_weights([2, 1, 3], 4))
    assert pickle.loads(pickle.dumps(SparseWeights(**good))).n_clusters == 3
    for damage in (
        {"n_inputs": 1},
        {"inputs": good["inputs"] - 5},
        {"starts": good["starts"] + 1},
        {"starts": good["starts"][::-1]},
        {"values": good["values"][:-1]},
    ):
        with pytest.raises(DataError, match="do not exist"):
            pickle.loads(pickle.dumps(SparseWeights(**{**good, **damage})))


# ----------------------------------------------------------------------------- layers


@DTYPES
@given(data=st.data())
def test_a_sparse_layer_is_zeta_of_the_plain_product(dtype, data):
    n_inputs = data.draw(st.integers(1, 8))
    fan_ins = data.draw(st.lists(st.integers(0, n_inputs), min_size=1, max_size=20))
    n_rows = data.draw(st.sampled_from([1, 2, 7, TILE - 1, TILE, TILE + 1, 2 * TILE + 5]))
    size = len(fan_ins)
    cluster = data.draw(st.sampled_from([Cluster(), per_cluster(size)]))
    offset = data.draw(st.sampled_from([None, generator(3).random(size)]))
    weights = ragged_weights(fan_ins, n_inputs, dtype=dtype)
    layer = ClusterLayer(weights, cluster, offset)
    Z = generator(1).random((n_rows, n_inputs)).astype(dtype)
    found = activations(layer, Z)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, by_definition(layer, Z), rtol=10 * TOLERANCE[dtype])


@DTYPES
@pytest.mark.parametrize("kind", ["one cluster", "arrays"])
@pytest.mark.parametrize("n_rows", [1, 100, TILE + 1])
def test_a_dense_layer_is_zeta_of_the_plain_product(dtype, kind, n_rows):
    cluster = Cluster() if kind == "one cluster" else per_cluster(30)
    weights = draw_dense(10, 30, generator()).astype(dtype)
    layer = ClusterLayer(weights, cluster, generator(2).random(30))
    Z = generator(1).random((n_rows, 10)).astype(dtype)
    expected = by_definition(layer, Z)
    np.testing.assert_allclose(activations(layer, Z), expected, rtol=10 * TOLERANCE[dtype])
    drive = Z.astype(np.float64) @ weights.toarray() + layer.offset
    np.testing.assert_allclose(layer.preactivation(Z.T).T, drive, rtol=10 * TOLERANCE[dtype])


@DTYPES
def test_sparse_and_dense_weights_of_one_matrix_are_one_layer(dtype):
    sparse = ragged_weights([3, 1, 0, 5, 2], 6, dtype=dtype)
    Z = generator(1).random((50, 6)).astype(dtype)
    first = ClusterLayer(sparse, Cluster())
    second = ClusterLayer(DenseWeights(sparse.toarray()), Cluster())
    np.testing.assert_allclose(
        activations(first, Z), activations(second, Z), rtol=10 * TOLERANCE[dtype]
    )
    np.testing.assert_allclose(
        first.preactivation(Z.T), second.preactivation(Z.T), rtol=TOLERANCE[dtype]
    )


@DTYPES
@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("kind", ["one cluster", "arrays"])
def test_an_offset_is_the_weight_of_an_input_that_is_always_on(dtype, dense, kind):
    cluster = Cluster() if kind == "one cluster" else per_cluster(9)
    W = ragged_weights([3] * 9, 5, dtype=dtype)
    offset = generator(4).random(9).astype(dtype)
    wider = np.vstack([W.toarray(), offset])
    Z = generator(1).random((40, 5)).astype(dtype)
    with_offset = ClusterLayer(DenseWeights(W.toarray()) if dense else W, cluster, offset)
    with_input = ClusterLayer(DenseWeights(wider), cluster)
    np.testing.assert_allclose(
        activations(with_offset, Z),
        activations(with_input, np.column_stack([Z, np.ones(40, dtype)])),
        rtol=10 * TOLERANCE[dtype],
    )


def test_a_layer_refuses_what_does_not_fit_before_it_writes():
    layer = ClusterLayer(ragged_weights([2, 2], 3), Cluster())
    for z, out in (((4, 5), (2, 5)), ((3, 5), (3, 5)), ((3, 5), (2, 4))):
        with pytest.raises(DataError, match="a layer of 2 clusters over 3 columns"):
            layer.forward(np.ones(z), np.empty(out))
    with pytest.raises(DataError, match="parameters for 3"):
        ClusterLayer(ragged_weights([2, 2], 3), per_cluster(3)).forward(
            np.ones((3, 5)), np.empty((2, 5))
        )


def test_a_stack_of_two_layers_feeds_the_second_with_the_first():
    first = ClusterLayer(ragged_weights([2, 3, 1], 4), Cluster())
    second = ClusterLayer(ragged_weights([2, 2], 3, seed=1), Cluster(p=0.5))
    stack = FeatureMap(UnitScaler().fit([[0.0] * 4, [2.0] * 4]), (first, second))
    X = 2 * generator().random((20, 4))
    out = np.empty((2, 20))
    stack.forward(X, out)
    expected = by_definition(second, by_definition(first, X / 2))
    np.testing.assert_allclose(out.T, expected, rtol=1e-12)
    assert (stack.n_features, stack.values_per_row) == (2, 2 * 4 + 3 + 2)


# ----------------------------------------------------------------------------- preparing


@pytest.mark.parametrize("first_row", [0, 1000])
def test_negative_input_is_refused_by_rows_of_the_whole_data(first_row):
    X = np.ones((50, 3))
    X[[4, 9], 2] = -0.5
    stack = FeatureMap(None, (ClusterLayer(ragged_weights([2], 3), Cluster()),))
    with pytest.raises(
        NegativeInputError, match=rf"X has 2 .* in rows {first_row + 4}, "
    ) as caught:
        stack.forward(X, np.empty((1, 50)), first_row)
    assert "UnitScaler" in str(caught.value)


def test_negative_output_of_a_transformer_is_refused_as_such():
    with pytest.raises(NegativeInputError, match="the prepared X has"):
        prepare(StandardScaler().fit(np.eye(3)), np.eye(3), np.float64)


@pytest.mark.parametrize("transformer", [MinMaxScaler(), OneHotEncoder(), None])
@DTYPES
def test_any_transformer_prepares_input(transformer, dtype):
    X = generator().integers(0, 3, (30, 2)).astype(np.float64)
    expected = X
    if transformer is not None:
        expected = transformer.fit_transform(X)  # OneHotEncoder gives a sparse matrix
        expected = getattr(expected, "toarray", lambda: expected)()
    found = prepare(transformer, X, dtype)
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found.T, expected, rtol=1e-6)


def drawn(dtype="float64", **parameters):
    X, _ = classification(100, 6)
    X[:, 2] = 7.0
    model = ClusterFeatures(20, dtype=dtype, **{"random_state": 3, "fan_in": 4, **parameters})
    return model.fit(X), X


@pytest.mark.parametrize("weights", ["sparse", "dense"])
def test_both_precisions_draw_the_same_network(weights):
    single, X = drawn("float32", weights=weights)
    double, _ = drawn("float64", weights=weights)
    mine, theirs = single.feature_map_.layers[0], double.feature_map_.layers[0]
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine.weights.toarray(), theirs.weights.toarray(), rtol=1e-6)
    np.testing.assert_allclose(single.transform(X), double.transform(X), rtol=1e-3)


@pytest.mark.parametrize("weights", ["sparse", "dense"])
@pytest.mark.parametrize("preparation", ["unit", "split"])
def test_features_are_zeta_of_the_prepared_rows(weights, preparation):
    model, X = drawn(weights=weights, preparation=preparation)
    layer = model.feature_map_.layers[0]
    scaler = (UnitScaler() if preparation == "unit" else SplitScaler()).fit(X)
    np.testing.assert_allclose(model.transform(X), by_definition(layer, scaler.transform(X)))
    if weights == "sparse":
        W = layer.weights.toarray()
        assert not W[~scaler.varying_outputs(Extrema.of(X))].any()
        scale = UNIT_SCALE if preparation == "unit" else SPLIT_SCALE
        np.testing.assert_allclose(W.sum(axis=0), scale)
    else:
        largest = (scaler.transform(X) @ layer.weights.toarray() + layer.offset).max()
        assert largest == pytest.approx(PUBLISHED_SCALE, rel=1e-5)


@pytest.mark.parametrize("preparation", ["unit", "split", None])
def test_columns_that_never_change_are_not_heard(preparation):
    X = np.abs(drawn()[1])
    model = ClusterFeatures(20, preparation=preparation, fan_in=4, random_state=3).fit(X)
    assert set(model.feature_map_.layers[0].weights.inputs % 6) == {0, 1, 3, 4, 5}


def test_the_dense_layer_takes_clusters_of_their_own():
    model, X = drawn(weights="dense", cluster=per_cluster(20))
    layer = model.feature_map_.layers[0]
    expected = by_definition(layer, UnitScaler().fit_transform(X))
    np.testing.assert_allclose(model.transform(X), expected)


# ----------------------------------------------------------------------------- fingerprints


def fingerprint(layer=None, preparation=None):
    layer = layer or ClusterLayer(ragged_weights([2, 2], 3), Cluster())
    return FeatureMap(preparation, (layer,)).fingerprint()


def test_a_fingerprint_names_the_part_that_differs():
    base, W = fingerprint(), ragged_weights([2, 2], 3)
    changed = {
        "weights of layer 0": fingerprint(ClusterLayer(ragged_weights([2, 2], 3, 1), Cluster())),
        "cluster of layer 0": fingerprint(ClusterLayer(W, Cluster(p=0.06))),
        "offset of layer 0": fingerprint(ClusterLayer(W, Cluster(), np.ones(2))),
        "preparation": fingerprint(preparation=UnitScaler().fit(np.eye(3))),
    }
    for part, other in changed.items():
        assert [name for name in base if base[name] != other[name]] == [part]
    assert fingerprint() == base
    assert fingerprint(ClusterLayer(W, Cluster(n=20.0))) == base


@pytest.mark.parametrize(
    "transformer",
    [
        UnitScaler(),
        SplitScaler(),
        make_pipeline(StandardScaler(), MinMaxScaler()),
        make_pipeline(FunctionTransformer(np.abs), MinMaxScaler()),
        OneHotEncoder(handle_unknown="ignore"),
    ],
    ids=lambda t: type(t).__name__,
)
def test_a_fingerprint_sees_all_that_a_preparation_learned_and_survives_pickling(transformer):
    X = generator().integers(0, 5, (60, 3)) * 1.0
    first = fingerprint(preparation=transformer.fit(X))
    assert fingerprint(preparation=pickle.loads(pickle.dumps(transformer))) == first
    assert fingerprint(preparation=transformer.fit(X)) == first
    assert fingerprint(preparation=transformer.fit(X**2 + 1)) != first
