"""Dates and times: refused by name, by their type or their texts, with advice that works."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from densernn import open_rows
from densernn.errors import DataError
from densernn.sources.encoded import coded

same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
KINDS = ("parquet", "feather", "table")
VIEWS = {"chunks": lambda source: source, "models": coded}
TYPES = {
    "day": pa.array([0, None], pa.date32()),
    "day in milliseconds": pa.array([0, None], pa.date64()),
    "moment": pa.array([-1, 10**15], pa.timestamp("us")),
    "moment in nanoseconds": pa.array([-1, 10**15], pa.timestamp("ns")),
    "moment in a time zone": pa.array([0, 1], pa.timestamp("ms", "Europe/Bern")),
    "no moment": pa.array([None, None], pa.timestamp("us")),
    "length of time": pa.array([1, None], pa.duration("us")),
    "time of day": pa.array([1, 2], pa.time64("us")),
}


def put(folder, table, kind, name="t"):
    path = folder / f"{name}.{kind}"
    if kind == "table":
        return table
    (pq.write_table if kind == "parquet" else pa.feather.write_feather)(table, path)
    return path


def put_csv(folder, cells, name="t.csv"):
    path = folder / name
    path.write_text("when,a\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells)))
    return path


def read(source):
    return np.concatenate([chunk.X for chunk in source.chunks(100)])


def refusal(where, view, *arguments, **keywords):
    with pytest.raises(DataError) as caught:
        read(VIEWS[view](open_rows(where, *arguments, **keywords)))
    return str(caught.value)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TYPES)
def test_columns_of_dates_and_times_are_refused_by_name_unless_left_out(tmp_path, kind, name, view):
    where = put(tmp_path, pa.table({"when": TYPES[name], "a": [1.0, 2.0]}), kind)
    for more in ({}, {"categorical": ["when"]}, {"columns": ["a", "when"]}):
        said = refusal(where, view, **more)
        assert "column 'when': holds " in said
        assert "turn it into numbers, such as days since the first of them, or leave it out" in said
        assert "categorical" not in said
    assert read(VIEWS[view](open_rows(where, columns=["a"]))).tolist() == [[1], [2]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TYPES)
def test_dates_and_times_are_no_targets_and_no_weights(tmp_path, kind, name):
    where = put(tmp_path, pa.table({"when": TYPES[name], "a": [1.0, 2.0]}), kind)
    for role in ({"target": "when"}, {"target": ["when"]}, {"weight": "when"}):
        with pytest.raises(DataError, match=r"column 'when': holds .*, not numbers"):
            open_rows(where, **role)


@pytest.mark.parametrize("kind", KINDS)
def test_dates_where_training_had_something_else_are_refused(tmp_path, kind):
    train = pa.table({"when": [1.0, 2.0], "c": ["u", "v"]})
    source = coded(open_rows(put(tmp_path, train, kind, "train")))
    for name, dates in TYPES.items():
        for column in ("when", "c"):
            columns = {"when": [1.0, 2.0], "c": ["u", "v"], column: dates}
            where = put(tmp_path, pa.table(columns), kind, f"{column} {name}")
            with pytest.raises(DataError, match=f"column '{column}': holds "):
                source.open_same(where)


@pytest.mark.parametrize(
    "cell",
    [
        "2020-01-31",
        "1969-12-31",
        "2020-01-31T10:00:00Z",
        "2020-01-31 10:00:00+02:00",
        "2020/01/31",
        "31.12.2020",
        "1/2/2020",
        "1/2/2020 12:30",
        "12:30",
        "12:30:15",
    ],
)
def test_texts_that_are_dates_are_refused_with_advice_that_works(tmp_path, cell):
    path = put_csv(tmp_path, [cell, cell, ""])
    said = refusal(path, "chunks")
    assert f"line 2, column 'when': {cell!r} is not a number: turn dates and times into" in said
    assert "categorical" not in said
    tables = [path, pa.table({"when": [cell, cell, None], "a": [0, 1, 2]})]
    for where in tables:
        said = refusal(where, "models")
        assert f"column 'when': holds {cell!r}: turn dates and times into numbers" in said
        source = coded(open_rows(where, categorical=["when"]))
        assert source.encoding.categories == {"when": (cell,)}
        np.testing.assert_array_equal(read(source), [[0, 0], [0, 1], [np.nan, 2]])
        assert read(coded(open_rows(where, columns=["a"]))).tolist() == [[0], [1], [2]]


@pytest.mark.parametrize(
    "cells",
    [
        [pd.Timedelta(days=1), pd.Timedelta(hours=-5, minutes=3)],
        ["31 January 2020", "1-Feb-21"],
        ["Jan. 31, 2020", "February 1 2021"],
    ],
)
def test_texts_of_months_and_of_lengths_of_time_are_refused_for_models(tmp_path, cells):
    assert "column 'when': holds" in refusal(put_csv(tmp_path, cells), "models")


@pytest.mark.parametrize("cells", [["May", "June"], ["3 days ago", "1 day"], ["march 5th", "a b"]])
def test_texts_that_only_name_months_or_days_are_categories(tmp_path, cells):
    source = coded(open_rows(put_csv(tmp_path, cells)))
    assert source.encoding.categories["when"] == tuple(sorted(cells))


@same_folder
@given(
    moments=st.lists(
        st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")), min_size=1, max_size=9
    ),
    missing=st.integers(0, 3),
)
def test_days_since_the_first_are_numbers_as_the_advice_says(tmp_path, moments, missing):
    frame = pd.DataFrame({"when": [*pd.to_datetime(moments), *[pd.NaT] * missing]})
    frame["a"] = np.arange(len(frame))
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False, date_format="%Y-%m-%d %H:%M:%S")
    places = [pa.Table.from_pandas(frame), path]
    for where in places:
        assert "such as days since the first" in refusal(where, "models")
    frame["when"] = (frame["when"] - frame["when"].min()) / pd.Timedelta(days=1)
    frame.to_csv(path, index=False)
    for where in (pa.Table.from_pandas(frame), path):
        np.testing.assert_array_equal(read(coded(open_rows(where))), frame.to_numpy())
