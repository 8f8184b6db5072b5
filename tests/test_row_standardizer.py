"""RowStandardizer: each row by itself, whatever its scale, and however many rows there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import zscore
from sklearn.utils.estimator_checks import parametrize_with_checks

from densernn import RowStandardizer, row_standardizer
from densernn.errors import ParameterError


@parametrize_with_checks([RowStandardizer(), RowStandardizer("float64")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(2, 9))))
def test_bytes_agree_with_scipy(X):
    out = RowStandardizer("float64").fit_transform(X)
    changing = X.max(axis=1) > X.min(axis=1)
    np.testing.assert_allclose(
        out[changing], zscore(X[changing].astype(float), axis=1, ddof=1), atol=1e-12
    )
    assert not out[~changing].any()


@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1.0, 1e100, 1e300])
def test_scale_and_place_of_a_row_do_not_matter(scale):
    rows = np.array([[0.0, 1.0, 2.0], [-1.0, 1.0, 0.0]]) * scale
    np.testing.assert_allclose(
        RowStandardizer("float64").transform(rows), [[-1, 0, 1], [-1, 1, 0]], atol=1e-12
    )


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e300])
@pytest.mark.parametrize("columns", [1, 3, 784])
def test_constant_row_becomes_zeros(value, columns):
    assert not RowStandardizer().transform(np.full((2, columns), value)).any()


def test_chunks_do_not_matter(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 7))
    whole = RowStandardizer().transform(X)
    monkeypatch.setattr(row_standardizer, "CHUNK_NUMBERS", 20)
    np.testing.assert_array_equal(RowStandardizer().transform(X), whole)


def test_input_is_left_alone_and_output_is_float32():
    X = np.array([[1.0, 2.0, 4.0]])
    assert RowStandardizer().fit_transform(X).dtype == np.float32
    np.testing.assert_array_equal(X, [[1.0, 2.0, 4.0]])


def test_strange_dtype_is_refused():
    with pytest.raises(ParameterError, match="float16"):
        RowStandardizer("float16").fit([[1.0, 2.0]])
