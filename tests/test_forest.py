"""Forests on all kinds of tables: outputs that stay in range, and tables that hardly are any."""

import numpy as np
import pytest
from forests import KINDS, answers, assert_same, auto, forest, regions, table
from hypothesis import given
from hypothesis import strategies as st
from problems import classification
from sklearn.metrics import log_loss

from densernn import RNNForestClassifier, RNNForestRegressor

RNG = np.random.default_rng(0)

HUGE = [1e300, -1e300, 0.0, -0.0, 5e-324, -5e-324, float(np.finfo(np.float32).max), 1e9]
NUMBERS = st.sampled_from(HUGE) | st.floats(-1e306, 1e306)


def rows(n_columns):
    """Some rows of any finite numbers."""
    row = st.lists(NUMBERS, min_size=n_columns, max_size=n_columns)
    return st.lists(row, min_size=1, max_size=8).map(np.array)


@pytest.fixture(scope="module", params=KINDS)
def learned(request):
    X, y = table(request.param)
    return forest(request.param).fit(X, y), X, y


# ----------------------------------------------------------------------------- laws


@given(data=st.data())
def test_answers_stay_in_their_range_for_any_row(learned, data):
    model, X, y = learned
    far = data.draw(rows(X.shape[1]))
    if isinstance(model, RNNForestRegressor):
        values = model.predict(far)
        assert (values >= y.min(axis=0)).all()
        assert (values <= y.max(axis=0)).all()
        return
    found = model.predict_proba(far)
    assert (found > 0).all()
    assert (found < 1).all()
    if y.ndim == 1:
        np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)


@given(far=rows(4), trained=st.lists(NUMBERS, min_size=24, max_size=24))
def test_tables_of_huge_and_tiny_numbers_are_learned(far, trained):
    X = np.array(trained).reshape(6, 4)
    y = np.array([0.0, 1.0, 2.0, 0.5, 3.0, 1.0])
    model = RNNForestRegressor(2, region_size=3, min_samples_leaf=1, alpha=1.0).fit(X, y)
    found = model.predict(np.vstack([far, X]))
    assert ((found >= 0.0) & (found <= 3.0)).all()


def region_means(model, X):
    """The mean over the trees of the means of a row's region, from sums over the rows."""
    sums = model.moments_.trees
    total = 0.0
    for tree, moments, region in zip(
        model.feature_map_.trees, sums, regions(model, X), strict=True
    ):
        of_region = moments.totals(tree)
        total = total + (of_region[:, 1:] / of_region[:, :1])[region]
    return total / len(sums) + model.feature_map_.origin


def test_far_outside_the_answer_is_the_mean_of_the_region(learned):
    model, X, y = learned
    width = np.ptp(X, axis=0)
    signs = np.random.default_rng(1).choice([-1.0, 1.0], (50, X.shape[1]))
    near, away = X[:50] + signs * width, X[:50] + signs * 1e6 * width
    expected = model._readout.solve(None)[0].finish(region_means(model, away))
    single = model.predict if isinstance(model, RNNForestRegressor) else model.predict_proba
    found, unlike = single(away), single(near)
    scale = np.ptp(y, axis=0) if isinstance(model, RNNForestRegressor) else 1.0
    shape = found.shape
    assert (abs(found - expected.reshape(shape)) <= 1e-3 * scale).all()
    assert (abs(unlike - found) > 1e-3 * scale).any()


def test_outputs_are_calibrated_and_ordered():
    X, y = classification(4000)
    model = RNNForestClassifier(4, random_state=0).fit(X[:3000], y[:3000])
    found = model.predict_proba(X[3000:])
    np.testing.assert_array_equal(model.predict(X[3000:]), model.classes_[found.argmax(axis=1)])
    assert log_loss(y[3000:], found) < 0.3
    two = forest("classes").fit(X, y > 0)
    difference = two.decision_function(X)
    assert difference.shape == (4000,)
    np.testing.assert_array_equal(two.predict(X), difference > 0)


# ----------------------------------------------------------------------------- small tables


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_rows", [1, 2, 3, 7, 100])
def test_a_few_rows_are_a_table(kind, n_rows):
    X, y = table(kind, n_rows, seed=3)
    model = auto(kind).fit(X, y)
    found = model.predict(X)
    assert found.shape == y.shape
    if kind == "classes":
        assert set(found) <= set(y)
        if n_rows == 1:
            assert model.predict_proba(X).tolist() == [[1.0]]
        return
    if n_rows == 1:
        np.testing.assert_allclose(found, y)
    assert np.isfinite(answers(model, X)).all()


@pytest.mark.parametrize("n_rows", [50, 6000])
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_one_target_is_always_answered(kind, n_rows):
    X, y = table(kind, n_rows)
    y[:] = y[0]
    model = auto(kind).fit(X, y)
    np.testing.assert_allclose(model.moments_.weight, n_rows)
    if kind == "classes":
        assert set(model.predict(X)) == {y[0]}
        assert (model.predict_proba(X) == 1.0).all()
    else:
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_constant_columns_change_nothing_and_alone_answer_the_mean(kind):
    X, y = table(kind)
    wide = np.column_stack([np.full(len(X), 7.0), X, np.zeros(len(X))])
    model = forest(kind).fit(wide, y)
    assert not set(np.concatenate([tree.input for tree in model.feature_map_.trees])) & {
        0,
        wide.shape[1] - 1,
    }
    alone = forest(kind, alpha=[0.1, 1.0]).fit(wide[:, :1], y)
    if kind in ("values", "two values"):
        np.testing.assert_allclose(alone.predict(wide[:2, :1]), [y.mean(axis=0)] * 2)
    else:
        found = alone.predict_proba(wide[:2, :1])
        shares = alone.moments_.trees[0].cross[-1, 1:] / len(X)
        np.testing.assert_array_equal(found[0], found[1])
        assert (np.argsort(found[0]) == np.argsort(shares)).all()


def test_a_single_column_is_a_table():
    x = np.sort(RNG.normal(size=500))[:, None]
    model = RNNForestRegressor(4, random_state=0).fit(x, np.sin(3 * x[:, 0]))
    assert model.score(x, np.sin(3 * x[:, 0])) > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_repeat_count_as_often(kind):
    X, y = table(kind, 60)
    often = np.repeat(np.arange(60), 10)
    model = auto(kind).fit(X[often], y[often])
    assert model.moments_.weight == 600
    assert_same(model, auto(kind).fit(X[often], y[often]), X)


def test_equal_rows_with_other_labels_share_the_probability():
    X, y = np.zeros((100, 3)), np.arange(100) % 4 > 0
    found = RNNForestClassifier(2, random_state=0).fit(X, y).predict_proba(X[:1])
    np.testing.assert_allclose(found, [[0.25, 0.75]], atol=0.05)


def test_a_thousand_classes_of_three_rows():
    rng = np.random.default_rng(0)
    y = np.arange(3000) % 1000
    X = rng.normal(size=(1000, 6))[y] + 0.01 * rng.normal(size=(3000, 6))
    model = forest("classes", 2, region_size=500, min_samples_leaf=1, alpha=0.01)
    found = model.fit(X, y).predict_proba(X)
    assert found.shape == (3000, 1000)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-9)
    assert (found > 0).all()
    assert model.score(X, y) > 0.5


# ----------------------------------------------------------------------------- kinds of arrays


def reading_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


@pytest.mark.parametrize(
    "kind_of",
    [
        lambda X: X.astype(np.float32),
        lambda X: X.astype(np.int16),
        lambda X: X.astype(np.uint8),
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: np.repeat(X, 3, axis=1)[:, ::3],
        lambda X: X[:, ::-1].copy()[:, ::-1],
        reading_only,
    ],
    ids=["float32", "int16", "uint8", "Fortran", "rows", "columns", "reversed", "read-only"],
)
@pytest.mark.parametrize("kind", ["classes", "two values"])
def test_the_same_numbers_in_any_array_are_the_same_table(kind, kind_of):
    X, y = table(kind)
    X = np.abs(np.rint(X * 3))
    whole = auto(kind).fit(X, y)
    assert_same(auto(kind).fit(kind_of(X), reading_only(y)), whole, X)
    np.testing.assert_array_equal(answers(whole, kind_of(X)), answers(whole, X))


def test_booleans_are_numbers():
    X, y = table("classes")
    assert_same(auto("classes").fit(X > 3, y), auto("classes").fit((X > 3) * 1.0, y), X > 3)


def test_memory_mapped_arrays_are_tables(tmp_path):
    X, y = table("values")
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("X", "y")]
    assert_same(auto("values").fit(*mapped), auto("values").fit(X, y), mapped[0])


def test_a_value_that_is_missing_only_later_is_the_median():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(501, 3))
    y = X[:, 0] > 0.5
    model = RNNForestClassifier(4, random_state=0).fit(X, y)
    later = X.copy()
    later[:, 1] = np.nan
    filled = np.where(np.isnan(later), np.median(X, axis=0), X)
    np.testing.assert_allclose(model.predict_proba(later), model.predict_proba(filled))
    assert model.score(later, y) > 0.95
    # In a column that had missing values in training, they are what they were there.
    X[y, 1] = np.nan
    model.fit(X, y)
    later[:, 0] = 0.5
    assert model.predict_proba(later)[:, 1].mean() > 0.5
