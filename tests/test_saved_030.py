"""Model files saved by densernn 0.3.0: they load, predict the same, and go on learning.

The files and what 0.3.0 computed with them were written by make_saved_030.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from densernn import load
from densernn.errors import DataError
from densernn.persistence import describe

FOLDER = Path(__file__).parent / "formats" / "0.3.0"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
X, MODELS = np.array(EXPECTED["X"]), EXPECTED["models"]
LEARNING = [name for name, entry in MODELS.items() if "after" in entry]
# How a penalty is chosen has changed since (docs/decisions/0018).
UPDATED = [name for name in LEARNING if "alpha-auto" not in name]
TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}
# Another BLAS rounds single-precision products, and a solve of dense weights, differently.
LOOSE = {"rtol": 1e-4, "atol": 1e-5}


def restored(name):
    return load(FOLDER / f"{name}.skops")


def assert_outputs(model, expected, rtol, atol):
    for method, values in expected.items():
        computed = getattr(model, method)(X[:12])
        if computed.dtype.kind in "US":
            assert computed.tolist() == values
        else:
            np.testing.assert_allclose(computed, values, rtol=rtol, atol=atol, err_msg=method)


@pytest.mark.parametrize("name", MODELS)
def test_saved_model_predicts_as_it_did(name):
    model = restored(name)
    assert type(model).__name__ == MODELS[name]["class"]
    steps = [model, *getattr(model, "named_steps", {}).values()]  # a whitener works in float32
    single = any(getattr(step, "dtype", "") == "float32" for step in steps)
    assert_outputs(model, MODELS[name]["outputs"], **LOOSE if single else TOLERANCE)
    assert describe(FOLDER / f"{name}.skops")["densernn"] == "0.3.0"


@pytest.mark.parametrize("name", UPDATED)
def test_saved_model_learns_and_forgets_as_it_did(name):
    y, model = np.array(MODELS[name]["y"]), restored(name)
    if "balanced" not in name:  # which partial_fit refuses
        model.partial_fit(X[40:], y[40:])
    model.forget(X[:5], y[:5])
    assert_outputs(model, MODELS[name]["after"], **LOOSE)


@pytest.mark.parametrize("name", [name for name in UPDATED if "balanced" not in name])
def test_saved_model_merges_with_a_shard_trained_now(name):
    y, model = np.array(MODELS[name]["y"]), restored(name)
    shard = model.fresh().partial_fit(X[40:], y[40:])
    model.merge(shard).forget(X[:5], y[:5])
    assert_outputs(model, MODELS[name]["after"], **LOOSE)


@pytest.mark.parametrize("name", LEARNING)
def test_model_saved_without_moments_predicts_only(name):
    y, model = np.array(MODELS[name]["y"]), restored(f"{name}-no-moments")
    single = model.dtype == "float32"
    assert_outputs(model, MODELS[name]["outputs"], **LOOSE if single else TOLERANCE)
    with pytest.raises(DataError, match="moments=False"):
        model.forget(X[:5], y[:5])


def test_every_file_is_tried():
    names = {*MODELS, *(f"{name}-no-moments" for name in LEARNING)}
    assert {path.stem for path in FOLDER.glob("*.skops")} == names


def test_a_search_of_0_3_holds_an_unfitted_model_that_can_be_fitted_again():
    search = load(FOLDER.parent / "0.3.0-search.skops")
    X, y = load_iris(return_X_y=True)
    assert clone(search.estimator).views == [[0, 1], [2, 3]]
    assert clone(search).fit(X, y).best_estimator_.views == [[0, 1], [2, 3]]
    assert search.score(X, y) > 0.5
