"""Few rows: solved by their own products, judged by leaving each out, and scales of weights."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import Ridge

from densernn import RNNELMClassifier, RNNELMRegressor
from densernn.errors import UndecidedAlphaWarning
from densernn.solvers import RidgeSystem, choose_alpha, system_of
from densernn.solvers.dual import DualSystem
from densernn.stats import Moments


def few(n=12, size=20, k=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, size)), rng.normal(size=(n, k)), rng.uniform(0.2, 3.0, n)


@pytest.mark.parametrize("alpha", [1e-6, 1e-2, 1.0, 1e3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_dual_solution_is_that_of_ridge_regression(alpha, weighted):
    H, T, weight = few()
    weight = weight if weighted else None
    solution = DualSystem(Moments.of(H, T, weight)).solve(alpha)
    expected = Ridge(alpha).fit(H, T, sample_weight=weight)
    np.testing.assert_allclose(solution.coef, expected.coef_.T, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(solution.intercept, expected.intercept_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("alpha", [1e-8, 1e-3, 1.0, 100.0])
def test_residuals_are_those_of_refits_without_each_row(alpha):
    H, T, weight = few()
    weight = np.minimum(weight, 1.0)
    moments = Moments.of(H, T, weight)
    scale = moments.n_rows / moments.weight
    found = DualSystem(moments).left_out(alpha)
    for i in range(len(H)):
        left = weight.copy()
        left[i] -= min(weight[i], 1.0 / scale)  # one copy of it
        kept = left > 1e-12
        model = Ridge(alpha, solver="cholesky").fit(H[kept], T[kept], sample_weight=left[kept])
        np.testing.assert_allclose(found[i], T[i] - model.predict(H[i : i + 1])[0], rtol=1e-4)


def test_weight_two_is_two_copies_where_rows_are_few():
    H, T, _ = few(6)
    weight = np.array([1.0, 2.0, 1.0, 3.0, 1.0, 2.0])
    copies = np.repeat(np.arange(6), weight.astype(int))
    one = system_of(Moments.of(H, T, weight), np.float64)
    other = system_of(Moments.of(H[copies], T[copies]), np.float64)
    assert type(one) is type(other) is DualSystem
    for alpha in (1e-3, 1.0, 10.0):
        assert one.score(alpha)[0] == pytest.approx(other.score(alpha)[0], rel=1e-9)
    # Too many copies for the dual: neither has it.
    assert isinstance(system_of(Moments.of(H, T, weight * 3), np.float64), RidgeSystem)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6), st.randoms())
def test_few_rows_are_the_same_in_any_pieces_and_can_be_taken_away(edges, random):
    H, T, weight = few(8)
    whole = Moments.of(H, T, weight)
    cuts = sorted({0, 8, *edges})
    pieces = [Moments.of(H[a:b], T[a:b], weight[a:b]) for a, b in pairwise(cuts)]
    random.shuffle(pieces)
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = merged.merge(piece)
    assert len(merged.few) == 8
    np.testing.assert_allclose(merged.means, whole.means, atol=1e-12)
    np.testing.assert_allclose(merged.HtH, whole.HtH, atol=1e-10)
    assert merged.squares == pytest.approx(np.square(weight).sum())
    rest = merged.subtract(Moments.of(H[2:5], T[2:5], weight[2:5]))
    kept = [0, 1, 5, 6, 7]
    expected = Moments.of(H[kept], T[kept], weight[kept])
    assert len(rest.few) == 5
    np.testing.assert_allclose(rest.HtH, expected.HtH, atol=1e-10)
    assert rest.n_rows == pytest.approx(expected.n_rows)


def test_rows_become_products_once_there_are_more_than_features():
    H, T, _ = few(30, 20)
    moments = Moments.zero(20, 2)
    for start in range(0, 30, 5):
        columns = np.empty((22, 5))
        columns[:20] = H[start : start + 5].T
        moments.add(columns, T[start : start + 5])
        assert (moments.few is not None) == (start + 5 <= 20)
    np.testing.assert_allclose(moments.HtH, H.T @ H, atol=1e-10)
    np.testing.assert_allclose(moments.HtT, H.T @ T, atol=1e-10)


def test_the_penalty_of_duplicated_rows_is_not_the_smallest():
    # Generalised cross-validation falls to 0 there, as rows are fitted exactly.
    X, y = load_iris(return_X_y=True)
    model = RNNELMClassifier(1000, random_state=0).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) > 0.93
    assert model.alpha_ > 1e-4 * np.mean(np.linalg.eigvalsh(model.moments_.HtH))


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 0.3, 1.0])
@pytest.mark.parametrize("n_hidden", [40, 400])
def test_a_factor_on_all_weights_changes_nothing(factor, n_hidden):
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    plain = RNNELMClassifier(n_hidden, random_state=0).fit(X, y)
    scaled = clone(plain).fit(X, y, sample_weight=np.full(len(X), factor))
    found = scaled.decision_function(X)
    np.testing.assert_allclose(found, plain.decision_function(X), atol=1e-6)


def test_decay_without_new_rows_changes_no_prediction():
    X, y = load_digits(return_X_y=True)
    model = RNNELMClassifier(60, random_state=0).fit(X[:500], y[:500])
    before = model.decision_function(X)
    for _ in range(12):
        model.decay(0.5)
    np.testing.assert_allclose(model.decision_function(X), before, atol=1e-6)


def test_weights_of_a_single_row_are_said_to_decide_nothing():
    rng = np.random.default_rng(0)
    H, T = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    weight = np.full(50, 1e-9)
    weight[0] = 0.5
    with pytest.warns(UndecidedAlphaWarning, match="give alpha as a number, or weights that are"):
        solution, _ = choose_alpha(RidgeSystem(Moments.of(H, T, weight)), "auto")
    assert np.abs(solution.coef).max() < 0.1
    choose_alpha(RidgeSystem(Moments.of(H, T, weight)), 1e-3)
    choose_alpha(RidgeSystem(Moments.of(H, T)), "auto")


@pytest.mark.parametrize("weights", ["sparse", "dense"])
@pytest.mark.parametrize("preparation", ["unit", "split"])
def test_no_output_runs_away_beyond_the_training_range(weights, preparation):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    options = {"weights": weights, "preparation": preparation, "random_state": 0}
    model = RNNELMClassifier(200, **options).fit(X, y)
    far = X + 1000.0 * rng.choice([-1.0, 1.0], X.shape) * X.std(axis=0)
    outputs = model._outputs(far)
    assert np.abs(outputs).max() <= 2.0
    assert np.isfinite(model.predict_proba(far)).all()
    values = RNNELMRegressor(200, **options).fit(X, X[:, 0])
    beyond = np.clip(far, X.min(axis=0), X.max(axis=0))
    np.testing.assert_allclose(values.predict(far), values.predict(beyond), atol=1e-8)
