"""Deep estimators: encoders, sources and replicas behind the contract of their shallow kin."""

import numpy as np
import pandas as pd
import problems
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from densernn import (
    Cluster,
    DenseRNNClassifier,
    DenseRNNRegressor,
    RNNELMClassifier,
    RowStandardizer,
    SplitScaler,
    load,
    save,
)
from densernn.errors import ConvergenceWarning, DataError, MergeError, ParameterError
from densernn.layers import ClusterLayer
from densernn.persistence import describe
from densernn.solvers import FistaSolver, RidgeSolver
from densernn.wiring import ParallelLayer

X, Y = problems.classification(n_rows=240, n_columns=6)
ROWS, VALUES = problems.regression(n_rows=200, n_columns=5)
HALVES = [slice(0, 3), slice(3, 6)]


def small(**options):
    chosen = {"encoder_sizes": (8,), "n_hidden": 40, "alpha": 1e-6, "random_state": 0}
    return DenseRNNClassifier(**{**chosen, **options})


DENSE = {"weights": "dense", "alpha": 1e-16}

VARIANTS = [
    {},
    DENSE,
    {"encoder": "nonnegative-fista", "encoder_alpha": 1.0},
    {"encoder": RidgeSolver(2.0), "encoder_sizes": (8, 6)},
    {"views": HALVES},
    {"views": HALVES, "replicas": (4, 2), "encoder_sizes": (5, 4)},
    {"views": HALVES, "replicas": (2, 4), "encoder_sizes": (5, 4), **DENSE},
    {"random_hidden": False, "replicas": 3},
    {"encoder_sizes": ()},
]


@pytest.mark.parametrize("options", VARIANTS)
def test_outputs_on_training_rows_are_those_of_the_fitted_moments(options, one_blas_thread):
    """What was folded in training is what predict computes: no wire is crossed in between."""
    model = small(**options).fit(X, Y)
    hidden = np.empty((model.feature_map_.n_features, len(X)), model.feature_map_.dtype)
    model.feature_map_.forward(X, hidden)
    targets = (Y[:, None] == model.classes_).astype(float)
    np.testing.assert_allclose(model.moments_.HtT, hidden @ targets, rtol=1e-9)
    outputs = hidden.T @ model.readout_coef_ + model.readout_intercept_
    np.testing.assert_allclose(model.decision_function(X), outputs, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "widths"),
    [
        ({}, [16, 40]),
        ({"encoder": "nonnegative-fista", "encoder_alpha": 1.0}, [8, 40]),
        ({"views": HALVES, "replicas": (4, 2), "encoder_sizes": (5, 4)}, [40, 16, 40]),
        ({"random_hidden": False}, [16]),
        ({"encoder_sizes": ()}, [40]),
    ],
)
def test_widths_of_layers(options, widths):
    layers = small(**options).fit(X, Y).feature_map_.layers
    assert [layer.n_clusters for layer in layers] == widths


def test_sources_hear_their_own_columns_alone():
    model = small(views=HALVES).fit(X, Y)
    first = model.feature_map_.layers[0]
    changed = X.copy()
    changed[:, 3:] += 1.0
    before, after = (
        np.empty((first.n_clusters, len(X))),
        np.empty((first.n_clusters, len(X))),
    )
    first.forward(model.feature_map_.prepare(X), before)
    first.forward(model.feature_map_.prepare(changed), after)
    assert isinstance(first, ParallelLayer)
    np.testing.assert_array_equal(before[:16], after[:16])
    assert np.abs(before[16:] - after[16:]).max() > 0


def test_sources_by_name_are_those_by_number():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    by_name = small(views=[list("fa"), list("bcde")]).fit(frame, Y)
    by_number = small(views=[[5, 0], [1, 2, 3, 4]]).fit(X, Y)
    np.testing.assert_array_equal(by_name.decision_function(frame), by_number.decision_function(X))


def test_replicas_are_seeded_apart():
    layer = small(replicas=2).fit(X, Y).feature_map_.layers[0]
    assert isinstance(layer, ClusterLayer)
    first, second = layer.weights.matrix[:, :16], layer.weights.matrix[:, 16:]
    assert not np.allclose(first, second)


def test_no_encoders_is_the_shallow_network():
    deep = small(encoder_sizes=()).fit(X, Y)
    shallow = RNNELMClassifier(40, alpha=1e-6, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(deep.decision_function(X), shallow.decision_function(X))


@pytest.mark.parametrize("options", VARIANTS[:6])
def test_readout_learns_on_by_parts_merges_and_forgets(options):
    model = small(**options).fit(X, Y)
    first, second = model.fresh(), model.fresh()
    first.partial_fit(X[:100], Y[:100], classes=[0, 1, 2])
    second.partial_fit(X[100:], Y[100:], classes=[0, 1, 2])
    np.testing.assert_allclose(
        first.merge(second).decision_function(X), model.decision_function(X), atol=1e-4
    )
    more = clone(model).fit(X, Y).partial_fit(X[:50] + 0.1, Y[:50])
    more.forget(X[:50] + 0.1, Y[:50])
    np.testing.assert_allclose(more.decision_function(X), model.decision_function(X), atol=1e-4)


def test_partial_fit_learns_encoders_from_its_first_rows():
    parts = small().partial_fit(X[:120], Y[:120], classes=[0, 1, 2])
    whole = small().fit(X[:120], Y[:120])
    assert parts.feature_map_.fingerprint() == whole.feature_map_.fingerprint()
    parts.partial_fit(X[120:], Y[120:])
    assert parts.feature_map_.fingerprint() == whole.feature_map_.fingerprint()


def test_models_with_other_encoders_do_not_merge():
    with pytest.raises(MergeError, match="weights of layer 0"):
        small().fit(X, Y).merge(small(encoder_alpha=1.0).fit(X, Y))


def test_a_deeper_model_does_not_merge_into_its_own_beginning():
    shallow = small(encoder_sizes=(8,), random_hidden=False).fit(X, Y)
    deep = small(encoder_sizes=(8,), n_hidden=16).fit(X, Y)
    for one, other in ((shallow, deep), (deep, shallow)):
        with pytest.raises(MergeError, match="layer 1"):
            one.merge(other)


@pytest.mark.parametrize("options", [{}, {"views": HALVES}])
def test_ctrl_c_in_a_second_fit_leaves_the_first(options, monkeypatch):
    model = small(**options).fit(X, Y)
    before = model.decision_function(X)
    monkeypatch.setattr("densernn.stats.Moments.add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[::-1], Y)
    np.testing.assert_array_equal(model.decision_function(X), before)


def interrupted(*_):
    raise KeyboardInterrupt


def test_preparations_that_know_only_what_they_saw_stay_with_their_source():
    codes = np.random.default_rng(0).integers(1, 4, size=(240, 4))
    encoder = OneHotEncoder(sparse_output=False)
    model = small(preparation=encoder, views=[[0, 1], [2, 3]]).fit(codes, Y)
    assert model.feature_map_.layers[0].n_inputs == 12
    assert np.isfinite(model.decision_function(codes)).all()


def test_random_layer_over_sources_is_scaled_by_what_prepares_them():
    plain = small(encoder_sizes=()).fit(X, Y).feature_map_.layers[0]
    wired = small(encoder_sizes=(), views=HALVES).fit(X, Y).feature_map_.layers[0]
    assert np.isclose(wired.weights.values.mean(), plain.weights.values.mean(), rtol=1e-9)


@pytest.mark.parametrize("state", [np.random.RandomState(3), np.random.default_rng(3)])
def test_any_random_state_seeds_encoders(state):
    assert small(random_state=state, replicas=2).fit(X, Y).score(X, Y) > 0.5


def test_memory_of_replicas_is_counted():
    wide = np.random.default_rng(0).random((60, 512))
    with pytest.raises(ParameterError, match="replicas=40"):
        small(encoder_sizes=(20,), replicas=40, memory_limit="12 MB").fit(wide, Y[:60])


@pytest.mark.parametrize("options", VARIANTS)
def test_saved_and_loaded(options, tmp_path):
    model = small(**options).fit(X, Y)
    save(model, tmp_path / "deep.skops")
    again = load(tmp_path / "deep.skops")
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
    again.partial_fit(X[:20], Y[:20])
    about = describe(tmp_path / "deep.skops")
    assert about["class"] == "DenseRNNClassifier"
    widths = [layer.n_clusters for layer in model.feature_map_.layers]
    assert about.get("layers", [about["n_hidden"]]) == widths


def test_regression_learns_a_curve():
    model = DenseRNNRegressor((40,), 80, random_state=0).fit(ROWS[:150], VALUES[:150])
    assert model.score(ROWS[150:], VALUES[150:]) > 0.7
    assert model.partial_fit(ROWS[150:], VALUES[150:]).predict(ROWS).shape == (200,)


def test_both_builds_do_better_than_chance_by_far_on_images():
    images, labels = load_digits(return_X_y=True)
    for options in ({}, {"weights": "dense", "encoder": "fista", "encoder_alpha": 1.0}):
        model = DenseRNNClassifier((40,), 300, random_state=0, **options)
        model.fit(images[:1200], labels[:1200])
        assert model.score(images[1200:], labels[1200:]) > 0.92


def test_goes_with_pipelines_and_searches():
    images, labels = load_digits(return_X_y=True)
    pipeline = make_pipeline(RowStandardizer(), small(n_hidden=60))
    search = GridSearchCV(pipeline, {"densernnclassifier__encoder_sizes": [(5,), (20,)]}, cv=2)
    assert search.fit(images[:300], labels[:300]).best_score_ > 0.6


def test_same_seed_same_network_and_float32_close():
    one, two = (small(replicas=2).fit(X, Y) for _ in range(2))
    assert one.feature_map_.fingerprint() == two.feature_map_.fingerprint()
    single = small(dtype="float32", alpha=1e-2).fit(X, Y)
    double = small(dtype="float64", alpha=1e-2).fit(X, Y)
    np.testing.assert_allclose(single.decision_function(X), double.decision_function(X), atol=2e-2)


def test_columns_that_never_change_do_no_harm():
    padded = np.column_stack([X, np.zeros(len(X)), np.full(len(X), 7.0)])
    for options in ({}, DENSE):
        model = small(**options).fit(padded, Y)
        assert np.isfinite(model.decision_function(padded)).all()
        assert model.score(padded, Y) > 0.5


def test_a_single_row_and_a_single_unit_can_be_learned():
    for weights in ("sparse", "dense"):
        one = DenseRNNRegressor((1,), 3, weights=weights, alpha=1.0, random_state=0)
        assert np.isfinite(one.fit([[1.0, 2.0]], [3.0]).predict([[1.0, 2.0]])).all()


def test_lasso_that_does_not_converge_says_so():
    solver = FistaSolver(1e-6, tol=1e-9, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        small(encoder=solver).fit(X, Y)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"encoder_sizes": 5}, "sequence of whole numbers"),
        ({"encoder_sizes": (5, 0)}, "sequence of whole numbers"),
        ({"encoder_sizes": (), "random_hidden": False}, "nothing is left"),
        ({"encoder": "lasso"}, "encoder must be one of"),
        ({"encoder": 3}, "RidgeSolver or FistaSolver"),
        ({"encoder": RidgeSolver(), "encoder_alpha": 1.0}, "alpha of RidgeSolver"),
        ({"encoder_alpha": -1.0}, "alpha must be"),
        ({"replicas": 3, "views": HALVES}, "multiple of the 2 views"),
        ({"views": [slice(0, 3)]}, "in no view"),
        ({"cluster": Cluster(r=np.full(40, 0.001))}, "single numbers"),
        ({"n_hidden": 0}, "n_hidden"),
        ({"memory_limit": "1 KB"}, "too little for encoder_sizes=.8,., replicas=1, n_hidden=40"),
    ],
)
def test_parameters_that_do_not_go_are_refused(options, text):
    with pytest.raises(ParameterError, match=text):
        small(**options).fit(X, Y)


def test_memory_limit_bounds_chunks_and_changes_nothing_else():
    bounded = small(memory_limit="2 MB", replicas=2).fit(X, Y)
    np.testing.assert_allclose(
        bounded.decision_function(X), small(replicas=2).fit(X, Y).decision_function(X), atol=1e-6
    )


def test_negative_input_without_preparation_names_the_rows():
    with pytest.raises(ValueError, match="negative entries in rows"):
        small(preparation=None).fit(X - 100, Y)
    with pytest.raises(ValueError, match="negative entries in rows"):
        small(preparation=None, views=HALVES).fit(X - 100, Y)
    ready = SplitScaler().fit_transform(X)
    assert small(preparation=None).fit(ready, Y).score(ready, Y) > 0.5


def test_wrong_number_of_columns_is_refused():
    with pytest.raises(ValueError, match="features"):
        small(views=HALVES).fit(X, Y).predict(X[:, :5])


def test_no_rows_no_prediction():
    with pytest.raises(DataError, match="has no rows"):
        small().fit(X, Y).fresh().predict(X)
