"""ZCAWhitener against NumPy's covariance, and by its laws: chunks, weights, units, shards."""

import numpy as np
import pandas as pd
import pytest
from problems import linear, pieces
from sklearn.pipeline import make_pipeline

from densernn import Moments, UnitScaler, ZCAWhitener, whitening
from densernn.errors import DataError, ParameterError


def rows(n=200, d=5, seed=0):
    """Correlated columns of different means and spreads."""
    X, _ = linear(n, d, seed=seed, decay=0.5)
    return X @ np.random.default_rng(seed).normal(size=(d, d)) + 10.0


def oracle(X, epsilon):
    """Whiten by the inverse square root of the regularised covariance, eigenvalue by eigenvalue."""
    covariance = np.cov(X, rowvar=False, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    total = np.zeros_like(covariance)
    for value, vector in zip(values, vectors.T, strict=True):
        total += np.outer(vector, vector) / np.sqrt(value + epsilon * values.mean())
    return (X - X.mean(axis=0)) @ total


@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 10.0])
def test_agrees_with_the_covariance_of_numpy(epsilon):
    X = rows()
    white = ZCAWhitener(epsilon, dtype="float64")
    np.testing.assert_allclose(white.fit_transform(X), oracle(X, epsilon), rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(white.whitening_, white.whitening_.T)
    assert (np.linalg.eigvalsh(white.whitening_) > 0).all()


def test_little_regularisation_leaves_no_correlation():
    Z = ZCAWhitener(1e-10, dtype="float64").fit_transform(rows())
    np.testing.assert_allclose(np.cov(Z, rowvar=False, bias=True), np.eye(5), atol=1e-5)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)


def test_of_all_whitening_maps_it_changes_rows_least():
    X = rows()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = ZCAWhitener(1e-10, dtype="float64").fit_transform(X)
    for seed in range(20):
        turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))
        assert np.linalg.norm(Z - X) < np.linalg.norm(Z @ turn - X)


def test_chunks_do_not_matter(monkeypatch):
    X = rows()
    whole = ZCAWhitener(dtype="float64").fit(X)
    expected = whole.transform(X)
    monkeypatch.setattr(whitening, "CHUNK_NUMBERS", 33)
    few = ZCAWhitener(dtype="float64").fit(X)
    np.testing.assert_allclose(few.whitening_, whole.whitening_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(few.transform(X), expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(few.inverse_transform(expected), X, rtol=1e-10)


def test_moments_of_shards_give_what_all_rows_give():
    X = rows()
    moments = Moments.zero(5, 2)
    for shard in pieces(len(X), 7):
        targets = np.random.default_rng(0).normal(size=(len(shard), 2))
        moments = moments.merge(Moments.of(X[shard], targets))
    from_shards = ZCAWhitener().fit_moments(moments)
    at_once = ZCAWhitener().fit(X)
    np.testing.assert_allclose(from_shards.whitening_, at_once.whitening_, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(from_shards.transform(X), at_once.transform(X), atol=1e-5)


def test_rows_of_weight_0_are_not_looked_at_and_weight_k_is_k_copies():
    X = rows(60)
    weight = np.arange(60) % 3
    spoilt = X.copy()
    spoilt[weight == 0] = 1e9
    weighted = ZCAWhitener(dtype="float64").fit(spoilt, sample_weight=weight)
    copied = ZCAWhitener(dtype="float64").fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.mean_, copied.mean_, rtol=1e-10)
    np.testing.assert_allclose(weighted.whitening_, copied.whitening_, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="Negative values"):
        ZCAWhitener().fit(X, sample_weight=np.full(60, -1.0))


@pytest.mark.parametrize("scale", [1e-100, 1e-6, 1e6, 1e100])
def test_units_of_measurement_do_not_matter(scale):
    X = rows()
    expected = ZCAWhitener(dtype="float64").fit_transform(X)
    np.testing.assert_allclose(
        ZCAWhitener(dtype="float64").fit_transform(X * scale), expected, rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_agree_and_there_is_a_way_back(dtype):
    X = np.random.default_rng(0).integers(0, 256, (80, 6)).astype(np.uint8)
    white = ZCAWhitener(dtype=dtype).fit(X)
    Z = white.transform(X)
    assert Z.dtype == dtype
    exact = ZCAWhitener(dtype="float64").fit(X.astype(np.float64)).transform(X)
    np.testing.assert_allclose(Z, exact, atol=1e-5)
    back = white.inverse_transform(Z)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, X, atol=1e-3)


@pytest.mark.parametrize("n", [1, 5])
def test_constant_columns_become_zeros(n):
    X = np.full((n, 3), 7.3)
    assert not ZCAWhitener().fit_transform(X).any()
    mixed = np.column_stack([X[:, :1], np.arange(n)])
    assert np.isfinite(ZCAWhitener().fit_transform(mixed)).all()


def test_fewer_rows_than_columns_are_enough():
    X = rows(4, 9)
    assert np.isfinite(ZCAWhitener(1e-3).fit_transform(X)).all()


def test_names_are_kept_and_pandas_comes_out():
    frame = pd.DataFrame(rows(20, 2), columns=["mass", "size"])
    out = ZCAWhitener().set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == ["mass", "size"]
    nonnegative = make_pipeline(ZCAWhitener(), UnitScaler()).fit_transform(frame)
    assert nonnegative.min() == 0


@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.nan, np.inf])
def test_an_epsilon_that_is_none_is_refused(epsilon):
    with pytest.raises(ParameterError, match="epsilon must be positive and finite"):
        ZCAWhitener(epsilon).fit(rows())


def test_a_strange_dtype_and_no_rows_are_refused():
    with pytest.raises(ParameterError, match="float16"):
        ZCAWhitener(dtype="float16").fit(rows())
    with pytest.raises(DataError, match="nothing to learn"):
        ZCAWhitener().fit_moments(Moments.zero(3, 0))
