"""CSV as a source of rows: blocks may end anywhere, and every bad cell is named by its line."""

import csv
import gzip
import io
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from densernn.errors import DataError
from densernn.sources import encoding, filesource
from densernn.sources.encoded import coded
from densernn.sources.formats import csv as csv_format
from densernn.sources.open import open_rows
from densernn.sources.rows import Skipped

same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("densernn-read-ahead")]


def put(folder, content, name="t.csv"):
    path = folder / name
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return path


def read(source, n_rows=1000):
    chunks = list(source.chunks(n_rows))
    skipped = Skipped()
    for chunk in chunks:
        skipped = skipped.merge(chunk.skipped)
    y = None if chunks[0].y is None else np.concatenate([c.y for c in chunks])
    return np.concatenate([c.X for c in chunks]), y, skipped


def refuse(path, said, *arguments, **keywords):
    with pytest.raises(DataError, match=said) as caught:
        read(open_rows(path, *arguments, **keywords))
    assert str(path[-1] if isinstance(path, list) else path) in str(caught.value)
    return str(caught.value)


def refuse_coded(path, said, *arguments, **keywords):
    with pytest.raises(DataError, match=said) as caught:
        read(coded(open_rows(path, *arguments, **keywords)))
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        "\ufeffa,b\n1,2\n3,4\n",
        "\n\na,b\n\n1,2\n\n\n3,4\n\n",
        'a,b\n"1","2"\n 3,4 \n',
        'a,"b"\n+1,2e0\n3.,.4e1\n',
    ],
)
@pytest.mark.parametrize("block", [5, 9, 1000])
def test_csv_as_programs_and_people_write_it(tmp_path, monkeypatch, text, block):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    X, *_ = read(open_rows(put(tmp_path, text)))
    np.testing.assert_array_equal(X, [[1, 2], [3, 4]])


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "T.CSV", "t.data", "t.data.gz", "t.txt"])
def test_names_of_csv_files(tmp_path, name):
    assert read(open_rows(put(tmp_path, "a\n1\n", name)))[0].tolist() == [[1]]


def test_a_file_named_gz_may_be_unpacked(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_text("a\n1\n")
    assert read(open_rows(path))[0].tolist() == [[1]]


cells = st.text(st.sampled_from('ab",\r\n;é '), max_size=6).map(lambda text: "x" + text)


@same_folder
@given(
    rows=st.lists(st.tuples(st.floats(-9, 9), cells, cells), min_size=1, max_size=8),
    block=st.integers(1, 60),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from(",;\t"),
    packed=st.booleans(),
)
def test_quoted_line_breaks_and_delimiters_are_read_wherever_blocks_end(
    tmp_path, monkeypatch, rows, block, end, delimiter, packed
):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    text = io.StringIO()
    # The writer leaves a \r unquoted where lines end in \n, and its reader ends a row there.
    quoting = csv.QUOTE_NONNUMERIC
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([("a", "note", "y"), *rows])
    path = put(tmp_path, text.getvalue(), "t.csv.gz" if packed else "t.csv")
    source = open_rows(path, "y", columns=["a"], delimiter=delimiter)
    X, y, _ = read(source, 3)
    np.testing.assert_array_equal(X[:, 0], [row[0] for row in rows])
    assert y.tolist() == [row[2].strip() for row in rows]


def test_a_stray_quote_holds_up_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 100)
    monkeypatch.setattr(csv_format, "MAX_ROW_BYTES", 300)
    path = put(tmp_path, 'a,note\n1,5" disk\n' + '2,"two\nlines"\n' * 100)
    assert read(open_rows(path, columns=["a"]))[0][:, 0].tolist() == [1] + [2] * 100


def test_a_row_may_be_longer_than_a_block_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 100)
    path = put(tmp_path, "a,note\n1," + "x" * 5000 + "\n2,y\n")
    assert read(open_rows(path, columns=["a"]))[0].tolist() == [[1], [2]]
    monkeypatch.setattr(csv_format, "MAX_ROW_BYTES", 1000)
    refuse(path, "a row is longer than .* MB; is a quote never closed", columns=["a"])


# --------------------------------------------------------------------------------- the header


def test_files_without_header(tmp_path):
    path = put(tmp_path, "\n1,2,u\n3,4,v\n")
    source = open_rows(path, -1, header=False)
    assert source.feature_names == ("x0", "x1")
    X, y, _ = read(source)
    assert (X.tolist(), y.tolist()) == ([[1, 2], [3, 4]], ["u", "v"])
    named = open_rows(path, "label", names=["p", "q", "label"], columns=["q"])
    assert read(named)[0].tolist() == [[2], [4]]
    refuse(path, "2 names for 3 columns", names=["p", "q"])
    test = put(tmp_path, "5,6\n", "test.csv")
    for one in (source, named):
        assert one.open_same(test).n_targets is None
    assert read(source.open_same(test))[0].tolist() == [[5, 6]]
    other = put(tmp_path, "1,2,3,4\n", "other.csv")
    refuse(
        [path, other], "columns differ from those of .*: lacks none, has besides 'x3'", header=False
    )


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("70,38653.7,1", {}),
        ("70,38653.7,yes", {"target": -1}),
        ("yes,0.5,-2,0.5", {"target": 0}),
        ("yes,1,0.5,-2,3", {"target": 0, "weight": 1}),
        ("3,1,2", {}),
        ("400,401,402,1", {"target": 3}),
        ("70,1,1", {"target": 1}),
        ("5.5", {}),
        ("3.5,2,0.5,y", {"target": -1}),
        ("7,3,9,y", {"target": -1}),
    ],
)
def test_a_header_that_looks_like_data_is_refused(tmp_path, header, asked):
    path = put(tmp_path, f"{header}\n{header}\n")
    said = refuse(path, "line 1 looks like data .*, not names: say header=False .--no-h", **asked)
    assert f"({', '.join(header.split(',')[:2])}" in said
    assert len(read(open_rows(path, header=False, **asked))[0]) == 2


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("0,1,2", {}),
        ("1,2,3", {"target": 2}),
        ("400.5,401,402.5", {}),
        ("3.5,2,0.5,y", {"target": "y"}),
        ("0,1,2,y", {"target": -1}),
        ("0.5,-1,0.25,y", {"target": "y"}),
        ("7,3,9", {"columns": ["3", "9", "7"]}),
        ("1,2,a", {}),
    ],
)
def test_names_may_be_numbers(tmp_path, header, asked):
    path = put(tmp_path, f"{header}\n" + ",".join("5" * len(header.split(","))) + "\n")
    source = open_rows(path, **asked)
    assert len(read(source)[0]) == 1
    assert len(read(source.open_same(path))[0]) == 1


@pytest.mark.parametrize("header", ["70,1,2.5", "1,1", "0,1"])
def test_where_a_target_is_not_found_among_numbers_the_first_line_may_be_data(tmp_path, header):
    refuse(put(tmp_path, f"{header}\n{header}\n"), "line 1 looks like data", "y")


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_a_blank_line_in_a_file_of_one_column_is_a_missing_value(tmp_path, monkeypatch, block):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    for text in ("\na\n1\n\n\n4\n", "\r\na\r\n1\r\n\r\n\r\n4", '\n"a"\n"1"\n\n\n4'):
        path = put(tmp_path, text)
        for asked in ({}, {"categorical": ["a"]}):
            refuse(path, "line 4, column 'a': missing value", **asked)
            X, _, skipped = read(open_rows(path, on_bad_rows="skip", **asked))
            assert (len(X), skipped.count) == (2, 2)
            assert "line 5, column 'a'" in skipped.places[1]
    refuse(put(tmp_path, "a\n\n"), "line 2, column 'a': missing value")
    refuse(put(tmp_path, "a\n1\n\n"), "line 3, column 'a': missing value")


def test_columns_that_are_not_asked_for_may_hold_anything(tmp_path):
    text = 'a,note,b\n1,"two\nlines, and a comma",2\n3,,4\n5,\xff,6\n'.encode("latin-1")
    X, *_ = read(open_rows(put(tmp_path, text), columns=["b", "a"]))
    np.testing.assert_array_equal(X, [[2, 1], [4, 3], [6, 5]])


def test_a_target_without_a_name_is_told_by_its_place(tmp_path):
    X, y, _ = read(open_rows(put(tmp_path, ",a\nu,1\nv,2\n"), 0))
    assert (X.tolist(), y.tolist()) == ([[1], [2]], ["u", "v"])


# --------------------------------------------------------------------------------- the target


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (("1", "-2"), np.int64, [1, -2]),
        (("1", "2.5"), np.float64, [1, 2.5]),
        (("1", "99999999999999999999"), "U", ["1", "99999999999999999999"]),
        (("9223372036854775807", "-9223372036854775808"), np.int64, [2**63 - 1, -(2**63)]),
        (("01", "1"), "U", ["01", "1"]),
        (("0x10", "16"), "U", ["0x10", "16"]),
        (("\uff11", "1"), "U", ["\uff11", "1"]),
        (("0", "0.5"), np.float64, [0, 0.5]),
        (("1", "two"), "U", ["1", "two"]),
        ((" 1", "2 "), np.int64, [1, 2]),
        (("+1", "2"), np.float64, [1, 2]),
        ((" <=50K", ' ">50K" '), "U", ["<=50K", '">50K"']),
        (("None", "Insomnia"), "U", ["None", "Insomnia"]),
        (('"a\nb"', '"c,d"'), "U", ["a\nb", "c,d"]),
        (("é", "ü"), "U", ["é", "ü"]),
    ],
)
def test_a_target_is_whole_numbers_else_numbers_else_text(tmp_path, cells, dtype, values):
    path = put(tmp_path, f"y,a\n{cells[0]},1\n{cells[1]},2\n")
    _, y, _ = read(open_rows(path, "y"))
    assert y.tolist() == values
    assert y.dtype.kind == dtype if dtype == "U" else y.dtype == dtype


def test_a_target_that_begins_with_numbers_may_not_become_text(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 8)
    monkeypatch.setattr(filesource, "PEEK_BATCHES", 1)
    path = put(tmp_path, "a,y\n1,1\n2,2\n3,u\n4,4\n")
    said = refuse(path, "line 4, column 'y': 'u' is not a number, as the target's first", "y")
    assert 'target_type="text"' in said
    assert read(open_rows(path, "y", target_type="text"))[1].tolist() == ["1", "2", "u", "4"]
    X, y, skipped = read(open_rows(path, "y", on_bad_rows="skip"))
    assert (X[:, 0].tolist(), y.tolist(), skipped.count) == ([1, 2, 4], [1, 2, 4], 1)


@pytest.mark.parametrize("label", ["NA", "null", "inf", "?"])
def test_a_label_may_be_called_as_if_missing_where_the_target_is_said_to_be_text(tmp_path, label):
    path = put(tmp_path, f"a,y\n1,EU\n2,{label}\n")
    refuse(path, "line 3, column 'y': the target is missing", "y")
    source = open_rows(path, "y", target_type="text")
    for one in (source, source.open_same(path)):
        assert read(one)[1].tolist() == ["EU", label]
    learned = open_rows(put(tmp_path, "a,y\n1,EU\n", "eu.csv"), "y")
    with pytest.raises(DataError, match="the target is missing"):
        read(learned.open_same(path))
    refuse(put(tmp_path, "a,y\n1,\n"), "line 2, column 'y': the target", "y", target_type="text")


def test_a_target_that_begins_as_text_is_text_in_every_part(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 8)
    paths = [put(tmp_path, "a,y\n1,u\n2,2\n", "1.csv"), put(tmp_path, "a,y\n3,3\n", "2.csv")]
    assert read(open_rows(paths, "y"))[1].tolist() == ["u", "2", "3"]
    assert [read(part)[1].tolist() for part in open_rows(paths, "y").parts(2)] == [
        ["u", "2"],
        ["3"],
    ]
    first = put(tmp_path, "a,y\n1,1\n", "0.csv")
    assert read(open_rows([first, *paths], "y", target_type="text"))[1].tolist()[0] == "1"
    refuse(paths[0], "line 2, column 'y': 'u' is not a number", "y", target_type="number")


# ------------------------------------------------------------------------- what is said of what


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,y\n1,2\nx,3\n4,5\n", "line 3, column 'a': 'x' is not a number: correct it"),
        (
            "a,y\nred,2\nblue,3\n",
            r"line 2, column 'a': 'red' is not a number.*categorical=\['a'\]",
        ),
        (
            "a,y\nTrue,2\nFalse,3\n",
            r"line 2, column 'a': 'True' is not a number.*categorical=\['a'\]",
        ),
        ("a,y\n1,2\n,3\n", "line 3, column 'a': missing value .found ''.: impute it"),
        ("a,y\n1,2\n-Infinity,3\n", "line 3, column 'a': '-Infinity' is not finite"),
        ("a,y\n1,2\n1_0,3\n", "line 3, column 'a': '1_0' is not a number"),
        ("a,y\n1,2\n3,\n", "line 3, column 'y': the target is missing"),
        ("a,y\n1,2\n3,NaN\n", "line 3, column 'y': the target is missing"),
        ("a,y\n1,u\n3,NA\n", "line 3, column 'y': the target is missing"),
        ("a,y\n1,2\n3,1e999\n", "line 3, column 'y': the target is .*not finite"),
        ("a,y\n1,2\n3\n", "line 3: expected 2 fields, found 1"),
        ("a,y\n1,2\n\n3,4,5\n", "line 4: expected 2 fields, found 3"),
        ('a,n,y\n1,"2\n\n",3\n3,4,?\n', "line 5, column 'y'"),
        ("a,y\n1,\xff\n", "line 2, column 'y': not UTF-8 text"),
        ("a,b,a,y\n1,2,3,4\n", "duplicate column names: 'a'"),
        (",a,y\n0,1,2\n", "column 1 has no name.*index=False"),
        ("y\n1\n", "no feature columns"),
        ("a;y\n1;2\n", "no target column 'y'.*'a;y'; are the values separated by commas"),
        ("a,y\n", "no rows"),
        ("a,y", "no rows"),
        ("\n\n", "the file is empty"),
        ("a,\xff\n1,2\n", "the header is not CSV, or not utf-8 text"),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_errors_say_where_and_what_to_do(tmp_path, monkeypatch, text, said, block):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    refuse(put(tmp_path, text.encode("latin-1")), said, "y")


@pytest.mark.parametrize("weight", ["", "-1", "nan", "inf", "heavy"])
def test_a_weight_that_is_none_is_a_bad_row(tmp_path, weight):
    path = put(tmp_path, f"a,w\n1,0\n2,{weight}\n3,1\n")
    said = f"line 3, column 'w': the weight must be a finite number .*found '{weight}'"
    refuse(path, said, weight="w")
    chunk, *_ = open_rows(path, weight="w", on_bad_rows="skip").chunks(5)
    assert (chunk.weight.tolist(), chunk.skipped.count) == ([0, 1], 1)


def test_a_category_that_is_not_utf8_is_a_bad_row(tmp_path):
    path = put(tmp_path, "a\nu\n\xff\n".encode("latin-1"))
    refuse(path, "line 3, column 'a': not UTF-8 text", categorical=["a"])
    source = open_rows(path, categorical=["a"], on_bad_rows="skip")
    assert source.feature_names == ("a=u",)
    assert read(source)[0].tolist() == [[1]]


def test_one_of_several_targets_that_is_no_number_is_a_bad_row(tmp_path):
    path = put(tmp_path, "a,p,q\n1,2,3\n4,5,x\n6,,7\n")
    refuse(path, "line 3, column 'q': 'x' is not a number: correct it", ["p", "q"])
    source = open_rows(path, ["q", "p"], on_bad_rows="skip")
    X, y, skipped = read(source)
    assert (X.tolist(), y.tolist(), skipped.count) == ([[1]], [[3, 2]], 2)
    assert "line 4, column 'p': the target is missing" in skipped.places[1]


def test_a_long_field_hides_no_bad_row_behind_it(tmp_path):
    text = "a,note\n1,x\n2," + "y" * 200_000 + "\nbad,z\n"
    refuse(put(tmp_path, text), "line 4, column 'a': 'bad'", columns=["a"])


bad_cells = st.sampled_from(["", "NA", "x", "inf", "1e999", "1_0", "?", "two words"])


@same_folder
@given(
    data=st.data(), n_rows=st.integers(1, 30), block=st.integers(1, 400), part=st.integers(1, 60)
)
def test_skipping_drops_exactly_the_bad_rows_and_names_their_lines(
    tmp_path, monkeypatch, data, n_rows, block, part
):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    monkeypatch.setattr(encoding, "BLOCK_BYTES", 128)
    fates = st.sampled_from(["good", "good", "good", "cell", "short", "long", "blank"])
    lines, good, bad = ["a,b"], [], []
    for i in range(n_rows):
        fate = data.draw(fates)
        text = {
            "good": f"{i},{-i}",
            "cell": f"{i},{data.draw(bad_cells)}" if fate == "cell" else "",
            "short": f"{i}",
            "long": f"{i},{i},{i}",
            "blank": "",
        }[fate]
        lines.append(text)
        if fate == "good":
            good.append([i, -i])
        elif fate != "blank":
            bad.append((i + 2, "column 'b'" if fate == "cell" else "expected 2 fields"))
    path = put(tmp_path, "\n".join(lines) + "\n")
    source = open_rows(path, on_bad_rows="skip")
    if not good:
        with pytest.raises(DataError, match="no rows"):
            read(source)
        return
    X, _, skipped = read(source, 4)
    np.testing.assert_array_equal(X, good)
    assert skipped.count == len(bad)
    assert len(skipped.places) == min(5, len(bad))
    for place, (line, what) in zip(skipped.places, bad, strict=False):
        assert f"t.csv, line {line}" in place
        assert what in place
    if bad:
        refuse(path, f"line {bad[0][0]}.*{bad[0][1]}")


# ------------------------------------------------------- what is text or number, as models take it


@same_folder
@given(
    n_numbers=st.integers(1, 70),
    n_words=st.integers(1, 4),
    repeats=st.sampled_from([(1, 1), (3, 1), (1, 3)]),
    infinite=st.booleans(),
)
def test_up_to_one_text_in_twenty_is_a_mistake_and_more_are_categories(
    tmp_path, n_numbers, n_words, repeats, infinite
):
    words = [f"word{i}" for i in range(n_words)]
    numbers = [str(i / 4) for i in range(n_numbers)] + ["inf"] * infinite
    cells = numbers * repeats[0] + words * repeats[1]
    path = put(tmp_path, "\n".join(["a", *cells]) + "\n")
    source = coded(open_rows(path, on_bad_rows="skip"))
    X, _, skipped = read(source)
    among = [sum(cell in words for cell in some) / len(some) for some in (cells, set(cells))]
    if min(among) > 0.05:
        known = source.encoding.categories["a"]
        assert set(known) == set(cells)
        np.testing.assert_array_equal(X[:, 0], [known.index(cell) for cell in cells])
        assert skipped.count == 0
        return
    assert source.encoding.categories == {}
    np.testing.assert_array_equal(X[:, 0], [i / 4 for i in range(n_numbers)] * repeats[0])
    assert skipped.count == infinite * repeats[0] + n_words * repeats[1]
    refuse_coded(path, "is not finite" if infinite else f"line {len(numbers) * repeats[0] + 2}, ")


def test_a_typo_among_numbers_is_named_by_its_line_and_skipped(tmp_path):
    rows = [f"{i},{i % 3}" for i in range(40)]
    rows[25] = "2S,1"
    path = put(tmp_path, "\n".join(["a,y", *rows]))
    said = refuse_coded(path, r"line 27, column 'a': '2S' is not a number: correct it", "y")
    assert "missing=['2s']" in said
    assert "categorical=['a']" in said
    X, y, skipped = read(coded(open_rows(path, "y", on_bad_rows="skip")))
    assert X[:, 0].tolist() == [*range(25), *range(26, 40)]
    assert (len(y), skipped.count) == (39, 1)
    assert "line 27, column 'a': '2S'" in skipped.places[0]
    X, *_, skipped = read(coded(open_rows(path, "y", missing=["2s"])))
    assert (np.isnan(X[:, 0]).nonzero()[0].tolist(), skipped.count) == ([25], 0)
    source = coded(open_rows(path, "y", categorical=["a"]))
    assert len(read(source)[0]) == 40
    assert "2S" in source.encoding.categories["a"]


def test_what_a_column_is_for_models_is_told_by_its_first_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 8)
    monkeypatch.setattr(filesource, "PEEK_BATCHES", 2)
    numbers = put(tmp_path, "a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nu\n", "numbers.csv")
    refuse_coded(numbers, "line 11, column 'a': 'u' is not a number")
    text = put(tmp_path, "a\nu\nv\nu\nv\n1\n2\nlate\n", "text.csv")
    source = coded(open_rows(text))
    assert source.encoding.categories == {"a": ("1", "2", "late", "u", "v")}
    assert read(source)[0][:, 0].tolist() == [3, 4, 3, 4, 0, 1, 2]
    both = coded(open_rows([text, numbers]))
    assert read(both)[0].shape == (17, 1)
    pure = put(tmp_path, "a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "pure.csv")
    refuse_coded([pure, text], "text.csv, line 2, column 'a': 'u' is not a number")


@pytest.mark.parametrize(("late", "numbers"), [(["u", "v"], [0, 1]), (["7", "8"], [7, 8])])
def test_what_a_column_is_for_models_is_told_by_its_first_values(
    tmp_path, monkeypatch, late, numbers
):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 16)
    empty = put(tmp_path, "a,b\n" + "1,\n" * 30, "0.csv")
    path = put(tmp_path, "a,b\n" + "1,NA\n" * 30 + f"1,{late[0]}\n1,{late[1]}\n", "1.csv")
    for where, n_missing in ((path, 30), ([empty, path], 60)):
        X, *_ = read(coded(open_rows(where)))
        np.testing.assert_array_equal(X[:, 1], [np.nan] * n_missing + numbers)


def test_a_column_without_values_costs_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 10_000)
    peaks = []
    for cell in ("1", ""):
        path = put(tmp_path, "a,b\n" + "".join(f"{i / 7},{cell}\n" for i in range(20_000)))
        tracemalloc.start()
        n_categories = coded(open_rows(path)).encoding.n_categories
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n_categories == (0, 0)
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_a_blank_line_in_a_file_of_one_column_is_missing_for_models(tmp_path, monkeypatch, block):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    for text in ("\na\n1\n\n\n4\n", "\r\na\r\n1\r\n\r\n\r\n4", '\n"a"\n"1"\n\n\n4'):
        path = put(tmp_path, text)
        X, _, skipped = read(coded(open_rows(path)))
        np.testing.assert_array_equal(X[:, 0], [1, np.nan, np.nan, 4])
        assert skipped.count == 0
        X, *_ = read(coded(open_rows(path, categorical=["a"])))
        np.testing.assert_array_equal(X[:, 0], [0, np.nan, np.nan, 1])
    np.testing.assert_array_equal(read(coded(open_rows(put(tmp_path, "a\n\n"))))[0], [[np.nan]])


@pytest.mark.parametrize("first", ["1\n2", "u\nv"])
def test_what_is_not_utf8_is_a_bad_row_for_models_too(tmp_path, first):
    path = put(tmp_path, f"a\n{first}\n\xff\n".encode("latin-1"))
    for more in ({}, {"categorical": ["a"]}):
        refuse_coded(path, "line 4, column 'a': not UTF-8 text", **more)
        X, _, skipped = read(coded(open_rows(path, on_bad_rows="skip", **more)))
        assert (len(X), skipped.count) == (2, 1)
    source = coded(open_rows(put(tmp_path, f"a\n{first}\n", "train.csv")))
    with pytest.raises(DataError, match="line 4, column 'a': not UTF-8 text"):
        read(source.open_same(path))


def test_other_files_keep_the_kinds_and_categories_of_training(tmp_path):
    source = coded(open_rows(put(tmp_path, "c,a\nu,1\nTRUE,2\n"), on_bad_rows="skip"))
    assert source.encoding.categories == {"c": ("TRUE", "u")}
    test = put(tmp_path, "a,c,more\n5,u,x\n,1,x\nred,TRUE,x\n6,NA,x\n7,true,x\n", "test.csv")
    X, _, skipped = read(source.open_same(test))
    np.testing.assert_array_equal(X, [[1, 5], [2, np.nan], [np.nan, 6], [2, 7]])
    assert skipped.count == 1
    assert "test.csv, line 4, column 'a': 'red' is not a number" in skipped.places[0]


odd_cells = st.sampled_from(["x", "inf", "1e999", "1_0", "-Infinity", "two words", "0x1F"])
missing_cells = st.sampled_from(["", "NA", "?", " nan ", "NULL", "n/a", "unknown", "-999"])


@same_folder
@given(
    data=st.data(), n_rows=st.integers(1, 30), block=st.integers(1, 400), part=st.integers(1, 60)
)
def test_models_get_missing_values_and_no_others_that_are_no_numbers(
    tmp_path, monkeypatch, data, n_rows, block, part
):
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", block)
    monkeypatch.setattr(encoding, "BLOCK_BYTES", part * 8)
    fates = data.draw(
        st.lists(
            st.just(None) | st.tuples(st.booleans(), missing_cells | odd_cells),
            min_size=n_rows,
            max_size=n_rows,
        )
    )
    n_before = 200  # in which a few words are no sign of categories
    lines, good, bad = ["a,b"], [[i, i / 4] for i in range(n_before)], []
    lines += [f"{i},{i / 4}" for i in range(n_before)]
    odd = {"x", "inf", "1e999", "1_0", "-Infinity", "two words", "0x1F"}
    for i, fate in enumerate(fates, n_before):
        first, cell = (False, i / 4) if fate is None else fate
        lines.append(f"{cell},{i}" if first else f"{i},{cell}")
        if cell in odd:
            bad.append((i + 2, "a" if first else "b"))
        else:
            value = cell if fate is None else np.nan
            good.append([value, i] if first else [i, value])
    path = put(tmp_path, "\n".join(lines) + "\n")
    missing = ["Unknown ", -999]
    X, _, skipped = read(coded(open_rows(path, on_bad_rows="skip", missing=missing)), 7)
    np.testing.assert_array_equal(X, good)
    assert skipped.count == len(bad)
    for place, (line, name) in zip(skipped.places, bad, strict=False):
        assert f"t.csv, line {line}, column '{name}': " in place
    if bad:
        refuse_coded(path, f"line {bad[0][0]}, column '{bad[0][1]}'", missing=missing)


@same_folder
@given(data=st.data(), n_columns=st.integers(1, 4), n_rows=st.integers(1, 6))
def test_csv_keeps_every_float64(tmp_path, data, n_columns, n_rows):
    floats = st.floats(allow_nan=False, allow_infinity=False)
    row = st.lists(floats, min_size=n_columns, max_size=n_columns)
    rows = data.draw(st.lists(row, min_size=n_rows, max_size=n_rows))
    text = "\n".join(",".join(map(repr, row)) for row in rows)
    X, *_ = read(open_rows(put(tmp_path, text), header=False))
    np.testing.assert_array_equal(X, rows)
