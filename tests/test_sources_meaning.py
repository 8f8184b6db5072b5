"""What a user expects of rows in files: options for CSV, odd files, and advice that works."""

import bz2
import gzip
import lzma
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from densernn import RNNELMClassifier, open_rows
from densernn.cli.commands import densernn
from densernn.errors import DataError, ParameterError
from densernn.sources.encoded import coded
from densernn.sources.formats import csv as csv_format
from densernn.sources.load import read_table


def put(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(where, *arguments, **keywords):
    """X, y, and how many rows were skipped."""
    chunks = list(open_rows(where, *arguments, **keywords).chunks(100))
    y = None if chunks[0].y is None else np.concatenate([c.y for c in chunks]).tolist()
    skipped = sum(c.skipped.count for c in chunks)
    return np.concatenate([c.X for c in chunks]).tolist(), y, skipped


def refusal(where, *arguments, **keywords):
    with pytest.raises(DataError) as caught:
        read(where, *arguments, **keywords)
    return str(caught.value)


# ----------------------------------------------------------------------------- compressed text


@pytest.mark.parametrize("stem", ["t.csv", "t.data", "t.txt", "t.tsv", "T.TAB"])
@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_text_is_read_by_its_ending_packed_or_not(tmp_path, stem, packed):
    pack = {
        "": bytes,
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
    }
    mark = "\t" if stem.lower().endswith((".tsv", ".tab")) else ","
    text = f"a{mark}b\n" + "".join(f"{i}{mark}{i / 4}\n" for i in range(1000))
    path = put(tmp_path, pack[packed](text.encode()), stem + packed)
    table = read_table(path, target="b")
    np.testing.assert_array_equal(table.X[:, 0], np.arange(1000))
    np.testing.assert_array_equal(table.y, np.arange(1000) / 4)
    if packed:
        whole = path.read_bytes()
        flipped = whole[:30] + bytes([whole[30] ^ 255]) + whole[31:]
        # Arrow writes Zstandard without a checksum, which the format leaves open.
        for wrong in (whole[: len(whole) // 2], whole[:-3], *([flipped] * (packed != ".zst"))):
            path.write_bytes(wrong)
            assert "damaged" in refusal(path)


def test_a_gzip_file_with_a_wrong_checksum_is_refused_and_one_with_padding_is_read(tmp_path):
    content = bytearray(gzip.compress(b"a\n" + b"1\n" * 100))
    path = put(tmp_path, bytes(content) + bytes(512), "t.csv.gz")
    assert len(read(path)[0]) == len(read_table(path).X) == 100
    two = put(tmp_path, gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"), "two.csv.gz")
    assert read(two)[0] == [[1], [2]]
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    assert "damaged gzip file" in refusal(path)
    assert "damaged gzip file" in refusal(path, on_bad_rows="skip")


# -------------------------------------------------------------------------- how it is written


@pytest.mark.parametrize(
    ("cells", "options", "numbers"),
    [
        (["1,5", "-2"], {"decimal": ","}, [1.5, -2]),
        ([" 1,5", "2e3 "], {"decimal": ","}, [1.5, 2000]),
        (["1.5", "2e3 "], {}, [1.5, 2000]),
    ],
)
def test_numbers_are_read_as_people_write_them(tmp_path, cells, options, numbers):
    path = put(tmp_path, "a;y\n" + "".join(f"{cell};{cell}\n" for cell in cells))
    X, y, _ = read(path, "y", delimiter=";", **options)
    assert [row[0] for row in X] == y == numbers
    both = read(path, ["y"], delimiter=";", weight=None, **options)
    assert both[1] == [[number] for number in numbers]


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("1.5", {"decimal": ","}),
        ("1,5,0", {"decimal": ","}),
        ("1.234,5", {"decimal": ","}),
        ("1,234.5", {}),
    ],
)
def test_what_is_no_number_in_that_way_does_not_become_one(tmp_path, cell, options):
    path = put(tmp_path, f"a;b\n1;1\n{cell};2\n")
    assert "line 3, column 'a'" in refusal(path, delimiter=";", **options)


def test_lines_before_the_header_are_left_out_and_lines_stay_right(tmp_path):
    path = put(tmp_path, "# made by x\n#, y, z\n# 7\na,y\n1,2\n#x\n# a, b, c\n3,4\nbad,6\n")
    assert "line 1 ('# made by x') is a comment, not names: say skip_rows=3 (-" in refusal(path)
    said = refusal(path, "y", skip_rows=3)
    assert said.startswith(f"{path}, line 6: expected 2 fields, found 1")
    assert read(path, "y", skip_rows=3, on_bad_rows="skip") == ([[1], [3]], [2, 4], 3)
    quote = put(tmp_path, '"left open\na,y\n1,2\nx,3\n', "quote.csv")
    assert refusal(quote, "y", skip_rows=1).startswith(f"{quote}, line 4, column 'a': 'x'")
    late = put(tmp_path, 'Report of today\nwith "quotes\na,y\n1,2\nx,4\n', "late.csv")
    assert refusal(late, "y", skip_rows=2).startswith(f"{late}, line 5, column 'a'")
    bare = put(tmp_path, "Report\n1,2\n3,4\n", "bare.csv")
    assert read(bare, header=False, skip_rows=1)[0] == [[1, 2], [3, 4]]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
def test_text_in_other_encodings(tmp_path, encoding):
    path = put(tmp_path, "größe,y\n1,è\n2,é\n".encode(encoding))
    source = open_rows(path, "y", encoding=encoding)
    assert source.feature_names == ("größe",)
    assert read(path, "y", encoding=encoding)[:2] == ([[1], [2]], ["è", "é"])
    if encoding == "utf-16":
        odd = put(tmp_path, "a\n1\n".encode(encoding) + b"\x00", "odd.csv")
        assert "truncated data" in refusal(odd, encoding=encoding)
        late = put(tmp_path, ("a\n" + "1\n" * 9999).encode(encoding) + b"\x00", "late.csv")
        assert "truncated data" in refusal(late, encoding=encoding)
        late = put(tmp_path, ("a\nx\n" + "1\n" * 2500).encode(encoding) + b"\x00", "late.csv")
        assert "truncated data" in refusal(late, encoding=encoding)


def test_delimiters_at_the_end_of_lines(tmp_path):
    path = put(tmp_path, "a,b,y,\n1,2,0,\n3,4,1,\n")
    assert read(path, "y")[:2] == read(path, -1)[:2] == ([[1, 2], [3, 4]], [0, 1])
    assert "column 4 has no name; drop it" in refusal(put(tmp_path, "a,b,y,\n1,2,0,7\n"), "y")
    assert read(path, "y", columns=["a"])[0] == [[1]]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"decimal": ";;"}, "decimal must be one character"),
        ({"decimal": "1"}, "no letter, sign"),
        ({"skip_rows": -1}, "skip_rows must be a number of lines"),
        ({"encoding": "klingon"}, "encoding must name one of text"),
        ({"encoding": "base64"}, "encoding must name one of text"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, option, said):
    with pytest.raises(ParameterError, match=said):
        open_rows(put(tmp_path, "a\n1\n"), **option)


# -------------------------------------------------------------------------------------- labels


@pytest.mark.parametrize("way", ["memory", "stream", "part"])
@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        (["01234", "1234"], ["01234", "1234"]),
        (["0x10", "16"], ["0x10", "16"]),
        (["\uff11", "1"], ["\uff11", "1"]),
        (["9223372036854775808", "9223372036854775809"], None),
        (["9007199254740992", "9007199254740993"], [2**53, 2**53 + 1]),
        (["-0", "1"], [0, 1]),
        (["1e1", "2"], [10, 2]),
    ],
)
def test_two_labels_stay_two_however_they_are_read(tmp_path, labels, kept, way):
    path = put(tmp_path, "a,y\n" + "".join(f"1,{label}\n" for label in labels))
    if way == "memory":
        y = read_table(path, target="y").y.tolist()
    else:
        source = open_rows(path, "y")
        y = next((source.parts(1)[0] if way == "part" else source).chunks(9)).y.tolist()
    assert y == (labels if kept is None else kept)


def test_a_code_behind_numbers_is_refused_and_both_ways_out_work(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 8)
    path = put(tmp_path, "a,y\n" + "1,5\n" * 40 + "2,007\n")
    said = refusal(path, "y")
    assert "line 42, column 'y': '007' would lose zeros or digits" in said
    assert read(path, "y", target_type="text")[1][-1] == "007"
    assert read(path, "y", target_type="number")[1][-1] == 7
    assert read(path, "y", on_bad_rows="skip")[2] == 1


@pytest.mark.parametrize("kind", ["parquet", "feather", "table"])
def test_large_whole_labels_of_binary_files_stay_exact(tmp_path, kind):
    large = [2**64 - 1, 2**64 - 2]
    for y in (
        pa.array(np.array(large, np.uint64)),
        pa.array(map(Decimal, large), pa.decimal128(20, 0)),
    ):
        table = pa.table({"a": [1.0, 2.0], "y": y})
        where = store(tmp_path, table, kind)
        assert [int(label) for label in read(where, "y")[1]] == large


# -------------------------------------------------------------------------------- binary files


def store(folder, table, kind):
    path = folder / f"t.{kind}"
    if kind == "table":
        return table
    (pq.write_table if kind == "parquet" else pa.feather.write_feather)(table, path)
    return path


@pytest.mark.parametrize("kind", ["parquet", "feather", "table"])
@pytest.mark.parametrize("name", [None, "id"])
def test_an_index_of_pandas_is_no_feature_unless_asked_for(tmp_path, kind, name):
    frame = pd.DataFrame({"a": [1.0, 2.0], "y": [0, 1]}, index=pd.Index([7, 9], name=name))
    where = store(tmp_path, pa.Table.from_pandas(frame), kind)
    assert open_rows(where, "y").feature_names == ("a",)
    assert read(where, -1)[:2] == ([[1], [2]], [0, 1])
    index = name or "__index_level_0__"
    assert read(where, "y", columns=[index, "a"])[0] == [[7, 1], [9, 2]]
    words = store(tmp_path, pa.Table.from_pandas(frame.set_axis(["u", "v"])), kind)
    assert read(words, "y")[0] == [[1], [2]]


@pytest.mark.parametrize("kind", ["parquet", "feather", "table"])
def test_decimals_are_numbers_and_dates_get_no_advice_to_encode_them(tmp_path, kind):
    table = pa.table(
        {
            "d": pa.array([Decimal("1.00"), Decimal("2.00")]),
            "t": pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "l": [[1], [2]],
        }
    )
    where = store(tmp_path, table, kind)
    assert read(where, columns=["d"])[0] == [[1], [2]]
    for name in "tl":
        for more in ({}, {"categorical": [name]}):
            said = refusal(where, columns=[name], **more)
            assert f"column {name!r}: holds " in said
            assert "turn it into numbers" in said
            assert "categorical" not in said


# -------------------------------------------------------------------------------------- advice


@pytest.mark.parametrize(
    ("text", "options", "said", "then"),
    [
        ("a;y\n1,5;0\n2,5;1\n", {"delimiter": ";"}, "decimal=','", {"decimal": ","}),
        ("a;y\n1,234;0\n2,5;1\n", {"delimiter": ";"}, "decimal=','", {"decimal": ","}),
        ("a\ty\n1\t0\n2\t1\n", {}, "delimiter='\\t'", {"delimiter": "\t"}),
        ("a;y\n1;0\n2;1\n", {}, "delimiter=';'", {"delimiter": ";"}),
        ("% made by x\na,y\n1,0\n2,1\n", {}, "skip_rows=1", {"skip_rows": 1}),
        ("# a, b\na,y\n1,0\n2,1\n", {}, "skip_rows=1", {"skip_rows": 1}),
        ("# a\n# b, c\n1,0\n2,1\n", {"target": 1, "header": False}, "=2", {"skip_rows": 2}),
        ("sep=,\na,y\n1,0\n2,1\n", {}, "skip_rows=1", {"skip_rows": 1}),
        (
            "sep=;\na;b;y\n1;x;0\n2;y;1\n",
            {},
            "skip_rows=1",
            {"skip_rows": 1, "delimiter": ";", "columns": ["a"]},
        ),
        ("// x, y, z\na,y\n1,0\n2,1\n", {}, "skip_rows=1", {"skip_rows": 1}),
        ("1.5,0\n2.5,1\n", {}, "header=False", {"header": False, "target": -1}),
        ("a,y\nred,0\nblue,1\n", {}, "categorical=['a']", {"categorical": ["a"]}),
        ("a,y\ntrue,0\nfalse,1\n", {}, "categorical=['a']", {"categorical": ["a"]}),
        ("i,i,a,y\n1,1,1,0\n2,2,2,1\n", {}, "columns=", {"columns": ["a"]}),
        (",a,y\n0,1,0\n1,2,1\n", {}, "columns=", {"columns": ["a"]}),
    ],
)
def test_advice_works_when_it_is_followed(tmp_path, text, options, said, then):
    path = put(tmp_path, text)
    assert said in refusal(path, **{"target": "y", **options})
    X, y, _ = read(path, **{"target": "y", **options, **then})
    assert (len(X), y) == (2, [0, 1])


@pytest.mark.parametrize("cell", ["12%", "2020-01-31", "1/2/2020 12:30", "1,5", "12:30"])
def test_what_is_a_number_or_date_for_people_is_not_to_be_encoded(tmp_path, cell):
    path = put(tmp_path, f"a;y\n{cell};0\n{cell};1\n")
    said = refusal(path, "y", delimiter=";")
    assert f"line 2, column 'a': {cell!r} is not a number" in said
    assert "categorical" not in said


def read_coded(where, *arguments, **keywords):
    """X as models take it, and its categories."""
    source = coded(open_rows(where, *arguments, **keywords))
    X = np.concatenate([chunk.X for chunk in source.chunks(100)])
    return X.tolist(), source.encoding.categories


def refusal_coded(where, *arguments, **keywords):
    with pytest.raises(DataError) as caught:
        read_coded(where, *arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cells", "said", "then", "numbers"),
    [
        (["1,5", "2,5"], "decimal=','", {"decimal": ","}, [1.5, 2.5]),
        (["1,234", "2,5"], "decimal=','", {"decimal": ","}, [1.234, 2.5]),
        (["1,5", "2,5"], "categorical=", {"categorical": ["a"]}, [0, 1]),
        (["15%", "12%"], "categorical=", {"categorical": ["a"]}, [1, 0]),
        (["1,234.5", "$ 12"], "without signs or marks of", {"categorical": ["a"]}, [1, 0]),
    ],
)
def test_advice_for_models_works_when_it_is_followed(tmp_path, cells, said, then, numbers):
    path = put(tmp_path, "a;b\n" + "".join(f"{cell};3\n" for cell in cells))
    reason = refusal_coded(path, delimiter=";")
    assert f"{path}, column 'a': holds " in reason
    assert any(repr(cell) in reason for cell in cells)
    assert said in reason
    X, _ = read_coded(path, delimiter=";", **then)
    assert [[number, 3] for number in numbers] == X
    assert read_coded(path, delimiter=";", columns=["b"])[0] == [[3], [3]]


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "table"])
@pytest.mark.parametrize(
    ("cells", "is_refused"),
    [
        (["12%", "13%", "x"], True),
        (["12%", "x", "13%", "14%", "y", "5"], True),
        (["12%", "x"], False),
        (["12%", "13%", "x", "y", "5", "6"], False),
        (["1/2/2020", "2/2/2020", None], True),
        (["12-inch", "13-inch"], False),
        (["<=50K", ">50K"], False),
        (["3a", "3b"], False),
    ],
)
def test_texts_are_refused_for_models_where_most_are_numbers_for_people(
    tmp_path, kind, cells, is_refused
):
    if kind == "csv":
        where = put(tmp_path, "a;b\n" + "".join(f"{cell or ''};1\n" for cell in cells))
        options = {"delimiter": ";"}
    else:
        where, options = store(tmp_path, pa.table({"a": cells, "b": [1] * len(cells)}), kind), {}
    named = read_coded(where, categorical=["a"], **options)
    assert set(named[1]["a"]) == {cell for cell in cells if cell}
    if is_refused:
        assert "name it in categorical=" in refusal_coded(where, **options)
    else:
        assert read_coded(where, **options) == named


def test_numbers_with_the_decimal_mark_that_was_said_are_not_strange_to_models(tmp_path):
    rows = "".join(f"{i},5;{i}\n" for i in range(9))
    path = put(tmp_path, "a;b\n" + rows + "red;1\nblue;1\n")
    _, categories = read_coded(path, delimiter=";", decimal=",")
    assert {"red", "blue", "1,5"} < set(categories["a"])


# -------------------------------------------------------------------------------- missing values


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "table"])
def test_what_says_that_a_value_is_missing_may_be_said(tmp_path, kind):
    columns = {"a": [1, -999, 3], "c": ["u", "Unknown", "-999"], "y": ["unknown", "u", "-999"]}
    if kind == "csv":
        text = pd.DataFrame(columns).to_csv(index=False).replace("Unknown", " Unknown ")
        where = put(tmp_path, text)
    else:
        where = store(tmp_path, pa.table(columns), kind)
    for words in (["-999", "unknown"], [-999, " UNKNOWN"], (word for word in ("unknown", "-999"))):
        source = coded(open_rows(where, "y", missing=words))
        assert source.encoding.categories == {"c": ("u",)}
        (chunk,) = source.chunks(9)
        np.testing.assert_array_equal(chunk.X, [[1, 0], [np.nan, np.nan], [3, np.nan]])
        assert chunk.y.tolist() == columns["y"]  # targets are what they say
        (again,) = source.open_same(where).chunks(9)
        np.testing.assert_array_equal(again.X, chunk.X)
    (chunk,) = coded(open_rows(where, "y", missing=["u"])).chunks(9)
    assert chunk.X[1, 0] == -999
    assert np.isnan(chunk.X[:, 1]).tolist() == [True, False, False]


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "table"])
def test_a_word_for_missing_values_makes_a_bad_row_in_chunks(tmp_path, kind):
    frame = pd.DataFrame({"c": ["u", "unknown", "v"], "y": [1, 2, 3]})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    where = path if kind == "csv" else store(tmp_path, pa.Table.from_pandas(frame), kind)
    options = {"categorical": ["c"], "missing": ["unknown"]}
    said = refusal(where, "y", **options)
    assert "column 'c': missing value (found 'unknown')" in said
    assert read(where, "y", on_bad_rows="skip", **options) == ([[1, 0], [0, 1]], [1, 3], 1)


@pytest.mark.parametrize("kind", ["csv", "table"])
def test_a_number_that_says_missing_is_called_so(tmp_path, kind):
    where = put(tmp_path, "a\n1\n-999\n") if kind == "csv" else pa.table({"a": [1, -999]})
    assert "column 'a': missing value" in refusal(where, missing=[-999])


@pytest.mark.parametrize("cell", ["-999.0", "-999.", " -9.99e2"])
@pytest.mark.parametrize("word", [-999, "-999"])
def test_a_number_that_says_missing_may_be_written_in_any_way(tmp_path, cell, word):
    path = put(tmp_path, f"a\n1\n{cell}\n")
    np.testing.assert_array_equal(read_coded(path, missing=[word])[0], [[1], [np.nan]])


def test_a_number_that_says_missing_is_found_among_float32():
    table = pa.table({"a": pa.array([0.1, 0.25], pa.float32())})
    np.testing.assert_array_equal(read_coded(table, missing=[0.1])[0], [[np.nan], [0.25]])


@pytest.mark.parametrize("words", ["unknown", 3, None])
def test_words_for_missing_values_must_be_a_list(words):
    with pytest.raises(ParameterError, match="missing must be a list of texts or numbers, found"):
        open_rows(pa.table({"a": [1.0]}), missing=words)


def test_unused_columns_are_no_reason_to_refuse(tmp_path):
    wide = put(tmp_path, "a,b\n1," + "x" * 3_000_000 + "\n3,4\n", "wide.csv")
    assert read(wide, columns=["a"])[0] == [[1], [3]]
    (tmp_path / "f").mkdir()
    put(tmp_path / "f", "a,y\n1,0\n", "1.csv")
    put(tmp_path / "f", "extra,extra,y,a\n9,x,1,2\n", "2.csv")
    assert read(tmp_path / "f", "y", columns=["a"])[:2] == ([[1], [2]], [0, 1])
    assert "columns=" in refusal(tmp_path / "f", "y")
    pq.write_table(pa.table({"a": [1.0], "y": [0], "z": [[1]]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"y": [1], "a": [2.0], "q": [None]}), tmp_path / "2.parquet")
    assert read(tmp_path / "*.parquet", "y", columns=["a"])[0] == [[1], [2]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--delimiter", ";", "--decimal", ","],
        ["--delimiter", ";", "--decimal", ",", "--stream"],
    ],
)
def test_the_command_line_has_these_options_too(tmp_path, arguments):
    rows = "".join(f"{i},5;{i % 2};0{i % 2}\n" for i in range(40))
    path = put(tmp_path, "# x\na;b;y\n" + rows, "t.data")
    model = str(tmp_path / "m.skops")
    line = [str(path), "--skip-rows", "1", *arguments[:4]]
    fit = ["fit", *line, *arguments[4:], "--target", "y", "-o", model, "--n-hidden", "5"]
    done = CliRunner().invoke(densernn, fit)
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(densernn, ["predict", model, *line])
    assert done.exit_code == 0, done.output
    assert set(done.output.split()) <= {"prediction", "00", "01"}
    done = CliRunner().invoke(densernn, ["evaluate", *line, "--target", "y", "--n-hidden", "5"])
    assert done.exit_code == 0, done.output


# -------------------------------------------------------------------------------- damaged files


def damaged(whole, rng):
    """Copies of a file with bytes changed, cut and put in."""
    for _ in range(40):
        content = bytearray(whole)
        at = int(rng.integers(0, min(len(content), 400)))
        content[at : at + int(rng.integers(0, 4))] = rng.bytes(int(rng.integers(0, 4)))
        yield bytes(
            content[: int(rng.integers(1, len(content) + 1))] if rng.random() < 0.3 else content
        )


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet", "feather", "csv.gz"])
def test_no_reader_lets_a_foreign_error_through(tmp_path, kind):
    rng = np.random.default_rng(0)
    path = tmp_path / f"t.{kind}"
    X = rng.normal(size=(30, 3))
    if kind == "npy":
        np.save(path, X)
    elif kind == "npz":
        np.savez(path, X=X, y=np.arange(30))
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 30))
    else:
        store(tmp_path, pa.table({"a": X[:, 0], "b": X[:, 1]}), kind)
    said = []
    for content in damaged(path.read_bytes(), rng):
        path.write_bytes(content)
        try:
            read(path)
        except DataError as error:
            said.append(str(error))
    assert len(said) > 5
    assert all(str(path) in text for text in said)


def test_the_model_from_memory_has_the_bits_of_the_one_from_the_file(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(500, 4)), columns=list("abcd"))
    frame["y"] = np.where(frame["a"] > 0, "u", "v")
    path = tmp_path / "t.csv.gz"
    frame.to_csv(path, index=False)
    table = read_table(path, target="y")
    np.testing.assert_array_equal(table.X, frame[list("abcd")].to_numpy())
    whole = RNNELMClassifier(20, random_state=0).fit(table.X, table.y)
    streamed = RNNELMClassifier(20, random_state=0).fit(open_rows(path, "y"))
    np.testing.assert_array_equal(whole.readout_coef_, streamed.readout_coef_)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_skipped_rows_are_counted_once_where_a_pass_goes_on(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 60)
    a = np.arange(90.0)
    a[[0, 1, 17, 40, 41, 88, 89]] = np.nan
    frame = pd.DataFrame({"a": a, "b": 1.0})
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        frame.to_parquet(path, row_group_size=13)
    else:
        frame.to_csv(path, index=False)
    source = open_rows(path, on_bad_rows="skip")
    whole = list(source.chunks(10))
    assert sum(chunk.skipped.count for chunk in whole) == 7
    for done in range(1, len(whole)):
        rest = list(source.chunks(10, 10 * done))
        assert [c.skipped for c in rest] == [c.skipped for c in whole[done:]]
        for one, other in zip(rest, whole[done:], strict=True):
            np.testing.assert_array_equal(one.X, other.X)


@pytest.mark.parametrize("kind", ["csv", "npy"])
def test_other_files_without_names_in_folders_are_read_alike(tmp_path, kind):
    for k in (1, 2):
        folder = tmp_path / f"k={k}"
        folder.mkdir()
        rows = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]])
        if kind == "npy":
            np.save(folder / "p.npy", rows)
        else:
            np.savetxt(folder / "p.csv", rows, delimiter=",")
    source = open_rows(tmp_path, "y", names=["a", "b", "y"])
    (one,), (other,) = source.chunks(9), source.open_same(tmp_path).chunks(9)
    np.testing.assert_array_equal(one.X, [[1, 2, 1], [3, 4, 1], [1, 2, 2], [3, 4, 2]])
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.y, other.y)


@pytest.mark.parametrize(("name", "module"), [("t.csv.bz2", bz2), ("t.csv.xz", lzma)])
def test_every_member_of_a_packed_file_is_read_or_refused(tmp_path, name, module):
    first, second = (module.compress(part) for part in (b"a,y\n1,0\n", b"2,1\n3,0\n"))
    padded = put(tmp_path, first + bytes(512) + second + bytes(8), name)
    assert read(padded, "y") == ([[1.0], [2.0], [3.0]], [0, 1, 0], 0)
    damaged = bytearray(second)
    damaged[2] ^= 1
    for rest in (bytes(damaged), second[:-5], b"junk"):
        path = put(tmp_path, first + rest, name)
        assert "truncated or damaged" in refusal(path, "y")


def test_labels_of_several_files_stay_apart(tmp_path):
    columns = {
        "uint64": ([2**53 + 1, 2**53], pa.array([2**63 + 1], pa.uint64())),
        "decimal": ([2**53 + 1, 2**53], pa.array([Decimal(5)], pa.decimal128(15, 0))),
    }
    for name, (first, second) in columns.items():
        folder = tmp_path / name
        folder.mkdir()
        pq.write_table(pa.table({"a": [1.0, 1.0], "y": first}), folder / "0.parquet")
        pq.write_table(pa.table({"a": [1.0], "y": second}), folder / "1.parquet")
        assert len(set(read(folder, "y")[1])) == 3
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    pq.write_table(pa.table({"a": [1.0, 2.0], "y": [1, None]}), mixed / "0.parquet")
    pq.write_table(pa.table({"a": [3.0], "y": [True]}), mixed / "1.parquet")
    assert "row 2, column 'y': the target is missing" in refusal(mixed, "y")


def test_folders_with_zeros_in_front_are_text(tmp_path):
    for k in ("01", "1"):
        (tmp_path / f"k={k}").mkdir()
        pq.write_table(pa.table({"a": [1.0]}), tmp_path / f"k={k}" / "p.parquet")
    assert read(tmp_path, "k")[1] == ["01", "1"]


def test_patterns_leave_hidden_folders_out(tmp_path):
    for folder in (".ipynb_checkpoints", "_temporary/0", "."):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        put(tmp_path / folder, "a\n1\n", "x.csv")
    assert read(str(tmp_path / "**" / "*.csv"))[0] == [[1.0]]


def test_archives_of_another_byte_order_are_read_and_long_doubles_refused(tmp_path):
    X, y = np.arange(4.0).reshape(2, 2), np.array([0, 1])
    np.savez(tmp_path / "t.npz", X=X.astype(">f8"), y=y.astype(">i4"))
    assert read(tmp_path / "t.npz") == (X.tolist(), [0, 1], 0)
    np.save(tmp_path / "t.npy", X.astype(np.longdouble))
    assert "must hold a matrix of numbers" in refusal(tmp_path / "t.npy")


def test_notes_of_other_programs_and_indexes_in_some_files_are_no_obstacle(tmp_path):
    table = pa.table({"a": [1.0]})
    for note in (b"{nope", b"\xff"):
        assert read(table.replace_schema_metadata({"pandas": note}))[0] == [[1.0]]
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    frame.to_parquet(tmp_path / "0.parquet")
    frame.iloc[[0, 2]].to_parquet(tmp_path / "1.parquet")
    assert read(tmp_path)[0] == [[1.0], [2.0], [3.0], [1.0], [3.0]]


def test_a_changed_byte_of_a_page_with_a_checksum_is_noticed(tmp_path):
    path = tmp_path / "t.parquet"
    table = pa.table({"a": np.random.default_rng(0).normal(size=1000)})
    options = {"use_dictionary": False, "compression": "none"}
    pq.write_table(table, path, write_page_checksum=True, **options)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    assert "not a readable Parquet file" in refusal(put(tmp_path, bytes(content), "t.parquet"))


def test_a_point_is_named_where_a_comma_was_said(tmp_path):
    path = put(tmp_path, "a;y\n1,5;0\n1.5;1\n")
    reason = refusal(path, "y", delimiter=";", decimal=",")
    assert "line 3, column 'a': '1.5' is not a number" in reason


@pytest.mark.parametrize("name", ["t.parquet.gz", "t.npy.gz"])
def test_only_text_may_be_packed(tmp_path, name):
    assert "unknown kind of file" in refusal(put(tmp_path, b"x" * 99, name))
