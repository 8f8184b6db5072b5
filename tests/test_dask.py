"""Passes on a cluster of processes: one model, whoever computes what."""

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    RNNImageClassifier,
    open_rows,
)
from densernn.errors import DataError, ParameterError

pytest.importorskip("distributed")
import dask
import dask.array as da
import dask.dataframe as dd
from distributed import Client, LocalCluster

from densernn.engine import dask as engine
from densernn.phases import ReadoutPass
from densernn.sources.dask import from_collections

pytestmark = [
    pytest.mark.dask,
    pytest.mark.filterwarnings("default::ResourceWarning"),
    pytest.mark.filterwarnings("default::DeprecationWarning"),
]

X, LABELS = load_digits(return_X_y=True)
NAMES = [f"pixel{j}" for j in range(64)]
WORDS = np.array(["nil", "one", "two", "three", "four", "five", "six", "seven", "8", "9"])[LABELS]


@pytest.fixture(scope="module")
def client():
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=2, **options) as cluster, Client(cluster) as connected:
        yield connected


@pytest.fixture
def arrays():
    return da.from_array(X, chunks=(190, 50)), da.from_array(LABELS, chunks=400)


@pytest.fixture
def frame():
    table = pd.DataFrame(X, columns=NAMES).assign(label=LABELS, word=WORDS)
    return dd.from_pandas(table, npartitions=7)


def learned(model):
    """What a classifier learned, as numbers."""
    return model.readout_coef_ if hasattr(model, "readout_coef_") else model.predict_proba(X)


def close(first, second):
    np.testing.assert_allclose(first.readout_coef_, second.readout_coef_, atol=1e-8)
    np.testing.assert_allclose(first.readout_intercept_, second.readout_intercept_, atol=1e-8)


MODELS = [
    RNNELMClassifier(150, alpha=1.0, random_state=0),
    RNNELMClassifier(100, alpha=1.0, random_state=0, class_weight="balanced"),
    DenseRNNClassifier((20, 10), 100, alpha=1.0, random_state=0),
    DenseRNNClassifier((20,), 60, alpha=1.0, weights="dense", encoder="fista", random_state=0),
    RNNELMRegressor(100, alpha=1.0, random_state=0),
    RNNELMClassifier(100, alpha=1.0, readout="logistic", random_state=0),
    RNNImageClassifier((6, 24), alpha=1.0, dtype="float64", random_state=0),
    RNNForestClassifier(4, random_state=0, class_weight="balanced"),
    RNNForestRegressor(4, random_state=0),
]

EITHER = [RNNELMClassifier(150, random_state=0), RNNForestClassifier(4, random_state=0)]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_cluster_learns_what_this_machine_does(model, client, arrays):
    spread, whole = clone(model).fit(*arrays), clone(model).fit(X, LABELS)
    np.testing.assert_allclose(spread.predict(X), whole.predict(X), atol=1e-6)
    assert spread.moments_.weight == pytest.approx(len(X))
    if isinstance(model, RNNELMClassifier) and model.weights == "sparse":
        close(spread, whole)
    if isinstance(model, RNNForestClassifier):
        np.testing.assert_allclose(learned(spread), learned(whole), atol=1e-8)


@pytest.mark.parametrize("model", EITHER, ids=str)
def test_results_do_not_depend_on_the_number_of_workers(model, client, arrays):
    two = clone(model).fit(*arrays)
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=1, **options) as single, Client(single):
        one = clone(model).fit(*arrays)
    np.testing.assert_array_equal(learned(one), learned(two))
    assert one.alpha_ == two.alpha_


@pytest.mark.slow
@pytest.mark.parametrize("model", EITHER, ids=str)
def test_a_worker_that_dies_in_the_middle_changes_nothing(model, client, arrays):
    def slowly(block):
        time.sleep(0.3)
        return block

    rows = arrays[0].rechunk((60, 64)).map_blocks(slowly, dtype=float)
    expected = clone(model).fit(rows, arrays[1])
    victim = next(iter(client.run(os.getpid).values()))
    killer = threading.Timer(2.0, os.kill, (victim, signal.SIGKILL))
    killer.start()
    found = clone(model).fit(rows, arrays[1])
    killer.join()
    assert victim not in client.run(os.getpid).values()
    np.testing.assert_array_equal(learned(found), learned(expected))


@pytest.mark.slow
def test_even_the_only_worker_may_die(arrays):
    def slowly(block):
        time.sleep(0.25)
        return block

    rows = arrays[0].rechunk((120, 64)).map_blocks(slowly, dtype=float)
    model = RNNELMClassifier(100, random_state=0)
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=1, **options) as single, Client(single) as connected:
        expected = clone(model).fit(rows, arrays[1])
        (victim,) = connected.run(os.getpid).values()
        killer = threading.Timer(1.5, os.kill, (victim, signal.SIGKILL))
        killer.start()
        found = clone(model).fit(rows, arrays[1])
        killer.join()
    np.testing.assert_array_equal(found.readout_coef_, expected.readout_coef_)


def test_another_scheduler_may_be_chosen_beside_a_client(client, arrays):
    model = RNNELMClassifier(80, alpha=1.0, random_state=0)
    with dask.config.set(scheduler="threads"):
        close(clone(model).fit(*arrays), clone(model).fit(X, LABELS))


def test_empty_blocks_and_all_kinds_of_numbers(client):
    model = RNNELMClassifier(60, alpha=1.0, random_state=0)
    rows = da.from_array(X, chunks=(100, 64))
    kept = da.arange(len(X), chunks=100) >= 450
    spread = clone(model).fit(rows[kept], da.from_array(LABELS, chunks=100)[kept])
    close(spread, clone(model).fit(X[450:], LABELS[450:]))
    for method in ("predict", "predict_proba"):
        answer = getattr(spread, method)(rows[kept]).compute()
        np.testing.assert_allclose(answer, getattr(spread, method)(X[450:]), atol=1e-12)
    table = pd.DataFrame({"a": X[:, 10], "b": X[:, 20] > 4, "c": X[:, 30].astype(int)})
    table["d"] = pd.array(X[:, 40].astype(int), dtype="Int64")
    table["e"] = pd.array(X[:, 50], dtype="float64[pyarrow]")
    frame = dd.from_pandas(table, npartitions=4)
    labels = dd.from_pandas(pd.Series(LABELS), npartitions=4)
    close(clone(model).fit(frame, labels), clone(model).fit(table.astype(float), LABELS))
    predicted = clone(model).fit(frame, labels).predict(frame[frame["a"] > 100]).compute()
    assert predicted.dtype == LABELS.dtype
    missing = table.assign(d=pd.array([None, *X[1:, 40].astype(int)], dtype="Int64"))
    spread = clone(model).fit(dd.from_pandas(missing, npartitions=4), labels)
    close(spread, clone(model).fit(missing, LABELS))


def test_columns_and_values_are_checked_in_lazy_answers(client, arrays, frame):
    model = RNNELMClassifier(60, alpha=1.0, random_state=0).fit(frame[NAMES], frame["label"])
    with pytest.raises(DataError, match="X lacks 62 of the 64 feature names of training"):
        model.predict(frame[NAMES[:2]])
    turned = frame.assign(more=1.0)[[*NAMES[::-1], "more"]]
    close_to = model.predict_proba(pd.DataFrame(X, columns=NAMES))
    np.testing.assert_allclose(model.predict_proba(turned).compute(), close_to, atol=1e-12)
    plain = RNNELMClassifier(60, alpha=1.0, random_state=0).fit(*arrays)
    holes = np.where(X > 15, np.nan, X)
    answer = plain.predict_proba(da.from_array(holes, (100, 64))).compute()
    np.testing.assert_allclose(answer, plain.predict_proba(holes), atol=1e-12)
    with pytest.raises(DataError, match="inf is not finite"):
        plain.predict(da.from_array(np.where(X > 15, np.inf, X), (100, 64))).compute()
    features = ClusterFeatures(20, random_state=0).fit(frame[NAMES])
    lazy = features.transform(frame[NAMES])
    assert isinstance(lazy, dd.DataFrame)
    expected = features.transform(pd.DataFrame(X, columns=NAMES))
    np.testing.assert_allclose(lazy.compute().to_numpy(), expected, atol=1e-12)


def test_targets_in_memory_are_cut_as_the_rows_are(client, arrays):
    words = pd.Series(WORDS.astype(object))
    model = RNNELMClassifier(60, alpha=1.0, random_state=0)
    close(clone(model).fit(arrays[0], words), clone(model).fit(X, WORDS))
    with pytest.raises(DataError, match="must be a Dask array or data frame"):
        clone(model).fit(dask.delayed(X), LABELS)


def test_numbered_columns_have_no_names(client):
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=3)
    labels = dd.from_pandas(pd.DataFrame({"y": LABELS}), npartitions=3)
    model = RNNELMClassifier(60, alpha=1.0, random_state=0).fit(frame, labels)
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(X).shape == (len(X),)
    known = da.from_array(X, chunks=(599, 64))
    unknown = dd.from_pandas(pd.Series(LABELS), npartitions=3).to_dask_array()
    close(RNNELMClassifier(60, alpha=1.0, random_state=0).fit(known, unknown), model)


def test_frames_keep_names_index_and_words(client, frame):
    rows = frame[NAMES]
    model = RNNELMClassifier(150, alpha=1.0, random_state=0).fit(rows, frame["word"])
    close(model, RNNELMClassifier(150, alpha=1.0, random_state=0).fit(X, WORDS))
    assert list(model.feature_names_in_) == NAMES
    predicted = model.predict(rows)
    assert isinstance(predicted, dd.Series)
    pd.testing.assert_index_equal(predicted.compute().index, frame.compute().index)
    np.testing.assert_array_equal(
        predicted.compute().to_numpy(), model.predict(pd.DataFrame(X, columns=NAMES))
    )
    shares = model.predict_proba(rows)
    assert list(shares.columns) == sorted(set(WORDS))
    np.testing.assert_allclose(shares.compute().sum(axis=1), 1.0)


def test_predictions_wait_until_they_are_asked_for(client, arrays):
    seen = []

    def watched(block):
        seen.append(len(block))
        return block

    model = RNNELMClassifier(100, alpha=1.0, random_state=0).fit(X, LABELS)
    rows = da.from_array(X, chunks=(190, 64)).map_blocks(watched, dtype=float, meta=X[:0])
    answers = {
        "predict": (len(X),),
        "predict_proba": (len(X), 10),
        "decision_function": (len(X), 10),
    }
    for method, shape in answers.items():
        lazy = getattr(model, method)(rows)
        assert isinstance(lazy, da.Array)
        assert lazy.shape == shape
        assert not seen
        expected = getattr(model, method)(X)
        with dask.config.set(scheduler="synchronous"):
            np.testing.assert_allclose(np.asarray(lazy), expected, atol=1e-12)
        assert lazy.dtype == expected.dtype
        assert seen.pop()
        seen.clear()
    regressor = RNNELMRegressor(30, random_state=0).fit(X, np.column_stack([LABELS, LABELS]))
    assert regressor.predict(rows).shape == (len(X), 2)


def test_files_go_to_workers_as_names_not_as_rows(client, tmp_path):
    table = pd.DataFrame(X, columns=NAMES).assign(label=LABELS)
    table.to_parquet(tmp_path / "digits.parquet", row_group_size=100)
    source = open_rows(tmp_path / "digits.parquet", "label")
    model = RNNELMClassifier(150, alpha=1.0, random_state=0)
    whole = clone(model).set_params(engine="local").fit(source)
    calls = []
    original = engine._leaf

    def counted(*arguments):
        calls.append(arguments)
        return original(*arguments)

    engine._leaf = counted
    try:
        close(clone(model).fit(source), whole)  # there is a client, so it is used
        assert len(calls) == 2 * 18  # a look and the readout, over 18 row groups
        close(clone(model).set_params(engine="dask").fit(X, LABELS), whole)
    finally:
        engine._leaf = original


def test_there_are_at_most_32_leaves_of_whole_blocks():
    source = from_collections(da.from_array(X, chunks=(10, 64)), da.from_array(LABELS, chunks=10))
    parts = source.parts(engine.LEAVES)
    assert len(parts) == 32
    assert [n for part in parts for n in part.numbers] == list(range(180))


def test_no_task_changes_what_it_is_given(arrays):
    """On threads everything is shared, so a change would be seen."""
    rows = da.from_array(X, chunks=(100, 64))
    model = RNNELMClassifier(80, alpha=1.0, random_state=0).fit(X, LABELS)
    phase = ReadoutPass(model.feature_map_, model.targets_)
    how = None, None
    first = engine._extended(phase, None, X[:100], LABELS[:100], None, 0, how, None, 10**6)
    copy = first.statistic.moments.second.copy()
    more = X[100:200], LABELS[100:200], None
    second = engine._extended(phase, first, *more, 1, how, None, 10**6)
    merged = engine._merged(phase, first, second)
    np.testing.assert_array_equal(first.statistic.moments.second, copy)
    assert (first.n_rows, second.n_rows, merged.n_rows) == (100, 200, 300)
    assert from_collections(rows).n_targets is None


def test_updates_and_other_estimators_take_collections(client, arrays):
    rows, labels = arrays
    model = RNNELMClassifier(80, alpha=1.0, random_state=0).fit(rows, labels)
    more = clone(model).fit(rows, labels).partial_fit(rows, labels)
    close(more.forget(rows, labels), model)
    weighted = clone(model).fit(rows, labels, da.ones(len(X), chunks=300))
    close(weighted, model)
    assert model.score(rows, labels) == model.score(X, LABELS)
    ridge = RNNAutoencoder(10, method="ridge", alpha=1.0, random_state=0).fit(rows)
    whole = RNNAutoencoder(10, method="ridge", alpha=1.0, random_state=0).fit(X)
    np.testing.assert_allclose(ridge.decoder_weights_, whole.decoder_weights_, atol=1e-8)
    features = ClusterFeatures(20, random_state=0)
    np.testing.assert_allclose(
        clone(features).fit(rows).transform(X), clone(features).fit(X).transform(X), atol=1e-12
    )


def test_passes_are_kept_in_a_checkpoint(client, arrays, tmp_path, monkeypatch):
    model = RNNELMClassifier(80, alpha=1.0, random_state=0, checkpoint=tmp_path / "c")
    first = clone(model).fit(*arrays)
    monkeypatch.setattr(engine, "_leaf", None)
    np.testing.assert_array_equal(clone(model).fit(*arrays).readout_coef_, first.readout_coef_)


def test_lengths_need_not_be_known(client, arrays):
    odd = arrays[0][arrays[1] % 2 == 1], arrays[1].rechunk(190)[arrays[1].rechunk(190) % 2 == 1]
    rows = arrays[0].rechunk((190, 64))[arrays[1].rechunk(190) % 2 == 1]
    model = RNNELMClassifier(80, alpha=1.0, random_state=0).fit(rows, odd[1])
    kept = LABELS % 2 == 1
    close(model, RNNELMClassifier(80, alpha=1.0, random_state=0).fit(X[kept], LABELS[kept]))


def test_without_a_client_threads_do(arrays):
    model = RNNELMClassifier(80, alpha=1.0, random_state=0)
    close(clone(model).fit(*arrays), clone(model).fit(X, LABELS))
    close(clone(model).set_params(engine="local").fit(*arrays), clone(model).fit(X, LABELS))


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (
            da.from_array(np.where(X > 15, np.inf, X), (100, 64)),
            LABELS,
            r"block \d+ of X, row \d+, column \d+: inf is not finite",
        ),
        (da.from_array(X, (100, 64)), LABELS[:-1], "y has 1796 rows and X has 1797"),
        (da.from_array(X[:, 0], 100), LABELS, "array or data frame of two axes"),
        (da.from_array(X[:300].astype(str), (100, 64)), LABELS[:300], "not numbers"),
        (
            da.from_array(X, (100, 64)),
            np.where(LABELS, LABELS, np.nan),
            r"block \d+ of y, row \d+: nan is not finite: drop the row",
        ),
    ],
)
def test_bad_blocks_are_named(rows, labels, message):
    with pytest.raises(DataError, match=message):
        RNNELMClassifier(20).fit(rows, labels)


def test_frames_must_be_cut_alike(frame):
    other = frame["label"].repartition(npartitions=3)
    with pytest.raises(DataError, match="take both from one data frame"):
        RNNELMClassifier(20).fit(frame[NAMES], other)
    dates = frame.assign(
        when=dd.from_pandas(pd.Series(pd.Timestamp("2020"), frame.compute().index))
    )
    with pytest.raises(DataError, match="column 'when': holds timestamp"):
        RNNELMClassifier(20).fit(dates, frame["label"])
    with pytest.raises(ParameterError, match="engine must be one of"):
        RNNELMClassifier(20, engine="Dask").fit(X, LABELS)
