"""The loaders: published formats, where files are looked for, and what is said when it fails."""

import gzip
import hashlib
import http.server
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from densernn import datasets
from densernn.datasets import covertype, download, fetch, higgs, idx, mfeat, norb
from densernn.errors import DataError, DatasetNotFoundError, ParameterError

REPOSITORY = Path(__file__).resolve().parents[1]

# Files in tmp_path are written anew by each example, so that sharing the folder is harmless.
same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


# ---------------------------------------------------------------- helpers: writers and folders


def real_data():
    """The folder with the real data sets, or None: they are not part of the repository."""
    named = os.environ.get("DENSERNN_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder.resolve() if folder.is_dir() else None


REAL = real_data()  # taken before the fixture below hides the variable


def needs(folder):
    there = REAL is not None and (REAL / folder).is_dir()
    return pytest.mark.skipif(not there, reason=f"no {folder}/ in $DENSERNN_DATA or ../shared/data")


REAL_SEND = requests.Session.send


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path_factory):
    """An empty cache, no DENSERNN_DATA, and a network that is down."""

    def down(session, request, **_):
        raise requests.ConnectionError("the network is down")

    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.delenv("DENSERNN_DATA", raising=False)
    monkeypatch.setattr(requests.Session, "send", down)
    return cache / "densernn"


@pytest.fixture
def network(monkeypatch, no_network):
    monkeypatch.setattr(requests.Session, "send", REAL_SEND)


def idx_bytes(values):
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    big = values.astype(values.dtype.newbyteorder(">"))
    head = bytes([0, 0, codes[values.dtype.str[1:]], values.ndim])
    return head + struct.pack(f">{values.ndim}I", *values.shape) + big.tobytes()


def matrix_bytes(values):
    codes = {"f4": 0x51, "f8": 0x53, "i4": 0x54, "u1": 0x55, "i2": 0x56}
    magic = 0x1E3D4C00 + codes[values.dtype.str[1:]]
    shape = (*values.shape, *[1] * (3 - values.ndim))
    little = values.astype(values.dtype.newbyteorder("<"))
    return struct.pack(f"<2i{len(shape)}i", magic, values.ndim, *shape) + little.tobytes()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


def write_mnist(folder, n_train=7, n_test=3, suffix=".gz"):
    rng = np.random.default_rng(0)
    parts = {"train": n_train, "t10k": n_test}
    made = {}
    for part, n in parts.items():
        images = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
        labels = rng.integers(0, 10, n).astype(np.uint8)
        write(folder / f"{part}-images-idx3-ubyte{suffix}", idx_bytes(images))
        write(folder / f"{part}-labels-idx1-ubyte{suffix}", idx_bytes(labels))
        made[part] = images, labels
    return made


def write_norb(folder, n_train=3, n_test=2, suffix=".gz"):
    rng = np.random.default_rng(0)
    made = {}
    for file, n in zip(norb.FILES[::3], (n_train, n_test), strict=True):
        stem = file.names[1].removesuffix("-dat.mat")
        made[n] = {
            "dat": rng.integers(0, 256, (n, 2, 96, 96)).astype(np.uint8),
            "cat": rng.integers(0, 5, n).astype(np.int32),
            "info": rng.integers(0, 9, (n, 4)).astype(np.int32),
        }
        for kind, values in made[n].items():
            write(folder / f"{stem}-{kind}.mat{suffix}", matrix_bytes(values))
    return made


def text_bytes(values):
    return "".join("  " + " ".join(f"{v:g}" for v in row) + "\n" for row in values).encode()


def write_mfeat(folder, n_rows=20):
    """Write UCI's six files, and return what they hold."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n_rows, width)).round(3) for width in mfeat.WIDTHS.values()]
    for file, part in zip(mfeat.FILES, parts, strict=True):
        write(folder / file.names[0], text_bytes(part))
    return np.hstack(parts)


def write_mfeat_table(path, X, y):
    header = ",".join([*mfeat.FEATURE_NAMES, "target"]) + "\n"
    return write(path, header.encode() + csv_bytes(np.column_stack([X, y])))


def csv_bytes(values):
    return "".join(",".join(f"{v:g}" for v in row) + "\n" for row in values).encode()


def covertype_rows(n):
    rng = np.random.default_rng(0)
    return np.column_stack([rng.integers(-9, 9999, (n, 54)), rng.integers(1, 8, n)])


def higgs_rows(n):
    rng = np.random.default_rng(0)
    return np.column_stack([rng.integers(0, 2, n), rng.normal(size=(n, 28)).round(3)])


@pytest.fixture
def small_covertype(monkeypatch):
    """Covertype as if it had 20 rows, 5 of them for testing."""
    monkeypatch.setattr(covertype, "N_ROWS", 20)
    monkeypatch.setattr(covertype, "N_TEST", 5)
    return covertype_rows(20)


@pytest.fixture
def small_mfeat(monkeypatch):
    """Multiple Features as if it had 4 rows of each digit; returns their labels."""
    monkeypatch.setattr(mfeat, "N_ROWS", 40)
    return np.repeat(np.arange(10), 4)


@pytest.fixture
def small_higgs(monkeypatch):
    """HIGGS as if the published file had 20 rows and excerpts were tested on 3."""
    monkeypatch.setattr(higgs, "N_ROWS", 20)
    monkeypatch.setattr(higgs, "N_TEST", 5)
    monkeypatch.setattr(higgs, "N_TEST_EXCERPT", 3)
    return higgs_rows(20)


# ------------------------------------------------------------------------------------- digits


def test_digits_hold_out_a_stratified_quarter_always_the_same():
    one, two = datasets.load_digits(), datasets.load_digits()
    assert one.X_train.shape == (1347, 64)
    assert one.X_test.shape == (450, 64)
    np.testing.assert_array_equal(one.X_test, two.X_test)
    np.testing.assert_array_equal(one.y_train, two.y_train)
    shares = [np.bincount(y) / len(y) for y in (one.y_train, one.y_test)]
    np.testing.assert_allclose(*shares, atol=0.002)
    assert len(one.feature_names) == 64
    assert one.target_names == tuple("0123456789")


def test_a_dataset_is_frozen_and_short_to_print():
    digits = datasets.load_digits()
    with pytest.raises(AttributeError):
        digits.name = "other"
    assert repr(digits) == "<Dataset digits: 1,347 training and 450 test rows of 64 features>"


# ---------------------------------------------------------------------------------------- IDX

idx_arrays = hnp.arrays(
    dtype=st.sampled_from([np.dtype(code) for code in ("u1", "i1", "i2", "i4", "f4", "f8")]),
    shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
)


@same_folder
@given(values=idx_arrays, packed=st.booleans())
def test_idx_round_trip(tmp_path, values, packed):
    path = write(tmp_path / f"a{'.gz' if packed else ''}", idx_bytes(values))
    back = idx.read_idx(path)
    assert back.dtype == values.dtype
    assert back.dtype.isnative
    np.testing.assert_array_equal(back, values)


@same_folder
@given(values=idx_arrays, packed=st.booleans(), data=st.data())
def test_idx_truncated_anywhere_is_a_data_error(tmp_path, values, packed, data):
    path = write(tmp_path / f"a{'.gz' if packed else ''}", idx_bytes(values))
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DataError, match=str(path)):
        idx.read_idx(path)


@same_folder
@given(content=st.binary(max_size=40))
def test_idx_of_any_bytes_is_an_array_or_a_data_error(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(content)
    try:
        assert isinstance(idx.read_idx(path), np.ndarray)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x01\x08\x01\x00\x00\x00\x00", "magic number.*found 00010801"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x00", "magic number.*found 00000701"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x03ab", "expected 3 bytes.*found 2"),
        (b"\x00\x00\x08\x01\xff\xff\xff\xffab", "expected 4,294,967,295 bytes"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01ab", "more bytes than its header announces"),
        (b"\x00\x00\x08\x04" + bytes(4) + b"\xff" * 12, "no array can have the shape"),
        (b"", "expected 4 bytes of IDX magic number, found 0"),
    ],
)
def test_idx_says_what_was_expected_and_found(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        idx.read_idx(write(tmp_path / "a", content))


# -------------------------------------------------------------------------------------- MNIST


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_mnist_reads_its_four_files(tmp_path, suffix):
    made = write_mnist(tmp_path, suffix=suffix)
    mnist = datasets.load_mnist(tmp_path)
    assert mnist.X_train.shape == (7, 784)
    assert mnist.X_train.dtype == np.uint8
    assert mnist.y_train.dtype == np.int64
    np.testing.assert_array_equal(mnist.X_test.reshape(-1, 28, 28), made["t10k"][0])
    np.testing.assert_array_equal(mnist.y_train, made["train"][1])
    assert mnist.feature_names[28] == "pixel_1_0"
    assert len(mnist.feature_names) == 784


def test_mnist_unpacked_under_the_packed_name_is_read(tmp_path):
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert len(datasets.load_mnist(tmp_path).X_train) == 7


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("train-labels-idx1-ubyte.gz", np.zeros(6, np.uint8), "expected 7 values of type uint8"),
        (
            "train-labels-idx1-ubyte.gz",
            np.full(7, 10, np.uint8),
            "row 1: expected a label from 0 to 9, found 10",
        ),
        ("train-labels-idx1-ubyte.gz", np.zeros(7, np.int32), "found shape .7,. and type int32"),
        (
            "train-images-idx3-ubyte.gz",
            np.zeros((7, 28, 27), np.uint8),
            "n x 28 x 28 values",
        ),
        ("train-images-idx3-ubyte.gz", np.zeros((7, 784), np.uint8), "found shape .7, 784."),
        ("train-images-idx3-ubyte.gz", np.zeros((0, 28, 28), np.uint8), "no rows"),
    ],
)
def test_mnist_files_that_do_not_fit_are_named(tmp_path, name, content, said):
    write_mnist(tmp_path)
    write(tmp_path / name, idx_bytes(content))
    with pytest.raises(DataError, match=said) as caught:
        datasets.load_mnist(tmp_path)
    assert name in str(caught.value)


# ----------------------------------------------------------------------------------- Covertype


@pytest.mark.parametrize("name", ["covtype.data", "covtype.data.gz"])
def test_covertype_splits_all_rows_the_same_way_each_time(tmp_path, small_covertype, name):
    path = write(tmp_path / name, csv_bytes(small_covertype))
    one, two = datasets.load_covertype(path), datasets.load_covertype(tmp_path)
    assert one.X_train.shape == (15, 54)
    assert one.X_test.shape == (5, 54)
    assert one.X_train.dtype == np.float32
    assert one.y_train.dtype == np.int64
    np.testing.assert_array_equal(one.X_test, two.X_test)
    X, y = np.vstack([one.X_train, one.X_test]), np.concatenate([one.y_train, one.y_test])
    together = np.column_stack([X, y])
    assert sorted(map(tuple, together)) == sorted(map(tuple, small_covertype))
    assert len(one.feature_names) == len(set(one.feature_names)) == 54
    assert one.feature_names[10] == "Wilderness_Area1"
    assert one.feature_names[-1] == "Soil_Type40"
    assert one.target_names[6] == "Krummholz"


@pytest.mark.parametrize("n", [19, 21])
def test_covertype_needs_its_number_of_rows(tmp_path, small_covertype, n):
    path = write(tmp_path / "covtype.data", csv_bytes(covertype_rows(n)))
    with pytest.raises(DataError, match=f"expected 20 rows, found {n}") as caught:
        datasets.load_covertype(path)
    assert str(path) in str(caught.value)


def test_covertype_needs_the_published_number_of_rows(tmp_path):
    path = write(tmp_path / "covtype.data.gz", csv_bytes(covertype_rows(5)))
    with pytest.raises(DataError, match="expected 581,012 rows, found 5"):
        datasets.load_covertype(path)


@same_folder
@given(data=st.data(), packed=st.booleans())
def test_covertype_truncated_anywhere_is_a_data_error(tmp_path, data, packed):
    rows = csv_bytes(covertype_rows(20))
    path = write(tmp_path / f"covtype.data{'.gz' if packed else ''}", rows)
    whole = path.read_bytes()
    # Without its last line break a plain file is still complete.
    cut = data.draw(st.integers(0, len(whole) - (1 if packed else 2)))
    path.write_bytes(whole[:cut])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covertype, "N_ROWS", 20)
        with pytest.raises(DataError, match="covtype"):
            datasets.load_covertype(path)


@pytest.mark.parametrize(
    ("place", "cell", "said"),
    [
        ((3, 0), "tall", "line 4, column 'Elevation': 'tall' is not a number"),
        ((0, 12), "", "line 1, column 'Wilderness_Area3': missing value"),
        ((19, 53), "nan", "line 20, column 'Soil_Type40': missing value"),
        (
            (5, 3),
            "1e39",
            "line 6, column 'Horizontal_Dist.*': '1e39'",
        ),
        ((5, 54), "8", "row 6: expected a label from 1 to 7, found 8"),
        ((5, 54), "1.5", "row 6: expected a label from 1 to 7, found 1.5"),
        ((5, 3), "1,2", "line 6: expected 55 fields, found 56"),
    ],
)
def test_covertype_names_the_place_of_a_bad_cell(tmp_path, small_covertype, place, cell, said):
    lines = [line.split(b",") for line in csv_bytes(small_covertype).splitlines()]
    lines[place[0]][place[1]] = cell.encode()
    path = write(tmp_path / "covtype.data.gz", b"\n".join(map(b",".join, lines)))
    with pytest.raises(DataError, match=said) as caught:
        datasets.load_covertype(path)
    assert str(path) in str(caught.value)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = write(tmp_path / "covtype.data", idx_bytes(np.zeros((2, 3), np.uint8)))
    with pytest.raises(DataError, match=r"covtype.data"):
        datasets.load_covertype(path)


# --------------------------------------------------------------------------------------- HIGGS


def test_higgs_full_file_tests_on_its_last_rows(tmp_path, small_higgs):
    write(tmp_path / "HIGGS.csv.gz", csv_bytes(small_higgs))
    data = datasets.load_higgs(tmp_path)
    np.testing.assert_array_equal(data.y_train, small_higgs[:15, 0])
    np.testing.assert_array_equal(data.X_train, small_higgs[:15, 1:].astype(np.float32))
    np.testing.assert_array_equal(data.X_test, small_higgs[15:, 1:].astype(np.float32))
    assert data.X_test.flags.c_contiguous
    assert data.y_test.dtype == np.int64
    assert len(set(data.feature_names)) == 28
    assert data.feature_names[0] == "lepton_pT"
    assert data.feature_names[5] == "jet_1_pt"
    assert data.feature_names[-1] == "m_wwbb"


def test_higgs_excerpt_tests_on_its_last_rows(tmp_path, small_higgs):
    path = write(tmp_path / "HIGGS-12.csv", csv_bytes(small_higgs[:12]))
    data = datasets.load_higgs(path)
    np.testing.assert_array_equal(data.y_train, small_higgs[:9, 0])
    np.testing.assert_array_equal(data.y_test, small_higgs[9:12, 0])


def test_higgs_keeps_the_first_training_rows(tmp_path, small_higgs):
    write(tmp_path / "HIGGS.csv", csv_bytes(small_higgs))
    data = datasets.load_higgs(tmp_path, n_train=4)
    np.testing.assert_array_equal(data.y_train, small_higgs[:4, 0])
    np.testing.assert_array_equal(data.y_test, small_higgs[15:, 0])
    for n_train in (0, -1, 16):
        with pytest.raises(ParameterError, match=f"from 1 to 15.*: {n_train}"):
            datasets.load_higgs(tmp_path, n_train=n_train)


def test_higgs_under_the_published_name_must_be_whole(tmp_path, small_higgs):
    write(tmp_path / "HIGGS.csv", csv_bytes(small_higgs[:12]))
    with pytest.raises(DataError, match=r"expected 20 rows, found 12.*name it HIGGS-12.csv"):
        datasets.load_higgs(tmp_path)


def test_higgs_refuses_too_few_rows_and_foreign_labels(tmp_path, small_higgs):
    with pytest.raises(DataError, match="more than the 3 test rows, found 3"):
        datasets.load_higgs(write(tmp_path / "HIGGS-3.csv", csv_bytes(small_higgs[:3])))
    small_higgs[2, 0] = 2
    with pytest.raises(DataError, match="row 3: expected a label from 0 to 1, found 2"):
        datasets.load_higgs(write(tmp_path / "HIGGS-20.csv", csv_bytes(small_higgs)))


def test_higgs_prefers_the_whole_file_and_refuses_to_guess(tmp_path, small_higgs):
    write(tmp_path / "HIGGS-10.csv", csv_bytes(small_higgs[:10]))
    assert len(datasets.load_higgs(tmp_path).X_train) == 7
    write(tmp_path / "HIGGS-11.csv", csv_bytes(small_higgs[:11]))
    with pytest.raises(DataError, match=r"several files fit: HIGGS-10.csv, HIGGS-11.csv"):
        datasets.load_higgs(tmp_path)
    write(tmp_path / "HIGGS.csv", csv_bytes(small_higgs))
    assert len(datasets.load_higgs(tmp_path).X_train) == 15


# ---------------------------------------------------------------------------------------- NORB

norb_arrays = hnp.arrays(
    dtype=st.sampled_from([np.dtype(code) for code in ("u1", "i2", "i4", "f4", "f8")]),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


@same_folder
@given(values=norb_arrays, packed=st.booleans())
def test_norb_matrix_round_trip(tmp_path, values, packed):
    path = write(tmp_path / f"a.mat{'.gz' if packed else ''}", matrix_bytes(values))
    back = norb.read_matrix(path)
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


@same_folder
@given(values=norb_arrays, packed=st.booleans(), data=st.data())
def test_norb_matrix_truncated_anywhere_is_a_data_error(tmp_path, values, packed, data):
    path = write(tmp_path / f"a.mat{'.gz' if packed else ''}", matrix_bytes(values))
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DataError, match=str(path)):
        norb.read_matrix(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (struct.pack("<5i", 0x1E3D4C52, 1, 1, 1, 1), "packed matrices .* not supported"),
        (struct.pack(">5i", 0x1E3D4C55, 1, 1, 1, 1), "not a NORB matrix.*found 0x554c3d1e"),
        (struct.pack("<5i", 0x1E3D4C57, 1, 1, 1, 1), "not a NORB matrix"),
        (struct.pack("<5i", 0x1E3D4C55, 99, 1, 1, 1), "0 to 8 dimensions.* and 99"),
        (struct.pack("<5i", 0x1E3D4C55, 2, -1, 1, 1), "negative dimension"),
        (struct.pack("<5i", 0x1E3D4C55, 1, 1, 1, 1) + b"ab", "more bytes"),
        (struct.pack("<5i", 0x1E3D4C55, 3, *[2**31 - 1] * 3), "truncated: expected"),
    ],
)
def test_norb_matrix_says_what_is_wrong(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        norb.read_matrix(write(tmp_path / "a.mat", content))


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_norb_reads_images_labels_and_info(tmp_path, suffix):
    made = write_norb(tmp_path, suffix=suffix)
    data = datasets.load_norb(tmp_path)
    np.testing.assert_array_equal(data.X_train, made[3]["dat"])
    assert data.X_train.dtype == np.uint8
    np.testing.assert_array_equal(data.y_test, made[2]["cat"])
    np.testing.assert_array_equal(data.info_train, made[3]["info"])
    assert data.info_names == ("instance", "elevation", "azimuth", "lighting")
    assert len(data.feature_names) == 2 * 96 * 96
    assert data.feature_names[96 * 96 + 97] == "b_1_1"
    check_sources(data, ["a", "b"])
    np.testing.assert_array_equal(
        data.X_train.reshape(3, -1)[:, data.sources["b"]], made[3]["dat"][:, 1].reshape(3, -1)
    )


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("dat", np.zeros((3, 2, 96, 95), np.uint8), "expected n x 2 x 96 x 96 values"),
        ("dat", np.zeros((3, 2, 96, 96), np.int16), "of type uint8, found"),
        ("dat", np.zeros((0, 2, 96, 96), np.uint8), "no rows"),
        ("cat", np.zeros(4, np.int32), "expected 3 values"),
        ("cat", np.full(3, 5, np.int32), "row 1: expected a label from 0 to 4, found 5"),
        ("info", np.zeros((3, 3), np.int32), "expected 3 x 4 values"),
    ],
)
def test_norb_files_that_do_not_fit_are_named(tmp_path, kind, values, said):
    write_norb(tmp_path)
    file = {"dat": norb.FILES[0], "cat": norb.FILES[1], "info": norb.FILES[2]}[kind]
    write(tmp_path / file.names[0], matrix_bytes(values))
    with pytest.raises(DataError, match=said):
        datasets.load_norb(tmp_path)


# --------------------------------------------------------------------------- Multiple Features


def check_sources(data, names):
    """The sources have these names and share out all columns, in order."""
    assert list(data.sources) == names
    columns = [np.arange(len(data.feature_names))[own] for own in data.sources.values()]
    np.testing.assert_array_equal(np.concatenate(columns), np.arange(len(data.feature_names)))


def test_mfeat_reads_the_six_published_files(tmp_path, small_mfeat):
    X = write_mfeat(tmp_path, 40)
    one, two = datasets.load_mfeat(tmp_path), datasets.load_mfeat(tmp_path)
    assert one.X_train.shape == (30, 649)
    assert one.X_train.dtype == np.float64
    assert one.y_train.dtype == np.int64
    np.testing.assert_array_equal(one.X_test, two.X_test)
    found = np.vstack([one.X_train, one.X_test])
    labels = np.concatenate([one.y_train, one.y_test])
    for row, label in zip(found, labels, strict=True):
        assert small_mfeat[np.flatnonzero((row == X).all(axis=1))] == [label]
    assert np.bincount(one.y_test, minlength=10).tolist() == [1] * 10
    check_sources(one, ["factors", "fourier", "karhunen", "morphological", "pixel", "zernike"])
    for name, own in one.sources.items():
        assert set(np.array(one.feature_names)[own]) == {
            f"{name}_{j}" for j in range(mfeat.WIDTHS[name])
        }


@pytest.mark.parametrize("name", ["mfeat.csv", "mfeat.csv.gz"])
def test_mfeat_in_one_table_is_the_same_whatever_the_order_of_its_columns(
    tmp_path, small_mfeat, name
):
    X = write_mfeat(tmp_path / "published", 40)
    expected = datasets.load_mfeat(tmp_path / "published")
    path = write_mfeat_table(tmp_path / name, X, small_mfeat)
    for place in (path, tmp_path):
        data = datasets.load_mfeat(place)
        np.testing.assert_array_equal(data.X_train, expected.X_train)
        np.testing.assert_array_equal(data.y_test, expected.y_test)
    header, *lines = (
        gzip.decompress(path.read_bytes()).decode().splitlines()
        if (path.suffix == ".gz")
        else path.read_text().splitlines()
    )
    turned = [",".join(line.split(",")[::-1]) for line in (header, *lines)]
    write(path, "\n".join(turned).encode())
    np.testing.assert_array_equal(datasets.load_mfeat(path).X_train, expected.X_train)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text_bytes(np.zeros((39, 6))), r"expected 40 x 6 values .*found shape .39, 6."),
        (text_bytes(np.zeros((40, 7))), r"expected 40 x 6 values .*found shape .40, 7."),
        (b"", r"expected 40 x 6 values .*found shape .0, "),
        (text_bytes(np.zeros((40, 6))).replace(b"0", b"nan", 1), "row 1: a number is not finite"),
        (b"1 2 three\n", "three.*is it another file"),
        (b"1 2\n1 2 3\n", "is it another file"),
        (bytes(range(256)), "mfeat-mor"),
    ],
)
def test_mfeat_files_that_do_not_fit_are_named(tmp_path, small_mfeat, content, said):
    write_mfeat(tmp_path, 40)
    path = write(tmp_path / "mfeat-mor", content)
    with pytest.raises(DataError, match=said) as caught:
        datasets.load_mfeat(tmp_path)
    assert str(path) in str(caught.value)


def test_mfeat_tables_that_do_not_fit_are_named(tmp_path, small_mfeat):
    X = np.zeros((40, 649))
    for y, said in (
        (np.roll(small_mfeat, 1) // 2, r"expected 4 rows of each digit 0 to 9, found \[8, 8"),
        (small_mfeat + 1, r"found .* of \[1, 2"),
        (np.minimum(small_mfeat, 8), "found .*8"),
    ):
        path = write_mfeat_table(tmp_path / "mfeat.csv", X, y)
        with pytest.raises(DataError, match=said):
            datasets.load_mfeat(path)
    write(path, b"factors_0,target\n1,2\n")
    with pytest.raises(DataError, match="648 of 649 needed columns are missing"):
        datasets.load_mfeat(path)


def test_mfeat_says_where_to_put_its_files(tmp_path, no_network):
    with pytest.raises(DatasetNotFoundError, match="mfeat-fac") as caught:
        datasets.load_mfeat()
    assert f"in {no_network / 'mfeat'} or set DENSERNN_DATA" in str(caught.value)
    with pytest.raises(DatasetNotFoundError, match="absent does not exist"):
        datasets.load_mfeat(tmp_path / "absent")


# ---------------------------------------------------------------------------- where files are


def test_places_are_looked_at_in_order(tmp_path, monkeypatch, no_network, small_higgs):
    def size(**keywords):
        return len(datasets.load_higgs(**keywords).X_train)

    def put(folder, n):
        return write(folder / f"HIGGS-{n}.csv", csv_bytes(small_higgs[:n]))

    put(no_network / "higgs", 10)
    assert size() == 7
    assert size(download=False) == 7
    monkeypatch.setenv("DENSERNN_DATA", str(tmp_path / "data"))
    assert size() == 7  # the folder named does not exist, so the cache serves
    put(tmp_path / "data" / "higgs", 11)
    assert size() == 8
    put(tmp_path / "data", 12)
    assert size() == 9
    given = put(tmp_path / "given", 13)
    assert size(path=given) == 10
    assert size(path=tmp_path / "given") == 10
    assert size(path=str(given)) == 10


def test_a_given_path_is_the_only_place(tmp_path, no_network, small_higgs):
    write(no_network / "higgs" / "HIGGS-10.csv", csv_bytes(small_higgs[:10]))
    absent = tmp_path / "absent"
    with pytest.raises(DatasetNotFoundError, match="absent does not exist"):
        datasets.load_higgs(absent)
    with pytest.raises(DatasetNotFoundError, match=r"HIGGS.csv.gz or HIGGS.csv") as caught:
        datasets.load_higgs(tmp_path)
    assert f"Put HIGGS.csv.gz in {tmp_path}" in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)


def test_one_file_is_not_enough_for_mnist(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(DatasetNotFoundError, match="is one file; give the folder that holds"):
        datasets.load_mnist(tmp_path / "train-images-idx3-ubyte.gz")


def test_a_damaged_file_in_the_named_folder_does_not_fall_through(
    tmp_path, monkeypatch, no_network, small_higgs
):
    write(no_network / "higgs" / "HIGGS-10.csv", csv_bytes(small_higgs[:10]))
    monkeypatch.setenv("DENSERNN_DATA", str(tmp_path))
    write(tmp_path / "HIGGS-9.csv", b"not,a,table\n")
    with pytest.raises(DataError, match=r"HIGGS-9.csv: 29 names for 3 columns"):
        datasets.load_higgs()


@pytest.mark.parametrize("load", [datasets.load_mnist, datasets.load_norb])
def test_without_network_all_names_and_places_are_said(tmp_path, monkeypatch, no_network, load):
    monkeypatch.setenv("DENSERNN_DATA", str(tmp_path))
    name = load.__name__.removeprefix("load_")
    with pytest.raises(DatasetNotFoundError) as caught:
        load()
    said = str(caught.value)
    files = {"mnist": idx.FILES, "norb": norb.FILES}[name]
    for words in (
        *(file.names[0] for file in files),
        f"{tmp_path} (DENSERNN_DATA)",
        f"{tmp_path / name} (DENSERNN_DATA; no such folder)",
        f"{no_network / name} (the cache",
        f"{files[0].url} failed: the network is down",
        f"in {no_network / name} or set DENSERNN_DATA",
    ):
        assert words in said


@pytest.mark.parametrize("load", [datasets.load_covertype, datasets.load_higgs])
def test_download_false_touches_no_network(monkeypatch, load):
    monkeypatch.setattr(requests.Session, "send", None)
    with pytest.raises(DatasetNotFoundError, match="not tried, as download=False") as caught:
        load(download=False)
    assert "(DENSERNN_DATA is not set)" in str(caught.value)


def test_the_cache_ignores_a_relative_xdg_cache_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch.cache_folder("mnist") == tmp_path / ".cache" / "densernn" / "mnist"


# ------------------------------------------------------------------------------------ downloads


@pytest.fixture
def server(tmp_path, network):
    """A web server on this machine; yields its folder and its address."""
    folder = tmp_path / "published"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *_):
            pass

        def do_GET(self):
            if not self.path.endswith(("broken", "without-length")):
                return super().do_GET()
            self.send_response(200)
            if self.path.endswith("broken"):
                self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this" if self.path.endswith("broken") else bytes(500_000))
            self.close_connection = True
            return None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{web.server_port}/"
        web.shutdown()
        thread.join()


def published_mnist(folder, address):
    """FILES as if MNIST were published at the address."""
    write_mnist(folder)
    return tuple(
        download.RemoteFile(
            file.names,
            address + file.names[0],
            "md5:" + hashlib.md5((folder / file.names[0]).read_bytes()).hexdigest(),
        )
        for file in idx.FILES
    )


def test_mnist_is_downloaded_once_and_then_taken_from_the_cache(monkeypatch, server, no_network):
    folder, address = server
    monkeypatch.setattr(idx, "FILES", published_mnist(folder, address))
    assert len(datasets.load_mnist().X_train) == 7
    names = sorted(path.name for path in (no_network / "mnist").iterdir())
    assert names == sorted(file.names[0] for file in idx.FILES)  # and no temporary file
    monkeypatch.setattr(requests.Session, "send", None)
    assert len(datasets.load_mnist().X_train) == 7


def test_only_missing_files_are_downloaded(monkeypatch, server, no_network):
    folder, address = server
    files = published_mnist(folder, address)
    monkeypatch.setattr(idx, "FILES", files)
    kept = no_network / "mnist" / files[0].names[1]
    write(kept, gzip.decompress((folder / files[0].names[0]).read_bytes()))
    (folder / files[0].names[0]).unlink()
    assert len(datasets.load_mnist().X_train) == 7


def test_a_download_with_the_wrong_content_leaves_nothing_behind(monkeypatch, server, no_network):
    folder, address = server
    monkeypatch.setattr(idx, "FILES", published_mnist(folder, address))
    write(folder / "t10k-images-idx3-ubyte.gz", b"something else")
    with pytest.raises(DataError, match=r"t10k-images.*not kept: MD5 .* expected"):
        datasets.load_mnist()
    left = sorted(path.name for path in (no_network / "mnist").iterdir())
    assert left == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]


@pytest.mark.parametrize("announced", ["large", "without-length"])
def test_a_download_that_is_too_large_is_given_up(server, tmp_path, announced):
    folder, address = server
    (folder / announced).write_bytes(bytes(500_000))
    file = download.RemoteFile(("a.csv",), address + announced, limit=200_000)
    with pytest.raises(DataError, match="not kept: it has more than 200,000 bytes"):
        download.download(file, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(("name", "said"), [("absent", "404"), ("broken", "9 bytes read")])
def test_a_failed_download_leaves_nothing_behind(server, no_network, name, said):
    _, address = server
    file = download.RemoteFile(("a.csv",), address + name)
    with pytest.raises(DatasetNotFoundError, match=f"failed: .*{said}"):
        fetch.find("a", [file], None, download_missing=True)
    assert list((no_network / "a").iterdir()) == []


def test_an_interrupted_download_leaves_nothing_behind(monkeypatch, server, no_network):
    folder, address = server
    write(folder / "a.csv", b"1\n")

    def interrupt(meter, n_bytes):
        raise KeyboardInterrupt

    monkeypatch.setattr(download._Meter, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download.download(download.RemoteFile(("a.csv",), address + "a.csv"), no_network)
    assert list(no_network.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said(monkeypatch, server, tmp_path):
    folder, address = server
    write(folder / "a.csv", b"1\n")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    file = download.RemoteFile(("a.csv",), address + "a.csv")
    with pytest.raises(DatasetNotFoundError, match=r"failed: .*(Not a directory|not writeable)"):
        fetch.find("a", [file], None, download_missing=True)


def test_a_terminal_shows_progress(monkeypatch, server, tmp_path):
    folder, address = server
    write(folder / "a.csv", bytes(200_000))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    reached = []
    monkeypatch.setattr(download.Progress, "reach", lambda bar, n: reached.append(n))
    download.download(download.RemoteFile(("a.csv",), address + "a.csv"), tmp_path / "cache")
    assert reached == [65_536, 131_072, 196_608, 262_144, 200_000]
    assert (tmp_path / "cache" / "a.csv").read_bytes() == bytes(200_000)


def test_importing_the_loaders_stays_light():
    code = (
        "import sys, densernn.datasets\n"
        "heavy = {'pyarrow', 'sklearn', 'rich', 'pooch', 'requests'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------- the real files


@needs("mnist")
def test_real_mnist(monkeypatch):
    monkeypatch.setenv("DENSERNN_DATA", str(REAL))
    mnist = datasets.load_mnist(download=False)
    assert mnist.X_train.shape == (60_000, 784)
    assert mnist.X_test.shape == (10_000, 784)
    assert mnist.y_train[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert np.bincount(mnist.y_test).min() == 892  # the fives


@needs("covertype")
def test_real_covertype():
    data = datasets.load_covertype(REAL)
    assert data.X_train.shape == (531_012, 54)
    assert data.X_test.shape == (50_000, 54)
    y = np.concatenate([data.y_train, data.y_test])
    published = [211_840, 283_301, 35_754, 2_747, 9_493, 17_367, 20_510]
    assert np.bincount(y)[1:].tolist() == published
    for X in (data.X_train, data.X_test):  # one wilderness area and one soil type each
        assert (X[:, 10:14].sum(axis=1) == 1).all()
        assert (X[:, 14:].sum(axis=1) == 1).all()


@needs("higgs")
def test_real_higgs_excerpt(monkeypatch):
    monkeypatch.setenv("DENSERNN_DATA", str(REAL))
    data = datasets.load_higgs(n_train=30_000)
    if len(data.X_test) == 10_000:
        assert data.X_train.shape == (30_000, 28)
        assert data.X_train.dtype == np.float32
        assert 0.5 < data.y_train.mean() < 0.56


@needs("mfeat")
def test_real_mfeat(monkeypatch):
    monkeypatch.setenv("DENSERNN_DATA", str(REAL))
    data = datasets.load_mfeat(download=False)
    assert data.X_train.shape == (1500, 649)
    assert data.X_test.shape == (500, 649)
    assert np.bincount(data.y_test).tolist() == [50] * 10
    X = np.vstack([data.X_train, data.X_test])
    pixels = X[:, data.sources["pixel"]]  # each the sum of 2 x 3 pixels that are 0 or 1
    assert (pixels == pixels.round()).all()
    assert (pixels.min(), pixels.max()) == (0, 6)
    for label in range(10):  # rows of one digit look alike in every source, more than others do
        mine = data.X_train[data.y_train == label]
        assert (mine.std(axis=0) < X.std(axis=0)).mean() > 0.7


def test_every_loader_is_a_data_set_of_the_command_line():
    from densernn.cli import evaluate, options

    loaders = {name for name in dir(datasets) if name.startswith("load_")}
    assert {f"load_{name}" for name in options.DATASETS} == loaders
    assert (
        set(evaluate.LOADERS)
        == set(options.DATASETS)
        == {"covertype", "digits", "higgs", "mfeat", "mnist", "norb"}
    )
