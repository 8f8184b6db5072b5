"""Adding, merging and forgetting rows: all equal to having seen the right rows at once."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from densernn import ClusterFeatures, RNNELMClassifier, RNNELMRegressor
from densernn.errors import DataError, MergeError, NegativeInputError, ParameterError

N_ROWS, N_HIDDEN = 90, 25


def table(n_rows=N_ROWS, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4))
    y = np.argmax(X[:, :n_classes] + 0.3 * rng.normal(size=(n_rows, n_classes)), axis=1)
    return X, np.array(["ant", "bee", "cat", "dog"])[y]


@pytest.fixture(scope="module")
def whole():
    X, y = table()
    return RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=0).fit(X, y)


def agree(model, other):
    X, _ = table(40, seed=9)
    np.testing.assert_allclose(
        model.decision_function(X), other.decision_function(X), rtol=1e-7, atol=1e-8
    )


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, N_ROWS - 1), max_size=5, unique=True), data=st.data())
def test_shards_in_any_number_and_order_merge_to_the_whole(whole, cuts, data):
    X, y = table()
    parts = np.split(np.arange(N_ROWS), sorted(cuts))
    shards = [whole.fresh().partial_fit(X[p], y[p], classes=whole.classes_) for p in parts]
    shards = data.draw(st.permutations(shards))
    merged = shards[0]
    for shard in shards[1:]:
        merged = merged.merge(shard)
    agree(merged, whole)


@settings(max_examples=25, deadline=None)
@given(gone=st.sets(st.integers(0, N_ROWS - 1), min_size=1, max_size=60))
def test_forgetting_equals_training_the_readout_on_what_remains(whole, gone):
    X, y = table()
    left = np.setdiff1d(np.arange(N_ROWS), list(gone))
    forgetful = whole.fresh().merge(whole).forget(X[list(gone)], y[list(gone)])
    agree(forgetful, whole.fresh().partial_fit(X[left], y[left]))
    assert forgetful.class_counts_.counts.sum() == len(left)


def test_the_readout_is_scikit_learns_ridge_on_the_same_features():
    X, _ = table()
    y = X @ [1.0, -2.0, 0.5, 0.0] + 100.0
    weight = np.random.default_rng(3).integers(0, 3, len(X)).astype(float)
    model = RNNELMRegressor(N_HIDDEN, alpha=0.5, random_state=4).fit(X, y, sample_weight=weight)
    features = ClusterFeatures(N_HIDDEN, random_state=4).fit(X, sample_weight=weight)
    ridge = Ridge(alpha=0.5).fit(features.transform(X), y, sample_weight=weight)
    np.testing.assert_allclose(model.predict(X), ridge.predict(features.transform(X)), rtol=1e-9)


def test_merging_unites_classes():
    X, y = table(n_classes=4)
    base = RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=0).fit(X, y)
    few, many = np.isin(y, ["ant", "cat"]), np.isin(y, ["bee", "dog"])
    one = base.fresh().partial_fit(X[few], y[few], classes=["ant", "cat"])
    two = base.fresh().partial_fit(X[many], y[many], classes=["bee", "dog"])
    merged = one.merge(two)
    assert merged.classes_.tolist() == ["ant", "bee", "cat", "dog"]
    agree(merged, base)


def test_models_of_different_layers_do_not_merge_and_the_text_names_the_difference(whole):
    X, y = table()
    other = RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=1).fit(X, y)
    with pytest.raises(MergeError, match="weights of layer 0"):
        whole.fresh().merge(other)
    shifted = RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=0).fit(X + 1.0, y)
    with pytest.raises(MergeError, match="preparation"):
        whole.fresh().merge(shifted)


def test_more_than_was_learned_cannot_be_forgotten(whole):
    X, y = table()
    model = whole.fresh().partial_fit(X[:10], y[:10])
    with pytest.raises(MergeError, match="cannot take away"):
        model.forget(X, y)
    bees = np.flatnonzero(y == "bee")
    model = whole.fresh().partial_fit(X[bees], y[bees])
    with pytest.raises(MergeError, match="of class"):
        model.forget(X[bees[:3]], ["ant"] * 3)


def test_a_model_without_rows_says_so(whole):
    X, y = table()
    for empty in (whole.fresh(), whole.fresh().partial_fit(X, y).forget(X, y)):
        with pytest.raises(DataError, match="has no rows"):
            empty.predict(X)


def test_a_refused_batch_leaves_no_rows_behind(whole):
    X, y = table()
    model = whole.fresh().partial_fit(X, y)
    with pytest.raises(DataError, match="'eel'"):
        model.partial_fit(X[:3], ["ant", "eel", "ant"])
    agree(model, whole)
    plain = RNNELMClassifier(5, preparation=None, random_state=0).fit(abs(X), y)
    before = plain.moments_.weight
    with pytest.raises(NegativeInputError, match="rows 7"):
        plain.partial_fit(np.vstack([abs(X[:7]), -abs(X[7:8])]), y[:8])
    assert plain.moments_.weight == before


def test_negative_rows_are_named_by_their_place_in_the_whole_array():
    X = np.ones((20_000, 3))
    X[15_123, 1] = -1.0
    with pytest.raises(NegativeInputError, match="15123"):
        RNNELMRegressor(5, preparation=None).fit(X, np.arange(len(X), dtype=float))


def test_balanced_class_weights_are_refused_where_rows_come_bit_by_bit():
    X, y = table()
    with pytest.raises(ParameterError, match="balanced"):
        RNNELMClassifier(5, class_weight="balanced").partial_fit(X, y, classes=np.unique(y))


def test_balanced_class_weights_equal_the_sample_weights_they_stand_for():
    X, y = table()
    classes, counts = np.unique(y, return_counts=True)
    weight = (len(y) / (len(classes) * counts))[np.searchsorted(classes, y)]
    balanced = RNNELMClassifier(N_HIDDEN, alpha=0.01, class_weight="balanced", random_state=0).fit(
        X, y
    )
    plain = RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=0).fit(X, y)
    weighted = plain.fresh().partial_fit(X, y, sample_weight=weight)
    agree(balanced, weighted)


def test_many_threads_asking_first_get_one_solution(whole):
    X, y = table()
    model = whole.fresh().partial_fit(X, y)
    before = dict(model.__dict__)
    answers, barrier = [], threading.Barrier(8)

    def ask():
        barrier.wait()
        answers.append(model.decision_function(X))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == 8
    assert all(np.array_equal(answer, answers[0]) for answer in answers)
    assert model.__dict__ == before


def test_results_do_not_depend_on_memory_limit_beyond_rounding():
    X, y = table(3000)
    wide = RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=0).fit(X, y)
    tight = RNNELMClassifier(N_HIDDEN, alpha=0.01, random_state=0, memory_limit="100 KB").fit(X, y)
    agree(tight, wide)
    with pytest.raises(ParameterError, match="memory_limit"):
        RNNELMClassifier(1000, memory_limit="1 MB").fit(X, y)


def test_images_are_heard_in_patches_and_tables_are_not():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 400)).astype(np.uint8)
    model = RNNELMClassifier(40, random_state=0).fit(images, images[:, 0] > 99)
    weights = model.feature_map_.layers[0].weights
    for c in range(40):
        heard = weights.inputs[weights.starts[c] : weights.starts[c + 1]]
        rows, columns = np.divmod(heard, 20)
        assert np.ptp(rows) < 10
        assert np.ptp(columns) < 10
        assert 1 <= heard.size <= 16
    dense = weights.toarray()
    np.testing.assert_allclose(dense.sum(axis=0), 0.1)
