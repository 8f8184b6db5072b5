"""Estimators on rows that stream: the same model as from memory, in bounded memory."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    DenseRNNRegressor,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    open_rows,
)
from densernn.errors import DataError, ParameterError, SkippedRowsWarning

X, LABELS = load_digits(return_X_y=True)
NAMES = [f"pixel{j}" for j in range(X.shape[1])]
WORDS = np.array(["nil", "one", "two", "three", "four", "five", "six", "seven", "8", "9"])[LABELS]
WEIGHT = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("rows")
    frame = pd.DataFrame(X, columns=NAMES).assign(label=LABELS, word=WORDS, weight=WEIGHT)
    frame.to_parquet(here / "digits.parquet", row_group_size=130)
    frame.to_feather(here / "digits.feather", compression="uncompressed")
    frame.to_csv(here / "digits.csv.gz", index=False)
    (here / "parts").mkdir()
    for number, rows in enumerate(np.array_split(np.arange(len(X)), 5)):
        frame.iloc[rows].to_parquet(here / "parts" / f"part-{number}.parquet")
    np.save(here / "digits.npy", np.column_stack([X, LABELS]))
    return here


FILES = ("digits.parquet", "digits.feather", "digits.csv.gz", "parts")


def opened(folder, name, target="label", **options):
    return open_rows(folder / name, target, columns=NAMES, **options)


def answers(model):
    rows = pd.DataFrame(X, columns=NAMES) if hasattr(model, "feature_names_in_") else X
    return model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)


def same(first, second):
    if hasattr(first, "readout_coef_"):
        np.testing.assert_array_equal(first.readout_coef_, second.readout_coef_)
        np.testing.assert_array_equal(first.readout_intercept_, second.readout_intercept_)
    else:
        np.testing.assert_array_equal(answers(first), answers(second))
    assert first.alpha_ == second.alpha_
    assert first.feature_map_.fingerprint() == second.feature_map_.fingerprint()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "model",
    [
        RNNELMClassifier(200, random_state=0),
        RNNELMClassifier(60, weights="dense", random_state=0, class_weight="balanced"),
        RNNELMClassifier(100, random_state=0, preparation=MinMaxScaler(), memory_limit="60 MB"),
        DenseRNNClassifier((30, 20), 300, random_state=0, replicas=2),
        DenseRNNClassifier((20,), 60, weights="dense", encoder="fista", random_state=0),
        RNNELMRegressor(100, random_state=0),
        DenseRNNRegressor((20,), 100, random_state=0),
        RNNForestClassifier(4, random_state=0, class_weight="balanced"),
        RNNForestClassifier(4, random_state=0, memory_limit="150 MB"),
        RNNForestRegressor(4, random_state=0),
    ],
    ids=str,
)
def test_files_give_the_model_of_memory_to_the_last_bit(model, name, folder):
    streamed = clone(model).fit(opened(folder, name))
    if isinstance(
        getattr(model, "preparation", None), MinMaxScaler
    ):  # in pieces, so equal to rounding alone
        whole = clone(model).fit(X, LABELS)
        np.testing.assert_allclose(
            streamed.readout_coef_, whole.readout_coef_, rtol=1e-6, atol=1e-9
        )
        return
    whole = clone(model).fit(X, LABELS)
    same(streamed, whole)
    assert streamed.score(opened(folder, name)) == whole.score(X, LABELS)
    np.testing.assert_array_equal(streamed.predict(opened(folder, name)), whole.predict(X))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", [RNNELMClassifier, RNNForestClassifier])
def test_weights_and_words_stream_too(kind, name, folder):
    model = kind(20, random_state=0, class_weight={"one": 2.0})
    streamed = clone(model).fit(opened(folder, name, "word", weight="weight"))
    whole = clone(model).fit(X, WORDS, WEIGHT)
    same(streamed, whole)
    assert streamed.classes_.tolist() == sorted(set(WORDS))
    np.testing.assert_array_equal(streamed.class_counts_.counts, whole.class_counts_.counts)


def test_sources_of_a_row_stream_with_preparations_of_their_own(folder):
    halves = [NAMES[:32], NAMES[:31:-1]]
    model = DenseRNNClassifier((15,), 100, views=halves, random_state=0)
    frame = pd.DataFrame(X, columns=NAMES)
    same(clone(model).fit(opened(folder, "digits.parquet")), clone(model).fit(frame, LABELS))


def test_memory_mapped_arrays_and_npy_files_are_sources(folder):
    whole = RNNELMClassifier(100, random_state=0).fit(X, LABELS)
    mapped = np.load(folder / "digits.npy", mmap_mode="r")
    same(
        RNNELMClassifier(100, random_state=0).fit(mapped[:, :-1], mapped[:, -1].astype(int)), whole
    )
    from_file = RNNELMClassifier(100, random_state=0).fit(open_rows(folder / "digits.npy", -1))
    assert from_file.score(open_rows(folder / "digits.npy", -1)) == whole.score(X, LABELS)


def test_arrow_tables_and_data_sets_take_the_targets_name(folder):
    whole = RNNELMClassifier(100, random_state=0).fit(X, LABELS)
    data = ds.dataset(folder / "parts", format="parquet")
    table = data.to_table(columns=[*NAMES, "label"])
    same(RNNELMClassifier(100, random_state=0).fit(table, "label"), whole)
    assert isinstance(table, pa.Table)


def test_autoencoders_and_features_stream(folder):
    source = opened(folder, "digits.parquet", None)
    for model in (
        RNNAutoencoder(10, method="ridge", random_state=0),
        RNNAutoencoder(10, max_iter=3, tol=0, random_state=0),
    ):
        streamed, whole = clone(model).fit(source), clone(model).fit(X)
        np.testing.assert_array_equal(streamed.weights_, whole.weights_)
        np.testing.assert_array_equal(streamed.decoder_weights_, whole.decoder_weights_)
    features = ClusterFeatures(20, random_state=0)
    frame = pd.DataFrame(X, columns=NAMES)
    np.testing.assert_array_equal(
        clone(features).fit(source).transform(frame), clone(features).fit(X).transform(X)
    )


def test_streams_are_added_and_forgotten(folder):
    whole = opened(folder, "digits.parquet")
    first, rest = whole.rows(0, 500), whole.rows(500, None)
    model = RNNELMClassifier(100, alpha=1.0, random_state=0)
    model.partial_fit(first, classes=np.arange(10)).partial_fit(rest)
    arrays = RNNELMClassifier(100, alpha=1.0, random_state=0)
    arrays.partial_fit(X[:500], LABELS[:500], np.arange(10)).partial_fit(X[500:], LABELS[500:])
    np.testing.assert_array_equal(model.readout_coef_, arrays.readout_coef_)
    model.forget(rest)
    only = arrays.fresh().partial_fit(X[:500], LABELS[:500])
    np.testing.assert_allclose(model.readout_coef_, only.readout_coef_, atol=1e-9)
    np.testing.assert_array_equal(model.class_counts_.counts, only.class_counts_.counts)


def test_regressors_take_several_targets():
    X, y = load_diabetes(return_X_y=True)
    table = pa.table({**{f"x{j}": X[:, j] for j in range(10)}, "y": y, "z": y**2})
    both = RNNELMRegressor(50, random_state=0).fit(open_rows(table, ["y", "z"]))
    whole = RNNELMRegressor(50, random_state=0).fit(X, np.column_stack([y, y**2]))
    same(both, whole)
    assert both.predict(open_rows(table, columns=[f"x{j}" for j in range(10)])).shape == (442, 2)
    single = RNNELMRegressor(50, random_state=0).fit(
        open_rows(table, "y", columns=[f"x{j}" for j in range(10)])
    )
    same(single, RNNELMRegressor(50, random_state=0).fit(X, y))


def test_multilabel_indicators_stream():
    Y = np.column_stack([LABELS % 2, LABELS > 4]).astype(int)
    table = pa.table({**dict(zip(NAMES, X.T, strict=True)), "odd": Y[:, 0], "large": Y[:, 1]})
    streamed = RNNELMClassifier(80, random_state=0).fit(open_rows(table, ["odd", "large"]))
    same(streamed, RNNELMClassifier(80, random_state=0).fit(X, Y))
    thirds = table.set_column(64, "odd", pa.array(LABELS % 3))
    with pytest.raises(DataError, match="labels of 0 and 1, and y is 2"):
        RNNELMClassifier(80, random_state=0).fit(open_rows(thirds, ["odd", "large"]))


def bad_rows(folder):
    frame = pd.DataFrame(X, columns=NAMES).astype(object).assign(label=LABELS)
    frame.iloc[17, 3], frame.iloc[1200, 9] = "oops", np.inf
    frame.to_csv(folder / "bad.csv", index=False)
    return np.delete(np.arange(len(X)), [17, 1200])


def test_skipped_rows_are_told_of_and_left_out(tmp_path):
    good = bad_rows(tmp_path)
    with pytest.raises(DataError, match=r"bad.csv, line 19, column 'pixel3'"):
        RNNELMClassifier(50, random_state=0).fit(open_rows(tmp_path / "bad.csv", "label"))
    source = open_rows(tmp_path / "bad.csv", "label", on_bad_rows="skip")
    model = RNNELMClassifier(50, random_state=0)
    with pytest.warns(
        SkippedRowsWarning, match="2 bad rows were skipped beside 1795 good.*line 19"
    ):
        model.fit(source)
    same(model, RNNELMClassifier(50, random_state=0).fit(X[good], LABELS[good]))
    with pytest.raises(DataError, match="would not stand beside"):
        model.predict(source)


def test_an_error_in_the_middle_of_an_update_adds_nothing(tmp_path):
    bad_rows(tmp_path)
    model = RNNELMClassifier(50, random_state=0).fit(X, LABELS)
    before, weight = model.readout_coef_, model.moments_.weight
    with pytest.raises(DataError, match="line 19"):
        model.partial_fit(open_rows(tmp_path / "bad.csv", "label"))
    with pytest.raises(DataError, match="line 19"):
        model.forget(open_rows(tmp_path / "bad.csv", "label"))
    assert model.moments_.weight == weight
    np.testing.assert_array_equal(model.readout_coef_, before)


def test_ctrl_c_in_the_middle_of_an_update_adds_nothing(monkeypatch):
    model = RNNELMClassifier(50, random_state=0, memory_limit="1 MB").fit(X, LABELS)
    before, moments = model.readout_coef_, model.moments_.HtH
    calls = iter(range(100))
    encode = type(model.targets_).encode

    def interrupted(self, y):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return encode(self, y)

    monkeypatch.setattr(type(model.targets_), "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, LABELS)
    np.testing.assert_array_equal(model.moments_.HtH, moments)
    np.testing.assert_array_equal(model.readout_coef_, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, m: m.fit(s, LABELS), "y does not go with a source of rows"),
        (lambda s, m: m.fit(s, None, WEIGHT), "sample_weight does not go with a source"),
        (lambda s, m: m.set_params(engine="spark").fit(s), "engine must be one of"),
        (lambda s, m: m.set_params(preparation=QuantileTransformer()).fit(s), "no partial_fit"),
        (lambda s, m: m.set_params(memory_limit="1 MB").fit(s), "too little"),
    ],
)
def test_what_does_not_go_with_a_source_is_said(call, message, folder):
    with pytest.raises(ParameterError, match=message):
        call(opened(folder, "digits.parquet"), RNNELMClassifier(200, random_state=0))


def test_columns_are_compared_by_name(folder):
    model = RNNELMClassifier(50, random_state=0).fit(opened(folder, "digits.parquet"))
    turned = open_rows(folder / "digits.parquet", "label", columns=NAMES[::-1])
    expected = model.predict_proba(opened(folder, "digits.parquet"))
    np.testing.assert_array_equal(model.predict_proba(turned), expected)
    lacking = pa.table({name: X[:, j] for j, name in enumerate(NAMES[1:], 1)})
    with pytest.raises(DataError, match="1 of 64 needed columns are missing: 'pixel0'"):
        model.predict(open_rows(lacking))
    plain = RNNELMClassifier(50, random_state=0).fit(X, LABELS)
    with pytest.raises(DataError, match="have 63 columns, and this RNNELMClassifier was trained"):
        plain.partial_fit(open_rows(folder / "digits.parquet", "label", columns=NAMES[1:]))
    words = pa.table({name: X[:, j] for j, name in enumerate(NAMES)})
    words = words.set_column(3, "pixel3", pa.array(["u", "v", "w"] * 599))
    with pytest.raises(DataError, match="column 'pixel3' holds categories, and numbers in train"):
        plain.predict(open_rows(words))
    with pytest.raises(DataError, match="needs targets"):
        model.fit(open_rows(folder / "digits.parquet", columns=NAMES))
    with pytest.raises(DataError, match="a regressor needs numbers"):
        RNNELMRegressor(10).fit(opened(folder, "digits.parquet", "word"))
    with pytest.raises(DataError, match="y is continuous"):
        RNNELMClassifier(10).fit(
            open_rows(pa.table({"a": np.arange(9.0), "b": np.arange(9) / 2}), "b")
        )


def test_all_weights_zero_is_an_error():
    table = pa.table({"a": np.arange(9.0), "b": np.arange(9) % 2, "w": np.zeros(9)})
    for model in (RNNELMClassifier(10), RNNAutoencoder(2), ClusterFeatures(2)):
        with pytest.raises(DataError, match="every row weighs 0"):
            model.fit(open_rows(table, "b", weight="w"))


MEASURE = """
import re, sys
import numpy as np
from densernn import RNNELMClassifier, open_rows
def peak():  # not ru_maxrss, which is never less than that of the process that started this one
    return int(re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/self/status").read())[1]) / 1024
rng = np.random.default_rng(0)
RNNELMClassifier(60, random_state=0, alpha=1.0).fit(rng.normal(size=(500, 30)), np.arange(500) % 2)
RNNELMClassifier(60, random_state=0, alpha=1.0).fit(open_rows(sys.argv[2], "y"))
before = peak()
model = RNNELMClassifier(300, random_state=0, alpha=1.0, memory_limit="300 MB")
model.fit(open_rows(sys.argv[1], "y"))
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_stays_within_its_limit(tmp_path):
    for name, n_rows in (("large", 400_000), ("small", 2_000)):
        rng = np.random.default_rng(0)
        columns = {f"x{j}": rng.normal(size=n_rows) for j in range(100)}
        table = pa.table({**columns, "y": rng.integers(0, 2, n_rows)})
        pa.parquet.write_table(table, tmp_path / f"{name}.parquet", row_group_size=100_000)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "large.parquet", tmp_path / "small.parquet"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    # The table takes 323 MB.
    assert float(done.stdout) * 2**20 < 300e6


@pytest.mark.parametrize("change", ["forget", "decay", "merge", "partial_fit"])
def test_whatever_fails_in_a_change_undoes_all_of_it(change, monkeypatch):
    model = RNNELMClassifier(50, alpha=1.0, random_state=0).fit(X, LABELS)
    before = (model.readout_coef_, model.moments_.weight, model.class_counts_.counts.copy())
    other = model.fresh().partial_fit(X[:300], LABELS[:300])

    def failing(self, *_):
        raise MemoryError

    calls = {
        "forget": lambda: model.forget(X[:10], LABELS[:10]),
        "decay": lambda: model.decay(0.5),
        "merge": lambda: model.merge(other),
        "partial_fit": lambda: model.partial_fit(X[:10], LABELS[:10]),
    }
    monkeypatch.setattr(RNNELMClassifier, "_renew_readout", failing)  # the last of all steps
    with pytest.raises(MemoryError):
        calls[change]()
    assert (model.moments_.weight, model.decayed_) == (before[1], False)
    np.testing.assert_array_equal(model.class_counts_.counts, before[2])
    np.testing.assert_array_equal(model.readout_coef_, before[0])


def test_a_refused_fit_leaves_features_and_autoencoders_as_they_were(tmp_path):
    auto = RNNAutoencoder(5, max_iter=2, tol=0, checkpoint=tmp_path / "c").fit(X)
    codes = auto.transform(X)
    with pytest.raises(ValueError, match="parameter n_hidden"):
        auto.set_params(n_hidden=6).fit(X)
    np.testing.assert_array_equal(auto.transform(X), codes)
    features = ClusterFeatures(5, random_state=0).fit(X)
    codes = features.transform(X)
    with pytest.raises(ValueError, match="weights must be"):
        features.set_params(weights="none").fit(X[:, :3])
    np.testing.assert_array_equal(features.transform(X), codes)


def test_rows_of_weight_0_count_nowhere_in_other_peoples_preparations():
    far = np.vstack([X, np.full((10, 64), 1000.0)])
    labels, weight = np.append(LABELS, np.zeros(10, int)), np.append(np.ones(len(X)), np.zeros(10))
    model = RNNELMClassifier(50, alpha=1.0, random_state=0, preparation=MinMaxScaler())
    whole = clone(model).fit(X, LABELS)
    np.testing.assert_allclose(
        clone(model).fit(far, labels, weight).readout_coef_, whole.readout_coef_, atol=1e-9
    )
    table = pa.table({**dict(zip(NAMES, far.T, strict=True)), "y": labels, "w": weight})
    streamed = clone(model).fit(open_rows(table, "y", weight="w"))
    np.testing.assert_allclose(streamed.readout_coef_, whole.readout_coef_, atol=1e-9)


def test_a_single_listed_target_is_a_label_and_refits_forget_earlier_ones():
    table = pa.table({**dict(zip(NAMES, X.T, strict=True)), "label": LABELS})
    listed = RNNELMClassifier(50, random_state=0).fit(open_rows(table, ["label"]))
    single = RNNELMClassifier(50, random_state=0).fit(open_rows(table, "label"))
    assert listed.score(open_rows(table, "label")) == single.score(open_rows(table, "label")) > 0.8
    assert listed.predict(open_rows(table, "label")).ndim == 1
    model = RNNELMClassifier(20, class_weight="balanced").fit(X, LABELS)
    model.set_params(class_weight=None).fit(X, np.column_stack([LABELS % 2, LABELS > 4]))
    assert model.predict(X).shape == (len(X), 2)


def test_decay_weighs_earlier_rows_down():
    model = RNNELMClassifier(60, alpha=1.0, random_state=0).fit(X[:900], LABELS[:900])
    weights = np.where(np.arange(1500) < 900, 0.25, 1.0)
    by_hand = model.fresh().partial_fit(X[:1500], LABELS[:1500], sample_weight=weights)
    model.decay(0.5).decay(0.5).partial_fit(X[900:1500], LABELS[900:1500])
    np.testing.assert_allclose(model.readout_coef_, by_hand.readout_coef_, atol=1e-9)
    np.testing.assert_allclose(model.class_counts_.counts, by_hand.class_counts_.counts)
    with pytest.raises(ValueError, match="decay has weighed earlier rows down"):
        model.forget(X[:10], LABELS[:10])
    assert not model.fresh().decayed_
    assert model.fresh().merge(model).decayed_
    assert not clone(model).fit(X, LABELS).decayed_


@pytest.mark.parametrize("factor", [0, -1, 1.01, np.nan, "0.5", None])
def test_decay_takes_a_share_alone(factor):
    model = RNNELMClassifier(20, random_state=0).fit(X, LABELS)
    with pytest.raises(ParameterError, match="factor must be above 0 and at most 1"):
        model.decay(factor)


def test_decay_lets_a_stream_drift():
    rng = np.random.default_rng(0)
    model = RNNELMRegressor(60, alpha=1e-3, random_state=0)
    kept = RNNELMRegressor(60, alpha=1e-3, random_state=0)
    for step in range(20):
        rows = rng.normal(size=(200, 3))
        y = rows[:, 0] * np.cos(step / 4) + rows[:, 1] * np.sin(step / 4)
        if step:
            model.decay(0.3)
        model.partial_fit(rows, y)
        kept.partial_fit(rows, y)
    assert model.score(rows, y) > 0.9 > kept.score(rows, y)


def test_a_finished_stream_warns_of_nothing(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RNNELMClassifier(50, random_state=0).fit(opened(folder, "digits.csv.gz"))


def test_labels_of_another_kind_are_refused(folder):
    words = opened(folder, "digits.parquet", "word")
    model = RNNELMClassifier(50, random_state=0).fit(words)
    with pytest.raises(DataError, match=r"the targets are numbers, and the classes.*are text"):
        model.score(opened(folder, "digits.parquet"))
    with pytest.raises(DataError, match="the targets are numbers"):
        model.partial_fit(opened(folder, "digits.parquet"))
    truth = RNNELMClassifier(20, random_state=0).fit(X, LABELS > 4)
    with pytest.raises(DataError, match=r"targets are text, and the classes.*true and false"):
        truth.score(open_rows(pa.table({f"x{j}": X[:, j] for j in range(64)} | {"y": WORDS}), "y"))


def test_score_skips_bad_rows_and_says_so(tmp_path):
    good = bad_rows(tmp_path)
    frame = pd.DataFrame(X, columns=NAMES)
    model = RNNELMClassifier(50, random_state=0).fit(frame, LABELS)
    source = open_rows(tmp_path / "bad.csv", "label", on_bad_rows="skip")
    with pytest.warns(SkippedRowsWarning, match="2 bad rows were skipped"):
        score = model.score(source)
    assert score == model.score(frame.iloc[good], LABELS[good])


@pytest.mark.parametrize("name", FILES)
def test_transformers_take_sources(name, folder):
    source = opened(folder, name, None)
    frame = pd.DataFrame(X, columns=NAMES)
    for model in (ClusterFeatures(20, random_state=0), RNNAutoencoder(5, method="ridge")):
        fitted = model.fit(source)
        np.testing.assert_array_equal(fitted.transform(source), fitted.transform(frame))


def test_a_file_name_is_no_table(folder):
    with pytest.raises(ParameterError, match="names a file: open it with open_rows"):
        RNNELMClassifier(20).fit(str(folder / "digits.csv.gz"), "label")
    with pytest.raises(ParameterError, match="names a file"):
        RNNELMClassifier(20).fit(X, LABELS).predict(folder / "digits.csv.gz")
