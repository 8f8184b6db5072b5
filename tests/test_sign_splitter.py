"""SignSplitter: parts above and below 0, and what networks and other transformers make of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from problems import classification, tables

from densernn import RNNELMClassifier, SignSplitter
from densernn.errors import DataError, ParameterError
from densernn.stats import Extrema

BOTH = pytest.mark.parametrize("negative", ["keep", "drop"])


@given(X=tables())
def test_parts_are_those_of_the_paper(X):
    both = SignSplitter().fit_transform(X)
    np.testing.assert_array_equal(both, np.hstack([np.maximum(X, 0), -np.minimum(X, 0)]))
    above = SignSplitter(negative="drop").fit_transform(X)
    np.testing.assert_array_equal(above, np.maximum(X, 0))


@BOTH
@given(X=tables(least=2))
def test_live_outputs_are_those_that_change_over_the_training_rows(negative, X):
    split = SignSplitter(negative).fit(X)
    np.testing.assert_array_equal(
        split.varying_outputs(Extrema.of(X)), np.ptp(split.transform(X), axis=0) > 0
    )


@BOTH
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_dtypes_and_the_way_through_a_network_agree(negative, dtype):
    X = np.array([[0, 3, 200], [1, 0, 7]], dtype)
    split = SignSplitter(negative).fit(X)
    out = split.transform(X)
    assert out.dtype == (np.float32 if dtype == np.float32 else np.float64)
    columns = np.empty((split.n_outputs, 2), np.float32)
    split.forward(X, columns)
    np.testing.assert_array_equal(columns.T, out)
    np.testing.assert_array_equal(out[:, :3], X)


def test_names_tell_column_and_side_and_pandas_comes_out():
    frame = pd.DataFrame({"mass": [1.0, -2.0], "size": [0.0, 5.0]})
    split = SignSplitter().set_output(transform="pandas").fit(frame)
    names = ["mass+", "size+", "mass-", "size-"]
    assert split.transform(frame).columns.tolist() == names
    assert SignSplitter().fit([[1.0, 2.0]]).get_feature_names_out().tolist() == [
        "x0+",
        "x1+",
        "x0-",
        "x1-",
    ]
    assert SignSplitter("drop").fit(frame).get_feature_names_out().tolist() == names[:2]


@BOTH
@pytest.mark.parametrize("weights", ["sparse", "dense"])
def test_a_network_prepares_its_input_with_it(negative, weights):
    X, y = classification()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    options = {"weights": weights, "random_state": 0, "alpha": 1e-6}
    inside = RNNELMClassifier(100, preparation=SignSplitter(negative), **options).fit(X, y)
    parts = SignSplitter(negative).fit_transform(X)
    outside = RNNELMClassifier(100, preparation=None, **options).fit(parts, y)
    np.testing.assert_allclose(inside.decision_function(X), outside.decision_function(parts))


def test_a_strange_parameter_and_rows_of_another_width_are_refused():
    with pytest.raises(ParameterError, match="negative must be 'keep' or 'drop': it is 'both'"):
        SignSplitter("both").fit([[1.0]])
    split = SignSplitter().fit([[1.0]])
    with pytest.raises(DataError, match="got 2 columns"):
        split.forward(np.ones((1, 2)), np.empty((2, 1)))
