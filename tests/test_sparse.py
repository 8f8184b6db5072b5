"""Sparse matrices: rows of a chunk become dense, and answers are those of dense rows."""

import numpy as np
import pytest
from scipy import sparse

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 12)) * (RNG.uniform(size=(300, 12)) < 0.3)
X[7] = 0.0
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
KINDS = [
    sparse.csr_matrix,
    sparse.csc_array,
    sparse.coo_array,
    sparse.csr_array,
    sparse.lil_matrix,
]
MODELS = [
    RNNForestClassifier(3, random_state=0),
    RNNELMClassifier(60, random_state=0),
    RNNELMClassifier(500, random_state=0),
    DenseRNNClassifier((8,), n_hidden=60, random_state=0),
    RNNELMRegressor(60, random_state=0),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_answers_are_those_of_dense_rows(model, kind):
    expected = model.fit(X, Y).predict(X)
    thin = kind(X)
    np.testing.assert_array_equal(model.predict(thin), expected)
    np.testing.assert_array_equal(model.fit(thin, Y).predict(X), expected)


def test_updates_take_them():
    model = RNNELMClassifier(60, random_state=0)
    model.fit(X, Y).forget(X[:50], Y[:50])
    expected = model.decision_function(X)
    thin = sparse.csr_array(X)
    found = RNNELMClassifier(60, random_state=0).fit(thin, Y).forget(thin[:50], Y[:50])
    np.testing.assert_array_equal(found.decision_function(thin), expected)
    found.partial_fit(thin[:50], Y[:50])
    np.testing.assert_allclose(
        found.decision_function(X), model.partial_fit(X[:50], Y[:50]).decision_function(X)
    )


def test_zeros_that_are_stored_are_zeros_and_nan_is_missing():
    stored = sparse.csr_array(X)
    stored.data[::5] = 0.0
    model = RNNELMClassifier(60, random_state=0).fit(stored, Y)
    np.testing.assert_array_equal(model.predict(stored), model.predict(stored.toarray()))
    stored.data[1::7] = np.nan
    model.fit(stored, Y)
    np.testing.assert_array_equal(model.predict(stored), model.predict(stored.toarray()))


def test_transformers_refuse_them_with_advice():
    features = ClusterFeatures(40, random_state=0).fit(X)
    thin = sparse.csr_array(X)
    with pytest.raises(TypeError, match=r"Use '.toarray\(\)'"):
        features.transform(thin)
    assert features.transform(thin.toarray()).shape == (300, 40)


def test_wide_rows_are_dense_a_chunk_at_a_time():
    wide = sparse.random_array((20_000, 5_000), density=1e-3, rng=0, format="csr")  # 800 MB dense
    y = np.asarray(wide.sum(axis=1)).ravel() > 2.5
    model = RNNELMClassifier(50, random_state=0, memory_limit="200 MB").fit(wide, y)
    assert model.predict(wide).shape == (20_000,)
