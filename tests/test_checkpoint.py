"""Training that is killed at any moment goes on, and ends as if it had never been killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from killed_fit import Slow, digest, make, rows, write
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

import densernn
from densernn import DenseRNNClassifier, RNNELMClassifier, RNNELMRegressor
from densernn.engine import checkpoint
from densernn.errors import CheckpointError
from densernn.sources.arrays import ArraySource

KINDS = ("shallow", "deep", "published", "autoencoder", "forest", "image")
SCRIPT = Path(__file__).parent / "killed_fit.py"


def start(kind, folder, output):
    source = str(Path(densernn.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), kind, str(folder), str(output)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source, "OPENBLAS_NUM_THREADS": "1"},
    )


def killed_and_resumed(kind, folder, output, kills, longest, seed=0):
    """Kill a training so many times, each after a random while; then let it end."""
    pauses = random.Random(seed)
    done = 0
    while not output.exists():
        with start(kind, folder, output) as process:
            assert process.stdout.readline() == "ready\n"
            if done < kills:
                time.sleep(pauses.uniform(0, longest))
                process.send_signal(signal.SIGKILL)
                done += process.wait() == -signal.SIGKILL
            else:
                assert process.wait() == 0
    return done, output.read_text(encoding="utf-8")


def unbroken(kind, folder, tmp_path):
    """Train once more from the same generator: what the killed one began with."""
    fresh = tmp_path / "fresh"  # beside the file of rows
    fresh.mkdir()
    shutil.copy(folder / checkpoint.HEADER, fresh / checkpoint.HEADER)
    output = tmp_path / "unbroken"
    with start(kind, fresh, output) as process:
        process.communicate()
    return output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind",
    [kind if kind == "deep" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS],
)
def test_a_killed_training_ends_with_the_same_bits(kind, tmp_path):
    folder = tmp_path / "checkpoint"
    kills, found = killed_and_resumed(kind, folder, tmp_path / "out", kills=2, longest=1.2)
    assert kills
    assert found == unbroken(kind, folder, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["deep", "published", "file", "forest", "image"])
def test_twenty_kills(kind, tmp_path):
    """The longest pause is well below the whole training, so that all twenty strike."""
    folder = tmp_path / "checkpoint"
    write(tmp_path / "rows.csv.gz")
    kills, found = killed_and_resumed(kind, folder, tmp_path / "out", kills=20, longest=0.4)
    assert kills == 20
    assert found == unbroken(kind, folder, tmp_path)


class Broken(Slow):
    """Rows that end with an error after so many chunks in all."""

    left = 10**9

    def chunks(self, n_rows, first=0):
        for chunk in ArraySource.chunks(self, 64, first):
            if not Broken.left:
                raise OSError("the disk is gone")
            Broken.left -= 1
            yield chunk


@pytest.mark.parametrize(
    ("kind", "chunks"),
    [
        *(("shallow", n) for n in (1, 12, 24, 25, 47)),
        *(("forest", n) for n in (1, 20, 24, 25, 47)),
        *(("deep", n) for n in (5, 40, 60, 95)),
    ],
)
def test_only_what_is_missing_is_read_again(kind, chunks, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", np.inf)
    X, y = rows(1500)
    monkeypatch.setattr(Broken, "left", chunks)
    with pytest.raises(OSError, match="the disk is gone"):
        make(kind, tmp_path / "c").fit(Broken(X, y))
    monkeypatch.setattr(Broken, "left", 10**9)
    resumed = make(kind, tmp_path / "c").fit(Broken(X, y))
    passes = {"shallow": 2, "forest": 2, "deep": 4}[kind]
    needed = passes * -(-len(X) // 64)
    # An interrupted chunk may be read again, no more.
    assert 10**9 - Broken.left <= needed - chunks + passes
    whole = make(kind, tmp_path / "d")
    if kind == "shallow":  # drawn by chance: begin with the same generator
        (tmp_path / "d").mkdir()
        shutil.copy(tmp_path / "c" / checkpoint.HEADER, tmp_path / "d" / checkpoint.HEADER)
    assert digest(resumed) == digest(whole.fit(Broken(X, y)))


def test_a_finished_training_is_given_back_without_a_pass(tmp_path, monkeypatch):
    X, y = rows()
    first = make("deep", tmp_path / "c").fit(X, y)
    monkeypatch.setattr(ArraySource, "chunks", None)
    assert digest(make("deep", tmp_path / "c").fit(X, y)) == digest(first)


def test_a_checkpoint_changes_nothing(tmp_path):
    X, y = rows(1000)
    plain = RNNELMClassifier(50, random_state=1).fit(X, y)
    kept = RNNELMClassifier(50, random_state=1, checkpoint=tmp_path / "c").fit(X, y)
    assert digest(kept) == digest(plain)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n_hidden": 51}, "parameter n_hidden: 50 there, 51 now"),
        ({"weights": "dense"}, "parameter weights: 'sparse' there, 'dense' now"),
        ({"random_state": 2}, "parameter random_state: 1 there, 2 now"),
        ({"cluster": densernn.Cluster(n=10)}, "parameter cluster"),
    ],
)
def test_other_parameters_are_refused_by_name(change, named, tmp_path):
    X, y = rows(500)
    model = RNNELMClassifier(50, random_state=1, checkpoint=tmp_path / "c").fit(X, y)
    with pytest.raises(CheckpointError, match=named):
        model.set_params(**change).fit(X, y)


def test_another_class_and_other_data_are_refused_by_name(tmp_path):
    X, y = rows(500)
    RNNELMClassifier(50, random_state=1, checkpoint=tmp_path / "c").fit(X, y)
    with pytest.raises(CheckpointError, match="estimator: RNNELMClassifier there, RNNELMRegressor"):
        RNNELMRegressor(50, random_state=1, checkpoint=tmp_path / "c").fit(X, y)
    changed = X.copy()
    changed[317, 4] += 1e-12
    model = RNNELMClassifier(50, random_state=1, checkpoint=tmp_path / "c")
    with pytest.raises(CheckpointError, match="data values of X"):
        model.fit(changed, y)
    with pytest.raises(CheckpointError, match="data number of rows: 500 there, 499 now"):
        model.fit(X[:-1], y[:-1])
    with pytest.raises(CheckpointError, match="data weights: absent there"):
        model.fit(X, y, np.ones(len(X)))
    with pytest.raises(CheckpointError, match="data targets"):
        model.fit(X, 1 - y)


def test_a_refused_checkpoint_leaves_model_and_folder(tmp_path):
    X, y = rows(500)
    model = RNNELMClassifier(50, random_state=1, checkpoint=tmp_path / "c").fit(X, y)
    before, files = model.predict(X), sorted((tmp_path / "c").iterdir())
    with pytest.raises(CheckpointError):
        model.set_params(n_hidden=60).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert sorted((tmp_path / "c").iterdir()) == files


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    X, y = rows(500)
    model = RNNELMClassifier(50, random_state=1)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(CheckpointError, match="must be a folder"):
        model.set_params(checkpoint=tmp_path / "file").fit(X, y)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(CheckpointError, match="other files in it"):
        model.set_params(checkpoint=tmp_path / "other").fit(X, y)
    model.set_params(checkpoint=tmp_path / "c").fit(X, y)
    whole = next((tmp_path / "c").glob("pass-002-*"))
    whole.write_bytes(whole.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        model.fit(X, y)
    (tmp_path / "c" / checkpoint.HEADER).write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="cannot be read"):
        model.fit(X, y)


def test_a_half_written_header_is_no_foreign_file(tmp_path):
    X, y = rows(500)
    left = tmp_path / ".training.json.0123abcd.part"
    left.write_text("{", encoding="utf-8")
    RNNELMClassifier(50, random_state=1, checkpoint=tmp_path).fit(X, y)
    assert (tmp_path / checkpoint.HEADER).exists()
    assert not left.exists()


def test_one_training_at_a_time_has_the_folder(tmp_path):
    X, y = rows(500)
    model = RNNELMClassifier(50, random_state=1, checkpoint=tmp_path / "c")
    about = {"": {}, "parameter": {}, "data": {}}
    with (
        checkpoint.Checkpoint(tmp_path / "c", about),
        pytest.raises(CheckpointError, match="in use by another training"),
    ):
        model.fit(X, y)
    shutil.rmtree(tmp_path / "c")
    model.fit(X, y)
    with pytest.raises(CheckpointError, match="parameter n_hidden"):
        model.set_params(n_hidden=51).fit(X, y)
    model.set_params(n_hidden=50).fit(X, y)  # whoever was refused has let go


ABOUT = {"": {}, "parameter": {}, "data": {}}
HOLDER = """
import os, sys
from densernn.engine.checkpoint import Checkpoint
checkpoint = Checkpoint(sys.argv[1], {"": {}, "parameter": {}, "data": {}})
child = os.fork()
if not child:
    sys.exit()  # which finalises the child's copy of the lock
os.waitpid(child, 0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_lock_outlives_a_forked_child_and_dies_with_its_process(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "c")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(CheckpointError, match="in use by another training"):
            checkpoint.Checkpoint(tmp_path / "c", ABOUT)
        holder.kill()
        holder.wait(30)
        with checkpoint.Checkpoint(tmp_path / "c", ABOUT):
            pass


def test_a_preparation_that_draws_by_chance_is_taken_up_as_it_was(tmp_path):
    X, y = rows(1500)
    chance = QuantileTransformer(n_quantiles=20, subsample=50)
    model = RNNELMClassifier(30, random_state=0, checkpoint=tmp_path / "c", preparation=chance)
    assert digest(clone(model).fit(X, y)) == digest(clone(model).fit(X, y))
    assert chance.random_state is None


def test_functions_and_names_of_columns_are_told_apart(tmp_path):
    X, y = rows(500)
    model = RNNELMClassifier(30, random_state=0, checkpoint=tmp_path / "c")
    model.set_params(preparation=FunctionTransformer(lambda X: X**2)).fit(X, y)
    model.set_params(preparation=FunctionTransformer(lambda X: X**2)).fit(X, y)
    with pytest.raises(CheckpointError, match="parameter preparation"):
        model.set_params(preparation=FunctionTransformer(lambda X: X**4)).fit(X, y)
    frame = pd.DataFrame(X, columns=list("abcdefghijkl"))
    deep = DenseRNNClassifier((4,), 20, views=[["a"], list("bcdefghijkl")], random_state=0)
    deep.set_params(checkpoint=tmp_path / "d").fit(frame, y)
    with pytest.raises(CheckpointError, match="data column names"):
        deep.fit(frame.rename(columns={"a": "f", "f": "a"}), y)


def test_another_engine_is_refused_and_another_kind_of_number_is_not(tmp_path, monkeypatch):
    X, y = rows(500)
    model = RNNELMClassifier(30, random_state=1, checkpoint=tmp_path / "c").fit(X, y)
    model.set_params(random_state=np.int64(1), n_hidden=np.int64(30), engine="local").fit(X, y)
    with pytest.raises(CheckpointError, match="engine: local there, dask now"):
        model.set_params(engine="dask").fit(X, y)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_generator_is_taken_up_as_it_was(bits, tmp_path):
    X, y = rows(500)
    folder = tmp_path / "c"
    first = DenseRNNClassifier((10,), 30, checkpoint=folder)
    first.set_params(random_state=np.random.Generator(bits(5))).fit(X, y)
    again = DenseRNNClassifier((10,), 30, checkpoint=folder)
    again.set_params(random_state=np.random.Generator(bits(6)))
    for path in folder.glob("pass-*"):
        path.unlink()
    assert digest(again.fit(X, y)) == digest(first)
