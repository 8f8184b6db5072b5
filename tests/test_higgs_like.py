"""Generated HIGGS-like rows: the same ones whatever is asked for, and in every format."""

import gzip

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from densernn import RNNELMClassifier
from densernn.datasets import collisions, higgs_like, load_higgs, make_higgs_like, write_higgs_like
from densernn.datasets.higgs import FEATURE_NAMES, TARGET
from densernn.errors import DataError, ParameterError

N = 70_000  # a block and a bit


@pytest.fixture(scope="module")
def made():
    return make_higgs_like(N)


def column(X, name):
    return X[:, FEATURE_NAMES.index(name)].astype(np.float64)


def read_parquet(path):
    table = pq.read_table(path)
    assert table.column_names == [TARGET, *FEATURE_NAMES]
    X = np.column_stack([table[name].to_numpy() for name in FEATURE_NAMES])
    return X, table[TARGET].to_numpy()


def read_csv(path):
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt") as text:
        values = np.loadtxt(text, delimiter=",")
    return values[:, 1:].astype(np.float32), values[:, 0]


# ----------------------------------------------------------------------------------- the rows


@pytest.mark.parametrize("n_rows", [1, 1000, collisions.BLOCK, collisions.BLOCK + 1])
def test_the_first_rows_are_the_same_whatever_the_number(made, n_rows):
    X, y = make_higgs_like(n_rows)
    assert (X.shape, X.dtype, y.shape, y.dtype) == ((n_rows, 28), np.float32, (n_rows,), np.int64)
    np.testing.assert_array_equal(X, made[0][:n_rows])
    np.testing.assert_array_equal(y, made[1][:n_rows])


def test_blocks_and_seeds_differ(made):
    X, y = made
    assert not (X[collisions.BLOCK :] == X[: N - collisions.BLOCK]).all(axis=1).any()
    other, labels = make_higgs_like(1000, seed=1)
    assert not (other == X[:1000]).all(axis=1).any()
    assert (labels != y[:1000]).any()


def test_shares_and_shapes_are_those_of_higgs(made):
    X, y = made
    assert np.isfinite(X).all()
    assert set(y.tolist()) == {0, 1}
    assert y.mean() == pytest.approx(0.53, abs=0.01)
    for name in FEATURE_NAMES:
        values = column(X, name)
        if name.endswith("eta"):
            assert np.abs(values).max() <= 2.5
            assert (values.mean(), values.std()) == pytest.approx((0, 1), abs=0.02)
        elif name.endswith("phi"):
            assert np.abs(values).max() <= 1.74
            shares = np.histogram(values, 10, (-1.74, 1.74))[0] / N
            np.testing.assert_allclose(shares, 0.1, atol=0.006)
        elif name.endswith("b-tag"):
            levels, counts = np.unique(values, return_counts=True)
            assert (len(levels), levels[0]) == (3, 0.0)
            assert counts.min() > 0.05 * N
        else:
            assert values.min() > -1e-9
            assert values.mean() == pytest.approx(1.0, abs=0.03)
            assert values.mean() > np.median(values)  # skewed


def test_the_mass_of_all_is_that_of_the_columns(made):
    # The lepton, the missing energy and the four jets, without looking at how the code adds them.
    X = made[0][:2000]
    phi_of = {
        name: column(X, name) / collisions.PHI_SCALE for name in FEATURE_NAMES if "phi" in name
    }
    means = dict(enumerate(collisions.JET_MEANS, 1))
    pts = {f"jet_{jet}": column(X, f"jet_{jet}_pt") * mean for jet, mean in means.items()}
    pts["lepton"] = column(X, "lepton_pT") * collisions.LEPTON_MEAN
    px = sum(pt * np.cos(phi_of[f"{name}_phi"]) for name, pt in pts.items())
    py = sum(pt * np.sin(phi_of[f"{name}_phi"]) for name, pt in pts.items())
    pz = sum(pt * np.sinh(column(X, f"{name}_eta")) for name, pt in pts.items())
    energy = sum(pt * np.cosh(column(X, f"{name}_eta")) for name, pt in pts.items())
    missing = column(X, "missing_energy_magnitude") * collisions.MISSING_MEAN
    x, y = (
        missing * np.cos(phi_of["missing_energy_phi"]),
        missing * np.sin(phi_of["missing_energy_phi"]),
    )
    wanted = column(X, "m_wwbb") * collisions.MASS_MEANS[6]

    def squared(z):
        return (energy + np.hypot(missing, z)) ** 2 - (px + x) ** 2 - (py + y) ** 2 - (pz + z) ** 2

    # Whatever momentum along the beam the missing energy has, the mass is at least this.
    lowest = (np.sqrt(energy**2 - pz**2) + missing) ** 2 - (px + x) ** 2 - (py + y) ** 2
    assert (wanted**2 >= lowest * (1 - 1e-5)).all()
    # And the momentum that makes a W of the lepton is one of two.
    lepton = pts["lepton"]
    lx, ly = lepton * np.cos(phi_of["lepton_phi"]), lepton * np.sin(phi_of["lepton_phi"])
    lz = lepton * np.sinh(column(X, "lepton_eta"))
    le = lepton * np.cosh(column(X, "lepton_eta"))
    half = 0.5 * (column(X, "m_lv") * collisions.MASS_MEANS[2]) ** 2 + lx * x + ly * y
    root = le * np.sqrt(np.maximum(half**2 - (lepton * missing) ** 2, 0))
    found = np.array([squared((half * lz + sign * root) / lepton**2) for sign in (-1, 1)])
    assert np.median(np.abs(np.sqrt(found) / wanted - 1).min(axis=0)) < 1e-4


def test_linear_models_do_poorly_and_clusters_clearly_better(made):
    X, y = made
    train, test = slice(0, 20_000), slice(60_000, N)
    scaled = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
    linear = LogisticRegression().fit(scaled[train], y[train]).score(scaled[test], y[test])
    clusters = RNNELMClassifier(500, random_state=0).fit(X[train], y[train])
    assert 0.53 < linear < 0.6
    assert 0.66 < clusters.score(X[test], y[test]) < 0.76
    assert clusters.score(X[test], y[test]) > linear + 0.08


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"n_rows": 0}, "n_rows must be a whole number from 1 on: it is 0"),
        ({"n_rows": 1.5}, "n_rows"),
        ({"n_rows": True}, "n_rows"),
        ({"n_rows": 1, "seed": -1}, "seed must be a whole number from 0 on: it is -1"),
    ],
)
def test_numbers_out_of_range_are_refused(options, what):
    with pytest.raises(ParameterError, match=what):
        make_higgs_like(**options)


# ---------------------------------------------------------------------------------- the files


def test_all_formats_hold_the_same_numbers(tmp_path, made):
    paths = [tmp_path / f"HIGGS-like{suffix}" for suffix in (".parquet", ".csv.gz", ".csv")]
    write_higgs_like(paths, 3000)
    for path, read in zip(paths, (read_parquet, read_csv, read_csv), strict=True):
        X, y = read(path)
        assert X.dtype == np.float32
        np.testing.assert_array_equal(X, made[0][:3000])
        np.testing.assert_array_equal(y, made[1][:3000])
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_equal_rows_are_equal_bytes(tmp_path):
    for suffix in (".parquet", ".csv.gz"):
        first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
        write_higgs_like(first, 500, seed=3)
        write_higgs_like(str(second), 500, seed=3)
        assert first.read_bytes() == second.read_bytes()


def test_row_groups_have_the_size_asked_for_across_blocks(tmp_path, made):
    path = tmp_path / "rows.parquet"
    write_higgs_like(path, N, row_group=30_000)
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        kinds = {file.schema_arrow.field(name).type for name in FEATURE_NAMES}
        assert str(file.schema_arrow.field(TARGET).type) == "int8"
    assert groups == [30_000, 30_000, 10_000]
    assert [str(kind) for kind in kinds] == ["float"]
    np.testing.assert_array_equal(read_parquet(path)[0], made[0])


def test_an_excerpt_is_read_as_higgs_is(tmp_path, made):
    path = tmp_path / "HIGGS-12000.csv.gz"
    write_higgs_like(path, 12_000)
    data = load_higgs(path)
    np.testing.assert_array_equal(data.X_train, made[0][:2000])
    np.testing.assert_array_equal(data.X_test, made[0][2000:12_000])
    np.testing.assert_array_equal(data.y_test, made[1][2000:12_000])


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("suffix", [".parquet", ".csv.gz", ".csv"])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch, suffix, error):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"earlier")

    def stops(seed, block):
        if block:
            raise error("stopped")
        return collisions.draw_block(seed, block)

    monkeypatch.setattr(higgs_like, "draw_block", stops)
    with pytest.raises(error, match="stopped"):
        write_higgs_like([path, tmp_path / "second.csv"], N)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"earlier"


def test_places_that_will_not_do_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name, what in (
        ("rows.txt", r"rows.txt: its name must end with one of .parquet, .csv, .csv.gz"),
        ("HIGGS.csv.gz", "must not bear the name of the published file"),
        ("none/rows.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
    ):
        with pytest.raises(DataError, match=what):
            write_higgs_like([tmp_path / "good.csv", tmp_path / name], 10)
    with pytest.raises(ParameterError, match="row_group must be a whole number from 1 on"):
        write_higgs_like(tmp_path / "good.parquet", 10, row_group=0)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]
