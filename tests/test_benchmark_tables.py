"""The benchmark of tables: its folds, its report."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import table_sets
from table_report import behind, ranks, report, score_table
from table_sources import Source


@pytest.fixture
def source(monkeypatch):
    """A table with text and missing values, whose first column is the number of the row."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"row": np.arange(300.0), "word": rng.choice(["a", "b", "c"], 300)})
    frame["few"] = np.where(np.arange(300) % 7 == 0, np.nan, 1.0)

    def load(n_train=None):
        return Source(frame, np.arange(300) % 3, n_train)

    monkeypatch.setitem(table_sets.LABELS, "wine", load)
    monkeypatch.setitem(table_sets.LABELS, "flights_late", lambda: load(200))
    return frame


@pytest.mark.parametrize("name", ["wine", "flights_late"])
def test_folds_see_no_test_rows(name, source):
    data = table_sets.load_set(name)
    tested = set(data.X_test[:, 0])
    assert tested.isdisjoint(data.X_train[:, 0])
    assert len(tested) + len(data.X_train) == 300
    for X, y, X_judge, y_judge in table_sets.load_folds(name, 3):
        rows, judged = X[:, 0], X_judge[:, 0]
        assert tested.isdisjoint(rows)
        assert tested.isdisjoint(judged)
        assert set(rows).isdisjoint(judged)
        np.testing.assert_array_equal(y, rows % 3)
        np.testing.assert_array_equal(y_judge, judged % 3)
        if name == "flights_late":
            assert rows.max() < judged.min()


def test_text_and_missing_values_become_numbers(source):
    data = table_sets.load_set("wine")
    assert data.n_text == 1
    assert data.X_train.shape[1] == 1 + 1 + 1 + 3  # row, few, where few is missing, words
    assert np.isfinite(data.X_test).all()


RESULTS = {
    "one": {
        "A": {"log_loss": 0.5, "accuracy": 0.80, "fit_cpu": 1.0, "memory": 5.0, "bytes": 9},
        "LightGBM": {"log_loss": 0.4, "accuracy": 0.85, "fit_cpu": 2.0, "memory": 6.0, "bytes": 9},
        "C": {"failed": "exit status 1"},
    },
    "two": {
        "A": {"log_loss": 0.3, "accuracy": 0.9, "fit_cpu": 1.0, "memory": 5.0, "bytes": 9},
        "LightGBM": {"log_loss": 0.3, "accuracy": 0.9, "fit_cpu": 2.0, "memory": 6.0, "bytes": 9},
        "C": {"log_loss": 0.2, "accuracy": 0.95, "fit_cpu": 9.0, "memory": 7.0, "bytes": 9},
    },
    "three": {"A": {"r2": 0.5}, "LightGBM": {"r2": 0.6}, "C": {"r2": 0.7}},
}


def test_only_models_that_finished_on_every_set_are_ranked():
    found, n_sets = ranks(RESULTS, "log_loss")
    assert n_sets == 2
    assert found == {"A": (2 + 1.5) / 2, "LightGBM": (1 + 1.5) / 2}
    assert ranks(RESULTS, "r2") == ({"A": 3.0, "LightGBM": 2.0, "C": 1.0}, 1)


def test_the_report_names_failures_and_where_a_model_is_behind():
    table = score_table(RESULTS, "log_loss")
    assert "| one | 0.5000 | **0.4000** | exit status 1 |" in table
    assert behind(RESULTS, "A", ("LightGBM",)) == [
        "one: accuracy 0.050 behind LightGBM",
        "three: r2 0.100 behind LightGBM",
    ]
    text = report(RESULTS, {}, {"processor": "some"})
    assert "some" in text
    assert "tuned" not in text
