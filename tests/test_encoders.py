"""Encoder layers, from codes to frozen weights: against plain versions over the rows themselves."""

import warnings

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, Ridge

from densernn import Cluster, Moments, _kernels
from densernn.encoders import EncoderSpec, PublishedRange, StandardCode, standardized
from densernn.engine import Passes, run
from densernn.errors import ConvergenceWarning, ParameterError
from densernn.estimators.network_spec import draw_published
from densernn.layers import ClusterLayer, FeatureMap
from densernn.solvers import PUBLISHED_FISTA, FistaSolver, LassoSystem, RidgeSolver
from densernn.sources.arrays import ArraySource
from densernn.stats.triangles import symmetric
from densernn.weights import draw_sparse

RNG = np.random.default_rng(0)
X = RNG.random((150, 9)) ** 2
CLUSTER = Cluster()


def learn_layer(phase, source, **options):
    return Passes(source, **options).learn_layer(phase, "layer")


def encoding(solver, codes, spans=None, dtype=np.float64):
    below = FeatureMap(None, n_prepared=X.shape[1])
    spans = tuple(spans or [(0, X.shape[1])] * len(codes))
    codes = tuple(code.astype(dtype) for code in codes)
    return EncoderSpec(below, spans, codes, solver, np.dtype(dtype))


def sparse_code(seed=0, size=6, n_inputs=9):
    weights = draw_sparse(n_inputs, size, 3, np.random.default_rng(seed)).scaled(0.1)
    return ClusterLayer(weights, CLUSTER)


def published_code(seed=0, size=6, n_inputs=9):
    return draw_published(n_inputs, size, CLUSTER, np.random.default_rng(seed))


def same_columns(found, expected, rtol=1e-6):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-12 + rtol * abs(expected).max())


@given(seed=st.integers(0, 2**32 - 1), far=st.sampled_from([0.0, 1e3]))
def test_moments_move_and_scale_like_the_rows(seed, far):
    rng = np.random.default_rng(seed)
    H, T = rng.normal(size=(12, 3)) + far, rng.normal(size=(12, 2))
    w = rng.integers(0, 3, 12) * 1.0
    offsets, factors = rng.normal(size=5), rng.normal(size=5)
    fold = Moments.of(H, T, w)
    moved = Moments.of(H + offsets[:3], T + offsets[3:], w)
    scaled = Moments.of(H * factors[:3], T * factors[3:], w)
    tolerance = {"rtol": 1e-7, "atol": 1e-6 * max(1.0, far)}
    np.testing.assert_allclose(fold.translated(offsets).HtT, moved.HtT, **tolerance)
    np.testing.assert_allclose(fold.scaled(factors).HtH, scaled.HtH, **tolerance)
    if w.sum():
        spread = oracles.column_spread(np.hstack([H, T]), w) / w.sum()
        np.testing.assert_allclose(fold.variances, spread, rtol=1e-9, atol=1e-12)


def test_standardised_moments_are_those_of_standardised_rows():
    H, T = RNG.normal(size=(40, 4)) * [1, 5, 0.1, 1] + [0, 3, 9, 1], RNG.normal(size=(40, 2))
    H[:, 3] = 7.0
    found = standardized(Moments.of(H, T))
    Z = (H - H.mean(axis=0)) / np.where(np.arange(4) < 3, H.std(axis=0), np.inf)
    np.testing.assert_allclose(found.HtH, Z.T @ Z, atol=1e-9)
    np.testing.assert_allclose(found.HtT, Z.T @ T, atol=1e-9)


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 300)),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_samples_are_standardised_over_units(shape, dtype):
    rng = np.random.default_rng(1)
    z = rng.normal(size=shape).astype(dtype)
    low, factor = rng.normal(size=shape[0]), rng.random(shape[0])
    expected = (z.astype(float) - low[:, None]) * factor[:, None]
    expected -= expected.mean(axis=0)
    if shape[0] > 1:
        expected /= expected.std(axis=0, ddof=1)
    _kernels.standardize_samples(z, low, factor, 0, shape[1])
    np.testing.assert_allclose(z, expected, atol=2e-4 if dtype == np.float32 else 1e-9)


def test_ridge_encoder_is_that_of_scikit_learn_over_the_rows():
    code = sparse_code()
    alpha = 3.0
    layer = learn_layer(StandardCode(encoding(RidgeSolver(alpha), [code])), ArraySource(X))
    H = CLUSTER.zeta(X @ code.weights.toarray())
    Z = (H - H.mean(axis=0)) / H.std(axis=0)
    W2 = Ridge(alpha=alpha, fit_intercept=False).fit(Z, X).coef_.T
    W = oracles.signed_parts(W2)
    drive = X @ W
    reach = (drive.mean(axis=0) + 3 * drive.std(axis=0)).max()
    same_columns(layer.weights.toarray(), W * 0.1 / reach)


def test_lasso_encoder_is_that_of_scikit_learn_over_the_rows():
    code = sparse_code()
    solver = FistaSolver(alpha=4.0, nonnegative=True, tol=1e-12, max_iter=100_000)
    layer = learn_layer(StandardCode(encoding(solver, [code])), ArraySource(X))
    H = CLUSTER.zeta(X @ code.weights.toarray())
    Z = (H - H.mean(axis=0)) / H.std(axis=0)
    lasso = Lasso(4.0 / (2 * len(X)), fit_intercept=False, positive=True, tol=1e-13, max_iter=10**6)
    W = lasso.fit(Z, X).coef_
    assert layer.n_clusters == 6
    drive = X @ W
    reach = (drive.mean(axis=0) + 3 * drive.std(axis=0)).max()
    same_columns(layer.weights.toarray(), W * 0.1 / reach, 1e-4)


@pytest.mark.parametrize("nonnegative", [True, False])
def test_published_encoder_by_its_recipe_over_the_rows(nonnegative):
    code = published_code()
    solver = FistaSolver(1e-3, nonnegative, tol=0.0, max_iter=40, variant="published")
    layer = learn_layer(PublishedRange(encoding(solver, [code])), ArraySource(X))
    at_zero = CLUSTER.zeta(0.0)
    H = oracles.published_code(X, code.weights.matrix, code.offset / at_zero, CLUSTER)
    T = np.column_stack([X, np.full(len(X), at_zero)])
    largest = LassoSystem(Moments.of(H, T)).largest
    W2 = oracles.published_fista(H, T, 1e-3, 40, largest, nonnegative)
    W = W2.T if nonnegative else oracles.signed_parts(W2)
    drive = T @ np.vstack([W[:-1], W[-1:]])
    # Ranges and the largest drive are taken in float32.
    same_columns(layer.weights.toarray(), W[:-1] * 0.1 / drive.max(), 1e-4)
    same_columns(layer.offset, W[-1] * at_zero * 0.1 / drive.max(), 1e-4)


def test_published_ridge_encoder_by_its_recipe():
    code = published_code()
    layer = learn_layer(PublishedRange(encoding(RidgeSolver(1e-2), [code])), ArraySource(X))
    at_zero = CLUSTER.zeta(0.0)
    H = oracles.published_code(X, code.weights.matrix, code.offset / at_zero, CLUSTER)
    T = np.column_stack([X, np.full(len(X), at_zero)])
    W = oracles.signed_parts(np.linalg.solve(H.T @ H + 1e-2 * np.eye(6), H.T @ T))
    same_columns(layer.weights.toarray(), W[:-1] * 0.1 / (T @ W).max(), 1e-3)


@pytest.mark.parametrize("make", [sparse_code, published_code])
def test_encoders_side_by_side_are_those_learned_alone(make):
    spans = [(0, 4), (0, 4), (4, 9)]
    codes = [make(i, 5, stop - start) for i, (start, stop) in enumerate(spans)]
    start_phase = StandardCode if make is sparse_code else PublishedRange
    together = learn_layer(start_phase(encoding(RidgeSolver(), codes, spans)), ArraySource(X))
    for number, (code, span) in enumerate(zip(codes, spans, strict=True)):
        own = X[:, slice(*span)]
        below = FeatureMap(None, n_prepared=own.shape[1])
        plan = EncoderSpec(
            below, ((0, own.shape[1]),), (code,), RidgeSolver(), np.dtype(np.float64)
        )
        alone = learn_layer(start_phase(plan), ArraySource(own))
        out, all_out = np.empty((10, len(X))), np.empty((30, len(X)))
        alone.forward(np.ascontiguousarray(own.T), out)
        together.forward(np.ascontiguousarray(X.T), all_out)
        np.testing.assert_allclose(all_out[10 * number : 10 * number + 10], out, rtol=1e-6)


@pytest.mark.parametrize("make", [sparse_code, published_code])
def test_weights_of_rows_count_as_copies_and_zero_nowhere(make):
    weight = RNG.integers(0, 4, len(X)).astype(float)
    rows = X.copy()
    rows[weight == 0] = 50.0  # would change ranges, means and drives, were it looked at
    start_phase = StandardCode if make is sparse_code else PublishedRange
    plan = encoding(RidgeSolver(1.0), [make()])
    weighted = learn_layer(start_phase(plan), ArraySource(rows, None, weight))
    copies = learn_layer(start_phase(plan), ArraySource(np.repeat(X, weight.astype(int), axis=0)))
    same_columns(weighted.weights.toarray(), copies.weights.toarray(), 1e-6)


@pytest.mark.parametrize("make", [sparse_code, published_code])
def test_chunks_do_not_matter(make, monkeypatch):
    start_phase = StandardCode if make is sparse_code else PublishedRange
    plan = encoding(RidgeSolver(1.0), [make()])
    many = np.vstack([X, X[::-1] * 0.5])
    whole = learn_layer(start_phase(plan), ArraySource(many))
    small = learn_layer(start_phase(plan), ArraySource(many), chunk_bytes=1)
    same_columns(small.weights.toarray(), whole.weights.toarray(), 1e-9)


def test_float32_gives_the_same_layer_to_its_rounding():
    plan = encoding(RidgeSolver(1.0), [sparse_code()], dtype=np.float32)
    single = learn_layer(StandardCode(plan), ArraySource(X.astype(np.float32)))
    double = learn_layer(StandardCode(encoding(RidgeSolver(1.0), [sparse_code()])), ArraySource(X))
    assert single.dtype == np.float32
    same_columns(single.weights.toarray(), double.weights.toarray(), 1e-3)


def test_one_pass_holds_moments_of_code_and_input():
    fold = run(StandardCode(encoding(RidgeSolver(), [sparse_code()])), ArraySource(X))
    (moments,) = fold
    H = CLUSTER.zeta(X @ sparse_code().weights.toarray())
    expected = oracles.second_moments(H, X)
    np.testing.assert_allclose(
        symmetric(moments.about(np.zeros(15)).second), expected, rtol=1e-9, atol=1e-9
    )


def test_automatic_penalties_grow_with_the_rows():
    H, T = RNG.normal(size=(50, 4)), RNG.normal(size=(50, 3))
    once, twice = Moments.of(H, T), Moments.of(np.vstack([H, H]), np.vstack([T, T]))
    for solver in (RidgeSolver(), FistaSolver(tol=1e-10)):
        np.testing.assert_allclose(solver.solve(once), solver.solve(twice), atol=1e-7)


def test_solvers_refuse_bad_penalties_and_warn_of_unmet_tolerance():
    for alpha in (-1.0, np.inf, np.nan, "most", True, None):
        with pytest.raises(ParameterError, match="alpha"):
            RidgeSolver(alpha)
    with pytest.raises(ParameterError, match="variant"):
        FistaSolver(variant="fast")
    H = RNG.normal(size=(50, 4))
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        FistaSolver(1e-9, max_iter=1, tol=1e-9).solve(Moments.of(H, H))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PUBLISHED_FISTA.solve(Moments.of(H, H))
