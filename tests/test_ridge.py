"""The ridge solver against scikit-learn's Ridge, explicit hat matrices and least squares."""

import tracemalloc
import warnings

import numpy as np
import oracles
import pytest
from problems import linear
from sklearn.linear_model import Ridge

from densernn import Moments
from densernn.errors import ParameterError, SingularSolveWarning
from densernn.solvers import RidgeSystem, alpha_values, choose_alpha, ridge

INTERCEPT = pytest.mark.parametrize("intercept", [True, False])


def predictions(solution, H):
    return H @ solution.coef + solution.intercept


def solved(alpha, H, T, dtype=np.float64):
    """A solution, and the texts of the warnings that came with it."""
    system = RidgeSystem(Moments.of(H.astype(dtype), T), dtype)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = system.solve(alpha)
    assert all(warning.category is SingularSolveWarning for warning in caught)
    return solution, [str(warning.message) for warning in caught]


def least_squares(H, T):
    """Coefficients of minimum norm among those of least error, with a free intercept."""
    coef = np.linalg.lstsq(H - H.mean(axis=0), T - T.mean(axis=0), rcond=1e-6)[0]
    return coef, T.mean(axis=0) - H.mean(axis=0) @ coef


def collinear(seed=0, n_rows=200, dtype=np.float64):
    """Features of which one is the sum of two others, and one is another's copy."""
    H, T = linear(n_rows, 5, 2, seed=seed)
    H = H.astype(dtype)
    return np.column_stack([H, H[:, 0] + H[:, 1], H[:, 2]]), T


# ----------------------------------------------------------------------------- solutions


@INTERCEPT
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("alpha", [0.0, 1e-6, 1.0, 1e4])
def test_a_solution_is_that_of_scikit_learn(alpha, n_targets, weighted, intercept):
    H, T = linear(80, 10, n_targets)
    weight = np.random.default_rng(1).random(80) * 3 if weighted else None
    found = RidgeSystem(Moments.of(H, T, weight), intercept=intercept).solve(alpha)
    expected = Ridge(alpha=alpha, fit_intercept=intercept, solver="svd")
    expected.fit(H, T, sample_weight=weight)
    coef = np.reshape(expected.coef_, (n_targets, -1)).T
    np.testing.assert_allclose(found.coef, coef, atol=1e-9 * np.abs(coef).max())
    shift = np.abs(predictions(found, H) - expected.predict(H).reshape(80, -1))
    assert shift.max() < 1e-9 * np.abs(T).max()
    assert found.alpha == alpha
    if not intercept:
        np.testing.assert_array_equal(found.intercept, np.zeros(n_targets))


@INTERCEPT
def test_the_path_from_one_system_equals_separate_solves(intercept):
    H, T = linear()
    fold = Moments.of(H, T)
    kept = fold.second.copy()
    system = RidgeSystem(fold, intercept=intercept)
    for alpha in np.logspace(-6, 6, 13):
        alone = RidgeSystem(Moments.of(H, T), intercept=intercept).solve(alpha)
        along = system.solve(alpha)
        np.testing.assert_array_equal(along.coef, alone.coef)
        np.testing.assert_array_equal(along.intercept, alone.intercept)
        np.testing.assert_allclose(system.score(alpha)[1].coef, alone.coef, rtol=1e-12)
    np.testing.assert_array_equal(fold.second, kept)


def test_more_features_than_rows_are_solved_under_a_penalty():
    H, T = linear(20, 50, 2)
    found = RidgeSystem(Moments.of(H, T)).solve(0.1)
    expected = Ridge(alpha=0.1).fit(H, T)
    np.testing.assert_allclose(found.coef, expected.coef_.T, atol=1e-9)
    np.testing.assert_allclose(found.intercept, expected.intercept_, atol=1e-9)


@pytest.mark.parametrize("far", [1e3, 1e5])
def test_features_far_from_zero_lose_nothing(far):
    H, T = linear(100, 6, 2)
    expected = Ridge(alpha=0.5, solver="svd").fit(H, T)
    found = RidgeSystem(Moments.of(H + far, T + far)).solve(0.5)
    np.testing.assert_allclose(found.coef, expected.coef_.T, rtol=1e-8)
    wanted = expected.predict(H) + far
    np.testing.assert_allclose(predictions(found, H + far), wanted, atol=1e-8 * far)


def test_constant_features_get_no_weight():
    H, T = linear(50, 4, 1)
    found = RidgeSystem(Moments.of(np.column_stack([H, np.full(50, 7.0)]), T)).solve(1e-3)
    assert found.coef[4] == 0
    np.testing.assert_allclose(found.coef[:4, 0], Ridge(alpha=1e-3).fit(H, T[:, 0]).coef_)


def test_float32_moments_give_the_solution_to_float32():
    H, T = linear(400, 20, 2)
    found, said = solved(1.0, H, T, np.float32)
    expected = RidgeSystem(Moments.of(H, T)).solve(1.0)
    assert not said
    np.testing.assert_allclose(predictions(found, H), predictions(expected, H), atol=1e-4)


@pytest.mark.parametrize("alpha", [-1.0, -1e-300, np.nan, np.inf])
def test_a_penalty_that_is_no_penalty_is_refused(alpha):
    with pytest.raises(ParameterError, match="at least 0: it is"):
        RidgeSystem(Moments.of(*linear())).solve(alpha)


def test_moments_of_no_rows_are_refused():
    with pytest.raises(ParameterError, match="at least one row"):
        RidgeSystem(Moments.zero(3, 1))


# ----------------------------------------------------------------------------- scores


@INTERCEPT
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(60, 8), (30, 40)])
def test_the_score_is_that_of_the_hat_matrix(shape, weighted, intercept):
    H, T = linear(*shape, 2, decay=0.9)
    weight = np.random.default_rng(1).integers(1, 4, len(H)) if weighted else None
    system = RidgeSystem(Moments.of(H, T, weight), intercept=intercept)
    for alpha in (1e-2, 1.0, 50.0, 1e4):
        expected = oracles.gcv_by_hat_matrix(H, T, alpha, intercept, weight)
        assert system.score(alpha)[0] == pytest.approx(expected, rel=1e-8)


def test_the_score_of_weights_k_is_that_of_k_copies():
    H, T = linear()
    copies = np.random.default_rng(0).integers(0, 4, len(H))
    weighted = RidgeSystem(Moments.of(H, T, copies))
    copied = RidgeSystem(Moments.of(np.repeat(H, copies, axis=0), np.repeat(T, copies, axis=0)))
    assert weighted.score(0.3)[0] == pytest.approx(copied.score(0.3)[0], rel=1e-10)


def test_the_probed_trace_is_near_the_exact_one(monkeypatch):
    for seed, decay in enumerate((1.0, 0.99, 0.9)):
        H, T = linear(900, 300, 1, decay=decay, seed=seed)
        system = RidgeSystem(Moments.of(H, T))
        for alpha in (1e-1, 1e2):
            monkeypatch.setattr(ridge, "EXACT_TRACE", 10**9)
            exact = system.score(alpha)[0]
            assert exact == pytest.approx(oracles.gcv_by_hat_matrix(H, T, alpha), rel=1e-8)
            monkeypatch.setattr(ridge, "EXACT_TRACE", 0)
            probed = system.score(alpha)[0]
            assert probed == pytest.approx(exact, rel=0.02)
            assert probed != exact
            assert system.score(alpha)[0] == probed  # seeded


def test_no_degrees_of_freedom_left_scores_infinity():
    # As many features as centred rows, or more: next to no penalty leaves no freedom.
    for n_features in (9, 30):
        for seed in range(10):
            H, T = linear(10, n_features, 1, seed=seed)
            score, solution = RidgeSystem(Moments.of(H, T)).score(1e-12)
            assert score == np.inf
            assert solution is None


@pytest.mark.parametrize("seed", range(8))
def test_a_penalty_lost_in_rounding_scores_infinity_where_it_is_all_that_holds(seed):
    H, T = collinear(seed)
    system = RidgeSystem(Moments.of(H, T))
    assert system.score(0.0) == (np.inf, None)  # whether or not rounding leaves a factor
    assert system.score(0.1 * system.floor) == (np.inf, None)
    assert np.isfinite(system.score(100 * system.floor)[0])
    H, T = linear(200, 5, 2, seed=seed)
    assert np.isfinite(RidgeSystem(Moments.of(H, T)).score(0.0)[0])


# ----------------------------------------------------------------------------- choices


def dense_grid(system):
    return np.geomspace(system.floor, 10 * system.trace, 150)


def random_problem(seed):
    rng = np.random.default_rng(seed)
    n_rows, n_features = int(rng.integers(40, 300)), int(rng.integers(3, 60))
    H, T = linear(n_rows, n_features, 2, noise=0.0, seed=seed, decay=rng.uniform(0.7, 1.0))
    return RidgeSystem(
        Moments.of(H, T + rng.choice([0.05, 0.5, 3.0]) * T.std() * rng.normal(size=T.shape))
    )


def test_auto_scores_within_one_percent_of_the_best_of_a_dense_grid():
    ratios = []
    for seed in range(20):
        system = random_problem(seed)
        solution, scores = choose_alpha(system, "auto")
        best = min(system.score(alpha)[0] for alpha in dense_grid(system))
        ratios.append(scores[solution.alpha] / best)
        assert scores[solution.alpha] == min(scores.values())
        assert len(scores) <= 12
    # GCV may have a second valley, which a walk cannot see.
    assert np.quantile(ratios, 0.9) < 1.01
    assert max(ratios) < 1.05


def test_auto_fits_noiseless_targets_and_shrinks_noise_away():
    rng = np.random.default_rng(0)
    H, T = linear(200, 10, 1, noise=0.0)
    exact, _ = choose_alpha(RidgeSystem(Moments.of(H, T)), "auto")
    assert np.abs(predictions(exact, H) - T).max() < 1e-3
    noise = rng.normal(size=(200, 1))
    shrunk, _ = choose_alpha(RidgeSystem(Moments.of(H, noise)), "auto")
    plain = RidgeSystem(Moments.of(H, noise)).solve(0.0)
    assert np.linalg.norm(shrunk.coef) < 0.7 * np.linalg.norm(plain.coef)


@pytest.mark.parametrize("constant", ["targets", "features", "both"])
def test_auto_on_what_never_changes_gives_the_mean(constant):
    H, T = linear(50, 4, 2)
    H = H if constant == "targets" else np.full_like(H, 3.0)
    T = T if constant == "features" else np.full_like(T, 5.0)
    solution, _ = choose_alpha(RidgeSystem(Moments.of(H, T)), "auto")
    expected = np.broadcast_to(T.mean(axis=0), T.shape)
    np.testing.assert_allclose(predictions(solution, H), expected, atol=1e-9)


def test_the_best_of_a_grid_is_taken_and_all_scores_are_told():
    system = RidgeSystem(Moments.of(*linear(40, 20, 1, noise=3.0)))
    grid = [100.0, 1e-3, 1.0, 10.0]
    solution, scores = choose_alpha(system, grid)
    assert scores == {alpha: system.score(alpha)[0] for alpha in grid}
    assert solution.alpha == min(scores, key=scores.get)
    np.testing.assert_array_equal(solution.coef, system.score(solution.alpha)[1].coef)


def test_a_number_is_taken_as_it_is():
    solution, scores = choose_alpha(RidgeSystem(Moments.of(*linear())), 2.5)
    assert solution.alpha == 2.5
    assert scores == {}


def test_a_grid_without_a_score_takes_its_largest_penalty():
    H, T = linear(10, 30, 1)
    with pytest.warns(SingularSolveWarning):
        solution, scores = choose_alpha(RidgeSystem(Moments.of(H, T)), [0.0, 1e-300])
    assert solution.alpha == 1e-300
    assert np.isfinite(solution.coef).all()
    assert set(scores.values()) == {np.inf}


@pytest.mark.parametrize(
    "alpha",
    [
        None,
        "best",
        "1.0",
        -1,
        np.nan,
        np.inf,
        [],
        [-1.0],
        [np.nan],
        ["a"],
        [[1.0, 2.0]],
        {"a": 1.0},
    ],
    ids=str,
)
def test_what_is_no_alpha_is_refused(alpha):
    with pytest.raises(ParameterError, match="alpha must be 'auto', a finite number of at least 0"):
        choose_alpha(RidgeSystem(Moments.of(*linear())), alpha)


@pytest.mark.parametrize(
    "alpha", [(2.0, 1.0), [1, 2, 2], {1.0, 2.0}, np.array([2.0, 1.0]), range(1, 3)]
)
def test_any_collection_is_a_grid(alpha):
    np.testing.assert_array_equal(alpha_values(alpha), [1.0, 2.0])


# ----------------------------------------------------------------------------- singular systems


@pytest.mark.parametrize("alpha", [0.0, 1e-15])
@pytest.mark.parametrize("seed", range(8))
def test_collinear_features_warn_and_give_the_minimum_norm_solution(alpha, seed):
    H, T = collinear(seed)
    solution, said = solved(alpha, H, T)
    assert len(said) == 1
    for text in ("7 features", "singular in float64", f"alpha={alpha:g}", "a larger alpha"):
        assert text in said[0]
    coef, intercept = least_squares(H, T)
    # Where the factor exists by luck, the coefficients may wander along the null space.
    fitted = H @ coef + intercept
    np.testing.assert_allclose(predictions(solution, H), fitted, atol=1e-6 * np.abs(T).max())
    assert np.linalg.norm(solution.coef) < 100 * np.linalg.norm(coef)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(20))
def test_the_fallback_is_the_minimum_norm_least_squares_solution(seed, dtype):
    H, T = collinear(seed, dtype=dtype)
    system = RidgeSystem(Moments.of(H, T), dtype)
    coef, intercept = least_squares(H.astype(np.float64), T)
    found = system._finish(system._solve_by_eigenvalues(0.0), 0.0)
    tolerance = (1e-9 if dtype == np.float64 else 1e-3) * np.abs(coef).max()
    np.testing.assert_allclose(found.coef, coef, atol=tolerance)
    np.testing.assert_allclose(found.intercept, intercept, atol=10 * tolerance)


@pytest.mark.parametrize("seed", range(8))
def test_collinear_features_warn_in_float32_with_its_own_advice(seed):
    # One direction alone: by luck of rounding, half of these have a factor.
    H, T = linear(2000, 6, 2, seed=seed)
    H = H.astype(np.float32)
    H[:, 5] = H[:, 0] + H[:, 1]
    solution, said = solved(1e-12, H, T, np.float32)
    assert len(said) == 1
    assert "singular in float32" in said[0]
    assert "dtype='float64'" in said[0]
    assert np.isfinite(solution.coef).all()
    exact, _ = least_squares(H.astype(np.float64), T)
    error = np.linalg.norm(predictions(solution, H.astype(np.float64)) - T)
    least = np.linalg.norm((H - H.mean(axis=0)) @ exact - (T - T.mean(axis=0)))
    assert error < 1.5 * least


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_penalty_above_the_floor_is_solved_without_a_warning(dtype):
    H, T = collinear(n_rows=2000)
    system = RidgeSystem(Moments.of(H.astype(dtype), T), dtype)
    solution, said = solved(20 * system.floor, H, T, dtype)
    assert not said
    assert np.isfinite(solution.coef).all()


def test_auto_in_float32_says_when_it_stops_at_what_float32_resolves():
    # Targets along directions whose eigenvalues fall to the floor: no penalty is too small.
    rng = np.random.default_rng(0)
    H = rng.normal(size=(2000, 30))
    T = H.sum(axis=1, keepdims=True)
    H *= np.geomspace(1.0, 1e-3, 30)
    system = RidgeSystem(Moments.of(H.astype(np.float32), T), np.float32)
    with pytest.warns(SingularSolveWarning, match="the smallest penalty that float32 resolves"):
        solution, _ = choose_alpha(system, "auto")
    assert solution.alpha == pytest.approx(system.floor, rel=0.01)


def test_the_fallback_needs_little_beside_matrix_and_eigenvectors():
    size = 400
    H = np.random.default_rng(0).normal(size=(100, size))
    system = RidgeSystem(Moments.of(H, H[:, :1]))
    tracemalloc.start()
    with pytest.warns(SingularSolveWarning):
        system.solve(0.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3.2 * 8 * size**2


def test_a_penalty_needs_one_matrix_beside_the_moments():
    size = 1500
    H = np.random.default_rng(0).normal(size=(100, size))
    system = RidgeSystem(Moments.of(H, H[:, :1]))
    tracemalloc.start()
    system.solve(1.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.4 * 8 * size**2
