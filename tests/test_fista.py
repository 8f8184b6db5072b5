"""LASSO from moments: against scikit-learn, the optimality conditions, and itself."""

import warnings

import numpy as np
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso

from densernn import Moments
from densernn.errors import ConvergenceWarning, ParameterError
from densernn.solvers import LassoSystem
from densernn.solvers.fista import largest_eigenvalue


def by_scikit_learn(H, T, alpha, nonnegative):
    model = Lasso(
        alpha=alpha / (2 * len(H)),
        fit_intercept=False,
        positive=nonnegative,
        tol=1e-14,
        max_iter=1_000_000,
    )
    return model.fit(H, T).coef_.reshape(T.shape[1], -1).T


def cost(H, T, W, alpha):
    return np.sum((T - H @ W) ** 2) + alpha * np.abs(W).sum()


@pytest.mark.parametrize("nonnegative", [False, True])
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 30.0])
def test_same_weights_as_scikit_learn(nonnegative, alpha):
    H, T = problems.linear(n_rows=80, n_features=8, n_targets=3, decay=0.9)
    found = LassoSystem(Moments.of(H, T)).solve(alpha, nonnegative=nonnegative, tol=1e-13)
    expected = by_scikit_learn(H, T, alpha, nonnegative)
    np.testing.assert_allclose(found.coef, expected, atol=1e-6, rtol=0)
    assert found.converged
    assert np.isclose(found.objective[-1], cost(H, T, found.coef, alpha), rtol=1e-9)


@pytest.mark.parametrize("nonnegative", [False, True])
def test_published_iteration_has_the_same_minimum(nonnegative):
    H, T = problems.linear(n_rows=80, n_features=8, n_targets=3, decay=0.9)
    system = LassoSystem(Moments.of(H, T))
    options = {"nonnegative": nonnegative, "tol": 0.0, "max_iter": 20_000}
    slow = system.solve(1.0, variant="published", **options)
    np.testing.assert_allclose(slow.coef, by_scikit_learn(H, T, 1.0, nonnegative), atol=1e-3)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_features=st.integers(1, 12),
    n_targets=st.integers(1, 4),
    nonnegative=st.booleans(),
    alpha=st.sampled_from([0.0, 1e-2, 1.0, 1e3]),
)
def test_optimality_conditions(seed, n_features, n_targets, nonnegative, alpha):
    rng = np.random.default_rng(seed)
    H, T = rng.normal(size=(30, n_features)) + 0.5, rng.normal(size=(30, n_targets))
    W = LassoSystem(Moments.of(H, T)).solve(alpha, nonnegative=nonnegative, tol=1e-12).coef
    slope = 2 * H.T @ (H @ W - T)
    slack = 1e-5 * np.abs(2 * H.T @ T).max()
    if nonnegative:
        assert (W >= 0).all()
        assert (slope + alpha >= -slack).all()
        assert (np.abs(slope + alpha)[W > 0] <= slack).all()
    else:
        assert (np.abs(slope) <= alpha + slack).all()
        assert (np.abs(slope + alpha * np.sign(W))[W != 0] <= slack).all()


@given(seed=st.integers(0, 2**32 - 1), nonnegative=st.booleans())
def test_objective_is_the_cost_at_every_iteration(seed, nonnegative):
    rng = np.random.default_rng(seed)
    H, T = rng.random((40, 6)), rng.random((40, 3))
    system = LassoSystem(Moments.of(H, T))
    whole = system.solve(0.5, nonnegative=nonnegative, tol=0.0, max_iter=6).objective
    assert np.isclose(whole[0], np.sum(T**2))
    for n_iter in range(1, 7):
        part = system.solve(0.5, nonnegative=nonnegative, tol=0.0, max_iter=n_iter)
        assert part.n_iter == n_iter
        assert np.isclose(whole[n_iter], cost(H, T, part.coef, 0.5), rtol=1e-9)


def test_targets_do_not_know_of_each_other():
    H, T = problems.linear(n_targets=4, n_features=6)
    together = LassoSystem(Moments.of(H, T)).solve(1.0, tol=0.0, max_iter=50).coef
    for j in range(4):
        alone = LassoSystem(Moments.of(H, T[:, j])).solve(1.0, tol=0.0, max_iter=50).coef
        np.testing.assert_allclose(alone[:, 0], together[:, j], rtol=1e-8, atol=1e-12)


def test_cost_depends_on_moments_alone():
    H, T = problems.linear()
    whole = LassoSystem(Moments.of(H, T)).solve(0.1)
    parts = LassoSystem(Moments.of(H[:20], T[:20]).merge(Moments.of(H[20:], T[20:]))).solve(0.1)
    np.testing.assert_allclose(whole.coef, parts.coef, rtol=1e-6)


def test_restarted_is_faster_than_published_on_collinear_features():
    rng = np.random.default_rng(0)
    H = rng.random((200, 1)) + 0.1 * rng.random((200, 20))
    system = LassoSystem(Moments.of(H, rng.random((200, 5))))
    best = system.solve(1e-2, tol=1e-12, max_iter=100_000).objective[-1]
    costs = {
        variant: system.solve(1e-2, tol=0.0, max_iter=150, variant=variant).objective[-1]
        for variant in ("restarted", "published")
    }
    assert best <= costs["restarted"] < costs["published"]


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 60), decay=st.floats(0.3, 1.0))
def test_bound_of_the_largest_eigenvalue(seed, size, decay):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(2 * size, size)) * decay ** np.arange(size) + rng.integers(0, 3)
    matrix = rows.T @ rows
    largest = np.linalg.eigvalsh(matrix)[-1]
    assert largest * (1 - 1e-13) <= largest_eigenvalue(matrix) <= 1.6 * largest


def test_nothing_to_explain_is_solved_by_zeros():
    system = LassoSystem(Moments.of(np.zeros((5, 3)), np.ones((5, 2))))
    assert not system.solve(0.1).coef.any()


def test_warns_where_the_tolerance_is_not_met_and_only_there():
    H, T = problems.linear()
    system = LassoSystem(Moments.of(H, T))
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        solution = system.solve(0.1, tol=1e-12, max_iter=3)
    assert not solution.converged
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        system.solve(0.1, tol=0.0, max_iter=3)


@pytest.mark.parametrize(
    "wrong", [{"alpha": -1.0}, {"alpha": np.nan}, {"tol": -1.0}, {"max_iter": 0}, {"variant": "x"}]
)
def test_refuses_what_lies_outside(wrong):
    H, T = problems.linear()
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        LassoSystem(Moments.of(H, T)).solve(**({"alpha": 1.0} | wrong))


def test_refuses_empty_moments():
    with pytest.raises(ParameterError, match="at least one row"):
        LassoSystem(Moments.zero(2, 1))


@pytest.mark.parametrize("matrix", [2.0 * np.eye(64), np.ones((50, 50)), 1e-300 * np.eye(30)])
def test_bound_of_matrices_with_one_or_two_eigenvalues(matrix):
    assert largest_eigenvalue(matrix) >= np.linalg.eigvalsh(matrix)[-1] * (1 - 1e-12)
