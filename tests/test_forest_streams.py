"""Forests from rows in chunks, threads and any order: the same model, within its memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from forests import GIVEN, KINDS, assert_close, auto, forest, table
from sklearn.metrics import log_loss

from densernn import RNNForestClassifier, RNNForestRegressor, open_rows
from densernn.errors import ParameterError, SmallerForestWarning
from densernn.estimators import forest_spec
from densernn.forest import sampled

# ----------------------------------------------------------------------------- chunks and order


@pytest.mark.parametrize("n_rows", [700, 6000])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_of_any_size_give_the_same_model(kind, n_rows, monkeypatch):
    X, y = table(kind, n_rows)
    whole = auto(kind).fit(X, y)
    monkeypatch.setattr(forest_spec, "CHUNK_BYTES", 1)  # the fewest rows at once
    assert_close(auto(kind).fit(X, y), whole, X[:500])
    monkeypatch.setattr(forest_spec, "CHUNK_BYTES", 40_000)
    assert_close(auto(kind).fit(X, y), whole, X[:500])


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_a_few_rows_means_nothing(kind):
    X, y = table(kind)
    mixed = np.random.default_rng(5).permutation(len(X))
    assert_close(auto(kind).fit(X, y), auto(kind).fit(X[mixed], y[mixed]), X)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_decides_no_tree_where_the_plan_is_given(kind):
    X, y = table(kind, 3000)
    mixed = np.random.default_rng(5).permutation(len(X))
    one, other = forest(kind).fit(X, y), forest(kind).fit(X[mixed], y[mixed])
    parts, same_parts = (model.feature_map_.fingerprint() for model in (one, other))
    assert {part for part in parts if parts[part] != same_parts[part]} <= {"origin of the values"}
    if kind in ("values", "two values"):
        assert_close(one, other, X)


def test_parts_of_a_table_may_be_files_in_any_order(tmp_path):
    X, y = table("values", 450)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    for folder, order in (("one", [0, 1, 2]), ("other", [2, 0, 1])):
        (tmp_path / folder).mkdir()
        for place, part in enumerate(order):
            rows = frame.iloc[150 * part : 150 * part + 150]
            rows.to_parquet(tmp_path / folder / f"part-{place}.parquet")
    one, other = (auto("values").fit(open_rows(tmp_path / f, "y")) for f in ("one", "other"))
    np.testing.assert_allclose(
        one.predict(frame.drop(columns="y")), other.predict(frame.drop(columns="y")), atol=1e-7
    )


THREADS = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from forests import KINDS, answers, auto, table
from densernn._threads import n_threads
found = hashlib.sha256()
for kind in KINDS:
    for n_rows in (300, 6000):
        X, y = table(kind, n_rows)
        model = auto(kind, 5).fit(X, y)
        found.update(answers(model, X).tobytes())
print(n_threads(), found.hexdigest())
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two processors")
def test_the_number_of_threads_changes_no_bit():
    said = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", THREADS, str(Path(__file__).parent)],
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
            env={**os.environ, "OMP_NUM_THREADS": threads},
        )
        said.append(done.stdout.split())
    assert [n for n, _ in said] == ["1", "2"]
    assert said[0][1] == said[1][1]


# ----------------------------------------------------------------------------- memory


def test_fewer_trees_where_memory_is_short():
    X, y = table("values", 6000)
    options = {**GIVEN, "region_size": 2000, "min_samples_leaf": 5}
    with pytest.warns(SmallerForestWarning, match=r"n_trees=40 would need more memory.*has \d+"):
        few = RNNForestRegressor(40, memory_limit="40 MB", **options).fit(X, y)
    sums = sum(t.second.nbytes + t.cross.nbytes for t in few.moments_.trees)
    assert 4 <= few.n_trees_ < 40
    assert sums < 40e6
    assert few.score(X, y) > 0.8
    all_of_them = RNNForestRegressor(40, memory_limit="2 GB", **options).fit(X, y)
    assert all_of_them.n_trees_ == 40
    plain = RNNForestRegressor(**options, memory_limit="40 MB").fit(X, y)
    assert plain.n_trees_ <= 24  # "auto" says nothing


@pytest.mark.parametrize("limit", [1000, "50 KB", "1 MB"])
def test_memory_that_nothing_fits_into_is_refused_in_one_line(limit):
    X, y = table("classes", 3000)
    X = np.tile(X, (1, 40))
    with pytest.raises(ParameterError, match=f"memory_limit={limit!r} is too little") as error:
        RNNForestClassifier(2, memory_limit=limit, random_state=0).fit(X, y)
    assert "\n" not in str(error.value)


MEASURE = """
import re, sys
from densernn import RNNForestClassifier, open_rows
def peak():  # not ru_maxrss, which is never less than that of the process that started this one
    return int(re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/self/status").read())[1]) / 1024
RNNForestClassifier(3, random_state=0).fit(open_rows(sys.argv[2], "y"))
before = peak()
model = RNNForestClassifier(random_state=0, memory_limit="300 MB")
model.fit(open_rows(sys.argv[1], "y"))
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_stays_near_its_limit(tmp_path):
    for name, n_rows in (("large", 400_000), ("small", 6_000)):
        rng = np.random.default_rng(0)
        columns = {f"x{j}": rng.normal(size=n_rows) for j in range(100)}
        y = columns["x0"] * columns["x1"] + rng.normal(size=n_rows) > 0
        rows = pa.table({**columns, "y": y.astype(int)})
        pa.parquet.write_table(rows, tmp_path / f"{name}.parquet", row_group_size=10_000)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "large.parquet", tmp_path / "small.parquet"],
        capture_output=True,
        text=True,
        check=True,
        timeout=550,
    )
    # The table takes 323 MB.
    assert float(done.stdout) * 2**20 < 375e6


# ----------------------------------------------------------------------------- rows in order


def daily(n_rows, per_day, seed=0):
    """Days with a mood and a weather of their own, which have nothing to do with each other.

    Rows of a day tell of each other: where some are kept aside at random, the best trees are
    those that know every day by heart.  The next days are new ones.
    """
    rng = np.random.default_rng(seed)
    day = np.arange(n_rows) // per_day
    mood, weather = rng.normal(size=day.max() + 1), rng.normal(size=(day.max() + 1, 3))
    X = np.column_stack([rng.normal(size=(n_rows, 5)), weather[day]])
    chance = 1 / (1 + np.exp(1.0 - 2.0 * mood[day] - 0.3 * X[:, 0]))
    return X, (rng.random(n_rows) < chance).astype(int)


def loss_beside_base_rate(X, y):
    """Log loss on the last fifth of the rows, in units of that of the rate of the others."""
    n = int(0.8 * len(X))
    found = RNNForestClassifier(4, random_state=0).fit(X[:n], y[:n]).predict_proba(X[n:])
    return log_loss(y[n:], found) / log_loss(y[n:], np.full(len(y) - n, y[:n].mean()))


@pytest.mark.parametrize(("n_rows", "per_day"), [(4_000, 20), (12_000, 60)])
def test_the_next_days_are_foretold_no_worse_than_by_the_base_rate(n_rows, per_day, monkeypatch):
    X, y = daily(n_rows, per_day)
    assert loss_beside_base_rate(X, y) < 1.02
    monkeypatch.setattr(sampled, "ORDERED", 10**9)  # rows kept aside at random
    assert loss_beside_base_rate(X, y) > 1.08
