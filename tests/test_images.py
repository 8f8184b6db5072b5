"""Convolutional clusters against plain loops, and image models in all the ways rows come."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from densernn import (
    Augmentation,
    Cluster,
    ConvolutionalClusters,
    DenseRNNClassifier,
    RNNImageClassifier,
    load,
    open_rows,
    save,
)
from densernn.errors import DataError, ParameterError
from densernn.estimators.image_spec import ImageSpec
from densernn.gnetwork import RandomNeuralNetwork
from densernn.images.filters import learn_directions
from densernn.images.layer import ConvolutionalLayer
from densernn.images.pixels import Layout
from densernn.images.stages import overlapping, tiles

DIGITS = load_digits()
IMAGES, LABELS = DIGITS.images[:600], DIGITS.target[:600]
SEEDS = st.integers(0, 2**31)


def slow_layer(layer, images):
    """Means of zeta over windows, one cluster at a time."""
    n, (h, w, c), k, p = len(images), layer.shape, layer.size, layer.padding
    room = np.zeros((n, h + 2 * p, w + 2 * p, c))
    room[:, p : p + h, p : p + w] = images
    n_lines, n_across = layer.n_places
    q = np.empty((n, n_lines, n_across, layer.n_filters))
    for b, i, j in np.ndindex(n, n_lines, n_across):
        patch = np.append(room[b, i : i + k, j : j + k].ravel(), 1.0)
        e = patch @ layer.excitation
        x = patch @ (layer.weights + layer.excitation[:, None])
        q[b, i, j] = layer.cluster.zeta(x, excitation=np.full(x.shape, e))
    out = np.empty((n, *layer.out_shape))
    for u, (top, bottom) in enumerate(layer.lines.T):
        for v, (left, right) in enumerate(layer.places.T):
            out[:, u, v] = q[:, top:bottom, left:right].mean(axis=(1, 2))
    return out.reshape(n, -1)


def random_layer(rng, dtype=np.float64):
    shape = (*rng.integers(3, 9, 2).tolist(), int(rng.integers(1, 4)))
    size, padding = int(rng.integers(1, 4)), int(rng.integers(0, 3))
    n_inputs, n_filters = size * size * shape[2] + 1, int(rng.integers(1, 6))
    excitation = 0.01 * rng.random(n_inputs).astype(dtype)
    inhibition = 0.01 * rng.random((n_inputs, n_filters)).astype(dtype)
    weights = inhibition - excitation[:, None]
    n_lines, n_across = shape[0] + 2 * padding - size + 1, shape[1] + 2 * padding - size + 1
    windows = tiles(n_lines, int(rng.integers(1, 4))), overlapping(n_across, 3)
    cluster = Cluster(n=10, p=0.5, r=1e-4)
    return ConvolutionalLayer(shape, weights, excitation, size, padding, *windows, cluster)


@given(seed=SEEDS, n=st.integers(1, 40))
def test_a_layer_is_its_clusters_one_at_a_time(seed, n):
    rng = np.random.default_rng(seed)
    layer = random_layer(rng)
    images = rng.random((n, *layer.shape))
    columns = np.ascontiguousarray(images.reshape(n, -1).T)
    out = np.empty((layer.n_clusters, n))
    layer.forward(columns, out)
    np.testing.assert_allclose(out.T, slow_layer(layer, images), rtol=1e-12)
    single = layer.astype(np.float32)
    found = np.empty((layer.n_clusters, n), np.float32)
    single.forward(columns.astype(np.float32), found)
    np.testing.assert_allclose(found, out, rtol=1e-4)


def test_outputs_do_not_depend_on_the_images_beside():
    rng = np.random.default_rng(0)
    layer = random_layer(rng, np.float32)
    columns = rng.random((layer.n_inputs, 300), np.float32)
    whole, alone = (np.empty((layer.n_clusters, n), np.float32) for n in (300, 1))
    layer.forward(columns, whole)
    layer.forward(np.ascontiguousarray(columns[:, 17:18]), alone)
    np.testing.assert_allclose(whole[:, 17], alone[:, 0], rtol=2e-7)


def test_a_place_of_a_layer_is_a_network_of_spiking_cells():
    rng = np.random.default_rng(3)
    cluster = Cluster(n=4, p=0.5, r=0.1, lambda_plus=0.1, lambda_minus=0.1)
    inhibition, excitation = 0.4 * rng.random((10, 2)), 0.2 * rng.random(10)
    inhibition[:, 1] *= 0.1  # excitation saturates the second filter's cluster
    one = np.array([[0], [1]])
    weights = inhibition - excitation[:, None]
    layer = ConvolutionalLayer((3, 3, 1), weights, excitation, 3, 0, one, one, cluster)
    pixels = rng.random((9, 1))
    out = np.empty((2, 1))
    layer.forward(pixels, out)
    network = RandomNeuralNetwork.from_layer(
        inhibition,
        np.append(pixels, 1.0),
        cluster,
        excitatory=np.repeat(excitation[:, None], 2, axis=1),
    )
    q = network.steady_state().q[10:].reshape(2, 4)
    np.testing.assert_allclose(q, np.repeat(out, 4, axis=1), rtol=1e-9)
    assert out[0, 0] < 1.0 == out[1, 0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8, 10, 44])
def test_windows_lie_within_and_cover_all_places(n):
    for side in (1, 2, 3):
        starts, ends = tiles(n, side)
        assert list(starts[1:]) == list(ends[:-1])
        assert (starts[0], ends[-1]) == (0, n)
    starts, ends = overlapping(n, 3)
    assert (ends > starts).all()
    assert (starts[0], ends[-1]) == (0, n)
    assert (np.diff(starts) > 0).all()


@given(seed=SEEDS)
def test_directions_are_units_and_clusters_are_found(seed):
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(12, 4)))[0].T
    rows = np.repeat(centres, 50, axis=0) * rng.uniform(1, 2, (200, 1))
    rows += 0.01 * rng.normal(size=rows.shape)
    found = learn_directions(rows, 40, rng)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
    assert ((found @ centres.T).max(axis=0) > 0.99).all()
    few = learn_directions(rows[:3], 5, rng)  # more directions than rows
    assert few.shape == (5, 12)


def test_layers_stack_in_a_pipeline_and_stand_before_a_deep_network():
    first = ConvolutionalClusters(6, 3, padding=1, random_state=0)
    second = ConvolutionalClusters(
        20, 3, n_windows=2, whiten=True, gain=0.06, image_shape=(4, 4, 6), random_state=1
    )
    model = make_pipeline(first, second, RidgeClassifier(1e-6))
    model.fit(DIGITS.data[:1000], DIGITS.target[:1000])
    assert first.out_shape_ == (4, 4, 6)
    assert second.out_shape_ == (2, 2, 20)
    assert model.score(DIGITS.data[1000:], DIGITS.target[1000:]) > 0.9
    assert first.get_feature_names_out().size == 96
    deep = DenseRNNClassifier((), 300, preparation=clone(first), random_state=0)
    deep.fit(DIGITS.data[:1000], DIGITS.target[:1000])
    assert deep.score(DIGITS.data[1000:], DIGITS.target[1000:]) > 0.85


def test_activations_of_a_transformer_are_probabilities_of_spiking():
    layer = ConvolutionalClusters(5, 3, random_state=0, dtype="float64").fit(IMAGES)
    found = layer.transform(IMAGES[:50])
    own = layer.feature_map_.layers[0]
    expected = slow_layer(own, IMAGES[:50, :, :, None] / 16.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert ((found > 0) & (found <= 1)).all()
    inhibition = own.weights + own.excitation[:, None]
    assert (own.excitation >= 0).all()
    np.testing.assert_allclose(inhibition.min(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_filters": 0}, "n_filters must be a whole number from 1 on: it is 0"),
        ({"padding": -1}, "padding must be a whole number from 0 on"),
        ({"filter_size": 9}, r"filter_size=9 with padding=0 does not fit into images of \(8, 8, 1"),
        ({"dtype": "half"}, "dtype must be 'float32' or 'float64'"),
        ({"gain": 0}, "gain must be a number above 0"),
        ({"image_shape": (4, 4)}, r"image_shape=\(4, 4\) are 16 pixels, and rows have 64"),
        ({"image_shape": 8}, "image_shape must be .height, width"),
    ],
)
def test_a_transformer_refuses(given, said):
    with pytest.raises(ParameterError, match=said):
        ConvolutionalClusters(**given).fit(IMAGES)


def small(**given):
    return RNNImageClassifier((6, 24), random_state=0, **given)


def test_images_are_learned_in_any_shape_and_order():
    model = small().fit(IMAGES, LABELS)
    assert model.image_shape_ == (8, 8, 1)
    assert model.score(DIGITS.images[600:], DIGITS.target[600:]) > 0.92
    expected = model.predict_proba(DIGITS.images[600:700])
    flat = IMAGES.reshape(600, 64)
    for X in (flat, IMAGES[..., None], flat.astype(np.float32), flat.astype(np.uint8)):
        found = small().fit(X, LABELS).predict_proba(DIGITS.data[600:700])
        np.testing.assert_allclose(found, expected, atol=1e-4)
    order = np.random.default_rng(0).permutation(600)
    other = small().fit(IMAGES[order], LABELS[order])
    for mine, theirs in zip(model.feature_map_.layers, other.feature_map_.layers, strict=True):
        np.testing.assert_array_equal(mine.weights, theirs.weights)
    np.testing.assert_allclose(other.predict_proba(DIGITS.data[600:700]), expected, atol=1e-3)


def test_several_channels_are_one_image():
    colour = np.stack([IMAGES, 16 - IMAGES, np.roll(IMAGES, 1, axis=1)], axis=-1)
    model = small().fit(colour, LABELS)
    assert model.image_shape_ == (8, 8, 3)
    assert model.score(colour, LABELS) > 0.95
    again = small(image_shape=(8, 8, 3)).fit(colour.reshape(600, -1), LABELS)
    np.testing.assert_array_equal(again.predict_proba(colour), model.predict_proba(colour))


@pytest.mark.parametrize(
    ("X", "given", "error", "said"),
    [
        (np.zeros((9, 240)), {}, ParameterError, "rows of 240 pixels are no square images"),
        (np.zeros((9, 64)), {"image_shape": (8, 9)}, ParameterError, "72 pixels, and rows have 64"),
        (np.zeros((9, 2, 32)), {}, ParameterError, "3 x 3 pixels at least: they are .2, 32"),
        (IMAGES, {"n_filters": 5}, ParameterError, "n_filters must be two whole numbers"),
        (IMAGES, {"readout": "svm"}, ParameterError, "readout must be one of"),
        (IMAGES, {"cluster": Cluster(p=[0.1, 0.2])}, ParameterError, "single numbers"),
    ],
)
def test_an_image_model_refuses(X, given, error, said):
    y = np.arange(len(X)) % 2
    with pytest.raises(error, match=said):
        RNNImageClassifier(**given).fit(X, y)


def test_images_of_another_shape_are_named():
    model = small().fit(IMAGES, LABELS)
    with pytest.raises(DataError, match=r"images of \(4, 16\), and RNNImageClassifier was trained"):
        model.predict(IMAGES.reshape(600, 4, 16))


def test_a_file_a_stream_and_memory_are_one(tmp_path):
    flat = DIGITS.data[:600]
    model = small().fit(flat, LABELS)
    rows = np.column_stack([flat, LABELS])
    np.savetxt(tmp_path / "digits.csv", rows, delimiter=",", fmt="%d")
    source = open_rows(tmp_path / "digits.csv", target=64, header=None)
    streamed = small().fit(source)
    own = streamed.predict_proba(source)
    np.testing.assert_array_equal(own, model.predict_proba(flat))
    save(model, tmp_path / "model.skops")
    again = load(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.predict_proba(flat), model.predict_proba(flat))
    assert again.n_iter_ == model.n_iter_ > 1
    np.testing.assert_array_equal(again.predict(IMAGES), model.predict(IMAGES))


def test_updates_are_exact_and_give_the_readout_of_ridge():
    whole = small(readout="ridge").fit(IMAGES, LABELS)
    parts = [whole.fresh() for _ in range(3)]
    for k, part in enumerate(parts):
        part.partial_fit(IMAGES[k::3], LABELS[k::3], classes=np.arange(10))
    merged = parts[0].merge(parts[1]).merge(parts[2])
    np.testing.assert_allclose(
        merged.decision_function(IMAGES), whole.decision_function(IMAGES), atol=5e-4
    )
    more = small(readout="ridge").fit(IMAGES, LABELS)
    more.partial_fit(DIGITS.images[600:900], DIGITS.target[600:900])
    more.forget(DIGITS.images[600:900], DIGITS.target[600:900])
    np.testing.assert_allclose(
        more.decision_function(IMAGES), whole.decision_function(IMAGES), atol=5e-4
    )


def test_large_images_are_sampled_within_memory():
    large = np.random.default_rng(0).integers(0, 255, (130, 96, 96)).astype(np.uint8)
    model = RNNImageClassifier((2, 4), memory_limit="80 MB", random_state=0)
    model.fit(large, np.arange(130) % 2)
    assert ImageSpec(model).n_judged(96 * 96) == 100
    assert ImageSpec(small()).n_judged(64) >= 4000
    assert ImageSpec(small()).n_judged(96 * 96) < 1000


def test_memory_limits_and_checkpoints_do_not_change_images(tmp_path):
    model = small().fit(IMAGES, LABELS)
    for more in ({"memory_limit": "64 MB"}, {"checkpoint": str(tmp_path / "c")}):
        other = small(**more).fit(IMAGES, LABELS)
        np.testing.assert_allclose(
            other.predict_proba(IMAGES), model.predict_proba(IMAGES), atol=1e-3
        )


def test_a_transformer_and_a_model_without_moments_come_back_from_files(tmp_path):
    layer = ConvolutionalClusters(4, 3, random_state=0).fit(IMAGES)
    save(layer, tmp_path / "layer.skops")
    again = load(tmp_path / "layer.skops")
    np.testing.assert_array_equal(again.transform(IMAGES), layer.transform(IMAGES))
    assert again.out_shape_ == (3, 3, 4)
    model = small().fit(IMAGES, LABELS)
    save(model, tmp_path / "model.skops", moments=False)
    found = load(tmp_path / "model.skops").predict_proba(IMAGES)
    np.testing.assert_array_equal(found, model.predict_proba(IMAGES))


def test_the_command_line_learns_images(call, refuse, tmp_path):
    pixels = np.tile(np.arange(256) % 16 / 15, (90, 1)) * np.arange(1, 91)[:, None] / 90
    pixels = np.random.default_rng(0).permuted(pixels, axis=1)
    pixels[:45, :64] = 0
    names = [f"p{j}" for j in range(256)] + ["label"]
    table = np.column_stack([pixels.round(3), np.repeat([0, 1], 45)])
    path = tmp_path / "images.csv"
    np.savetxt(path, table, delimiter=",", header=",".join(names), comments="", fmt="%g")
    options = ("--target=label", "--json", "--n-filters=4,8")
    result = json.loads(call("evaluate", path, *options))
    assert result["model_kind"] == "image"
    assert (result["image_shape"], result["n_filters"]) == ([16, 16, 1], [4, 8])
    assert result["readout"] == "logistic"
    assert result["accuracy"] == 1.0
    model = tmp_path / "m.skops"
    fitted = call("fit", path, *options, "--image-shape=8,32", "--readout=ridge", "-o", model)
    assert json.loads(fitted)["image_shape"] == [8, 32, 1]
    assert load(model).n_iter_ == 0
    assert "shared" in call("info", model)
    said = refuse("evaluate", path, *options, "--n-hidden=5")
    assert "--n-hidden and --n-filters: the former belong to networks, the latter to an" in said
    assert "no meaning for --model forest" in refuse("evaluate", path, *options, "--model=forest")
    said = refuse("evaluate", path, *options[:2], "--n-filters=4,x")
    assert "whole numbers above 0 with commas between" in said


@pytest.mark.slow
def test_digits_are_told_apart_on_five_splits():
    found = []
    for seed in range(5):
        parts = train_test_split(
            DIGITS.images, DIGITS.target, test_size=0.25, random_state=seed, stratify=DIGITS.target
        )
        model = RNNImageClassifier(random_state=seed).fit(parts[0], parts[2])
        found.append(model.score(parts[1], parts[3]))
    assert np.mean(found) >= 0.988


def test_pairs_of_images_are_channels_however_they_come(tmp_path):
    pairs = np.stack([IMAGES, IMAGES[:, ::-1]], axis=1)  # of shape (n, 2, 8, 8)
    channels = pairs.transpose(0, 2, 3, 1)
    model = RNNImageClassifier(
        (4, 16), n_views=2, augment=Augmentation(1), test_shift=1, random_state=0
    ).fit(pairs, LABELS)
    assert model.image_shape_ == (8, 8, 2)
    expected = model.predict_proba(pairs)
    flat = clone(model).set_params(image_shape=(8, 8)).fit(pairs.reshape(600, -1), LABELS)
    np.testing.assert_array_equal(flat.predict_proba(pairs), expected)
    save(model, tmp_path / "pairs.skops")
    np.testing.assert_array_equal(load(tmp_path / "pairs.skops").predict_proba(pairs), expected)
    # The same layers over channels, which come as they are.
    own, layout = model.feature_map_, Layout((8, 8, 2))
    other = replace(own, layout=layout, preparation=replace(own.preparation, layout=layout))
    solution, _ = model._readout.solve(model.moments_)
    np.testing.assert_array_equal(
        other.outputs(channels.reshape(600, -1), solution),
        own.outputs(pairs.reshape(600, -1), solution),
    )
    with pytest.raises(ParameterError, match="n_views=3: rows must hold so many images"):
        RNNImageClassifier((4, 16), n_views=3).fit(pairs, LABELS)
    with pytest.raises(ParameterError, match="n_views must be a whole number from 1 on: it is 0"):
        RNNImageClassifier((4, 16), n_views=0).fit(IMAGES, LABELS)


def test_standardized_images_do_not_depend_on_their_light():
    model = RNNImageClassifier((4, 16), standardize=True, random_state=0).fit(IMAGES, LABELS)
    light = np.random.default_rng(0).uniform(0.1, 10.0, (600, 1, 1))
    expected = model.decision_function(IMAGES)
    np.testing.assert_allclose(
        model.decision_function(light * IMAGES + 3 * light), expected, atol=0.05
    )
    lacks = IMAGES.copy()
    lacks[:, 0, 0] = np.nan
    assert (model.predict(lacks) == model.predict(IMAGES)).mean() > 0.9
    with pytest.raises(ParameterError, match="standardize must be True or False: it is 'yes'"):
        RNNImageClassifier(standardize="yes").fit(IMAGES, LABELS)
