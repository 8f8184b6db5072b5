"""Parameters of forests: what they do, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest
from forests import GIVEN, KINDS, auto, forest, table
from problems import classification, regression
from sklearn.base import clone

from densernn import Cluster, RNNForestClassifier, RNNForestRegressor, open_rows
from densernn.errors import DataError, ParameterError


@pytest.mark.parametrize("model", [RNNForestClassifier, RNNForestRegressor])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n_trees", value) for value in (0, -1, 2.5, "many", None, np.nan)),
        *(("region_size", value) for value in (0, 0.5, -3, np.inf, np.nan, "all", None)),
        *(("min_samples_leaf", value) for value in (0, 0.5, -3, np.inf, np.nan, "all", None)),
        *(("input_scale", value) for value in (0, -1.0, np.inf, np.nan, "hard", None)),
        *(("alpha", value) for value in (-1.0, np.inf, np.nan, "small", [], [1.0, -1.0], None)),
        *(("cluster", value) for value in ("Cluster", Cluster, 3)),
        *(("memory_limit", value) for value in ("much", "5 XB", "-1 MB")),
        *(("engine", value) for value in ("Dask", None)),
    ],
)
def test_parameters_out_of_their_condition_are_refused_by_name_and_value(model, name, value):
    X, y = classification(50)
    with pytest.raises(ParameterError, match=name) as error:
        model(**{"n_trees": 2, name: value}).fit(X, y)
    shown = value[1] if isinstance(value, list) and value else value
    assert str(shown) in str(error.value)


@pytest.mark.parametrize(
    "class_weight", ["equal", {"eel": 1.0}, {"ant": -1.0}, {"ant": np.nan}, 3.0]
)
def test_class_weights_out_of_their_condition_are_refused(class_weight):
    X, y = table("classes", 50)
    with pytest.raises(ParameterError, match="class_weight"):
        RNNForestClassifier(2, class_weight=class_weight).fit(X, y)


def test_a_cluster_has_single_numbers():
    X, y = classification(50)
    with pytest.raises(ParameterError, match=r"cluster must have single numbers.*3 clusters"):
        RNNForestClassifier(2, cluster=Cluster(p=np.array([0.1, 0.2, 0.3]))).fit(X, y)


def test_other_clusters_are_used():
    X, y = table("values")
    other = forest("values", cluster=Cluster(n=10, p=0.2)).fit(X, y)
    assert other.score(X, y) > 0.5
    assert (other.predict(X) != forest("values").fit(X, y).predict(X)).any()


def test_all_weights_zero_is_an_error():
    X, y = table("classes", 50)
    with pytest.raises(ValueError, match="at least one non-zero"):
        forest("classes").fit(X, y, np.zeros(50))
    with pytest.raises(DataError, match="every row weighs 0"):
        forest("values").fit(
            open_rows(pa.table({"x": X[:, 0], "w": np.zeros(50), "y": X[:, 1]}), "y", weight="w")
        )
    with pytest.raises(DataError, match="class_weight is 0 for all rows"):
        forest("classes", class_weight=dict.fromkeys(y, 0.0)).fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_chosen_can_be_given(kind):
    X, y = table(kind, 300)
    chosen = auto(kind).fit(X, y)
    names = ("region_size", "min_samples_leaf", "input_scale", "alpha")
    again = forest(kind, **{name: getattr(chosen, name + "_") for name in names}).fit(X, y)
    assert again.n_trees_ == chosen.n_trees_ == 3
    for name in names:
        assert getattr(again, name + "_") == getattr(chosen, name + "_")
    assert clone(again).get_params() == again.get_params()


def test_auto_draws_more_trees_for_few_rows():
    X, y = regression(200)
    few = RNNForestRegressor(**GIVEN).fit(X, y)
    X, y = regression(6000)
    many = RNNForestRegressor(**{**GIVEN, "region_size": 2000, "min_samples_leaf": 200}).fit(X, y)
    assert few.n_trees_ > many.n_trees_ >= 16
