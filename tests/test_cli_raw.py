"""The command line on raw tables: text, missing values, chosen columns, weights, no header."""

import csv
import io
import json
import warnings

import numpy as np
import pandas as pd
import pytest

from densernn import RNNELMClassifier, RNNForestClassifier, load, open_rows
from densernn.cli import entry
from densernn.errors import UnknownCategoryWarning

RNG = np.random.default_rng(0)
N = 240
RAW = pd.DataFrame(
    {
        "size": RNG.normal(size=N).round(3),
        "colour": RNG.choice(["red", "green", "blue"], N),
        "code": RNG.integers(1, 4, N),
        "noise": RNG.normal(size=N).round(3),
        "when": "2020-01-01",
        "share": RNG.integers(1, 4, N),
    }
)
RAW["kind"] = np.where((RAW.colour == "red") ^ (RAW["size"] > 0.3), "a", "b")
RAW.loc[::17, "size"] = np.nan
RAW.loc[::19, "colour"] = None
FEATURES = ["size", "colour", "code", "noise"]
NETWORK = ("--model=rnn-elm", "--n-hidden=40", "--fan-in=4")
COLUMNS = ("--target=kind", "--drop=when,share", "--categorical=code")


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """A folder with the table."""
    RAW.to_csv(tmp_path / "raw.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(out):
    return list(csv.DictReader(io.StringIO(out)))


def answers(out):
    return [row["prediction"] for row in rows_of(out)]


@pytest.mark.parametrize("more", [NETWORK, ("--n-trees=4",), (*NETWORK, "--stream")])
def test_a_raw_table_gives_the_model_that_python_fits(raw, call, more):
    call("fit", "raw.csv", *COLUMNS, *more, "-o", "m.skops")
    found = rows_of(call("predict", "m.skops", "raw.csv", "--proba"))
    kind = RNNForestClassifier(4) if more[0] == "--n-trees=4" else RNNELMClassifier(40, fan_in=4)
    model = kind.set_params(categorical=["code"], random_state=0).fit(RAW[FEATURES], RAW.kind)
    assert [row["prediction"] for row in found] == model.predict(RAW).tolist()
    p = [[float(row[f"probability_{c}"]) for c in "ab"] for row in found]
    np.testing.assert_allclose(p, model.predict_proba(RAW), rtol=1e-9)
    loaded = load("m.skops")
    np.testing.assert_array_equal(loaded.predict(RAW), model.predict(RAW))
    assert loaded.feature_names_in_.tolist() == FEATURES


def test_tomorrow_columns_are_in_another_order_and_categories_new(raw, call, capsys):
    call("fit", "raw.csv", *COLUMNS, *NETWORK, "-o", "m.skops")
    new = RAW[["noise", "when", "code", "colour", "size"]].head(5).copy()
    new.loc[0, "colour"], new.loc[1, "size"] = "violet", np.nan
    new.to_csv("new.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert entry.run(["predict", "m.skops", "new.csv"]) == 0
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "categories that were not there in training" in err
    with pytest.warns(UnknownCategoryWarning):
        expected = load("m.skops").predict(new)
    assert answers(out) == expected.tolist()


def test_columns_are_those_that_are_named(raw, call, refuse):
    result = json.loads(
        call("fit", "raw.csv", "--target=kind", "--columns", "size,colour", "--columns=code",
             *NETWORK, "-o", "m.skops", "--json")
    )  # fmt: skip
    assert result["n_features"] == 3
    assert load("m.skops").feature_names_in_.tolist() == ["size", "colour", "code"]
    RAW.rename(columns={"size": "a,b"}).to_csv("comma.csv", index=False)
    call("fit", "comma.csv", "--target=kind", "--columns", '"a,b",code', *NETWORK, "-o", "m.skops")
    assert load("m.skops").feature_names_in_.tolist() == ["a,b", "code"]
    err = refuse("fit", "raw.csv", "--target=kind", "--columns=size", "--drop=code", "-o", "x")
    assert "--columns and --drop" in err
    err = refuse("fit", "raw.csv", "--target=kind", "--drop=colours", "-o", "x")
    assert "no column 'colours'; nearest of 7: 'colour'" in err


def test_dates_are_refused_by_name_until_they_are_dropped(raw, call, refuse):
    assert "column 'when'" in refuse("fit", "raw.csv", "--target=kind", *NETWORK, "-o", "m.skops")
    call("fit", "raw.csv", "--target=kind", "--drop=when", *NETWORK, "-o", "m.skops")


def test_words_that_say_missing(raw, call):
    RAW.fillna({"size": -999, "colour": "unknown"}).to_csv("marked.csv", index=False)
    missing = ("--missing=-999,unknown",)
    call("fit", "marked.csv", *COLUMNS, *missing, *NETWORK, "-o", "m.skops")
    call("fit", "raw.csv", *COLUMNS, *NETWORK, "-o", "plain.skops")
    expected = answers(call("predict", "plain.skops", "raw.csv"))
    assert answers(call("predict", "m.skops", "marked.csv")) == expected  # the model knows them
    assert answers(call("predict", "plain.skops", "marked.csv", *missing)) == expected


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_weights_are_those_of_a_column(raw, call, command):
    weighed = ("--target=kind", "--drop=when", "--weight=share", *NETWORK, "--json")
    if command == "evaluate":
        result = json.loads(call("evaluate", "raw.csv", *weighed))
        assert (result["n_test"], result["n_features"]) == (60, 4)
        return
    result = json.loads(call("fit", "raw.csv", *weighed, "-o", "m.skops"))
    assert (result["n_train"], result["n_features"]) == (N, 4)
    model = RNNELMClassifier(40, fan_in=4, random_state=0)
    model.fit(RAW[FEATURES], RAW.kind, sample_weight=RAW.share)
    np.testing.assert_allclose(
        load("m.skops").predict_proba(RAW), model.predict_proba(RAW), rtol=1e-9
    )
    found = answers(call("predict", "m.skops", "raw.csv", "--weight=share", "--target=kind"))
    assert found == model.predict(RAW).tolist()


@pytest.mark.parametrize("place", [0, 3, 6])
@pytest.mark.parametrize("suffix", ["csv", "npy"])
def test_files_without_names_go_by_place_with_the_target_or_without(
    call, refuse, tmp_path, place, suffix
):
    X = RAW[["size", "code", "noise"]].fillna(0.0).to_numpy()
    X = np.hstack([X, X**2])
    y = (X[:, 0] > 0).astype(float)
    table = np.insert(X, place, y, axis=1)

    def write(name, values):
        path = tmp_path / f"{name}.{suffix}"
        np.save(path, values) if suffix == "npy" else np.savetxt(path, values, delimiter=",")
        return path

    whole, alone, short = (
        write(name, values)
        for name, values in (("whole", table), ("alone", X), ("short", X[:, :4]))
    )
    bare = () if suffix == "npy" else ("--no-header",)
    target = f"x{place}" if suffix == "npy" else place
    model = tmp_path / "m.skops"
    call("fit", whole, f"--target={target}", *bare, *NETWORK, "-o", model)
    expected = answers(call("predict", model, whole, *bare))
    assert np.mean(np.array(expected, float) == y) > 0.9
    assert answers(call("predict", model, alone, *bare)) == expected
    # The same in Python, with the target named to score.
    source = open_rows(whole, place, header=suffix == "npy")
    assert load(model).score(source) == np.mean(np.array(expected, float) == y)
    assert "give as many columns, or the features alone" in refuse("predict", model, short, *bare)
    # A target elsewhere is named.
    last = write("last", np.column_stack([X, y, y]))
    dropped = (f"--drop={'x7' if suffix == 'npy' else 7}",)
    last_target = "x6" if suffix == "npy" else 6
    found = call("predict", model, last, *bare, f"--target={last_target}", *dropped)
    assert answers(found) == expected


def test_a_file_with_names_is_predicted_when_it_comes_without(raw, call):
    call("fit", "raw.csv", *COLUMNS, *NETWORK, "-o", "m.skops")
    expected = answers(call("predict", "m.skops", "raw.csv"))
    RAW.to_csv("bare.csv", index=False, header=False)
    assert answers(call("predict", "m.skops", "bare.csv", "--no-header")) == expected
    RAW[FEATURES].to_csv("bare.csv", index=False, header=False)
    assert answers(call("predict", "m.skops", "bare.csv", "--no-header")) == expected
    RAW.to_csv("bare.csv", index=False, header=False)
    found = call("predict", "m.skops", "bare.csv", "--no-header", "--columns=0,1,2,3")
    assert answers(found) == expected


def test_what_a_model_has_learned_is_compared_with_what_is_said(raw, call, refuse):
    call("fit", "raw.csv", *COLUMNS, *NETWORK, "-o", "m.skops")
    call("predict", "m.skops", "raw.csv", "--categorical=code,colour", "--task=classification")
    err = refuse("predict", "m.skops", "raw.csv", "--task=regression")
    assert "was trained for classification: leave --task out" in err
    assert "'noise' held numbers" in refuse("predict", "m.skops", "raw.csv", "--categorical=noise")


def test_evaluation_beside_boosting_takes_categories(raw, call):
    result = json.loads(
        call("evaluate", "raw.csv", *COLUMNS, "--beside-boosting", "--n-trees=4", "--json")
    )
    assert result["accuracy"] > result["baseline_accuracy"] + 0.1
    assert result["boosting_accuracy"] > result["baseline_accuracy"] + 0.1
    assert (result["task_by"], result["n_classes"]) == ("2 classes of text or truth values", 2)


def test_rows_are_not_standardised_over_categories(raw, refuse):
    err = refuse("fit", "raw.csv", *COLUMNS, *NETWORK, "--preprocess=zscore-rows", "-o", "m.skops")
    assert "zscore-rows is for numbers alone, and column 'co" in err


def test_a_delimiter_and_a_decimal_comma(raw, call):
    RAW.to_csv("raw.txt", index=False, sep=";", decimal=",")
    written = ("--delimiter=;", "--decimal=,")
    call("fit", "raw.txt", *COLUMNS, *written, *NETWORK, "-o", "m.skops")
    call("fit", "raw.csv", *COLUMNS, *NETWORK, "-o", "plain.skops")
    expected = answers(call("predict", "plain.skops", "raw.csv"))
    assert answers(call("predict", "m.skops", "raw.txt", *written)) == expected
