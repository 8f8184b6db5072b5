"""The estimators: what must not matter (batches, order, chunks, dtype), merging and forgetting."""

import copy
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import oracles
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import classification, pieces, regression
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from densernn import Cluster, ClusterFeatures, RNNELMClassifier, RNNELMRegressor, UnitScaler
from densernn.errors import (
    DataError,
    MergeError,
    NegativeInputError,
    ParameterError,
    SingularSolveWarning,
)
from densernn.estimators.targets import project_to_simplex

DEFAULTS = {"n_hidden": 40, "alpha": 1e-3, "random_state": 0}
BOTH = pytest.mark.parametrize("kind", ["classifier", "regressor"])


def classifier(**parameters):
    return RNNELMClassifier(**{**DEFAULTS, **parameters})


def regressor(**parameters):
    return RNNELMRegressor(**{**DEFAULTS, **parameters})


def problem(kind, **parameters):
    """An estimator that is not fitted, rows and targets."""
    if kind == "classifier":
        return (classifier(**parameters), *classification())
    return (regressor(**parameters), *regression(n_outputs=2))


def outputs(model, X):
    """Real outputs, of shape (n_rows, n_targets), as the readout gives them."""
    return model._outputs(X)


def learn(model, X, y, weight=None):
    """partial_fit, naming all classes in case it is the first call."""
    if isinstance(model, RNNELMClassifier):
        named = {} if hasattr(model, "feature_map_") else {"classes": [0, 1, 2]}
        return model.partial_fit(X, y, sample_weight=weight, **named)
    return model.partial_fit(X, y, sample_weight=weight)


def assert_same_model(found, expected, X, tolerance=1e-8):
    first, second = outputs(found, X), outputs(expected, X)
    assert np.abs(first - second).max() <= tolerance * np.abs(second).max()
    assert found.moments_.weight == pytest.approx(expected.moments_.weight)
    if hasattr(found, "class_counts_"):
        np.testing.assert_array_equal(found.classes_, expected.classes_)
        np.testing.assert_allclose(found.class_counts_.counts, expected.class_counts_.counts)


def state(model):
    """All that a model holds, so that any change of it shows."""
    return pickle.dumps({name: value for name, value in vars(model).items() if name != "_readout"})


# ----------------------------------------------------------------------------- it learns


@pytest.mark.parametrize("weights", ["sparse", "dense"])
def test_it_learns_classes_that_no_plane_parts(weights):
    X, y = classification()
    model = classifier(n_hidden=200, weights=weights, alpha="auto").fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.7
    linear = Ridge().fit(X[:200], np.eye(3)[y[:200]])
    assert np.mean(linear.predict(X[200:]).argmax(axis=1) == y[200:]) < 0.55


@pytest.mark.parametrize("weights", ["sparse", "dense"])
def test_it_learns_values_that_are_not_linear(weights):
    # Uniform over a square: later rows are hardly ever outside the range of the first.
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    y = np.sin(3 * X[:, 0]) * np.cos(3 * X[:, 1]) + 0.05 * rng.normal(size=400)
    model = regressor(n_hidden=200, weights=weights, alpha="auto").fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.9
    assert Ridge().fit(X[:300], y[:300]).score(X[300:], y[300:]) < 0.3


@BOTH
def test_the_readout_is_scikit_learns_ridge_on_the_hidden_activations(kind):
    model, X, y = problem(kind)
    weight = np.random.default_rng(0).random(len(y)) + 0.1
    model.fit(X, y, weight)
    hidden = np.empty((40, len(X)))
    model.feature_map_.forward(X, hidden)
    targets = np.eye(3)[y] if kind == "classifier" else y
    ridge = Ridge(alpha=1e-3, solver="svd").fit(hidden.T, targets, sample_weight=weight)
    np.testing.assert_allclose(outputs(model, X), ridge.predict(hidden.T), atol=1e-8)
    assert model.readout_coef_.shape == (40, targets.shape[1])
    assert model.readout_intercept_.shape == (targets.shape[1],)
    assert model.alpha_ == 1e-3
    assert model.alpha_scores_ == {}


@BOTH
def test_alpha_auto_and_grids_tell_their_scores(kind):
    model, X, y = problem(kind, alpha=[1e-4, 1e-2, 1.0])
    assert set(model.fit(X, y).alpha_scores_) == {1e-4, 1e-2, 1.0}
    assert model.alpha_ == min(model.alpha_scores_, key=model.alpha_scores_.get)
    auto = clone(model).set_params(alpha="auto").fit(X, y)
    assert min(auto.alpha_scores_.values()) <= 1.02 * min(model.alpha_scores_.values())


# ----------------------------------------------------------------------------- what must not matter


@BOTH
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 1e-4)])
def test_predictions_do_not_depend_on_the_batch(kind, dtype, tolerance):
    model, X, y = problem(kind, dtype=dtype)
    model.fit(X, y)
    many = np.tile(X, (15, 1))  # beyond one batch of 2048 rows
    whole = outputs(model, many)
    scale = np.abs(whole).max()
    for size in (1, 7, 2047, 2048, 2049):
        part = outputs(model, many[:size])
        assert np.abs(part - whole[:size]).max() <= tolerance * scale
    np.testing.assert_allclose(whole[300:600], whole[:300], atol=tolerance * scale)


@BOTH
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-8), ("float32", 1e-2)])
def test_neither_row_order_nor_chunks_matter(kind, dtype, tolerance):
    model, X, y = problem(kind, dtype=dtype, alpha=0.1)
    expected = model.fit(X, y)
    order = np.random.default_rng(1).permutation(len(X))
    small_chunks = clone(model).set_params(memory_limit=130_000)
    assert_same_model(clone(model).fit(X[order], y[order]), expected, X, tolerance)
    assert_same_model(small_chunks.fit(X, y), expected, X, tolerance)


@BOTH
def test_storage_does_not_matter_to_the_last_bit(kind, tmp_path, one_blas_thread):
    model, X, y = problem(kind)
    X = X.astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    expected = outputs(model.fit(X, y), X)
    frozen = X.copy()
    frozen.flags.writeable = False
    wide = np.repeat(X, 2, axis=0)[::2]
    stored = [np.asfortranarray(X), np.load(tmp_path / "X.npy", mmap_mode="r"), frozen, wide]
    for other in stored:
        np.testing.assert_array_equal(outputs(clone(model).fit(other, y), X), expected)
        np.testing.assert_array_equal(outputs(model, other), expected)


@BOTH
def test_both_precisions_agree(kind):
    single, X, y = problem(kind, dtype="float32", alpha=0.1)
    double = clone(single).set_params(dtype="float64")
    assert_same_model(single.fit(X, y), double.fit(X, y), X, 5e-3)
    assert single.feature_map_.dtype == np.float32
    assert single.readout_coef_.dtype == np.float64


@BOTH
def test_dtypes_of_the_rows_agree(kind):
    model, X, y = problem(kind)
    X = np.round(X).astype(np.int64) + 100
    expected = outputs(model.fit(X, y), X)
    for dtype in (np.uint8, np.int16, np.float16, np.float32, np.float64, object):
        found = outputs(clone(model).fit(X.astype(dtype), y), X.astype(dtype))
        np.testing.assert_allclose(found, expected, atol=2e-3)


@BOTH
def test_the_random_state_decides_the_network(kind):
    model, X, y = problem(kind)
    expected = outputs(model.fit(X, y), X)
    np.testing.assert_array_equal(outputs(clone(model).fit(X, y), X), expected)
    for same in (np.random.RandomState(0), np.int64(0)):
        again = clone(model).set_params(random_state=same)
        np.testing.assert_array_equal(outputs(again.fit(X, y), X), expected)
    shared = np.random.RandomState(0)
    first, second = (clone(model).set_params(random_state=shared).fit(X, y) for _ in range(2))
    assert not np.array_equal(outputs(first, X), outputs(second, X))
    for other in (1, None, np.random.default_rng(0)):
        again = clone(model).set_params(random_state=other)
        assert not np.array_equal(outputs(again.fit(X, y), X), expected)


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("preparation", ["unit", "split"])
def test_rows_far_outside_the_training_range_are_predicted_with_finite_numbers(
    kind, dtype, p, preparation
):
    model, X, y = problem(kind, dtype=dtype, cluster=Cluster(p=p), preparation=preparation)
    model.fit(X, y)
    far = np.tile([1e9, -1e9, 1e30, -1e100, 1e300], (6, 1))[:, : X.shape[1]]
    far[3:] *= -1
    with np.errstate(over="ignore"):
        found = outputs(model, far)
    assert np.isfinite(found).all()
    assert (
        np.abs(found).max()
        <= np.abs(model.readout_coef_).sum() + np.abs(model.readout_intercept_).max()
    )


# ----------------------------------------------------------------------------- weights


@BOTH
@pytest.mark.parametrize("weights", ["sparse", "dense"])
def test_weight_0_counts_nowhere_and_weight_k_is_k_copies(kind, weights):
    model, X, y = problem(kind, weights=weights)
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    copied = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    spoilt = X.copy()
    spoilt[weight == 0] = 1e7
    weighted = model.fit(spoilt, y, sample_weight=weight)
    assert_same_model(weighted, copied, X, 1e-6)


@BOTH
@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ([1.0] * 299 + [-2.0], "sample_weight must not be negative: it is -2.0 in row 299"),
        ([0.0] * 300, "sample_weight is 0 in every row|at least one non-zero number"),
    ],
)
def test_weights_that_make_no_sense_are_refused(kind, weight, said):
    model, X, y = problem(kind)
    with pytest.raises(ValueError, match=said):
        model.fit(X, y, sample_weight=weight)


def test_class_weights_multiply_sample_weights():
    X, y = classification()
    weight = np.random.default_rng(0).random(len(y)) + 0.1
    factor = np.array([1.0, 5.0, 0.5])
    by_class = classifier(class_weight={1: 5.0, 2: 0.5}).fit(X, y, weight)
    by_row = classifier().fit(X, y, weight)
    by_row = by_row.fresh().partial_fit(X, y, sample_weight=weight * factor[y])
    assert_same = np.testing.assert_allclose
    assert_same(outputs(by_class, X), outputs(by_row, X), atol=1e-9)
    assert_same(by_class.class_counts_.counts, np.bincount(y, weight))


def test_balanced_classes_weigh_the_same_in_all():
    X, y = classification(400)
    kept = (y > 0) | (np.arange(400) % 5 == 0)
    X, y = X[kept], y[kept]
    balanced = classifier(class_weight="balanced").fit(X, y)
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=y)
    np.testing.assert_allclose(balanced.class_weight_, wanted)
    named = classifier(class_weight=dict(enumerate(wanted))).fit(X, y)
    assert_same_model(balanced, named, X)
    plain = classifier().fit(X, y)
    assert np.sum(balanced.predict(X) == 0) > np.sum(plain.predict(X) == 0)


@pytest.mark.parametrize(
    ("class_weight", "said"),
    [
        ({7: 1.0}, r"names \[7\], which are not among the classes \[0, 1, 2\]"),
        ({0: -1.0}, "must not be negative"),
        ("equal", "a dict, 'balanced' or None"),
    ],
)
def test_class_weights_that_make_no_sense_are_refused(class_weight, said):
    with pytest.raises(ParameterError, match=said):
        classifier(class_weight=class_weight).fit(*classification())


# ----------------------------------------------------------------------------- labels, outputs


@pytest.mark.parametrize(
    "labels",
    [["no", "yes", "perhaps"], [True, False, True], [-5, 3, 100], [1.0, 2.0, 4.0]],
    ids=["text", "bool", "integers", "floats"],
)
def test_any_labels_come_back_as_they_were(labels):
    X, y = classification()
    named = np.asarray(labels)[y]
    model = classifier().fit(X, named)
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    found = model.predict(X)
    assert found.dtype == named.dtype
    assert np.mean(found == named) > 0.6
    if named.dtype.kind == "U":
        objects = classifier().fit(X, named.astype(object))
        np.testing.assert_array_equal(objects.predict(X), found)


def test_values_are_no_labels():
    X, y = regression()
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().fit(X, y)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 5])
def test_probabilities_add_up_and_order_classes_as_predict_does(n_classes):
    X, y = classification(n_classes=n_classes)
    model = classifier(n_hidden=100, alpha=1e-2).fit(X, y)
    P = model.predict_proba(X)
    assert P.shape == (len(X), n_classes)
    assert ((P >= 0) & (P <= 1)).all()
    np.testing.assert_allclose(P.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(model.classes_[P.argmax(axis=1)], model.predict(X))
    decisions = model.decision_function(X)
    if n_classes == 2:
        np.testing.assert_array_equal((decisions > 0).astype(int), model.predict(X))
    else:
        np.testing.assert_array_equal(decisions, outputs(model, X))


@given(
    outputs=st.lists(st.floats(-5, 5), min_size=1, max_size=6).map(np.array),
    far=st.sampled_from([0.0, 1e3, -1e6, 1e12]),
)
def test_probabilities_are_the_nearest_to_the_outputs(outputs, far):
    found = project_to_simplex(outputs[None] + far)[0]
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert found[np.argmax(outputs + far)] == found.max()
    expected = oracles.nearest_probabilities(outputs)
    np.testing.assert_allclose(found, expected, atol=1e-9 + 1e-15 * abs(far))


def test_a_multilabel_indicator_is_one_problem_per_label():
    X, y = classification(n_classes=4)
    Y = np.column_stack([y > 1, y % 2, y == 3]).astype(int)
    together = classifier().fit(X, Y)
    assert together.predict(X).shape == Y.shape
    P = together.predict_proba(X)
    assert ((P > 0) & (P < 1)).all()
    np.testing.assert_array_equal(together.predict(X), P > 0.5)
    np.testing.assert_array_equal(together.predict(X), together.decision_function(X) > 0)
    for label in range(3):
        alone = classifier().fit(X, Y[:, label])
        np.testing.assert_allclose(
            outputs(together, X)[:, label], outputs(alone, X)[:, 1], atol=1e-8
        )
    pieced = classifier().partial_fit(X[:100], Y[:100], classes=[0, 1, 2])
    assert_same_model(pieced.partial_fit(X[100:], Y[100:]), pieced.fresh().partial_fit(X, Y), X)


def test_several_outputs_are_one_regression_each():
    X, y = regression(n_outputs=3)
    together = regressor().fit(X, y)
    assert together.predict(X).shape == y.shape
    for k in range(3):
        alone = regressor().fit(X, y[:, k])
        assert alone.predict(X).shape == (len(X),)
        np.testing.assert_allclose(together.predict(X)[:, k], alone.predict(X), atol=1e-8)
    column = regressor().fit(X, y[:, :1])
    assert column.predict(X).shape == (len(X), 1)


@pytest.mark.parametrize("far", [1e3, 1e6])
def test_targets_far_from_zero_lose_nothing(far):
    X, y = regression()
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-6)):
        near, away = (regressor(dtype=dtype, alpha=0.1).fit(X, t).predict(X) for t in (y, y + far))
        np.testing.assert_allclose(
            away - far, near, atol=max(tolerance, 1e-2 * (dtype != "float64"))
        )


def test_labels_of_another_kind_than_in_training_are_refused():
    X, y = classification()
    Y = np.eye(3, dtype=int)[y]
    one, many = classifier().fit(X, y), classifier().fit(X, Y)
    for call in ("partial_fit", "forget"):
        with pytest.raises(DataError, match=r"y has 3 label columns, and .* trained with 1"):
            getattr(one, call)(X, Y)
        with pytest.raises(DataError, match=r"y has 1 label columns, and .* trained with 3"):
            getattr(many, call)(X, y)
        with pytest.raises(DataError, match=r"y has 2 label columns, and .* trained with 3"):
            getattr(many, call)(X, Y[:, :2])
    with pytest.raises(DataError, match=r"y has 2 outputs, and .* trained with 1"):
        regressor().fit(X, y).partial_fit(X, Y[:, :2])


# ----------------------------------------------------------------------------- tables


@BOTH
@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_names_of_a_table_are_kept_and_asked_for(kind, library):
    model, X, y = problem(kind)
    names = [f"column {j}" for j in range(X.shape[1])]
    table = library.DataFrame({name: X[:, j] for j, name in enumerate(names)})
    model.fit(table, y)
    assert model.feature_names_in_.tolist() == names
    plain = clone(model).fit(X, y)
    np.testing.assert_array_equal(outputs(model, table), outputs(plain, X))
    other = (
        table.rename(columns={"column 0": "z"})
        if library is pd
        else table.rename({"column 0": "z"})
    )
    for call in (model.predict, lambda t: model.partial_fit(t, y), lambda t: model.forget(t, y)):
        with pytest.raises(ValueError, match="feature names"):
            call(other)
    turned = table[names[::-1]]
    turned = turned.assign(more=1.0) if library is pd else turned.with_columns(more=1.0)
    np.testing.assert_array_equal(outputs(model, turned), outputs(model, table))
    if library is pd:
        labelled = clone(model).fit(table, pd.Series(y[:, 0] if y.ndim > 1 else y))
        assert labelled.predict(table).shape == (len(X),)


@BOTH
def test_a_table_of_mixed_dtypes_is_its_numbers(kind):
    model, X, y = problem(kind)
    whole, flag = np.round(X[:, 1]).astype(np.int32), X[:, 2] > 0
    table = pd.DataFrame({"a": X[:, 0].astype(np.float32), "b": whole, "c": flag})
    numbers = np.column_stack([X[:, 0].astype(np.float32), whole, flag]).astype(np.float64)
    np.testing.assert_allclose(
        outputs(model.fit(table, y), table),
        outputs(clone(model).fit(numbers, y), numbers),
        atol=1e-8,
    )


@BOTH
def test_input_of_another_width_or_with_infinity_is_refused(kind):
    model, X, y = problem(kind)
    model.fit(X, y)
    for call in (model.predict, lambda rows: model.partial_fit(rows, y)):
        with pytest.raises(ValueError, match="features, but"):
            call(X[:, 1:])
        spoilt = X.copy()
        spoilt[5, 1] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            call(spoilt)


# ----------------------------------------------------------------------------- pieces


@BOTH
@pytest.mark.parametrize("weights", ["sparse", "dense"])
@pytest.mark.parametrize("weighted", [True, False])
def test_partial_fit_in_pieces_equals_fit_on_the_same_layers(kind, weights, weighted):
    model, X, y = problem(kind, weights=weights)
    weight = np.random.default_rng(2).random(len(X)) + 0.1 if weighted else None
    model.fit(X, y, weight)
    pieced = model.fresh()
    for part in pieces(len(X), 6):
        learn(pieced, X[part], y[part], None if weight is None else weight[part])
    assert_same_model(pieced, model, X, 1e-7)


@BOTH
def test_the_first_piece_decides_the_layers(kind):
    model, X, y = problem(kind)
    pieced = learn(clone(model), X[:100], y[:100])
    layers = pieced.feature_map_
    assert_same_model(pieced, clone(model).fit(X[:100], y[:100]), X)
    learn(pieced, X[100:], y[100:])
    assert pieced.feature_map_ is layers
    assert pieced.moments_.weight == len(X)


@BOTH
def test_predictions_follow_every_update(kind):
    model, X, y = problem(kind)
    model.fit(X[:150], y[:150])
    before = outputs(model, X)
    other = learn(model.fresh(), X[150:], y[150:])
    seen = [before]
    for update in (
        lambda: learn(model, X[150:], y[150:]),
        lambda: model.forget(X[:100], y[:100]),
        lambda: model.merge(other),
    ):
        update()
        seen.append(outputs(model, X))
        assert not np.allclose(seen[-1], seen[-2], rtol=1e-3)


@BOTH
@given(seed=st.integers(0, 10**6), n_shards=st.integers(2, 5))
def test_merged_shards_are_the_whole_in_any_order_and_tree(kind, seed, n_shards):
    model, X, y = problem(kind, n_hidden=15)
    model.fit(X, y)
    shards = [learn(model.fresh(), X[part], y[part]) for part in pieces(len(X), n_shards, seed)]
    rng = np.random.default_rng(seed)
    while len(shards) > 1:
        first = shards.pop(rng.integers(len(shards)))
        shards.append(first.merge(shards.pop(rng.integers(len(shards)))))
    assert_same_model(shards[0], model, X, 1e-7)


@BOTH
def test_shards_may_travel_between_processes(kind):
    model, X, y = problem(
        kind, preparation=make_pipeline(StandardScaler(), MinMaxScaler(clip=True))
    )
    model.fit(X, y)
    shards = [
        learn(pickle.loads(pickle.dumps(model.fresh())), X[part], y[part])
        for part in pieces(len(X), 3)
    ]
    whole = model.fresh()
    for shard in shards:
        whole.merge(pickle.loads(pickle.dumps(shard)))
    assert_same_model(whole, model, X, 1e-7)


@BOTH
def test_merging_leaves_the_other_model_alone(kind):
    model, X, y = problem(kind)
    model.fit(X, y)
    for mine in (model.fresh(), learn(model.fresh(), X[:50], y[:50])):
        other = learn(model.fresh(), X[50:], y[50:])
        before = state(other)
        mine.merge(other)
        learn(mine, X[:10], y[:10])
        assert state(other) == before


def test_merging_unites_classes():
    X, y = classification(n_classes=4)
    names = np.array(["ant", "bee", "cow", "dog"])
    model = classifier().fit(X, names[y])
    first, second = np.flatnonzero(y < 3), np.flatnonzero(y > 0)
    second = second[~np.isin(second, first[::2])]
    first = np.setdiff1d(np.arange(len(y)), second)
    one = model.fresh().partial_fit(X[first], names[y[first]], classes=["cow", "ant", "bee"])
    two = model.fresh().partial_fit(X[second], names[y[second]], classes=["bee", "cow", "dog"])
    assert one.classes_.tolist() == ["ant", "bee", "cow"]
    for merged in (copy.deepcopy(one).merge(two), copy.deepcopy(two).merge(one)):
        assert merged.classes_.tolist() == names.tolist()
        assert_same_model(merged, model, X)


@pytest.mark.parametrize("order", ["one", "two"])
def test_class_weights_survive_a_union_of_classes(order):
    X, y = classification(n_classes=3)
    base = classifier(class_weight={1: 4.0}).fit(X, y)
    first, second = np.flatnonzero(y < 2), np.flatnonzero(y == 2)
    one = base.fresh().partial_fit(X[first], y[first], classes=[0, 1])
    two = base.fresh().partial_fit(X[second[:-5]], y[second[:-5]], classes=[1, 2])
    merged = one.merge(two) if order == "one" else two.merge(one)
    assert_same_model(merged.partial_fit(X[second[-5:]], y[second[-5:]]), base, X)
    np.testing.assert_array_equal(merged.class_weight_, [1.0, 4.0, 1.0])


@BOTH
@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"random_state": 1}, "weights of layer 0"),
        ({"cluster": Cluster(p=0.2)}, "cluster of layer 0"),
        ({"preparation": UnitScaler()}, "preparation"),
        ({"weights": "dense"}, "offset of layer 0"),
        ({"dtype": "float32"}, "weights of layer 0"),
    ],
)
def test_models_of_different_layers_do_not_merge_and_the_part_is_named(kind, change, part):
    model, X, y = problem(kind)
    model.fit(X, y)
    other = clone(model).set_params(**change).fit(X, y)
    before = state(model)
    with pytest.raises(MergeError, match=f"differ in .*{part}"):
        model.merge(other)
    assert state(model) == before


def test_models_whose_pipelines_learned_other_ranges_do_not_merge():
    X, y = classification()
    steps = make_pipeline(StandardScaler(), MinMaxScaler(clip=True))
    one, two = (classifier(preparation=steps).fit(rows, y) for rows in (X, X * 2 + 1))
    with pytest.raises(MergeError, match="differ in preparation"):
        one.merge(two)


def test_models_of_different_targets_do_not_merge():
    X, y = classification(n_classes=2)
    classes, labels = classifier().fit(X, y), classifier().fit(X, np.eye(2, dtype=int)[y])
    values = regressor().fit(X, y)
    with pytest.raises(MergeError, match="a multilabel model and one of classes"):
        labels.merge(classes)
    with pytest.raises(MergeError, match="cannot merge RNNELMRegressor into RNNELMClassifier"):
        classes.merge(values)
    with pytest.raises(MergeError, match="40 features and 1 targets do not go with"):
        values.merge(regressor().fit(X, np.column_stack([y, y])))


# ----------------------------------------------------------------------------- forgetting


@BOTH
@pytest.mark.parametrize("weights", ["sparse", "dense"])
def test_forgetting_is_refitting_on_the_remaining_rows(kind, weights):
    model, X, y = problem(kind, weights=weights)
    weight = np.random.default_rng(3).random(len(X)) + 0.1
    model.fit(X, y, weight)
    gone = np.random.default_rng(1).random(len(X)) < 0.4
    expected = learn(model.fresh(), X[~gone], y[~gone], weight[~gone])
    assert_same_model(model.forget(X[gone], y[gone], weight[gone]), expected, X, 1e-6)


def test_forgetting_undoes_class_weights_too():
    X, y = classification()
    for class_weight in ({0: 3.0}, "balanced"):
        model = classifier(class_weight=class_weight).fit(X, y)
        weights = model.class_weight_[y]
        expected = classifier().fit(X, y).fresh().partial_fit(X[:200], y[:200], None, weights[:200])
        model.forget(X[200:], y[200:])
        np.testing.assert_allclose(outputs(model, X), outputs(expected, X), atol=1e-7)


@BOTH
def test_forgetting_everything_leaves_nothing_to_predict_with(kind):
    model, X, y = problem(kind)
    model.fit(X, y).forget(X, y)
    for use in (model.predict, lambda _: model.readout_coef_, lambda _: model.alpha_):
        with pytest.raises(DataError, match=r"has no rows .* call partial_fit or merge first"):
            use(X)
    assert_same_model(learn(model, X, y), clone(model).fit(X, y), X)


@BOTH
def test_more_than_was_learned_cannot_be_forgotten(kind):
    model, X, y = problem(kind)
    model.fit(X[:100], y[:100])
    before, predicted = state(model), outputs(model, X)
    with pytest.raises(MergeError, match="cannot take away"):
        model.forget(X, y)
    assert state(model) == before
    np.testing.assert_array_equal(outputs(model, X), predicted)


def test_more_than_was_learned_of_one_class_cannot_be_forgotten():
    X, y = classification()
    model = classifier().fit(X, y)
    before = state(model)
    many = np.flatnonzero(y == 1)
    many = np.concatenate([many, many[:1]])
    with pytest.raises(MergeError, match="more rows of class 1 than there are: -1 would be left"):
        model.forget(X[many], y[many])
    assert state(model) == before


# ----------------------------------------------------------------------------- fresh models


@BOTH
def test_a_fresh_model_shares_the_layers_and_has_no_rows(kind):
    model, X, y = problem(kind)
    model.fit(X, y)
    before = state(model)
    fresh = model.fresh()
    assert fresh.feature_map_ is model.feature_map_
    assert fresh.get_params() == model.get_params()
    assert fresh.moments_.weight == 0
    with pytest.raises(DataError, match="no rows"):
        fresh.predict(X)
    learn(fresh, X[:20], y[:20])
    assert fresh.moments_.weight == 20
    assert state(model) == before


@BOTH
def test_a_fresh_model_of_a_model_whose_parameters_were_set_keeps_the_layers_width(kind):
    model, X, y = problem(kind)
    model.fit(X, y)
    expected = outputs(model, X)
    model.set_params(n_hidden=10)
    np.testing.assert_array_equal(outputs(model, X), expected)
    fresh = learn(model.fresh(), X, y)
    assert fresh.readout_coef_.shape[0] == 40
    np.testing.assert_allclose(outputs(fresh, X), expected, atol=1e-7)
    features = ClusterFeatures(30, random_state=0).fit(X).set_params(n_hidden=10)
    assert features.transform(X).shape == (len(X), 30)


# ----------------------------------------------------------------------------- calls that raise


def raising_calls():
    X, y = classification()
    negative, spoilt = -np.abs(X), X.copy()
    spoilt[7, 0] = np.inf
    return {
        "unknown label": (X, y + 1, {}, DataError),
        "other classes": (X, y, {"classes": [0, 1]}, ParameterError),
        "negative rows": (negative, y, {}, NegativeInputError),
        "not finite": (spoilt, y, {}, ValueError),
        "negative weight": (X, y, {"sample_weight": -np.ones(300)}, DataError),
        "short y": (X, y[:-1], {}, ValueError),
        "other width": (X[:, 1:], y, {}, ValueError),  # only where rows came before
    }


@pytest.mark.parametrize(
    ("age", "name"),
    [
        (age, name)
        for age in ("new", "fresh", "fitted")
        for name in raising_calls()
        if (age, name) != ("new", "other width")
    ],
)
def test_a_partial_fit_that_raises_changes_nothing(age, name):
    X, y = classification()
    X, kept = np.abs(X), {"preparation": None, "input_scale": 0.01}
    bad_X, bad_y, named, error = raising_calls()[name]
    bad_X = bad_X if name in ("negative rows", "not finite") else np.abs(bad_X)
    model = classifier(**kept)
    if age == "new":
        named = {"classes": [0, 1, 2], **named}
        if name == "other classes":
            bad_y = bad_y * 5  # then no label is among those classes
            error = DataError
    else:
        model.fit(X, y)
    if age == "fresh":
        model = model.fresh()
        error = DataError if name == "other classes" else error
    before = state(model)
    with pytest.raises(error):
        model.partial_fit(bad_X, bad_y, **named)
    assert state(model) == before
    again = {} if age == "fitted" else {"classes": [0, 1, 2]}
    good = classifier(**kept).fit(X, y)
    model.partial_fit(X, y, **again)
    if age == "fitted":
        good.partial_fit(X, y)
    assert_same_model(model, good, X)


def test_a_first_partial_fit_that_raises_can_be_tried_again_with_other_parameters():
    X, y = classification()
    model = classifier(n_hidden=0)
    with pytest.raises(ParameterError, match="n_hidden must be a whole number from 1 on: 0"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    model.set_params(n_hidden=40).partial_fit(X, y, classes=[0, 1, 2])
    assert_same_model(model, classifier().fit(X, y), X)
    failed = classifier(n_hidden=0)
    with pytest.raises(ParameterError):
        failed.fit(X, y)
    failed.set_params(n_hidden=40).partial_fit(X, y, classes=[0, 1, 2])
    assert_same_model(failed, model, X)


@pytest.mark.parametrize("name", ["fit", "partial_fit"])
def test_negative_rows_are_named_by_their_place_in_the_whole_data(name):
    X, y = classification(9000)
    X = np.abs(X)
    X[[8500, 8999], 1] = -3.0
    model = classifier(n_hidden=5, preparation=None)
    named = {} if name == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(NegativeInputError, match=r"2 negative entries in rows 8500, 8999"):
        getattr(model, name)(X, y, **named)
    with pytest.raises(NegativeInputError, match=r"in rows 8500, 8999|in rows 8500"):
        classifier(n_hidden=5, preparation=None).fit(np.abs(X), y).predict(X)


@BOTH
@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"n_hidden": 0}, "n_hidden must be a whole number from 1 on: 0"),
        ({"n_hidden": 2.5}, "n_hidden must be a whole number"),
        ({"fan_in": 0}, "fan_in must be a whole number from 1 on: 0"),
        ({"weights": "few"}, "weights must be one of .'sparse', 'dense'.: it is 'few'"),
        ({"preparation": "zscore"}, "preparation must be 'auto', 'unit', 'split'"),
        ({"input_scale": 0}, "input_scale must be 'auto' or a number above 0: it is 0"),
        ({"input_scale": "big"}, "input_scale must be"),
        ({"cluster": "big"}, "cluster must be a Cluster or None: it is 'big'"),
        ({"cluster": Cluster(p=[0.1, 0.2])}, "parameters for 2 clusters, and n_hidden is 40"),
        ({"dtype": "int8"}, "dtype must be one of .'auto', 'float32', 'float64'.: it is 'int8'"),
        ({"alpha": -1.0}, "alpha must be 'auto'"),
        ({"alpha": "best"}, "alpha must be 'auto'"),
        ({"memory_limit": "much"}, "memory_limit must be bytes or text"),
        ({"memory_limit": 1000}, "memory_limit=1000 is too little for n_hidden=40"),
    ],
)
def test_bad_parameters_are_named_with_their_value(kind, parameters, said):
    model, X, y = problem(kind, **parameters)
    with pytest.raises(ParameterError, match=said):
        model.fit(X, y)


def test_a_bad_alpha_is_refused_before_any_row_is_read():
    class Unreadable:
        def __array__(self, *_, **__):
            raise AssertionError("rows were read")

    with pytest.raises(ParameterError, match="alpha"):
        classifier(alpha="best").fit(Unreadable(), [0, 1])


def test_class_questions_of_partial_fit_are_answered():
    X, y = classification()
    with pytest.raises(ParameterError, match="classes must be given in the first call"):
        classifier().partial_fit(X, y)
    with pytest.raises(ParameterError, match="give a dict of weights instead"):
        classifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    y[7] = 3
    with pytest.raises(DataError, match="label 3 in row 7, which is not among the classes"):
        classifier().partial_fit(X, y, classes=[0, 1, 2])


# ----------------------------------------------------------------------------- scikit-learn's ways


@BOTH
@pytest.mark.parametrize("use", ["predict", "readout_coef_", "alpha_", "merge", "forget", "fresh"])
def test_nothing_works_before_fit_and_it_is_said(kind, use):
    model, X, y = problem(kind)
    with pytest.raises(ValueError, match="not fitted yet"):
        {
            "predict": lambda: model.predict(X),
            "readout_coef_": lambda: model.readout_coef_,
            "alpha_": lambda: model.alpha_,
            "merge": lambda: model.merge(model),
            "forget": lambda: model.forget(X, y),
            "fresh": model.fresh,
        }[use]()


@BOTH
@pytest.mark.parametrize("first", ["predict", "already solved"])
def test_predict_changes_no_attribute(kind, first):
    model, X, y = problem(kind)
    learn(model, X, y)
    if first == "already solved":
        model.predict(X)
    held = dict(vars(model))
    before = state(model)
    model.predict(X)
    assert vars(model).keys() == held.keys()
    assert all(vars(model)[name] is value for name, value in held.items())
    assert state(model) == before


@BOTH
@pytest.mark.parametrize("solved", [True, False])
def test_pickles_and_copies_predict_and_learn_alike(kind, solved):
    model, X, y = problem(kind)
    learn(model, X[:200], y[:200])
    if solved:
        model.predict(X)
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    expected = outputs(model, X)
    learn(model, X[200:], y[200:])
    for other in copies:
        np.testing.assert_array_equal(outputs(other, X), expected)
        assert_same_model(learn(other, X[200:], y[200:]), model, X)


@BOTH
def test_search_and_pipeline_take_the_estimator(kind):
    model, X, y = problem(kind)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {f"{type(model).__name__.lower()}__alpha": [1e-6, 1e6]},
        cv=3,
    )
    search.fit(X, y)
    assert search.best_params_ == {f"{type(model).__name__.lower()}__alpha": 1e-6}
    assert search.best_score_ > 0.5
    assert cross_val_score(model, X, y, cv=3).min() > 0.4


@BOTH
def test_clones_are_not_fitted_and_equal_in_parameters(kind):
    model, X, y = problem(kind, cluster=Cluster(p=0.2), alpha=[1.0, 2.0])
    other = clone(model.fit(X, y))
    assert not hasattr(other, "feature_map_")
    assert other.get_params() == model.get_params()


@BOTH
def test_refitting_starts_anew(kind):
    model, X, y = problem(kind)
    expected = outputs(clone(model).fit(X, y), X)
    model.fit(X[:50, :2], y[:50] if kind == "regressor" else np.minimum(y[:50], 1))
    np.testing.assert_array_equal(outputs(model.fit(X, y), X), expected)
    assert model.moments_.weight == len(X)


@BOTH
@pytest.mark.parametrize(
    "preparation", [MinMaxScaler(), OneHotEncoder(handle_unknown="ignore"), UnitScaler(shared=True)]
)
def test_any_transformer_may_prepare_input_and_is_cloned(kind, preparation):
    model, X, y = problem(kind, preparation=preparation, alpha=0.1)
    X = np.round(X / 5)
    model.fit(X, y)
    assert not hasattr(preparation, "n_features_in_")
    assert not hasattr(preparation, "low_")
    prepared = clone(preparation).fit_transform(X)
    prepared = prepared.toarray() if hasattr(prepared, "toarray") else prepared
    alone = clone(model).set_params(preparation=None).fit(prepared, y)
    np.testing.assert_allclose(outputs(model, X), outputs(alone, prepared), atol=0.5)
    assert np.isfinite(outputs(model, X)).all()


def test_cluster_features_feed_any_estimator_and_name_their_outputs():
    X, y = regression()
    features = ClusterFeatures(40, random_state=0)
    model = make_pipeline(features, Ridge(alpha=1e-3)).fit(X, y)
    np.testing.assert_allclose(model.predict(X), regressor().fit(X, y).predict(X), atol=1e-5)
    table = features.fit(X).set_output(transform="pandas").transform(X)
    assert table.columns.tolist() == [f"clusterfeatures{c}" for c in range(40)]
    assert features.get_feature_names_out().tolist() == table.columns.tolist()
    H = table.to_numpy()
    assert ((H > 0) & (H < 1)).all()


def test_a_singular_readout_warns_with_advice_at_the_fit():
    X, y = classification()
    X = np.column_stack([X, X[:, 0]])
    model = classifier(n_hidden=400, weights="dense", alpha=0.0)
    with pytest.warns(SingularSolveWarning, match="alpha='auto', or weights='sparse'"):
        model.fit(X, y)
    assert np.isfinite(outputs(model, X)).all()


# ----------------------------------------------------------------------------- memory


MEMORY = """
    import re
    import numpy as np
    from densernn import RNNELMRegressor
    rows, columns, n_hidden, limit, dtype = 200_000, 30, 1500, {limit!r}, {dtype!r}
    rng = np.random.default_rng(0)
    X = rng.random((rows, columns), dtype=np.float32)
    y = X[:, 0] * X[:, 1] + 0.1 * rng.random(rows, dtype=np.float32)

    def peak():  # not ru_maxrss, which is never less than that of the process that started this one
        return int(re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/self/status").read())[1])

    RNNELMRegressor(10, random_state=0, dtype=dtype).fit(X[:100], y[:100]).predict(X[:10])
    before = peak()
    model = RNNELMRegressor(n_hidden, dtype=dtype, memory_limit=limit, random_state=0)
    model.fit(X, y).predict(X)
    print(X.nbytes + y.nbytes, 8 * n_hidden**2, 1024 * before, 1024 * peak())
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("limit", [None, "80 MB"])
def test_memory_stays_within_its_bound(dtype, limit):
    code = textwrap.dedent(MEMORY).format(limit=limit, dtype=dtype)
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    data, square, before, peak = map(int, out.stdout.split())
    assert peak <= data + 3 * square + 512 * 2**20
    if limit is not None:
        # X and y as scikit-learn checks them, and predictions, are no part of the limit
        assert peak - before <= 80e6 + 3 * 8 * 200_000 + 16e6
