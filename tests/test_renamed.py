"""Old names, which go after two releases: they warn, and do as the new ones."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    DenseRNNRegressor,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    load,
    open_rows,
    save,
)
from densernn.errors import ParameterError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = (X[:, 0] > 0).astype(int)
VIEWS = [slice(0, 2), [2, 3]]
SMALL = {"n_hidden": 5, "random_state": 0}
DEEP = {"encoder_sizes": (3,), **SMALL}


@pytest.mark.parametrize("kind", [RNNELMClassifier, RNNELMRegressor])
def test_the_old_attribute_warns_and_returns_the_new_one(kind):
    model = kind(**SMALL)
    assert not hasattr(model, "stack_")  # and no warning
    model.fit(X, Y)
    with pytest.warns(FutureWarning, match="stack_ is now feature_map_"):
        assert model.stack_ is model.feature_map_


@pytest.mark.parametrize("kind", [RNNELMClassifier, RNNELMRegressor, DenseRNNClassifier])
def test_weights_of_hidden_clusters_do_not_pass_for_those_of_features(kind):
    model = kind(**(DEEP if kind is DenseRNNClassifier else SMALL)).fit(X, Y)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "intercept_")
    assert model.readout_coef_.shape == (5, len(model.readout_intercept_))


@pytest.mark.parametrize("model", [ClusterFeatures(5), RNNAutoencoder(3, method="ridge")])
def test_the_old_attribute_of_transformers_warns(model):
    model.fit(X)
    with pytest.warns(FutureWarning, match="stack_ is now feature_map_"):
        assert model.stack_ is model.feature_map_


@pytest.mark.parametrize("kind", [DenseRNNClassifier, DenseRNNRegressor])
def test_sources_is_an_old_name_of_views(kind, tmp_path):
    new = kind(**DEEP, views=VIEWS).fit(X, Y)
    old = kind(**DEEP, sources=VIEWS)
    assert clone(old).get_params()["sources"] == VIEWS
    with pytest.warns(FutureWarning, match="sources is now views"):
        old.fit(X, Y)
    np.testing.assert_array_equal(old.predict(X), new.predict(X))
    assert old.feature_map_.fingerprint() == new.feature_map_.fingerprint()
    save(old, tmp_path / "old.skops")
    np.testing.assert_array_equal(load(tmp_path / "old.skops").predict(X), new.predict(X))


def test_no_views_by_the_old_name_are_all_columns():
    with pytest.warns(FutureWarning, match="sources is now views"):
        old = DenseRNNClassifier(**DEEP, sources=None).fit(X, Y)
    new = DenseRNNClassifier(**DEEP).fit(X, Y)
    assert old.feature_map_.fingerprint() == new.feature_map_.fingerprint()


def test_two_names_of_one_parameter_are_refused():
    with pytest.raises(ParameterError, match="give views alone"):
        DenseRNNClassifier(**DEEP, views=VIEWS, sources=VIEWS).fit(X, Y)


def test_like_is_an_old_name_of_open_same():
    table = pa.table({"a": [1.0, 2.0], "y": [0, 1]})
    for source in (open_rows(table, "y"), open_rows(table, "y").head(1)):
        with pytest.warns(FutureWarning, match="like is now open_same"):
            other = source.like(pa.table({"a": [3.0]}))
        assert next(other.chunks(1)).X.tolist() == [[3.0]]
