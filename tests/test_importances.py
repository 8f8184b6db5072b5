"""feature_importances_: shares of the total effects, against known effects and permutations."""

import numpy as np
import pytest
from forests import KINDS, forest, table
from scipy.stats import norm, spearmanr
from sklearn.datasets import make_friedman1
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.preprocessing import StandardScaler

from densernn import (
    DenseRNNClassifier,
    DenseRNNRegressor,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    load,
    save,
)

REGRESSORS = {
    "forest": lambda: RNNForestRegressor(8, random_state=0),
    "network": lambda: RNNELMRegressor(200, random_state=0),
    "deep": lambda: DenseRNNRegressor((20,), 200, random_state=0),
}
EVERY = pytest.mark.parametrize("name", REGRESSORS)


def normal_rows(n_rows=1000, n_columns=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


@EVERY
def test_importances_are_shares_of_every_feature(name):
    X, y = make_friedman1(400, 7, random_state=0)
    found = REGRESSORS[name]().fit(X, y).feature_importances_
    assert found.shape == (7,)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0)


@EVERY
def test_importances_of_a_sum_are_the_variances_of_its_terms(name):
    # Sobol's effects of 3 a + 2 b + c, with a, b and c independent: 9, 4 and 1 of 14.
    X = normal_rows(2000)
    found = REGRESSORS[name]().fit(X, X @ [3.0, 2.0, 1.0, 0.0, 0.0]).feature_importances_
    np.testing.assert_allclose(found, np.array([9, 4, 1, 0, 0]) / 14, atol=0.05)


@EVERY
def test_features_that_matter_only_together_are_found(name):
    X = normal_rows(3000)
    found = REGRESSORS[name]().fit(X, X[:, 1] * X[:, 3]).feature_importances_
    assert set(np.argsort(found)[-2:]) == {1, 3}
    assert found[[1, 3]].sum() > 0.8


@EVERY
def test_importances_rank_as_permutations_of_rows_do(name):
    X, y = make_friedman1(3000, 10, noise=1.0, random_state=1)
    model = REGRESSORS[name]().fit(X[:1000], y[:1000])
    judged = permutation_importance(model, X[1000:], y[1000:], n_repeats=3, random_state=0)
    found = model.feature_importances_
    assert spearmanr(found, judged.importances_mean)[0] > 0.6
    assert set(np.argsort(found)[-5:]) == set(range(5))


@EVERY
def test_importances_do_not_depend_on_units(name):
    X, y = make_friedman1(400, 6, random_state=0)
    expected = REGRESSORS[name]().fit(X, y).feature_importances_
    scaled = REGRESSORS[name]().fit(X * 4.0, y * 8.0).feature_importances_
    # The rows of a forest are dealt by a hash of their values.
    np.testing.assert_allclose(scaled, expected, atol=0.02 if name == "forest" else 1e-6)


@EVERY
def test_a_constant_column_has_none(name):
    X = normal_rows(300)
    X[:, 2] = 0.1
    found = REGRESSORS[name]().fit(X, X[:, 0]).feature_importances_
    assert found[2] == 0.0


@EVERY
def test_where_nothing_varies_there_are_none(name):
    found = REGRESSORS[name]().fit(normal_rows(60), np.zeros(60)).feature_importances_
    assert not found.any()


def test_importances_equal_a_plain_computation():
    X, y = make_friedman1(200, 5, random_state=0)
    model = RNNELMRegressor(30, random_state=0).fit(X, y)
    ranks = (np.arange(256) + 0.5) / 256
    order = np.random.default_rng(0).permuted(np.tile(ranks[:, None], 5), axis=0)
    drawn = X.mean(axis=0) + X.std(axis=0) * norm.ppf(order)
    effects = []
    for j in range(5):
        other = drawn.copy()
        other[1:, j], other[0, j] = drawn[:-1, j], drawn[-1, j]
        effects.append(np.mean((model.predict(other) - model.predict(drawn)) ** 2))
    expected = np.array(effects) / sum(effects)
    np.testing.assert_allclose(model.feature_importances_, expected, rtol=1e-6)


def test_a_forest_draws_values_that_it_has_seen():
    X = np.random.default_rng(0).integers(0, 2, size=(500, 3)).astype(float)
    model = RNNForestRegressor(4, random_state=0).fit(X, 2 * X[:, 0] + X[:, 1])
    np.testing.assert_allclose(model.feature_importances_, [0.8, 0.2, 0.0], atol=0.05)


def test_targets_of_any_size_count_alike():
    X = normal_rows(2000)
    model = RNNELMRegressor(200, random_state=0).fit(X, np.c_[X[:, 0], 1000.0 * X[:, 1]])
    np.testing.assert_allclose(model.feature_importances_[:2], 0.5, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_forests_of_every_kind_have_importances(kind):
    X, y = table(kind)
    assert forest(kind).fit(X, y).feature_importances_.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "model",
    [
        RNNForestClassifier(4, random_state=0),
        RNNELMClassifier(50, random_state=0),
        DenseRNNClassifier((10,), 50, random_state=0),
    ],
)
def test_tools_of_scikit_learn_keep_the_columns_that_matter(model):
    X = normal_rows(400, 6)
    y = X[:, 1] + X[:, 4] > 0
    assert RFE(model, n_features_to_select=2).fit(X, y).support_.nonzero()[0].tolist() == [1, 4]
    assert SelectFromModel(model).fit(X, y).get_support().nonzero()[0].tolist() == [1, 4]


@pytest.mark.parametrize(
    "model",
    [
        RNNELMRegressor(20, preparation="unit"),
        RNNELMRegressor(20, weights="dense"),
        RNNELMRegressor(20, preparation=None),
        RNNELMRegressor(20, preparation=StandardScaler(with_mean=False)),
        DenseRNNRegressor((5,), 20, views=[[0, 1], [2]]),
    ],
    ids=["unit", "dense", "none", "transformer", "views"],
)
def test_networks_that_do_not_know_their_columns_have_none(model):
    X = np.abs(normal_rows(60, 3))
    model.fit(X, X[:, 0])
    assert not hasattr(model, "feature_importances_")
    with pytest.raises(AttributeError, match="permutation_importance"):
        _ = model.feature_importances_
    with pytest.raises(ValueError, match="feature_importances_"):
        RFE(model).fit(X, X[:, 0])


@EVERY
def test_importances_need_a_fit_and_no_moments(name, tmp_path):
    model = REGRESSORS[name]()
    assert not hasattr(model, "feature_importances_")
    X, y = make_friedman1(200, 5, random_state=0)
    save(model.fit(X, y), tmp_path / "model.skops", moments=False)
    found = load(tmp_path / "model.skops").feature_importances_
    np.testing.assert_array_equal(found, model.feature_importances_)
