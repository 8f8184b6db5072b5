"""feature_importances_ of forests: total effects, against known ones and permutations."""

import numpy as np
import pytest
from forests import KINDS, forest, table
from scipy.stats import spearmanr
from sklearn.datasets import make_friedman1
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import permutation_importance

from densernn import (
    DenseRNNClassifier,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    load,
    save,
)
from densernn.forest.bins import ColumnBins
from densernn.forest.importances import draw_ranks, draw_rows, total_effects


def regressor():
    return RNNForestRegressor(8, random_state=0)


def normal_rows(n_rows=1000, n_columns=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


# ----------------------------------------------------------------------------- of a function


def test_effects_of_a_sum_are_the_variances_of_its_terms():
    X = np.sqrt(12.0) * draw_ranks(3, 4096)
    found = total_effects(lambda X: X @ [[3.0], [2.0], [1.0]], X, standardize=True)
    np.testing.assert_allclose(found, np.array([9, 4, 1]) / 14, atol=0.01)


def test_an_interaction_counts_for_all_its_columns():
    X = draw_ranks(3, 4096) - 0.5
    found = total_effects(lambda X: (X[:, 0] * X[:, 1])[:, None], X, standardize=False)
    np.testing.assert_allclose(found, [0.5, 0.5, 0.0], atol=0.02)


def test_effects_leave_the_rows_alone():
    X = draw_ranks(3, 50)
    before = X.copy()
    total_effects(lambda X: X, X, standardize=True)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(("standardize", "expected"), [(True, 0.5), (False, 1e-6)])
def test_outputs_count_in_units_of_their_variance_if_asked(standardize, expected):
    X = draw_ranks(2, 500)
    found = total_effects(lambda X: X * [1.0, 1000.0], X, standardize=standardize)
    assert found[0] == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("n_values", [1, 2, 7, 200, 5000])
def test_columns_are_drawn_as_they_were(n_values):
    rng = np.random.default_rng(n_values)
    column = rng.permutation(np.repeat(rng.normal(size=n_values), rng.integers(1, 20, n_values)))
    drawn = draw_rows(ColumnBins.of(column[:, None], np.ones(len(column))), 1000)[:, 0]
    assert np.isin(drawn, column).all()
    for at in np.quantile(column, [0.1, 0.5, 0.9], method="inverted_cdf"):
        assert np.mean(drawn <= at) == pytest.approx(np.mean(column <= at), abs=0.01)


@pytest.mark.parametrize("zeros", [0.5, 0.9, 0.99])
def test_a_value_that_many_rows_share_is_drawn_as_often(zeros):
    n = 20_000
    column = np.where(np.arange(n) < zeros * n, 0.0, normal_rows(n, 1)[:, 0] ** 2)
    drawn = draw_rows(ColumnBins.of(column[:, None], np.ones(n)), 1000)
    assert np.mean(drawn == 0.0) == pytest.approx(zeros, abs=0.01)


def test_weights_of_rows_count_as_copies():
    bins = ColumnBins.of(np.array([[0.0], [1.0]]), np.array([3.0, 1.0]))
    assert draw_rows(bins, 100).mean() == 0.25


# ----------------------------------------------------------------------------- of a forest


@pytest.mark.parametrize("kind", KINDS)
def test_importances_are_shares_of_every_feature(kind):
    X, y = table(kind)
    model = forest(kind).fit(X, y)
    found = model.feature_importances_
    assert found.shape == (X.shape[1],)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(model.feature_importances_, found)


def test_importances_of_a_learned_sum_are_the_variances_of_its_terms():
    X = normal_rows(2000)
    found = regressor().fit(X, X @ [3.0, 2.0, 1.0, 0.0, 0.0]).feature_importances_
    np.testing.assert_allclose(found, np.array([9, 4, 1, 0, 0]) / 14, atol=0.05)


def test_features_that_matter_only_together_are_found():
    X = normal_rows(3000)
    found = regressor().fit(X, X[:, 1] * X[:, 3]).feature_importances_
    assert set(np.argsort(found)[-2:]) == {1, 3}
    assert found[[1, 3]].sum() > 0.8


def test_rare_indicators_do_not_pass_for_features_that_matter():
    rng = np.random.default_rng(0)
    X = np.hstack([normal_rows(1000, 3), rng.random((1000, 10)) < 0.03])
    y = X[:, 0] + X[:, 1] + 0.5 * X[:, 2] + 0.5 * rng.normal(size=1000)
    found = regressor().fit(X, y).feature_importances_
    assert found[3:].max() < 0.1 * found[:3].min()


def test_importances_rank_as_permutations_of_held_out_rows_do():
    X, y = make_friedman1(3000, 10, noise=1.0, random_state=1)
    model = regressor().fit(X[:1000], y[:1000])
    judged = permutation_importance(model, X[1000:], y[1000:], n_repeats=3, random_state=0)
    found = model.feature_importances_
    assert spearmanr(found, judged.importances_mean)[0] > 0.6
    assert set(np.argsort(found)[-5:]) == set(range(5))


def test_a_constant_column_has_none():
    X = normal_rows(300)
    X[:, 2] = 0.1
    assert regressor().fit(X, X[:, 0]).feature_importances_[2] == 0.0


def test_where_nothing_varies_there_are_none():
    assert not regressor().fit(normal_rows(60), np.zeros(60)).feature_importances_.any()


def test_importances_need_a_fit_and_no_moments(tmp_path):
    model = regressor()
    assert not hasattr(model, "feature_importances_")
    X, y = make_friedman1(200, 5, random_state=0)
    save(model.fit(X, y), tmp_path / "model.skops", moments=False)
    found = load(tmp_path / "model.skops").feature_importances_
    np.testing.assert_array_equal(found, model.feature_importances_)


# ----------------------------------------------------------------------------- scikit-learn's tools


def test_tools_of_scikit_learn_keep_the_columns_that_matter():
    X = normal_rows(400, 6)
    y = X[:, 1] + X[:, 4] > 0
    model = RNNForestClassifier(4, random_state=0)
    assert RFE(model, n_features_to_select=2).fit(X, y).support_.nonzero()[0].tolist() == [1, 4]
    assert SelectFromModel(model).fit(X, y).get_support().nonzero()[0].tolist() == [1, 4]


@pytest.mark.parametrize(
    "model",
    [
        RNNELMClassifier(20, random_state=0),
        RNNELMRegressor(20, random_state=0),
        DenseRNNClassifier((5,), 20, random_state=0),
    ],
)
@pytest.mark.parametrize("tool", [RFE, SelectFromModel])
def test_tools_of_scikit_learn_refuse_networks(model, tool):
    X = normal_rows(60, 3)
    y = (X[:, 0] > 0).astype(int)
    assert not hasattr(model.fit(X, y), "feature_importances_")
    with pytest.raises(ValueError, match="should have `coef_` or `feature_importances_`"):
        tool(model).fit(X, y).transform(X)
