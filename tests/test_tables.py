"""Reading tables: what comes out of each format, and where a value that cannot be used is."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from densernn.errors import DataError, ParameterError
from densernn.sources.load import read_table

same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80
)


def put(folder, content, name="table.csv"):
    path = folder / name
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return path


def refuse(path, said=None, **keywords):
    """The text of the error that reading the file must raise; it must name the file."""
    with pytest.raises(DataError, match=said) as caught:
        read_table(path, **keywords)
    assert str(path) in str(caught.value)
    return str(caught.value)


# ----------------------------------------------------------------------------- what comes out


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "T.CSV", "t.parquet", "t.pq", "t.npz"])
def test_each_format_gives_the_same_table(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"a": [1.5, -2.0], "y": ["u", "v"], "b": [3, 4]})
    if name.endswith(".npz"):
        names = np.array(["a", "b"])
        np.savez(path, X=frame[["a", "b"]].to_numpy(), y=["u", "v"], feature_names=names)
    elif name.endswith(("parquet", "pq")):
        frame.to_parquet(path)
    else:
        put(tmp_path, frame.to_csv(index=False), name)
    table = read_table(path, target="y")
    assert table.path == path
    assert table.feature_names == ("a", "b")
    assert table.X.dtype == np.float64
    assert table.X.flags.c_contiguous
    np.testing.assert_array_equal(table.X, [[1.5, 3], [-2, 4]])
    assert table.y.tolist() == ["u", "v"]
    assert table.target_name == "y"
    back = read_table(path, columns=["b", "a"])
    np.testing.assert_array_equal(back.X, [[3, 1.5], [4, -2]])
    assert back.feature_names == ("b", "a")


def test_a_table_is_frozen_and_short_to_print(tmp_path):
    table = read_table(put(tmp_path, "a,b,y\n1,2,3\n4,5,6\n"), target="y")
    assert repr(table) == "<Table table.csv: 2 rows, 2 features, target 'y'>"
    with pytest.raises(AttributeError):
        table.X = None


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (("1", "-2"), np.int64, [1, -2]),
        (("1", "2.5"), np.float64, [1, 2.5]),
        (("1", "99999999999999999999"), "U", ["1", "99999999999999999999"]),
        (("1", "two"), "U", ["1", "two"]),
        ((" 1", "2 "), np.int64, [1, 2]),
        ((" <=50K", ' ">50K" '), "U", ["<=50K", '">50K"']),
        (("None", "Insomnia"), "U", ["None", "Insomnia"]),
        (('"a\nb"', '"c,d"'), "U", ["a\nb", "c,d"]),
        (("é", "ü"), "U", ["é", "ü"]),
    ],
)
def test_csv_target_is_whole_numbers_else_numbers_else_text(tmp_path, cells, dtype, values):
    table = read_table(put(tmp_path, f"y,a\n{cells[0]},1\n{cells[1]},2\n"), target="y")
    assert table.y.dtype.kind == dtype if dtype == "U" else table.y.dtype == dtype
    assert table.y.tolist() == values


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4",
        "a,b\r\n1,2\r\n3,4\r\n",
        "\ufeffa,b\n1,2\n3,4\n",
        "\n\na,b\n\n1,2\n\n3,4\n\n",
        'a,b\n"1","2"\n 3,4 \n',
        "a,b\n+1,2e0\n3.,.4e1\n",
    ],
)
def test_csv_as_programs_and_people_write_it(tmp_path, text):
    np.testing.assert_array_equal(read_table(put(tmp_path, text)).X, [[1, 2], [3, 4]])


def test_columns_that_are_not_asked_for_may_hold_anything(tmp_path):
    text = 'a,note,b\n1,"two\nlines, and a comma",2\n3,,4\n5,\xff,6\n'.encode("latin-1")
    table = read_table(put(tmp_path, text), columns=["b", "a"])
    np.testing.assert_array_equal(table.X, [[2, 1], [4, 3], [6, 5]])


@same_folder
@given(data=st.data(), n_columns=st.integers(1, 4), n_rows=st.integers(1, 6))
def test_csv_keeps_every_float64(tmp_path, data, n_columns, n_rows):
    floats = st.floats(allow_nan=False, allow_infinity=False)
    row = st.lists(floats, min_size=n_columns, max_size=n_columns)
    X = np.array(data.draw(st.lists(row, min_size=n_rows, max_size=n_rows)))
    lines = [",".join(f"c{j}" for j in range(n_columns)), *(",".join(map(repr, r)) for r in X)]
    lines = [line.replace("np.float64(", "").replace(")", "") for line in lines]
    np.testing.assert_array_equal(read_table(put(tmp_path, "\n".join(lines))).X, X)


@pytest.mark.parametrize(
    ("dtypes", "kept"),
    [
        (("float32", "float32"), np.float32),
        (("float32", "int16"), np.float32),
        (("uint8", "bool"), np.float32),
        (("float32", "float64"), np.float64),
        (("int32", "float32"), np.float64),
    ],
)
def test_parquet_is_float32_only_where_nothing_is_lost(tmp_path, dtypes, kept):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [0, 1], "b": [1, 0]}).astype(
        dict(zip("ab", dtypes, strict=True))
    ).to_parquet(path)
    table = read_table(path)
    assert table.X.dtype == kept
    np.testing.assert_array_equal(table.X, [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([1, 2], np.int32), [1, 2]),
        (np.array([1.5, 2], np.float32), [1.5, 2]),
        (np.array([True, False]), [True, False]),
        (pd.Categorical(["u", "v"]), ["u", "v"]),
    ],
)
def test_parquet_target_keeps_its_type(tmp_path, values, wanted):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1.0, 2.0], "y": values}).to_parquet(path)
    table = read_table(path, target="y")
    assert table.y.tolist() == wanted
    if isinstance(values, np.ndarray):
        assert table.y.dtype == values.dtype


def test_npz_needs_no_names_and_no_target(tmp_path):
    path = tmp_path / "t.npz"
    np.savez_compressed(path, X=np.ones((3, 2), np.float32))
    table = read_table(path)
    assert table.X.dtype == np.float32
    assert table.feature_names == ("x0", "x1")
    assert table.y is None
    assert table.target_name is None
    np.savez(path, X=np.ones((3, 2), int), y=[1, 2, 3], z=[1.5, 2, 3])
    assert read_table(path).target_name == "y"
    assert read_table(path, target="z").y.tolist() == [1.5, 2, 3]


# -------------------------------------------------------------------------- one corrupted cell

words = st.text(
    # Commas, quotes and line breaks change the number of fields, which is another test.
    st.characters(codec="utf-8", exclude_characters=',"\r\n', exclude_categories=["Cs"]),
    max_size=8,
)


def is_finite_number(cell):
    try:
        return np.isfinite(float(cell))
    except ValueError:
        return False


@same_folder
@given(
    data=st.data(),
    n_columns=st.integers(1, 5),
    n_rows=st.integers(1, 8),
    bad=words | st.sampled_from(["nan", "NA", "inf", "-inf", "1e999", "1_000", "0x1F", "1,5"[:1]]),
    blank=st.integers(0, 9),
    name=st.sampled_from(["t.csv", "t.csv.gz"]),
)
def test_a_corrupted_cell_is_named_by_line_and_column(
    tmp_path, data, n_columns, n_rows, bad, blank, name
):
    assume("_" in bad or not is_finite_number(bad))
    names = [f"col{j}" for j in range(n_columns)]
    cells = [[str(i * n_columns + j) for j in range(n_columns)] for i in range(n_rows)]
    i = data.draw(st.integers(0, n_rows - 1), label="row")
    j = data.draw(st.integers(0, n_columns - 1), label="column")
    cells[i][j] = bad
    lines = [",".join(row) for row in [names, *cells]]
    if blank <= n_rows and n_columns > 1:  # blank lines are no rows, but lines
        lines.insert(blank, "")
    expected = i + 2 + (blank <= i + 1 and n_columns > 1)
    path = put(tmp_path, "\n".join(lines) + "\n", name)
    said = refuse(path, f", line {expected}, column 'col{j}': ")
    assert repr(bad) in said


@same_folder
@given(
    n_columns=st.integers(2, 5),
    n_rows=st.integers(1, 8),
    where=st.integers(0, 7),
    change=st.sampled_from([-1, 1, 2]),
)
def test_a_row_of_the_wrong_length_is_named(tmp_path, n_columns, n_rows, where, change):
    where %= n_rows
    rows = [["1"] * n_columns for _ in range(n_rows)]
    rows[where] = ["1"] * (n_columns + change)
    lines = [",".join(f"c{j}" for j in range(n_columns)), *map(",".join, rows)]
    found = n_columns + change
    refuse(
        put(tmp_path, "\n".join(lines)),
        f", line {where + 2}: expected {n_columns} fields, found {found}",
    )


@same_folder
@given(data=st.data())
def test_a_truncated_gzip_table_is_a_data_error(tmp_path, data):
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 50)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    refuse(path)


@pytest.mark.parametrize("kind", ["parquet", "npz"])
@same_folder
@given(data=st.data())
def test_a_truncated_binary_table_is_a_data_error(tmp_path, kind, data):
    path = tmp_path / f"t.{kind}"
    if kind == "npz":
        np.savez_compressed(path, X=np.ones((3, 2)), y=np.arange(3))
    else:
        pd.DataFrame({"a": [1.0, 2.0]}).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    refuse(path)


# ------------------------------------------------------------------------- what is said of what


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ("a,y\n1,2\nx,3\n4,5\n", "y", "line 3, column 'a': 'x' is not a number: correct it"),
        (
            "a,y\nred,2\nblue,3\n",
            "y",
            r"line 2, column 'a': 'red' is not a number.*categorical=\['a'\]",
        ),
        ("a,y\nred,2\nblue\n", "y", "line 2, column 'a': 'red' is not a number"),
        ("a,y\n1,2\n,3\n", "y", "line 3, column 'a': missing value .found ''.: impute it"),
        ("a,y\n1,2\nNone,3\n", "y", "line 3, column 'a': missing value .found 'None'."),
        ("a,y\n1,2\n-Infinity,3\n", "y", "line 3, column 'a': '-Infinity' is not finite"),
        ("a,y\n1,2\n3,\n", "y", "line 3, column 'y': the target is missing"),
        ("a,y\n1,2\n3,NaN\n", "y", "line 3, column 'y': the target is missing"),
        ("a,y\n1,u\n3,NA\n", "y", "line 3, column 'y': the target is missing"),
        ("a,y\n1,2\n3,inf\n", "y", "line 3, column 'y': the target is .*not finite"),
        ("a,y\n1,2\n3,1e999\n", "y", "line 3, column 'y': the target is .*not finite"),
        ("a,b,a\n1,2,3\n", "b", "duplicate column names: 'a'"),
        (",a,y\n0,1,2\n", "y", "column 1 has no name.*index=False"),
        ("y\n1\n", "y", "no feature columns"),
        ("a;y\n1;2\n", "y", "no target column 'y'.*'a;y'; are the values separated by commas"),
        ("a,y\n", "y", "no rows"),
        ("a,y", "y", "no rows"),
        ("\n\n", "y", "the file is empty"),
        ("", "y", "the file is empty"),
        ("a,y\n1,\xff\n", "y", "line 2, column 'y': not UTF-8 text"),
        ("a,\xff\n1,2\n", "a", "the header is not CSV, or not utf-8 text"),
        ('a,y\n1,"2\n', "b", "no target column 'b'"),
    ],
)
def test_csv_errors_say_where_and_what_to_do(tmp_path, text, target, said):
    refuse(put(tmp_path, text.encode("latin-1")), said, target=target)


def test_a_field_beyond_all_measure_is_a_data_error(tmp_path):
    refuse(put(tmp_path, "a,b\n1,2\n" + "9" * 200_000 + ",2\n"), "line 3")


def test_a_missing_target_lists_the_nearest_columns(tmp_path):
    path = put(tmp_path, "age,income,Target,zip\n1,2,3,4\n")
    said = refuse(path, "no target column 'target'; nearest of 4: 'Target', ", target="target")
    assert "'age'" in said


def test_missing_feature_columns_are_named(tmp_path):
    path = put(tmp_path, "a,b,c\n1,2,3\n")
    refuse(path, "2 of 3 needed columns are missing: 'd', 'e'$", columns=["d", "a", "e"])
    many = [f"x{j}" for j in range(20)]
    refuse(path, "20 of 20 needed columns .*'x9', ...$", columns=many)


def test_columns_may_be_an_array_and_must_make_sense(tmp_path):
    path = put(tmp_path, "a,b,c\n1,2,3\n")
    table = read_table(path, columns=np.array(["c", "a"], dtype=object))
    assert table.feature_names == ("c", "a")
    for columns, target in (([], None), (["a", "a"], None), (["a", "b"], "b")):
        with pytest.raises(ParameterError):
            read_table(path, columns=columns, target=target)


def test_files_that_are_none_of_these(tmp_path):
    for name in ("t.xlsx", "t"):
        refuse(put(tmp_path, "a\n1\n", name), r"must end in .csv, .data, .txt, .tsv")
    refuse(tmp_path / "absent.csv", "no such file")
    (tmp_path / "folder.csv").mkdir()
    refuse(tmp_path / "folder.csv", "the folder holds no files")
    for name in ("e.parquet", "e.npz", "e.csv"):
        refuse(put(tmp_path, "", name), "the file is empty")
    refuse(put(tmp_path, "not parquet, but long enough", "t.parquet"), "not a readable Parquet")
    refuse(put(tmp_path, "not npz", "t.npz"), "not a readable NPZ file")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"a": [1.0, None], "y": [1, 2]}, "row 2, column 'a': missing value: impute it"),
        ({"a": pd.array([1, None], "Int64"), "y": [1, 2]}, "row 2, column 'a': missing value"),
        ({"a": pd.array([None, True], "boolean"), "y": [1, 2]}, "row 1, column 'a': missing"),
        ({"a": [1.0, np.inf], "y": [1, 2]}, "row 2, column 'a': inf is not finite"),
        ({"a": ["u", "v"], "y": [1, 2]}, r"column 'a': holds text.*categorical=\['a'\]"),
        (
            {"a": pd.Categorical(["u", "v"]), "y": [1, 2]},
            r"column 'a': holds text.*categorical=\['a'\]",
        ),
        ({"a": pd.to_datetime(["2020", "2021"]), "y": [1, 2]}, "column 'a': holds timestamp"),
        ({"a": [1, 2], "y": [None, "v"]}, "row 1, column 'y': the target is missing"),
        (
            {"a": [1, 2], "y": [1.0, np.inf]},
            "row 2, column 'y': the target is .*not finite .found inf",
        ),
        (
            {"a": [1, 2], "y": pd.to_datetime(["2020", "2021"])},
            "column 'y': holds .*, not numbers or text",
        ),
        ({"a": [1, 2], "y": [b"u", b"v"]}, "column 'y': holds .*, not numbers or text"),
        ({"a": [1, 2], "z": [1, 2]}, "no target column 'y'; nearest of 2: "),
        ({"a": np.zeros(0), "y": np.zeros(0)}, "no rows"),
    ],
)
def test_parquet_errors_say_where_and_what_to_do(tmp_path, frame, said):
    path = tmp_path / "t.parquet"
    pd.DataFrame(frame).to_parquet(path)
    refuse(path, said, target="y")


def test_parquet_with_a_column_twice(tmp_path):
    path = tmp_path / "t.parquet"
    columns = pa.table([pa.array([1.0])] * 3, names=["a", "b", "a"])
    pa.parquet.write_table(columns, path)
    refuse(path, "duplicate column names: 'a'")


@pytest.mark.parametrize(
    ("arrays", "target", "said"),
    [
        ({"Z": np.ones((2, 2))}, None, "no array 'X'; nearest of 1: 'Z'"),
        ({"X": np.ones(2)}, None, "X must be a matrix of numbers .*shape .2,."),
        ({"X": np.ones((0, 2))}, None, "no rows"),
        ({"X": np.array([["u"]])}, None, "X must be a matrix of numbers.*dtype <U1"),
        ({"X": np.array([[{}]])}, None, "not a readable NPZ file"),
        ({"X": np.ones((2, 2)), "y": np.ones(3)}, None, "y must have shape .2,. .*, found .3,."),
        ({"X": np.ones((2, 2))}, "label", "no target column 'label'"),
        (
            {"X": np.ones((2, 2)), "y": np.ones(2) * 1j},
            None,
            "y must have shape .2,. and hold numbers or text",
        ),
        ({"X": np.array([[1.0], [np.nan]])}, None, "row 2, column 'x0': missing value"),
        ({"X": np.ones((2, 2)), "feature_names": ["a"]}, None, "1 feature_names for 2 columns"),
        ({"X": np.ones((2, 2)), "feature_names": ["a", "a"]}, None, "duplicate column names"),
    ],
)
def test_npz_errors_say_what_is_wrong(tmp_path, arrays, target, said):
    path = tmp_path / "t.npz"
    np.savez(path, **arrays)
    refuse(path, said, target=target)
