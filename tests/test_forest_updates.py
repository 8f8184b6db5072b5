"""Forests that learn in parts, merge, forget and decay: as from the right rows at once."""

import numpy as np
import pytest
from forests import KINDS, assert_close, assert_same, auto, forest, regions, table
from hypothesis import given
from hypothesis import strategies as st
from problems import classification, pieces
from sklearn.base import clone

from densernn import RNNForestClassifier
from densernn.errors import DataError, MergeError, ParameterError


def inner(y):
    """Rows without the least and the largest values, whose range a model does not forget."""
    if y.dtype.kind != "f":
        return np.arange(len(y))
    values = y.reshape(len(y), -1)
    extreme = np.unique([values.argmin(axis=0), values.argmax(axis=0)])
    return np.setdiff1d(np.arange(len(y)), extreme)


@pytest.fixture(scope="module", params=KINDS)
def learned(request):
    X, y = table(request.param)
    return forest(request.param).fit(X, y), X, y


# ----------------------------------------------------------------------------- parts


def test_four_parts_merge_to_the_whole(learned):
    model, X, y = learned
    shards = [model.fresh().partial_fit(X[part], y[part]) for part in pieces(len(X), 4)]
    merged = shards[2].merge(shards[0]).merge(shards[3].merge(shards[1]))
    assert_close(merged, model, X)
    assert merged.moments_.weight == len(X)


@pytest.mark.parametrize("n_rows", [300, 6000])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_chosen_goes_with_the_parts(kind, n_rows):
    """6,000 rows are enough to choose on rows kept aside instead of folds."""
    X, y = table(kind, n_rows)
    model = auto(kind).fit(X, y)
    merged = model.fresh()
    for part in pieces(n_rows, 4):
        merged.merge(model.fresh().partial_fit(X[part], y[part]))
    assert_close(merged, model, X[:500])
    assert (merged.alpha_, merged.alpha_scores_) == (model.alpha_, model.alpha_scores_)


def test_rows_may_come_bit_by_bit(learned):
    model, X, y = learned
    added = model.fresh()
    for part in pieces(len(X), 5, seed=1):
        added.partial_fit(X[part], y[part])
    assert_close(added, model, X)


@pytest.mark.parametrize("n_rows", [300, 6000])
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_part_decides_as_fit_does(kind, n_rows):
    X, y = table(kind, n_rows)
    model = auto(kind)
    first = {"classes": np.unique(y)} if kind == "classes" else {}
    if kind == "labels":
        first = {"classes": [0, 1, 2]}
    streamed = clone(model).partial_fit(X, y, **first)
    assert_same(streamed, clone(model).fit(X, y), X[:500])


def test_updates_after_fit_add_rows(learned):
    model, X, y = learned
    half = len(X) // 2
    first = clone(model).fit(X[:half], y[:half])
    at_once = first.fresh().partial_fit(X, y)
    assert_close(first.partial_fit(X[half:], y[half:]), at_once, X)


@given(data=st.data())
def test_forgetting_equals_learning_what_remains(learned, data):
    model, X, y = learned
    rows = inner(y)
    gone = rows[sorted(data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1, max_size=99)))]
    left = np.setdiff1d(np.arange(len(X)), gone)
    forgetful = model.fresh().merge(model).forget(X[gone], y[gone])
    assert_close(forgetful, model.fresh().partial_fit(X[left], y[left]), X)
    assert forgetful.moments_.weight == len(left)


def test_a_merged_part_can_be_forgotten_as_it_came(learned):
    model, X, y = learned
    parts = pieces(len(X), 4)
    gone = np.intersect1d(parts[1], inner(y))
    merged = model.fresh()
    for part in parts:
        merged.merge(model.fresh().partial_fit(X[part], y[part]))
    left = np.setdiff1d(np.arange(len(X)), gone)
    assert_close(merged.forget(X[gone], y[gone]), model.fresh().partial_fit(X[left], y[left]), X)


def test_the_range_of_forgotten_values_stays():
    X, y = table("values")
    y[7] = 1000.0
    model = forest("values").fit(X, y).forget(X[7:8], y[7:8])
    rest = model.fresh().partial_fit(np.delete(X, 7, 0), np.delete(y, 7))
    assert (model.moments_.most - rest.moments_.most)[0] > 900
    within = model.predict(X[(rest.predict(X) < np.delete(y, 7).max() - 0.1)])
    assert within.max() < 20


def test_a_region_that_lost_all_rows_answers_with_the_mean(learned):
    model, X, y = learned
    region = regions(model, X)[0]
    extreme = np.setdiff1d(np.arange(len(X)), inner(y))
    gone = region == np.setdiff1d(region, region[extreme])[0]
    forgetful = model.fresh().merge(model).forget(X[gone], y[gone])
    assert_close(forgetful, model.fresh().partial_fit(X[~gone], y[~gone]), X)


def test_decay_equals_smaller_weights(learned):
    model, X, y = learned
    parts = pieces(len(X), 3)
    decayed = model.fresh()
    weight = np.empty(len(X))
    for k, part in enumerate(parts):
        decayed.decay(0.25).partial_fit(X[part], y[part])
        weight[part] = 0.25 ** (2 - k)
    weighted = model.fresh().partial_fit(X, y, sample_weight=weight)
    assert_close(decayed, weighted, X)
    assert decayed.moments_.weight == pytest.approx(weight.sum(), rel=1e-12)
    with pytest.raises(MergeError, match="decay has weighed earlier rows down"):
        decayed.forget(X[parts[2]], y[parts[2]])
    with pytest.raises(MergeError, match="decay has weighed earlier rows down"):
        model.fresh().merge(decayed).forget(X[parts[2]], y[parts[2]])


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.5, np.nan, "half"])
def test_factors_outside_0_to_1_are_refused(factor, learned):
    with pytest.raises(ParameterError, match=f"factor must be above 0.*{factor}"):
        learned[0].fresh().decay(factor)


# ----------------------------------------------------------------------------- refusals


def test_more_than_was_learned_cannot_be_forgotten(learned):
    model, X, y = learned
    part = model.fresh().partial_fit(X[:50], y[:50])
    before = part.predict(X)
    with pytest.raises(MergeError, match="cannot take away"):
        part.forget(X, y)
    np.testing.assert_array_equal(part.predict(X), before)


def test_rows_of_a_class_that_was_not_learned_cannot_be_forgotten():
    X, y = table("classes")
    bees = y == "bee"
    part = forest("classes").fit(X, y).fresh().partial_fit(X[bees], y[bees])
    with pytest.raises(MergeError, match="of class"):
        part.forget(X[bees][:3], ["ant"] * 3)
    assert part.moments_.weight == bees.sum()


def test_a_model_without_rows_says_so(learned):
    model, X, y = learned
    for empty in (model.fresh(), model.fresh().partial_fit(X, y).forget(X, y)):
        with pytest.raises(DataError, match="has no rows"):
            empty.predict(X)
        assert_close(empty.partial_fit(X, y), model, X)


def test_models_of_other_trees_do_not_merge_and_the_text_names_the_difference():
    X, y = table("classes")
    model = forest("classes").fit(X, y)
    with pytest.raises(MergeError, match="tree 0, tree 1, tree 2:"):
        model.fresh().merge(forest("classes", random_state=1).fit(X, y))
    with pytest.raises(MergeError, match="column bins"):
        model.fresh().merge(forest("classes").fit(X[:-9], y[:-9]))
    with pytest.raises(MergeError, match="number of trees"):
        model.fresh().merge(forest("classes", 4).fit(X, y))
    with pytest.raises(MergeError, match="RNNForestRegressor into RNNForestClassifier"):
        model.merge(forest("values").fit(*table("values")))


def test_models_of_other_origins_do_not_merge():
    X, y = table("values")
    model = forest("values").fit(X, y)
    shifted = forest("values").fit(X, y + 1.0)
    with pytest.raises(MergeError, match="origin of the values"):
        model.merge(shifted)


def test_a_refused_batch_leaves_no_rows_behind():
    X, y = table("classes")
    model = forest("classes").fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(DataError, match="'eel'"):
        model.partial_fit(X[:3], ["ant", "eel", "ant"])
    holes = X.copy()
    holes[70, 2] = np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        model.forget(holes, y)
    with pytest.raises(ValueError, match="4 features"):
        model.partial_fit(X[:, :4], y)
    assert model.moments_.weight == len(X)
    np.testing.assert_array_equal(model.predict_proba(X), before)


# ----------------------------------------------------------------------------- classes


def test_merging_unites_classes():
    X, y = classification(400, n_classes=4)
    names = np.array(["ant", "bee", "cat", "dog"])[y]
    whole = forest("classes").fit(X, names)
    few, many = np.isin(names, ["ant", "cat"]), np.isin(names, ["bee", "dog"])
    one = whole.fresh().partial_fit(X[few], names[few], classes=["ant", "cat"])
    two = whole.fresh().partial_fit(X[many], names[many], classes=["bee", "dog"])
    assert one.classes_.tolist() == ["ant", "cat"]
    assert one.predict_proba(X).shape == (400, 2)
    merged = one.merge(two)
    assert merged.classes_.tolist() == ["ant", "bee", "cat", "dog"]
    assert_close(merged, whole, X)
    np.testing.assert_array_equal(merged.class_counts_.counts, whole.class_counts_.counts)


@pytest.mark.parametrize("n_rows", [300, 5600])
def test_class_weights_equal_the_sample_weights_they_stand_for(n_rows):
    X, y = table("classes", n_rows)
    factors = {"ant": 0.5, "cat": 0.25}
    weight = np.array([factors.get(label, 1.0) for label in y])
    options = {"random_state": 0, "n_trees": 3}
    by_class = RNNForestClassifier(class_weight=factors, **options).fit(X, y)
    assert_close(by_class, RNNForestClassifier(**options).fit(X, y, weight), X)
    part = X[:100], y[:100]
    left = RNNForestClassifier(**options).fit(X, y, weight).forget(*part, weight[:100])
    assert_close(by_class.forget(*part), left, X)


def test_balanced_class_weights_equal_the_sample_weights_they_stand_for():
    X, y = table("classes")
    y[: len(y) // 2] = "ant"
    classes, counts = np.unique(y, return_counts=True)
    balanced = forest("classes", class_weight="balanced").fit(X, y)
    weight = balanced.class_weight_[np.searchsorted(classes, y)]
    assert_close(balanced, forest("classes").fit(X, y, weight), X)
    np.testing.assert_allclose(balanced.class_weight_, len(y) / (3 * counts), rtol=1e-12)
    with pytest.raises(ParameterError, match="balanced"):
        clone(balanced).partial_fit(X, y, classes=classes)


# ----------------------------------------------------------------------------- weights


@pytest.mark.parametrize("n_rows", [150, 900])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_count_copies_and_0_leaves_out(kind, n_rows):
    """900 rows are enough to be dealt to folds in blocks of neighbours."""
    X, y = table(kind, n_rows)
    weight = np.random.default_rng(7).integers(0, 3, n_rows)
    copies = np.repeat(np.arange(n_rows), weight)
    weighted = auto(kind).fit(X, y, weight.astype(float))
    assert_close(weighted, auto(kind).fit(X[copies], y[copies]), X)
    assert weighted.moments_.weight == len(copies)


@pytest.mark.parametrize("scale", [1 / 300, 1e-6, 1e-300])
@pytest.mark.parametrize("kind", KINDS)
def test_shares_are_weights_as_good_as_numbers(kind, scale):
    X, y = table(kind, 300)
    plain = auto(kind).fit(X, y)
    assert_close(auto(kind).fit(X, y, np.full(300, scale)), plain, X)


@pytest.mark.parametrize("size", [1e-300, 1e-100, 1e100, 1e300])
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_weights_of_any_size_leave_finite_answers(kind, size):
    X, y = table(kind, 200)
    weight = np.where(np.arange(200) % 2, 1.0, size)
    model = auto(kind).fit(X, y, weight)
    values = model.predict_proba(X) if kind == "classes" else model.predict(X)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("factor", [1e-6, 1 / 300, 0.3])
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_weights_times_a_constant_change_nothing(kind, factor):
    X, y = table(kind, 300)
    plain = forest(kind).fit(X, y)
    assert_close(forest(kind).fit(X, y, np.full(300, factor)), plain, X)
    relative = np.random.default_rng(0).uniform(0.2, 1.0, 300)
    weighed = forest(kind).fit(X, y, relative)
    assert_close(forest(kind).fit(X, y, factor * relative), weighed, X)
