"""Sources of rows from files: the same rows whatever the kind of file, the chunks and the parts."""

import pickle
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.feather
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from densernn.errors import DataError, ParameterError
from densernn.sources import categories, choice, encoding
from densernn.sources.arrays import ArraySource
from densernn.sources.encoded import coded
from densernn.sources.formats import base
from densernn.sources.formats import csv as csv_format
from densernn.sources.open import open_rows
from densernn.sources.rows import Skipped
from densernn.sources.selection import SelectedSource

same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
KINDS = ("csv", "csv.gz", "parquet", "feather", "table")
NAMED = ("parquet", "feather", "table")


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("densernn-read-ahead")]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few rows, so that small tables have many."""
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 50)
    monkeypatch.setattr(encoding, "BLOCK_BYTES", 300)
    monkeypatch.setattr(base, "GROUP_ROWS", 7)


def put(folder, frame, kind, name="t", rows=7):
    """Write a frame, in units of so many rows."""
    path = folder / f"{name}.{kind}"
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if kind == "table":
        return table
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=rows)
    elif kind == "feather":
        pa.feather.write_feather(table, path, chunksize=rows)
    elif kind == "npy":
        np.save(path, frame.to_numpy())
    else:
        frame.to_csv(path, index=False)
    return path


def read(source, n_rows=1000, first=0):
    """X, y, weight and what was skipped; chunks must be exact and numbered."""
    chunks = list(source.chunks(n_rows, first))
    assert [len(c.X) for c in chunks[:-1]] == [n_rows] * (len(chunks) - 1)
    assert [c.start for c in chunks] == [first + n_rows * i for i in range(len(chunks))]
    skipped = Skipped()
    for chunk in chunks:
        skipped = skipped.merge(chunk.skipped)
        assert chunk.X.shape[1] == source.n_columns
        assert not np.isinf(chunk.X).any()
        assert not (source.encoding.one_hot and np.isnan(chunk.X).any())
        for part in (chunk.X, chunk.y, chunk.weight):
            assert part is None or part.flags.writeable

    def join(arrays):
        return None if arrays[0] is None else np.concatenate(arrays)

    if not chunks:
        return None, None, None, skipped
    return (
        join([c.X for c in chunks]),
        join([c.y for c in chunks]),
        join([c.weight for c in chunks]),
        skipped,
    )


def same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        if isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


def frame_of(n_rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": rng.normal(size=n_rows),
            "colour": rng.choice(["red", "blue", "green, dark"], n_rows),
            "b": rng.integers(-9, 9, n_rows),
            "w": rng.random(n_rows),
            "y": rng.choice(["yes", "no"], n_rows),
        }
    )


def refuse(said, where, *arguments, **keywords):
    with pytest.raises(DataError, match=said) as caught:
        read(open_rows(where, *arguments, **keywords))
    return str(caught.value)


# ------------------------------------------------------------------------- the laws of a source


@pytest.mark.parametrize("kind", KINDS)
@settings(same_folder, max_examples=20)
@given(
    n_rows=st.integers(1, 40),
    size=st.integers(1, 20),
    first=st.integers(0, 70),
    unit=st.integers(1, 30),
    most=st.integers(1, 6),
)
def test_rows_are_the_same_whatever_the_chunks_and_parts(
    tmp_path, small_blocks, kind, n_rows, size, first, unit, most
):
    frame = frame_of(n_rows, seed=n_rows)
    halves = [put(tmp_path, frame[: n_rows // 2], kind, "0", unit)] if n_rows > 1 else []
    halves.append(put(tmp_path, frame[n_rows // 2 :], kind, "1", unit))
    where = put(tmp_path, frame, kind, rows=unit) if kind == "table" else halves
    categories = {"colour": ["red", "blue", "green, dark"]}
    source = open_rows(where, "y", weight="w", categorical=categories)
    assert source.feature_names == ("a", "colour=red", "colour=blue", "colour=green, dark", "b")
    hot = [frame["colour"] == value for value in categories["colour"]]
    X = np.column_stack([frame["a"], *hot, frame["b"]]).astype(float)
    wanted = (X, frame["y"].to_numpy(str), frame["w"].to_numpy(), Skipped())
    same(read(source), wanted)
    same(read(source, size), wanted)
    same(read(pickle.loads(pickle.dumps(source)), size), wanted)
    if first < n_rows:
        same(read(source, size, first), (*(part[first:] for part in wanted[:3]), Skipped()))
    else:
        assert list(source.chunks(size, first)) == []
    parts = source.parts(most)
    assert 1 <= len(parts) <= most
    read_parts = [read(part, size) for part in pickle.loads(pickle.dumps(parts))]
    same([np.concatenate(p) for p in list(zip(*read_parts, strict=True))[:3]], wanted[:3])
    keep = frame["b"].to_numpy() > 0
    if keep.any():
        same(read(source.where(keep), size), (*(part[keep] for part in wanted[:3]), Skipped()))
    middle = source.rows(n_rows // 3, n_rows // 3 + 4)
    cut = slice(n_rows // 3, n_rows // 3 + 4)
    same(read(middle, size), (*(part[cut] for part in wanted[:3]), Skipped()))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_source_says_of_itself(tmp_path, kind):
    source = open_rows(put(tmp_path, frame_of(20), kind), "y", columns=["b", "a"])
    assert source.feature_names == ("b", "a")
    assert source.n_columns == 2
    assert source.n_targets == 0
    assert not source.weighted
    assert source.n_rows == (20 if kind in NAMED else None)
    assert 1 << 20 < source.buffer_bytes < 1 << 27
    assert open_rows(source) is source
    assert next(source.chunks(5)).weight is None


@pytest.mark.parametrize("kind", KINDS)
def test_columns_by_place_and_several_targets(tmp_path, kind):
    frame = frame_of(20)
    where = put(tmp_path, frame, kind)
    source = open_rows(where, [2, "w"], columns=[np.int64(0)])
    assert (source.n_targets, source.feature_names) == (2, ("a",))
    X, y, _, _ = read(source, 6)
    np.testing.assert_array_equal(y, frame[["b", "w"]].to_numpy())
    np.testing.assert_array_equal(X, frame[["a"]].to_numpy())
    last = open_rows(where, -1, weight=-2, categorical=[1])
    assert last.choice.targets == ("y",)
    assert last.feature_names == ("a", "colour=blue", "colour=green, dark", "colour=red", "b")


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_without_target_has_no_y(tmp_path, kind):
    source = open_rows(put(tmp_path, frame_of(5)[["a", "b"]], kind))
    assert source.n_targets is None
    assert read(source)[1] is None


def test_parts_are_balanced_and_know_their_rows(tmp_path):
    paths = [put(tmp_path, frame_of(n), "parquet", str(n), 10) for n in (100, 35, 7)]
    parts = open_rows(paths, "y", columns=["a"]).parts(4)
    lengths = [part.n_rows for part in parts]
    assert sum(lengths) == 142
    assert max(lengths) <= 142 / 4 + 10
    assert [p.parts(1)[0].n_rows for p in parts] == lengths
    files = [put(tmp_path, frame_of(n), "csv", str(n)) for n in (100, 35, 7)]
    assert [len(p.groups) for p in open_rows(files, "y", columns=["a"]).parts(2)] == [1, 2]


def test_a_part_of_a_table_is_pickled_without_the_rest():
    table = pa.table({"a": np.zeros(500_000)})
    parts = open_rows(table).parts(4)
    assert len(parts) == 4
    assert all(len(pickle.dumps(part)) < 0.4 * table.nbytes for part in parts)


def test_row_groups_before_the_first_row_are_not_read(tmp_path, monkeypatch):
    path = put(tmp_path, frame_of(100), "parquet", rows=10)
    asked = []
    whole = pq.ParquetFile.iter_batches

    def spy(self, *arguments, row_groups, **keywords):
        asked.extend(row_groups)
        return whole(self, *arguments, row_groups=row_groups, **keywords)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    X, *_ = read(open_rows(path, columns=["a"]), 8, first=75)
    np.testing.assert_array_equal(X[:, 0], frame_of(100)["a"][75:])
    assert asked == [7, 8, 9]


def test_a_parquet_row_group_is_never_held_whole(tmp_path):
    path = tmp_path / "big.parquet"
    rng = np.random.default_rng(0)
    columns = {f"c{j}": rng.random(2_000_000) for j in range(10)}
    pq.write_table(pa.table(columns), path, row_group_size=2_000_000, compression="none")
    code = (
        "import sys\n"
        "import pyarrow.parquet, pyarrow.csv, pyarrow.compute\n"
        "from densernn.sources.open import open_rows\n"
        "def peak():\n"
        "    lines = open('/proc/self/status')\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))\n"
        "source = open_rows(sys.argv[1], 'c0')\n"
        "before = peak()\n"
        "assert sum(len(c.X) for c in source.chunks(20_000)) == 2_000_000\n"
        "print(peak() - before)"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("reads the peak of memory from /proc")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 110_000  # kB; the table has 160 MB


@pytest.mark.parametrize("kind", KINDS)
def test_files_without_rows_among_others_do_no_harm(tmp_path, kind):
    if kind == "table":
        where = pa.table({"a": [1.0, 2.0], "y": [3, 4]})
    else:
        frame = pd.DataFrame({"a": [1.0, 2.0], "y": [3, 4]})
        empty = put(tmp_path, frame[:0], kind, "0")
        where = [empty, put(tmp_path, frame, kind, "1"), empty]
        refuse("no rows", [empty, empty], "y")
    source = open_rows(where, "y")
    same(read(source, 1)[:2], (np.array([[1.0], [2.0]]), np.array([3, 4])))
    rows = [c.X.tolist() for part in source.parts(3) for c in part.chunks(5)]
    assert rows == [[[1.0], [2.0]]]


def test_a_mask_or_range_that_does_not_fit_is_found_out_while_reading(tmp_path):
    source = open_rows(put(tmp_path, pd.DataFrame({"a": [1.0, 2.0, 3.0]}), "csv"))
    for keep, said in (([True], "there are more rows"), ([True] * 4, "there are only 3 rows")):
        with pytest.raises(DataError, match=f"has {len(keep)} entries, but {said}"):
            read(source.where(keep))
    with pytest.raises(DataError, match="no rows from number 3 on"):
        read(source.rows(3))
    assert source.rows(1).n_rows is None
    assert read(source.rows(1, 99))[0].tolist() == [[2], [3]]
    assert len(source.rows(1).parts(2)) == len(source.where([True] * 3).parts(2)) == 1


def test_sources_are_short_to_print(tmp_path):
    path = put(tmp_path, frame_of(3), "parquet")
    source = open_rows(path, "y", categorical=["colour"])
    assert repr(source) == f"<FileSource {path}: 3 rows, 4 features, target 'y'>"
    assert repr(open_rows(put(tmp_path, frame_of(3), "csv"))).endswith("t.csv: 5 features>")


def test_a_pass_that_is_given_up_hangs_neither_the_exit_nor_a_fork(tmp_path):
    frame = pd.DataFrame({"a": np.arange(100_000.0)})
    code = (
        "import os, sys\n"
        "from densernn.sources.open import open_rows\n"
        "chunks = open_rows(sys.argv[1]).chunks(10)\n"
        "next(chunks)\n"
        "if not os.fork():\n"
        "    chunks.close()\n"
        "    os._exit(0)\n"
        "assert os.wait()[1] == 0"
    )
    path = put(tmp_path, frame, "csv")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# --------------------------------------------------------------------------------------- dtypes


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize(
    ("dtypes", "kept"),
    [
        (("float32", "int16"), np.float32),
        (("uint8", "bool"), np.float32),
        (("float16", "uint8"), np.float32),
        (("float32", "float64"), np.float64),
        (("int32", "float32"), np.float64),
    ],
)
def test_float32_where_nothing_is_lost(tmp_path, kind, dtypes, kept):
    frame = pd.DataFrame({"a": [0, 1], "b": [1, 0]}).astype(dict(zip("ab", dtypes, strict=True)))
    X, *_ = read(open_rows(put(tmp_path, frame, kind)))
    assert X.dtype == kept
    np.testing.assert_array_equal(X, [[0, 1], [1, 0]])


def test_dtypes_are_those_that_hold_the_values_of_all_files(tmp_path):
    one = pd.DataFrame({"a": np.float32([1.5]), "y": np.int16([1])})
    two = pd.DataFrame({"a": [0.1], "y": np.int64([2])})
    paths = [put(tmp_path, one, "parquet", "1"), put(tmp_path, two, "parquet", "2")]
    first, second = open_rows(paths, "y").chunks(1)
    assert first.X.dtype == second.X.dtype == np.float64
    assert first.y.dtype == second.y.dtype == np.int64


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([1, 2], np.int32), [1, 2]),
        (np.array([1.5, 2], np.float32), [1.5, 2]),
        (np.array([True, False]), [True, False]),
        (pd.Categorical(["u", "v"]), ["u", "v"]),
        (pd.Categorical([3, 4]), [3, 4]),
        (["", "long word"], ["", "long word"]),
    ],
)
def test_a_target_keeps_its_type(tmp_path, kind, values, wanted):
    where = put(tmp_path, pd.DataFrame({"a": [1.0, 2.0], "y": values}), kind)
    _, y, *_ = read(open_rows(where, "y"))
    assert y.tolist() == wanted
    if isinstance(values, np.ndarray):
        assert y.dtype == values.dtype


# --------------------------------------------------------------------------------- categories


@pytest.mark.parametrize("kind", KINDS)
def test_categories_are_learned_once_sorted_and_kept(tmp_path, kind):
    frame = pd.DataFrame({"c": ["v", "u", "v", "w"], "k": [10, 9, 10, 9], "y": [1, 2, 3, 4]})
    source = open_rows(put(tmp_path, frame, kind), "y", categorical=["k", "c"])
    assert source.feature_names == ("c=u", "c=v", "c=w", "k=9", "k=10")
    X, *_ = read(source, 3)
    np.testing.assert_array_equal(X @ np.arange(5), [1 + 4, 0 + 3, 1 + 4, 2 + 3])
    other = put(tmp_path, pd.DataFrame({"y": [1], "k": [10], "c": ["u"]}), kind, "other")
    assert read(source.open_same(other))[0].tolist() == [[1, 0, 0, 0, 1]]
    new = put(tmp_path, pd.DataFrame({"y": [1, 2], "k": [10, 9], "c": ["u", "x"]}), kind, "new")
    said = "column 'c': 'x' is none of the known categories 'u', 'v', 'w'"
    with pytest.raises(DataError, match=said):
        read(source.open_same(new))


@pytest.mark.parametrize("kind", KINDS)
def test_given_categories_keep_their_order_and_numbers_are_named_as_text(tmp_path, kind):
    frame = pd.DataFrame({"c": ["v", "u"], "k": [10, 9]})
    source = open_rows(put(tmp_path, frame, kind), categorical={"c": ["v", "x", "u"], 1: [10, 9]})
    assert source.feature_names == ("c=v", "c=x", "c=u", "k=10", "k=9")
    assert read(source)[0].tolist() == [[1, 0, 0, 1, 0], [0, 0, 1, 0, 1]]


@pytest.mark.parametrize("kind", KINDS)
def test_truth_values_are_categories_of_the_same_names_everywhere(tmp_path, kind):
    where = put(tmp_path, pd.DataFrame({"c": [True, False], "y": [True, False]}), kind)
    source = open_rows(where, "y", categorical=["c"], target_type="text")
    assert source.feature_names == ("c=False", "c=True")
    X, y, *_ = read(source)
    assert (X.tolist(), y.tolist()) == ([[0, 1], [1, 0]], ["True", "False"])
    lower = tmp_path / "lower.csv"
    lower.write_text("c\ntrue\nfalse\nTRUE\n")
    assert read(source.open_same(lower))[0].tolist() == [[0, 1], [1, 0], [0, 1]]
    assert open_rows(lower, categorical=["c"]).feature_names == source.feature_names
    given = open_rows(where, "y", categorical={"c": [True, False]})
    assert given.feature_names == ("c=True", "c=False")
    assert read(given)[0].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_the_same_category_however_they_are_written(tmp_path, kind):
    whole = put(tmp_path, pd.DataFrame({"k": [2, 1], "a": [0, 1]}), kind, "whole")
    gaps = put(tmp_path, pd.DataFrame({"k": [1.0, None, 2.0], "a": [0, 1, 2]}), kind, "gaps")
    source = open_rows(whole, categorical=["k"], on_bad_rows="skip")
    X, *_, skipped = read(source.open_same(gaps))
    assert (X.tolist(), skipped.count) == ([[1, 0, 0], [0, 1, 2]], 1)
    assert source.feature_names == ("k=1", "k=2", "a")
    if kind.startswith("csv"):
        both = open_rows([gaps, whole], categorical=["k"], on_bad_rows="skip")
        assert both.feature_names == source.feature_names
        assert read(both)[0][:, 1].tolist() == [0, 1, 1, 0]
    other = put(tmp_path, pd.DataFrame({"k": [1.5], "a": [0]}), kind, "other")
    with pytest.raises(DataError, match=r"'1\.5' is none of the known categories '1', '2'"):
        read(open_rows(whole, categorical=["k"]).open_same(other))


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_categories_are_refused(tmp_path, kind):
    frame = pd.DataFrame({"c": [f"v{i}" for i in range(1001)], "y": 1.0})
    source = open_rows(put(tmp_path, frame, kind), "y", categorical=["c"])
    with pytest.raises(DataError, match="column 'c': more than 1000 categories"):
        _ = source.n_columns


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_category_is_a_bad_row(tmp_path, kind):
    frame = pd.DataFrame({"c": ["v", None, "u"], "y": [1.0, 2.0, 3.0]})
    where = put(tmp_path, frame, kind)
    refuse("column 'c': missing value", where, "y", categorical=["c"])
    X, y, _, skipped = read(open_rows(where, "y", categorical=["c"], on_bad_rows="skip"))
    assert (X.tolist(), y.tolist(), skipped.count) == ([[0, 1], [1, 0]], [1, 3], 1)


# ------------------------------------------------------------------- rows as models take them

WORDS = ["red", "blue", "green, dark", "größe", "None"]


def raw_frame(n_rows, seed=0):
    """Text, truth values, categories by type and by name, and numbers, some of all missing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=n_rows),
            "colour": rng.choice(np.array(WORDS, object), n_rows),
            "flag": pd.array(rng.random(n_rows) < 0.5, "boolean"),
            "k": pd.array(rng.integers(8, 12, n_rows), "Int64"),
            "made": pd.Categorical(rng.choice(["u", "v", "w"], n_rows), ["w", "v", "u"]),
            "y": rng.integers(0, 3, n_rows),
            "w": rng.random(n_rows),
        }
    )
    for name in frame.columns[:5]:
        frame.loc[rng.random(n_rows) < 0.3, name] = None
    return frame


def numbered(values, known=None):
    """Numbers of categories; by default these are those that are there, sorted."""
    known = sorted(values.dropna().unique()) if known is None else known
    numbers = {value: float(number) for number, value in enumerate(known)}
    return np.array([np.nan if pd.isna(v) else numbers.get(v, len(known)) for v in values])


def matrix_of(frame):
    columns = [frame["a"], *(numbered(frame[name]) for name in ("colour", "flag", "k", "made"))]
    return np.column_stack(columns).astype(float)


@pytest.mark.parametrize("kind", KINDS)
@settings(same_folder, max_examples=20)
@given(
    n_rows=st.integers(1, 40),
    size=st.integers(1, 20),
    first=st.integers(0, 40),
    unit=st.integers(1, 30),
    most=st.integers(1, 6),
)
def test_rows_for_models_are_the_same_whatever_the_chunks_and_parts(
    tmp_path, small_blocks, kind, n_rows, size, first, unit, most
):
    frame = raw_frame(n_rows, seed=n_rows)
    halves = [put(tmp_path, frame[: n_rows // 2], kind, "0", unit)] if n_rows > 1 else []
    halves.append(put(tmp_path, frame[n_rows // 2 :], kind, "1", unit))
    where = put(tmp_path, frame, kind, rows=unit) if kind == "table" else halves
    source = coded(open_rows(where, "y", weight="w", categorical=["k"]))
    assert source.feature_names == ("a", "colour", "flag", "k", "made")
    wanted = (matrix_of(frame), frame["y"].to_numpy(), frame["w"].to_numpy(), Skipped())
    same(read(source), wanted)
    same(read(pickle.loads(pickle.dumps(source)), size), wanted)
    if first < n_rows:
        same(read(source, size, first), (*(part[first:] for part in wanted[:3]), Skipped()))
    read_parts = [read(part, size) for part in pickle.loads(pickle.dumps(source.parts(most)))]
    same([np.concatenate(p) for p in list(zip(*read_parts, strict=True))[:3]], wanted[:3])
    keep = frame["w"].to_numpy() > 0.5
    if keep.any():
        chosen = (*(part[keep] for part in wanted[:3]), Skipped())
        same(read(source.where(keep), size), chosen)
        same(read(coded(open_rows(where, "y", weight="w", categorical=["k"]).where(keep))), chosen)


@same_folder
@given(n_rows=st.integers(1, 30), seed=st.integers(0, 99))
def test_one_raw_frame_has_the_same_rows_for_models_from_every_kind_of_file(tmp_path, n_rows, seed):
    frame = raw_frame(n_rows, seed)
    places = {kind: put(tmp_path, frame, kind) for kind in KINDS}
    opened = {
        kind: coded(open_rows(where, "y", weight="w", categorical=["k"]))
        for kind, where in places.items()
    }
    for source in opened.values():
        same(read(source)[:1], (matrix_of(frame),))
    trained = coded(open_rows(put(tmp_path, raw_frame(60), "parquet", "train"), "y", weight="w"))
    known = trained.encoding.categories
    assert (known["flag"], known["made"]) == (("False", "True"), ("u", "v", "w"))
    assert known["colour"] == tuple(sorted(WORDS))
    for where in places.values():
        other = trained.open_same(where)
        assert other.encoding.categories == known
        found = read(other)[0]
        np.testing.assert_array_equal(found[:, 1], numbered(frame["colour"], sorted(WORDS)))
        np.testing.assert_array_equal(found[:, 2], numbered(frame["flag"], [False, True]))
        np.testing.assert_array_equal(found[:, 3], frame["k"].astype(float))


@pytest.mark.parametrize("kind", KINDS)
def test_a_category_for_models_is_its_number_an_unknown_one_the_number_behind(tmp_path, kind):
    frame = pd.DataFrame({"c": ["v", None, "u", "v"], "k": [10, 9, None, 9], "b": [1.0, 2, 3, 4]})
    frame["k"] = frame["k"].astype("Int64")
    where = put(tmp_path, frame, kind)
    source = coded(open_rows(where, categorical=["k"]))
    assert source.encoding.categories == {"c": ("u", "v"), "k": ("9", "10")}
    assert source.encoding.n_categories == (2, 2, 0)
    wanted = [[1, 1, 1], [np.nan, 0, 2], [0, np.nan, 3], [1, 0, 4]]
    np.testing.assert_array_equal(read(source)[0], wanted)
    new = pd.DataFrame({"b": [None, 6.0], "k": [11.5, 10.0], "c": ["x", "u"], "more": ["p", "q"]})
    other = source.open_same(put(tmp_path, new, kind, "new"))
    assert other.encoding.categories == source.encoding.categories
    np.testing.assert_array_equal(read(other)[0], [[2, 2, np.nan], [0, 1, 6]])
    given = coded(open_rows(where, categorical={"c": ["v", "x"], "k": [10]}))
    assert given.encoding.categories == {"c": ("v", "x"), "k": ("10",)}
    wanted = [[0, 0, 1], [np.nan, 1, 2], [2, np.nan, 3], [0, 1, 4]]
    np.testing.assert_array_equal(read(given)[0], wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_values_are_bad_only_for_those_who_read_chunks_and_in_targets(tmp_path, kind):
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "c": ["u", "v", None], "y": [0.0, 1.0, 2.0]})
    where = put(tmp_path, frame, kind)
    refuse("column 'a': missing value", where, "y", categorical=["c"])
    X, y, _, skipped = read(coded(open_rows(where, "y")))
    np.testing.assert_array_equal(X, [[1, 0], [np.nan, 1], [3, np.nan]])
    assert (y.tolist(), skipped.count) == ([0, 1, 2], 0)
    for role in ({"target": "a"}, {"target": ["a"]}, {"weight": "a"}):
        source = coded(open_rows(where, columns=["c"], **role))
        with pytest.raises(DataError, match=r"(row 2|line 3), column 'a': the (target|weight) "):
            read(source)
        skipping = coded(open_rows(where, columns=["c"], on_bad_rows="skip", **role))
        X, *_, skipped = read(skipping)
        np.testing.assert_array_equal(X, [[0], [np.nan]])
        assert skipped.count == 1


@pytest.mark.parametrize("kind", KINDS)
def test_infinite_values_are_bad_rows_for_models_too(tmp_path, kind):
    frame = pd.DataFrame({"a": [1.0, None, -np.inf], "b": [1.0, 2.0, 3.0]})
    where = put(tmp_path, frame, kind)
    with pytest.raises(DataError, match=r"(row 3|line 4), column 'a': '?-inf'? is not finite"):
        read(coded(open_rows(where)))
    X, *_, skipped = read(coded(open_rows(where, on_bad_rows="skip")))
    np.testing.assert_array_equal(X, [[1, 1], [np.nan, 2]])
    assert skipped.count == 1


@pytest.mark.parametrize("kind", KINDS)
def test_columns_without_any_value_are_missing_throughout(tmp_path, kind):
    frame = pd.DataFrame({"a": [None, None], "t": pd.array([None] * 2, "string"), "b": ["u", "v"]})
    where = put(tmp_path, frame, kind)
    for more in ({}, {"categorical": ["a", "t"]}):
        source = coded(open_rows(where, **more))
        assert source.encoding.n_categories == (0, 0, 2)
        np.testing.assert_array_equal(read(source)[0], [[np.nan, np.nan, 0], [np.nan, np.nan, 1]])
    new = put(tmp_path, pd.DataFrame({"a": [7.0], "t": ["x"], "b": ["u"]}), kind, "new")
    found = read(coded(open_rows(where, categorical=["t"])).open_same(new))[0]
    np.testing.assert_array_equal(found, [[7, 0, 0]])


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("values", "numbers"),
    [(["u", "v"], [0, 1]), ([True, False], [1, 0]), ([1.5, 2.5], [1.5, 2.5])],
)
def test_a_column_without_values_in_one_file_is_of_the_kind_of_the_other(
    tmp_path, kind, order, values, numbers
):
    frames = [
        pd.DataFrame({"a": [None] * 2, "b": [1, 2]}),
        pd.DataFrame({"a": values, "b": [3, 4]}),
    ]
    assert pa.types.is_null(pa.Table.from_pandas(frames[0]).schema.field("a").type)
    paths = [put(tmp_path, frames[i], kind, str(i)) for i in order]
    X, *_ = read(coded(open_rows(paths)))
    rows = {0: [[np.nan, 1], [np.nan, 2]], 1: [[numbers[0], 3], [numbers[1], 4]]}
    np.testing.assert_array_equal(X, [*rows[order[0]], *rows[order[1]]])


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_feature_of_several_kinds_in_several_files_is_refused_by_name(tmp_path, kind):
    text = put(tmp_path, pd.DataFrame({"a": ["u"], "b": [1]}), kind, "text")
    numbers = put(tmp_path, pd.DataFrame({"a": [1], "b": [1]}), kind, "numbers")
    for paths in ([text, numbers], [numbers, text]):
        with pytest.raises(DataError, match=r"column 'a': holds .*: convert one") as caught:
            read(coded(open_rows(paths)))
        assert str(caught.value).startswith(f"{paths[1]}, ")
        assert f"in {paths[0]} " in str(caught.value)
        assert read(coded(open_rows(paths, columns=["b"])))[0].tolist() == [[1], [1]]
    alike = coded(open_rows([text, numbers], categorical=["a"]))
    assert alike.encoding.categories == {"a": ("1", "u")}
    assert read(alike)[0].tolist() == [[1, 1], [0, 1]]


def test_a_mix_of_kinds_is_told_by_a_file_that_has_values(tmp_path):
    frames = {"none": {"a": [None]}, "text": {"a": ["u"]}, "numbers": {"a": [1]}}
    paths = [put(tmp_path, pd.DataFrame(f), "parquet", name) for name, f in frames.items()]
    with pytest.raises(DataError, match=r"numbers\.parquet, column 'a': holds .*text\.parquet"):
        coded(open_rows(paths))


@pytest.mark.parametrize("kind", NAMED)
def test_other_rows_for_models_keep_the_kinds_of_training(tmp_path, kind):
    train = pd.DataFrame({"a": [1.0, 2.0], "c": ["1", "v"], "b": [True, False]})
    source = coded(open_rows(put(tmp_path, train, kind)))
    text = put(tmp_path, pd.DataFrame({"a": ["1"], "c": ["v"], "b": [True]}), kind, "text")
    with pytest.raises(DataError, match=r"column 'a': holds .*string, and numbers in training"):
        source.open_same(text)
    swapped = pd.DataFrame({"a": [True, False], "c": [1, 2], "b": ["false", "maybe"]})
    other = source.open_same(put(tmp_path, swapped, kind, "swapped"))
    assert read(other)[0].tolist() == [[1, 0, 0], [0, 2, 2]]
    empty = pd.DataFrame({"a": [None], "c": [None], "b": [None]})
    found = read(source.open_same(put(tmp_path, empty, kind, "empty")))[0]
    np.testing.assert_array_equal(found, [[np.nan] * 3])


@pytest.mark.parametrize("kind", KINDS)
def test_truth_values_are_numbers_in_chunks_and_categories_for_models(tmp_path, kind):
    frame = pd.DataFrame({"b": [True, False, True], "y": [0, 1, 2]})
    where = put(tmp_path, frame, kind)
    if kind in NAMED:
        source = open_rows(where, "y")
        assert (source.feature_names, read(source)[0].tolist()) == (("b",), [[1], [0], [1]])
    else:
        refuse("line 2, column 'b': 'True' is not a number", where, "y")
    source = coded(open_rows(where, "y"))
    assert source.encoding.categories == {"b": ("False", "True")}
    assert read(source)[0].tolist() == [[1], [0], [1]]


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize(
    ("values", "known", "numbers"),
    [
        (pa.array(["v", "u", None], pa.large_string()), ("u", "v"), [1, 0, np.nan]),
        (pa.array(["v", "", "NA"]), ("v",), [0, np.nan, np.nan]),
        (pa.array(["v", "u", None]).dictionary_encode(), ("u", "v"), [1, 0, np.nan]),
        (pa.array([True, None, False]).dictionary_encode(), ("False", "True"), [1, np.nan, 0]),
        (pa.array([12, 3, None]).dictionary_encode(), ("3", "12"), [1, 0, np.nan]),
        (pa.array([0.5, None, 0.5]).dictionary_encode(), ("0.5",), [0, np.nan, 0]),
    ],
)
def test_text_and_dictionaries_of_all_types_are_categories_for_models(
    tmp_path, kind, values, known, numbers
):
    where = pa.table({"c": values, "a": [1.0, 2.0, 3.0]})
    more = {}
    if kind == "parquet" and pa.types.is_dictionary(values.type) and known[0] != "u":
        more = {"categorical": ["c"]}  # Arrow keeps dictionaries of text alone in Parquet
    if kind != "table":
        write = pq.write_table if kind == "parquet" else pa.feather.write_feather
        write(where, tmp_path / f"t.{kind}")
        where = tmp_path / f"t.{kind}"
    source = coded(open_rows(where, **more))
    assert source.encoding.categories == {"c": known}
    np.testing.assert_array_equal(read(source)[0], np.column_stack([numbers, [1, 2, 3]]))


def test_categories_of_models_leave_float32_as_it_is():
    table = pa.table({"a": pa.array([1.5], pa.float32()), "c": ["u"], "b": [True]})
    assert read(coded(open_rows(table)))[0].dtype == np.float32
    table = table.append_column("d", pa.array([0.1]))
    assert read(coded(open_rows(table)))[0].dtype == np.float64


@pytest.mark.parametrize("kind", KINDS)
def test_models_take_more_categories_than_can_be_columns(tmp_path, kind):
    frame = pd.DataFrame({"c": [f"v{i:04}" for i in range(1001)], "y": 1.0})
    source = coded(open_rows(put(tmp_path, frame, kind), "y"))
    assert read(source)[0][:, 0].tolist() == list(range(1001))


@pytest.mark.parametrize("kind", KINDS)
@same_folder
@given(rare=st.integers(0, 60), seed=st.integers(0, 9))
def test_of_too_many_categories_the_commonest_are_told_apart_in_bounded_memory(
    tmp_path, small_blocks, monkeypatch, kind, rare, seed
):
    monkeypatch.setattr(categories, "MOST", 6)
    held = []
    whole = categories.Vocabulary.add

    def add(self, counts):
        whole(self, counts)
        held.append(len(self.counts))

    monkeypatch.setattr(categories.Vocabulary, "add", add)
    common = [f"often{i}" for i in range(4)]
    values = np.array([*common * (2 * rare + 5), *(f"rare{i}" for i in range(rare))], object)
    np.random.default_rng(seed).shuffle(values)
    frame = pd.DataFrame({"c": values, "a": 1.0})
    source = coded(open_rows(put(tmp_path, frame, kind)))
    known = source.encoding.categories["c"]
    assert set(common) <= set(known)
    assert len(known) == min(6, 4 + rare)
    assert max(held) <= 12
    wanted = numbered(frame["c"], list(known))
    np.testing.assert_array_equal(read(source)[0][:, 0], wanted)
    assert (wanted == len(known)).sum() == max(0, rare - 2)


def test_vocabularies_count_alike_in_one_go_and_merged(monkeypatch):
    monkeypatch.setattr(categories, "MOST", 3)
    one, other = categories.Vocabulary(), categories.Vocabulary()
    one.add([("u", 5), ("v", 1), ("w", 2)])
    other.add([("v", 3), ("x", 2), ("w", 1)])
    assert (one.known(), one.is_cut) == (("u", "v", "w"), False)
    one.merge(other)
    assert (one.known(), one.is_cut) == (("u", "v", "w"), True)
    assert one.counts == {"u": 5, "v": 4, "w": 3}


def test_more_categories_than_are_told_apart_cannot_be_given(monkeypatch):
    monkeypatch.setattr(choice, "MOST", 2)
    table = pa.table({"c": ["u"]})
    assert open_rows(table, categorical={"c": ["u", "v"]}).n_columns == 2
    with pytest.raises(ParameterError, match=r"3 categories, more than 2, .* column 'c': leave"):
        open_rows(table, categorical={"c": ["u", "v", "w"]})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_identity_of_rows_for_models_tells_apart_what_is_a_category(tmp_path, kind):
    path = put(tmp_path, pd.DataFrame({"k": [1, 2], "a": [0.5, 1.5]}), kind)
    ways = [{}, {"categorical": ["k"]}, {"categorical": {"k": [2, 1]}}]
    found = [str(coded(open_rows(path, **way)).identity()) for way in ways]
    assert len(set(found)) == len(found)


def test_identity_of_rows_for_models_tells_missing_words_apart(tmp_path):
    path = put(tmp_path, pd.DataFrame({"c": ["u", "v"]}), "csv")
    found = [coded(open_rows(path, missing=words)).identity() for words in ((), ["u"], ["v"])]
    assert found[0] != found[1] != found[2] != found[0]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_parts_and_other_files_of_what_was_opened_for_reading_serve_models(tmp_path, kind):
    frame = pd.DataFrame({"c": ["u", "v"], "a": [1.0, 2.0]})
    paths = [put(tmp_path, frame, kind, name) for name in "01"]
    source = open_rows(paths)
    wanted = [[0, 1], [1, 2]]
    assert read(coded(source.open_same(paths[0])))[0].tolist() == wanted
    assert [read(coded(part))[0].tolist() for part in source.parts(2)] == [wanted, wanted]


# ------------------------------------------------------------------------------------ bad rows


@pytest.mark.parametrize("kind", KINDS)
@same_folder
@given(data=st.data(), n_rows=st.integers(1, 40), size=st.integers(1, 9))
def test_bad_rows_are_named_exactly_and_skipped_exactly(
    tmp_path, small_blocks, kind, data, n_rows, size
):
    frame = pd.DataFrame(np.arange(n_rows * 3.0).reshape(-1, 3), columns=["a", "b", "y"])
    frame["w"] = 1.0
    kinds = st.sampled_from([("a", np.nan), ("b", np.inf), ("y", np.nan), ("w", -1.0)])
    bad = data.draw(st.dictionaries(st.integers(0, n_rows - 1), kinds, min_size=1), label="bad")
    for row, (column, value) in bad.items():
        frame.loc[row, column] = value
    where = put(tmp_path, frame, kind)
    row = min(bad)
    unit, number = ("row", row + 1) if kind in NAMED else ("line", row + 2)
    refuse(rf", {unit} {number}, column '{bad[row][0]}': ", where, "y", weight="w")
    source = open_rows(where, "y", weight="w", on_bad_rows="skip")
    assert source.n_rows is None
    good = frame.drop(index=list(bad))
    if good.empty:
        with pytest.raises(DataError, match=f"no rows that can be used; {n_rows} were skipped"):
            read(source)
        return
    X, y, weight, skipped = read(source, size)
    np.testing.assert_array_equal(X, good[["a", "b"]])
    np.testing.assert_array_equal(y, good["y"])
    np.testing.assert_array_equal(weight, good["w"])
    assert skipped.count == len(bad)
    assert len(skipped.places) == min(len(bad), 5)
    assert read(source, 1000)[3] == skipped
    for place, row in zip(skipped.places, sorted(bad), strict=False):
        number = row + 1 if kind in NAMED else row + 2
        assert f", {unit} {number}, column '{bad[row][0]}': " in place
    k = len(good) // 2
    same(read(source, size, k)[:3], (X[k:], y[k:], weight[k:]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_with_nothing_but_bad_rows_tells_of_them(tmp_path, small_blocks, kind):
    frames = [pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"a": [np.inf] * 3})]
    if kind == "table":
        where = put(tmp_path, pd.concat(frames), kind)
    else:
        where = [put(tmp_path, f, kind, str(i)) for i, f in enumerate(frames)]
    parts = open_rows(where, on_bad_rows="skip").parts(2)
    assert sum(c.skipped.count for part in parts for c in part.chunks(5)) == 3
    assert sum(len(c.X) for part in parts for c in part.chunks(5)) == 2


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"a": [1.0, None], "y": [1, 2]}, "row 2, column 'a': missing value: impute it"),
        ({"a": pd.array([None, True], "boolean"), "y": [1, 2]}, "row 1, column 'a': missing"),
        ({"a": [1.0, np.inf], "y": [1, 2]}, "row 2, column 'a': inf is not finite"),
        ({"a": ["u", "v"], "y": [1, 2]}, r"column 'a': holds text, not .*categorical=\['a'\]"),
        ({"a": pd.to_datetime(["2020", "2021"]), "y": [1, 2]}, "column 'a': holds timestamp"),
        ({"a": [1, 2], "y": [None, "v"]}, "row 1, column 'y': the target is missing"),
        ({"a": [1, 2], "y": pd.array([1, None], "Int64")}, "row 2, column 'y': the target is mis"),
        (
            {"a": [1, 2], "y": [1.0, np.inf]},
            "row 2, column 'y': the target is .*not finite .found inf",
        ),
        (
            {"a": [1, 2], "y": pd.to_datetime(["2020", "2021"])},
            "column 'y': holds .*, not numbers or text",
        ),
        ({"a": [1, 2], "z": [1, 2]}, "no target column 'y'; nearest of 2: "),
        ({"a": np.zeros(0), "y": np.zeros(0)}, "no rows"),
    ],
)
@pytest.mark.parametrize("kind", NAMED)
def test_errors_say_where_and_what_to_do(tmp_path, kind, frame, said):
    refuse(said, put(tmp_path, pd.DataFrame(frame), kind), "y")


@pytest.mark.parametrize("kind", ["csv.gz", "parquet", "feather", "npy"])
@same_folder
@given(data=st.data())
def test_a_truncated_file_is_a_data_error_even_where_bad_rows_are_skipped(tmp_path, kind, data):
    frame = pd.DataFrame({"a": np.arange(300.0), "y": 1.0})
    path = put(tmp_path, frame, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    target = None if kind == "npy" else "y"
    said = refuse(None, path, target, on_bad_rows="skip")
    assert str(path) in said


def test_a_parquet_file_damaged_in_the_middle_is_a_data_error(tmp_path):
    path = put(tmp_path, frame_of(500), "parquet", rows=500)
    content = bytearray(path.read_bytes())
    content[20:60] = b"\xff" * 40
    path.write_bytes(content)
    assert str(path) in refuse("not a readable Parquet file", path, columns=["a"])


# ------------------------------------------------------------------------------ where files are


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "npy"])
def test_folders_patterns_and_lists(tmp_path, kind):
    for i in (2, 1, 3):
        put(tmp_path, pd.DataFrame({"x0": [i], "x1": [0]}), kind, f"p{i}")
    (tmp_path / ".hidden").write_text("no")
    (tmp_path / "_SUCCESS").touch()

    def rows(where):
        return read(open_rows(where))[0][:, 0].tolist()

    assert rows(tmp_path) == rows(str(tmp_path)) == [1, 2, 3]
    assert rows(str(tmp_path / f"p[12].{kind}")) == [1, 2]
    assert rows(tmp_path / "*") == [1, 2, 3]
    assert rows([tmp_path / f"p3.{kind}", str(tmp_path / f"p1.{kind}")]) == [3, 1]


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_columns_of_other_files_go_by_name(tmp_path, kind):
    paths = [
        put(tmp_path, pd.DataFrame({"a": [1.0], "b": [2.0]}), kind, "1"),
        put(tmp_path, pd.DataFrame({"b": [4.0], "a": [3.0]}), kind, "2"),
    ]
    assert read(open_rows(paths))[0].tolist() == [[1, 2], [3, 4]]
    paths.append(put(tmp_path, pd.DataFrame({"b": [4.0], "c": [3.0]}), kind, "3"))
    said = refuse("columns differ from those of .*: lacks 'a', has besides 'c'", paths)
    assert said.startswith(str(paths[2]))


def test_files_of_one_target_in_numbers_and_in_words_are_refused(tmp_path):
    one = put(tmp_path, pd.DataFrame({"a": [1.0], "y": [1]}), "parquet", "1")
    two = put(tmp_path, pd.DataFrame({"a": [1.0], "y": ["u"]}), "parquet", "2")
    assert str(two) in refuse("the target 'y' holds .*string.*1.parquet int64", [one, two], "y")


def test_places_without_rows_are_refused(tmp_path):
    refuse("no such file", tmp_path / "absent.csv")
    refuse("no file matches this pattern", tmp_path / "*.csv")
    refuse("the folder holds no files", tmp_path)
    (tmp_path / "e.csv").touch()
    refuse("the file is empty", tmp_path / "e.csv")
    (tmp_path / "e.csv").write_text("a\n1\n")
    put(tmp_path, frame_of(3), "parquet")
    refuse("of another kind than e.csv", [tmp_path / "e.csv", tmp_path / "t.parquet"])
    (tmp_path / "notes.md").write_text("x")
    refuse("notes.md: unknown kind of file; its name must end in .csv", tmp_path)
    (tmp_path / "folder").mkdir()
    refuse("holds the folder 'folder'", tmp_path)
    (tmp_path / "folder.csv").mkdir()
    refuse("folder.csv: not a file", [tmp_path / "folder.csv"])


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_an_arrow_data_set_is_its_files(tmp_path, kind):
    for i in (1, 2):
        put(tmp_path, frame_of(10, i), kind, str(i))
    source = open_rows(ds.dataset(tmp_path, format=kind), "y", columns=["a", "b"])
    X, y, *_ = read(source)
    both = pd.concat([frame_of(10, 1), frame_of(10, 2)])
    np.testing.assert_array_equal(X, both[["a", "b"]])
    np.testing.assert_array_equal(y, both["y"])


def test_an_arrow_data_set_must_have_local_files_of_a_kind_that_is_read(tmp_path):
    with pytest.raises(ParameterError, match="InMemoryDataset is not of files on this machine"):
        open_rows(ds.dataset(pa.table({"a": [1.0]})))
    (tmp_path / "sub").mkdir()
    with pytest.raises(DataError, match="the pyarrow Dataset has no files"):
        open_rows(ds.dataset(tmp_path / "sub", format="parquet"))
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(DataError, match=r"t\.json: unknown kind of file"):
        open_rows(ds.dataset([str(tmp_path / "t.json")], format="json", schema=pa.schema([])))
    away = pa.fs.SubTreeFileSystem(str(tmp_path), pa.fs.LocalFileSystem())
    with pytest.raises(ParameterError, match="not of files on this machine"):
        open_rows(ds.dataset("t.json", filesystem=away, format="json"))


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "feather"])
def test_folders_that_stand_for_columns_give_them(tmp_path, kind):
    for year in (1, 12):
        (tmp_path / f"year={year}" / "place=Bern%2FKöniz").mkdir(parents=True)
        put(tmp_path / f"year={year}" / "place=Bern%2FKöniz", frame_of(3, year), kind)
    both = pd.concat([frame_of(3, 1), frame_of(3, 12)])
    places = [tmp_path, f"{tmp_path}/**/*.{kind}", sorted(tmp_path.glob(f"*/*/*.{kind}"))]
    if kind != "csv.gz":
        places.append(ds.dataset(tmp_path, format=kind, partitioning="hive"))
    for where in places:
        source = open_rows(where, "y", categorical=["colour", "place"])
        assert {"a", "b", "w", "year", "place=Bern/Köniz"} < set(source.feature_names)
        source = open_rows(where, "year", columns=["b", "a"])
        X, y, *_ = read(pickle.loads(pickle.dumps(source)), 4)
        np.testing.assert_array_equal(X, both[["b", "a"]])
        assert y.tolist() == [1] * 3 + [12] * 3
        assert [len(read(part)[0]) for part in source.parts(2)] == [3, 3]
        alone = open_rows(where, columns=["year"], weight="w")
        assert read(alone)[0].tolist() == [[1]] * 3 + [[12]] * 3
    inside = open_rows(f"{tmp_path}/year=1/*/*.{kind}", "y", columns=["a"])
    assert len(read(inside)[0]) == 3
    with pytest.raises(DataError, match="needed columns are missing: 'year'"):
        open_rows(f"{tmp_path}/year=1/*/*.{kind}", columns=["year"])


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_columns_that_unnamed_folders_of_a_data_set_stand_for_are_read(tmp_path, kind):
    for year in (1, 2):
        (tmp_path / str(year)).mkdir()
        put(tmp_path / str(year), frame_of(3), kind)
    dataset = ds.dataset(tmp_path, format=kind, partitioning=["year"])
    assert read(open_rows(dataset, "year", columns=["a"]))[1].tolist() == [1] * 3 + [2] * 3


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_values_of_folders_may_be_missing_or_beyond_int64(tmp_path, kind):
    large = str(10**30)
    for value in (large, "7", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / f"k={value}").mkdir()
        put(tmp_path / f"k={value}", frame_of(2), kind)
    for where in (tmp_path, ds.dataset(tmp_path, format=kind, partitioning="hive")):
        source = open_rows(where, "k", columns=["a"], target_type="text", on_bad_rows="skip")
        _, y, _, skipped = read(source)
        assert sorted(y) == [large, large, "7", "7"]
        assert skipped.count == 2


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_a_filtered_data_set_is_refused(tmp_path, kind):
    dataset = ds.dataset(put(tmp_path, frame_of(9), kind), format=kind)
    with pytest.raises(ParameterError, match=r"carries a filter.*\.where\(mask\)"):
        open_rows(dataset.filter(ds.field("a") > 0), "y", columns=["a"])
    assert len(read(open_rows(dataset, "y", columns=["a"]))[0]) == 9


def test_a_tilde_is_the_home_folder_unless_a_file_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    put(tmp_path, frame_of(4), "csv")
    put(tmp_path, frame_of(2), "csv", "~nobody-of-this-name")
    for where in ("~/t.csv", "~/t.*", ["~/t.csv"]):
        assert len(read(open_rows(where, columns=["a"]))[0]) == 4
    assert len(read(open_rows("~nobody-of-this-name.csv", columns=["a"]))[0]) == 2


@pytest.mark.parametrize("where", ["https://x.org/a.csv", ["s3://bucket/a.parquet"]])
def test_addresses_are_refused_as_they_were_written(where):
    address = where if isinstance(where, str) else where[0]
    assert refuse("only files on this machine are read", where).startswith(f"{address}: ")


def test_npy_matrices_are_mapped_and_their_columns_are_numbered(tmp_path):
    path = tmp_path / "t.npy"
    matrix = np.asfortranarray(np.arange(40, dtype=">f8").reshape(10, 4))
    np.save(path, matrix)
    source = open_rows(path, -1, weight=0, columns=[2, 1])
    assert (source.n_rows, source.feature_names) == (10, ("x2", "x1"))
    X, y, weight, _ = read(source, 3)
    np.testing.assert_array_equal(X, matrix[:, [2, 1]])
    np.testing.assert_array_equal(y, matrix[:, 3])
    np.testing.assert_array_equal(weight, matrix[:, 0])
    assert len(pickle.dumps(source)) < 2000
    first = open_rows(path, 0)
    np.save(tmp_path / "test.npy", matrix[:, 1:])
    test = first.open_same(tmp_path / "test.npy")
    assert (test.n_targets, test.feature_names) == (None, ("x1", "x2", "x3"))
    same(read(test)[:1], read(first)[:1])
    assert open_rows(path, names=list("abcd")).feature_names == tuple("abcd")
    refuse("3 names for 4 columns", path, names=list("abc"))
    matrix[4, 1] = np.nan
    np.save(path, matrix)
    refuse("row 5, column 'x1': missing value", path)
    for wrong in (np.zeros(3), np.array([["u"]]), np.array([[{}]])):
        np.save(path, wrong)
        refuse("must hold a matrix of numbers|not a readable NPY", path)


# --------------------------------------------------------------------------------- other files


@pytest.mark.parametrize("kind", KINDS)
def test_open_same_opens_other_files_without_target(tmp_path, kind):
    frame = frame_of(30)
    source = open_rows(put(tmp_path, frame, kind), "y", weight="w", categorical=["colour"])
    new = frame_of(5, 1)[["b", "colour", "a"]]
    other = source.open_same(put(tmp_path, new, kind, "new"))
    assert other.n_targets is None
    assert not other.weighted
    assert other.feature_names == source.feature_names
    np.testing.assert_array_equal(read(other)[0][:, [0, -1]], new[["a", "b"]])
    again = source.open_same(put(tmp_path, frame, kind, "again"))
    same(read(again), read(source))


@pytest.mark.parametrize("kind", KINDS)
def test_open_same_opens_other_files_without_weight_and_from_some_rows_too(tmp_path, kind):
    frame = frame_of(9)
    source = open_rows(put(tmp_path, frame, kind), "y", columns=["a"], weight="w")
    test = put(tmp_path, frame[["y", "a"]], kind, "test")
    for some in (source, source.head(4), source.where(frame["b"] > 0).rows(1)):
        other = some.open_same(test)
        assert not other.weighted
        same(read(other)[:2], (frame[["a"]].to_numpy(), frame["y"].to_numpy(str)))


def test_open_same_tells_what_is_missing_of_files_without_names_by_their_width(tmp_path):
    np.save(tmp_path / "train.npy", np.arange(10.0).reshape(2, 5))
    np.save(tmp_path / "three.npy", np.arange(6.0).reshape(2, 3))
    np.save(tmp_path / "four.npy", np.arange(8.0).reshape(2, 4))
    source = open_rows(tmp_path / "train.npy", 4, weight=0)
    other = source.open_same(tmp_path / "three.npy")
    assert (other.n_targets, other.weighted, other.n_columns) == (None, False, 3)
    with pytest.raises(DataError, match="is it the target or the weight that it lacks"):
        source.open_same(tmp_path / "four.npy")
    assert (
        open_rows(tmp_path / "train.npy", weight=0).open_same(tmp_path / "four.npy").n_columns == 4
    )


def test_rows_of_arrays_have_no_open_same():
    some = SelectedSource(ArraySource(np.zeros((2, 1))), np.array([True, False]))
    with pytest.raises(
        ParameterError, match=r"open_same is for rows of files .*, found those of ArraySource"
    ):
        some.open_same("t.csv")


def test_open_same_takes_another_kind_of_file_and_words_of_digits_stay_words(tmp_path):
    train = put(tmp_path, pd.DataFrame({"a": [1, 2], "y": ["1", "u"]}), "csv")
    source = open_rows(train, "y")
    _, y, *_ = read(
        source.open_same(put(tmp_path, pd.DataFrame({"a": [1], "y": [1]}), "csv", "test"))
    )
    assert y.tolist() == ["1"]
    table = pa.table({"y": ["u"], "a": [3.0]})
    assert read(source.open_same(table))[1].tolist() == ["u"]


@pytest.mark.parametrize("kind", NAMED)
def test_the_target_of_other_files_is_of_the_same_type(tmp_path, kind):
    words = put(tmp_path, pd.DataFrame({"a": [1.0], "y": ["1"]}), kind, "words")
    numbers = put(tmp_path, pd.DataFrame({"a": [1.0], "y": [1]}), kind, "numbers")
    assert read(open_rows(words, "y").open_same(numbers))[1].tolist() == ["1"]
    with pytest.raises(DataError, match=r"column 'y': holds .*string, not numbers;"):
        open_rows(numbers, "y").open_same(words)


# ------------------------------------------------------------------------------------ identity


def test_identity_changes_with_the_files_and_with_what_is_read(tmp_path):
    path = put(tmp_path, frame_of(20), "csv", "data")
    found = open_rows(path, "y", columns=["a"]).identity()
    assert found["file 1"].startswith("data.csv, ")
    assert f" {path.stat().st_size} bytes" in found["file 1"]
    assert open_rows(path, "y", columns=["a"]).identity() == found
    others = [
        open_rows(path, "y", columns=["b"]),
        open_rows(path, "w", columns=["a"]),
        open_rows(path, ["w"], columns=["a"]),
        open_rows(path, "y", columns=["a"], weight="w"),
        open_rows(path, "y", columns=["a"], on_bad_rows="skip"),
        open_rows(path, "y", columns=["a"], target_type="text"),
    ]
    found = [one.identity() for one in others] + [found]
    put(tmp_path, frame_of(20, 1), "csv", "data")
    found.append(open_rows(path, "y", columns=["a"]).identity())
    assert len({str(one) for one in found}) == len(found)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_identity_tells_files_of_one_name_and_parts_apart(tmp_path, kind):
    paths = []
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
        paths.append(put(tmp_path / folder, frame_of(10 * int(folder)), kind, "data"))
    source = open_rows(paths, columns=["a"])
    found = source.identity()
    for path, name in zip(paths, ("file 1", "file 2"), strict=True):
        stat = path.stat()
        assert found[name].startswith(f"data.{kind}, ")
        assert found[name].endswith(f"{stat.st_size} bytes, last changed at {stat.st_mtime_ns} ns")
    parts = [part.identity() for part in source.parts(2)]
    assert parts[0] != parts[1] != found


def test_identity_of_a_table_is_that_of_its_values():
    one = pa.table({"a": [1.0, 2.0], "y": ["u", "v"]})
    two = pa.table({"a": [1.0, 2.5], "y": ["u", "v"]})
    split = pa.concat_tables([one.slice(0, 1), one.slice(1)])
    found = open_rows(one, "y").identity()
    assert open_rows(split, "y").identity() == found
    assert open_rows(two, "y").identity() != found


# ---------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"target": "a", "columns": ["a"]},
            "'a' is asked for twice: as target column and as feature",
        ),
        (
            {"target": "a", "weight": "a"},
            "'a' is asked for twice: as target column and as weight column",
        ),
        ({"columns": ["a", 0]}, "'a' is asked for twice: as feature and as feature"),
        ({"columns": []}, "columns must be a list of at least 1"),
        ({"columns": "a"}, "columns must be a list"),
        ({"categorical": "a"}, "categorical must be a list"),
        ({"categorical": {"a": []}}, "categories of column 'a' must be at least one"),
        ({"categorical": {"a": ["u", "u"]}}, "each named once"),
        ({"categorical": {"a": ["1", 1.0]}}, "each named once"),
        ({"categorical": {"a": "uv"}}, "categories of column 'a' must be a list of them, found 'u"),
        ({"categorical": {"a": 2}}, "categories of column 'a' must be a list of them, found 2"),
        ({"target": []}, "target must be a list of at least 1"),
        ({"target": 1.5}, "target must be names or places"),
        ({"columns": [True]}, "columns must be names or places"),
        ({"on_bad_rows": "drop"}, "on_bad_rows must be one of raise, skip, found 'drop'"),
        ({"target_type": "int"}, "target_type must be one of auto, text, number"),
        ({"delimiter": ",,"}, "delimiter must be one character"),
        ({"delimiter": '"'}, "delimiter must be one character"),
        ({"delimiter": "§"}, "ASCII"),
        ({"names": ["a", "a"]}, "names must name each column once"),
        ({"names": ["a", "b"]}, "names and header=False are for CSV"),
        ({"header": False}, "names and header=False are for CSV"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_at_once(arguments, said):
    with pytest.raises(ParameterError, match=said):
        open_rows(pa.table({"a": [1.0], "b": [1.0]}), **arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"target": "A"}, "no target column 'A'; nearest of 2: 'a'"),
        ({"weight": "A"}, "no weight column 'A'"),
        ({"target": 2}, "no column 2; there are 2, from 0 on"),
        ({"columns": ["a", "c"]}, "1 of 2 needed columns are missing: 'c'"),
        ({"categorical": ["c"]}, "no categorical feature 'c'"),
        ({"target": "a", "categorical": ["a"]}, "no categorical feature 'a'"),
        ({"target": ["a", "b"]}, "no feature columns"),
    ],
)
def test_columns_that_are_not_there_are_refused_at_once(arguments, said):
    with pytest.raises(DataError, match=said):
        open_rows(pa.table({"a": [1.0], "b": [1.0]}), **arguments)


@pytest.mark.parametrize("where", [3, None, [], [3], np.zeros((2, 2)), pd.DataFrame({"a": [1]})])
def test_what_is_no_place_is_refused(where):
    with pytest.raises(ParameterError, match="where must"):
        open_rows(where)


def test_a_source_is_returned_as_it_is_and_takes_no_other_argument():
    source = ArraySource(np.zeros((2, 1)))
    assert open_rows(source) is source
    for arguments in ({"target": "y"}, {"categorical": ["a"]}, {"delimiter": ";"}):
        with pytest.raises(ParameterError, match="knows its columns already"):
            open_rows(source, **arguments)


def test_importing_the_reader_stays_light():
    code = (
        "import sys, densernn.sources.open\n"
        "sys.exit(', '.join({'pandas', 'dask'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
