"""The rotation of hidden activations: orthogonal, and good for precision."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    Moments,
    RNNELMClassifier,
    RNNELMRegressor,
    open_rows,
)
from densernn.estimators import network_spec
from densernn.rotation import Rotation
from densernn.solvers import RidgeSystem
from densernn.stats import Sample


def nearly_collinear(n_rows=2000, n_features=60, smallest=1e-5, seed=0):
    """Features of one strong common factor, and of factors that fall to next to nothing."""
    rng = np.random.default_rng(seed)
    scales = np.geomspace(1.0, smallest, n_features)
    Q, _ = np.linalg.qr(rng.normal(size=(n_features, n_features)))
    return rng.normal(size=(n_rows, n_features)) * scales @ Q.T + 0.5


@given(
    n_features=st.integers(1, 40),
    n_rows=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_rotation_is_orthogonal_and_leads_with_the_main_directions(n_features, n_rows, seed, dtype):
    rng = np.random.default_rng(seed)
    H = (rng.normal(size=(n_rows, n_features)) @ np.diag(0.5 ** np.arange(n_features))).astype(
        dtype
    )
    rotation = Rotation.of(np.ascontiguousarray(H.T))
    if rotation is None:
        assert not (H - H[0]).any()
        return
    identity = np.eye(n_features, dtype=dtype)
    rotation.apply(identity)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(identity @ identity.T, np.eye(n_features), atol=tolerance)
    columns = np.ascontiguousarray(H.T)
    rotation.apply(columns)
    np.testing.assert_allclose(columns, identity @ H.T, atol=10 * tolerance)
    if rotation.n_leading == min(n_features, n_rows - 1):
        left = columns[rotation.n_leading :]
        np.testing.assert_allclose(left - left[:, :1], 0.0, atol=20 * tolerance)


def test_constant_activations_need_no_rotation():
    assert Rotation.of(np.ones((5, 4))) is None


def ridge_fit(H, T, alpha):
    """Fitted values of ridge regression with a free intercept, from singular values."""
    U, s, _ = np.linalg.svd(H - H.mean(axis=0), full_matrices=False)
    shrunk = s[:, None] ** 2 / (s[:, None] ** 2 + alpha) * (U.T @ (T - T.mean(axis=0)))
    return U @ shrunk + T.mean(axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_ridge_solutions_stay_and_float32_gains_digits(seed):
    H = nearly_collinear(seed=seed)
    T = H @ np.linalg.svd(H - H.mean(axis=0), full_matrices=False)[2][30:31].T * 300.0

    def error(dtype, alpha, turn):
        """Of fitted values beside the exact ones of the same rows, in units of the targets."""
        rows, leading = H.astype(dtype), 0
        columns = np.ascontiguousarray(rows.T)
        if turn:
            rotation = Rotation.of(np.ascontiguousarray(columns[:, ::4]))
            rotation.apply(columns)
            leading = rotation.n_leading
        system = RidgeSystem(Moments.of(columns.T, T), dtype, n_leading=leading)
        floors[turn] = system.floor
        solution = system.solve(alpha)
        fitted = columns.T.astype(np.float64) @ solution.coef + solution.intercept
        return np.std(fitted - ridge_fit(rows.astype(np.float64), T, alpha)) / np.std(T)

    floors = {}
    assert error(np.float64, 1e-6, turn=False) < 1e-7
    assert error(np.float64, 1e-6, turn=True) < 1e-10
    turned = error(np.float32, 1e-5, turn=True)
    with pytest.warns(match="singular"):
        plain = error(np.float32, 1e-5, turn=False)
    assert floors[True] < 1e-4 * floors[False]
    assert 0.5 * floors[False] > 1e-5
    assert turned < 5e-4
    assert turned < 0.1 * plain


def test_two_encoders_lose_nothing_in_float32():
    X, y = load_digits(return_X_y=True)
    scores = [
        DenseRNNClassifier((60, 60), 300, alpha=1e-6, dtype=dtype, random_state=0)
        .fit(X[:1200], y[:1200])
        .score(X[1200:], y[1200:])
        for dtype in ("float32", "float64")
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)


@given(most=st.integers(1, 9), cut=st.integers(0, 40), zero=st.integers(0, 39))
def test_sampled_rows_do_not_depend_on_chunks(most, cut, zero):
    X = np.arange(80.0).reshape(40, 2)
    weight = np.ones(40)
    weight[zero] = 0.0
    fold = Sample.zero(most, 2)
    for part in (slice(0, cut), slice(cut, 40)):
        fold = fold.add(X[part], part.start, weight[part])
    kept = np.arange(0, 40, fold.stride)
    np.testing.assert_array_equal(fold.rows, X[kept[kept != zero]])
    assert len(fold.rows) < 2 * most


@given(lengths=st.lists(st.integers(0, 300), min_size=1, max_size=6), most=st.integers(1, 16))
def test_merged_samples_spread_evenly_over_all_parts(lengths, most):
    fold = Sample.zero(most, 1)
    for number, length in enumerate(lengths):
        fold = fold.merge(Sample.zero(most, 1).add(np.full((length, 1), float(number)), 0))
    counts = np.bincount(fold.rows.ravel().astype(int), minlength=len(lengths))
    assert fold.rows.size < 2 * most
    assert (np.abs(counts - np.array(lengths) / fold.stride) <= 2).all()


def table(n_rows=3000, n_columns=20, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns)) * np.geomspace(1, 100, n_columns)
    return X, (X[:, 0] * X[:, 1] > X[:, 2] ** 2 / 2).astype(int)


def test_long_fits_of_labels_on_tables_are_rotated_and_as_accurate(monkeypatch):
    monkeypatch.setattr(network_spec, "LONG", 1e6)
    X, y = table()
    model = RNNELMClassifier(400, random_state=0).fit(X[:2000], y[:2000])
    assert model.feature_map_.dtype == np.float32
    assert model.feature_map_.n_leading == 32
    exact = RNNELMClassifier(400, random_state=0, dtype="float64").fit(X[:2000], y[:2000])
    assert exact.feature_map_.rotation is None
    scores = [fitted.score(X[2000:], y[2000:]) for fitted in (model, exact)]
    assert scores[0] == pytest.approx(scores[1], abs=0.015)
    assert scores[0] > 0.8


def test_rotated_streams_shards_and_forgetting(monkeypatch):
    monkeypatch.setattr(network_spec, "LONG", 1e6)
    X, y = table()
    columns = {f"x{j}": column for j, column in enumerate(X.T)}
    source = open_rows(pa.table({**columns, "y": y}), "y")
    whole = RNNELMClassifier(400, alpha=1.0, random_state=0).fit(X, y)
    streamed = RNNELMClassifier(400, alpha=1.0, random_state=0).fit(source)
    np.testing.assert_array_equal(streamed.readout_coef_, whole.readout_coef_)
    shards = [whole.fresh().partial_fit(X[i::3], y[i::3]) for i in range(3)]
    merged = shards[0].merge(shards[1]).merge(shards[2])
    np.testing.assert_allclose(merged.decision_function(X), whole.decision_function(X), atol=1e-3)
    left = merged.forget(X[::3], y[::3])
    rest = np.arange(len(X)) % 3 != 0
    again = whole.fresh().partial_fit(X[rest], y[rest])
    np.testing.assert_allclose(left.decision_function(X), again.decision_function(X), atol=1e-3)


@pytest.mark.parametrize(
    "change",
    [{"n_hidden": 200}, {"weights": "dense"}, {"dtype": "float64"}],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_rotated(change, monkeypatch):
    monkeypatch.setattr(network_spec, "LONG", 1e6)
    X, y = table(1000)
    model = RNNELMClassifier(300, alpha=1.0, random_state=0).set_params(**change).fit(X, y)
    assert model.feature_map_.rotation is None
    assert model.feature_map_.dtype == np.float64


def test_short_fits_regressors_and_features_are_not_rotated():
    X, y = table(1000)
    assert RNNELMClassifier(300, alpha=1.0, random_state=0).fit(X, y).feature_map_.rotation is None
    few = RNNELMClassifier(300, dtype="float32", alpha=1.0, random_state=0).fit(X[:200], y[:200])
    assert few.feature_map_.rotation is None
    values = RNNELMRegressor(300, alpha=1.0, random_state=0).fit(X, y)
    assert values.feature_map_.dtype == np.float64
    assert ClusterFeatures(300, dtype="float32").fit(X).feature_map_.rotation is None
    asked = RNNELMRegressor(300, dtype="float32", alpha=1.0, random_state=0).fit(X, y)
    assert asked.feature_map_.n_leading == 32
