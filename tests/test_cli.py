"""The command line: what it prints, where, with which exit status; and that it says no nicely."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

import densernn
from densernn import RNNELMClassifier, RNNELMRegressor, datasets, load, save
from densernn.cli import entry, evaluate, models, report
from densernn.cli.options import ModelOptions
from densernn.cli.task import Task, choose_task
from densernn.errors import DataError
from densernn.sources.arrays import ArraySource

RNG = np.random.RandomState(0)
X = RNG.normal(size=(200, 4))
FRAME = pd.DataFrame(X, columns=list("abcd"))
WORDS = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
VALUES = X @ [1.0, -2.0, 3.0, 0.5]
SMALL = ("--n-hidden", "30", "--fan-in", "4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with tables, and models that were trained on them."""
    folder = tmp_path_factory.mktemp("cli")
    words, values = FRAME.assign(label=WORDS), FRAME.assign(value=VALUES)
    words.to_csv(folder / "words.csv", index=False)
    words.to_csv(folder / "words.csv.gz", index=False)
    words.to_parquet(folder / "words.parquet")
    np.savez(folder / "numbers.npz", X=X, y=(X[:, 0] > 0).astype(int))
    values.to_csv(folder / "values.csv", index=False)
    FRAME.assign(one=["only", *WORDS[1:]]).to_csv(folder / "rare.csv", index=False)
    (folder / "missing.csv").write_text("a,b,label\n1,2,x\n3,4,\n")
    (folder / "word.csv").write_text("a,b,c,d,label\n1,2,3,oops,x\n" + "3,4,5,6,y\n" * 30)
    (folder / "damaged.skops").write_bytes(b"PK nothing")
    (folder / "empty.skops").touch()
    save(RNNELMRegressor(20, random_state=0).fit(X, VALUES), folder / "unnamed.skops")
    save(densernn.UnitScaler().fit(X), folder / "scaler.skops")
    assert (
        entry.run(
            ["fit", f"{folder}/words.csv", "--target=label", *SMALL, "-o", f"{folder}/words.skops"]
        )
        == 0
    )
    assert (
        entry.run(
            [
                "fit",
                f"{folder}/values.csv",
                "--target=value",
                *SMALL,
                "-o",
                f"{folder}/values.skops",
            ]
        )
        == 0
    )
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    """Commands are run in the folder, so that its files go by their names."""
    monkeypatch.chdir(folder)
    return folder


def shell(*args, **options):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "densernn", *map(str, args)]
    streams = {"capture_output": True, "text": True}
    return subprocess.run(command, check=False, timeout=120, **streams, **options)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


# --------------------------------------------------------------------------------- evaluate


def test_digits_as_json(call, tmp_path):
    network = ("--model=rnn-elm", "-o", tmp_path / "digits.skops")
    out = call("evaluate", "--dataset", "digits", "--json", *network)
    assert out.count("\n") == 1
    result = json.loads(out)
    assert result["accuracy"] >= 0.975
    assert {
        "dataset": "digits",
        "task": "classification",
        "n_train": 1347,
        "n_test": 450,
        "n_features": 64,
        "n_hidden": 1000,
        "weights": "sparse",
        "fan_in": 16,
        "dtype": "float64",
        "seed": 0,
        "preprocess": "none",
        "densernn": densernn.__version__,
        "model": str(tmp_path / "digits.skops"),
    }.items() <= result.items()
    assert result["alpha"] > 0
    assert result["alphas_tried"] > 1
    for name in ("fit_seconds", "alpha_seconds", "predict_seconds", "peak_memory_mb", "n_threads"):
        assert result[name] > 0
    assert result["processor"]
    digits = densernn.datasets.load_digits()
    model = load(tmp_path / "digits.skops")
    assert model.score(digits.X_test, digits.y_test) == result["accuracy"]
    assert model.verbose == 0


def test_deep_models_by_structure(call, tmp_path):
    line = ["evaluate", "--dataset=digits", "--json"]
    deep = json.loads(call(*line, "--model=dense-rnn", "--structure=64-20-60-10"))
    assert deep["accuracy"] > 0.85
    assert (deep["layers"], deep["encoder"], deep["weights"]) == ([40, 60], "ridge", "sparse")
    model = tmp_path / "two.skops"
    published = json.loads(
        call(*line, "--model=classifier2", "--structure=64-20-10-60-10", "-o", model)
    )
    assert published["accuracy"] > 0.85
    assert (published["layers"], published["alpha"]) == ([40, 20, 60], 1e-16)
    assert json.loads(call("info", model, "--json"))["layers"] == [40, 20, 60]
    sources = json.loads(call(*line, "--model=classifier5", "--structure=2x32-2x3x20-10"))
    assert (sources["layers"], sources["n_hidden"]) == ([240], None)
    ridge = ("--encoder=ridge", "--kappa=1e-7", "--alpha=1e-6", "--lam=0.01")
    chosen = json.loads(call(*line, "--model=classifier2", "--structure=64-20-60-10", *ridge))
    assert (chosen["encoder"], chosen["alpha"]) == ("RidgeSolver(alpha=10000000.0)", 1e-6)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_deep_model_of_an_own_file(task, here, call):
    name, target = ("values", "value") if task == "regression" else ("words", "label")
    deep = ("--model=dense-rnn", "--n-hidden=30", "--encoder=nonnegative-fista", "--json")
    result = json.loads(call("evaluate", f"{name}.csv", f"--target={target}", *deep))
    assert result["r2" if task == "regression" else "accuracy"] > 0.5
    assert result["layers"] == [500, 30]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--model=classifier2", "needs --structure"),
        ("--model=classifier2 --structure=784-500-5000-10", "784 inputs, and the data have 64"),
        ("--model=classifier2 --structure=64-20-60-9", "9 outputs, and the data have 10"),
        ("--model=classifier2 --structure=64-2o-60-10", "part 2, '2o'"),
        ("--model=classifier2 --structure=64-20-60-10 --n-hidden=5", "--n-hidden: has no meaning"),
        ("--model=dense-rnn --structure=64-20-60-10 --n-hidden=5", "--n-hidden: has no meaning"),
        ("--structure=64-20-60-10", "--structure: has no meaning for --model rnn-elm"),
        ("--model=dense-rnn --kappa=1", "--kappa needs --encoder ridge"),
        ("--model=classifier1 --structure=64-20-60-10 --encoder=ridge", "Classifier-1"),
        (
            "--model=classifier2 --structure=64-20-60-10 --encoder=nonnegative-fista",
            "classifier1",
        ),
    ],
)
def test_deep_options_that_do_not_go_together(arguments, said, refuse):
    assert said in refuse("evaluate", "--dataset=digits", *arguments.split())


def test_a_published_classifier_does_no_regression(here, refuse):
    published = ("--model=classifier2", "--structure=4-20-60-9")
    assert "is a classifier" in refuse("evaluate", "values.csv", "--target=value", *published)


def test_the_same_seed_gives_the_same_and_another_does_not(call):
    keys = ("accuracy", "alpha")
    results = [
        json.loads(call("evaluate", "--dataset=digits", *SMALL, "--json", "--seed", seed))
        for seed in (1, 1, 2)
    ]
    first, second, other = ([result[key] for key in keys] for result in results)
    assert first == second != other


def test_fixed_penalty_takes_no_time_to_choose(call):
    out = call("evaluate", "--dataset=digits", *SMALL, "--json", "--alpha=0.5", "--dtype=float32")
    result = json.loads(out)
    assert (result["alpha"], result["alpha_seconds"], result["alphas_tried"]) == (0.5, 0.0, 1)
    assert result["dtype"] == "float32"


def test_several_penalties(call):
    out = call("evaluate", "--dataset=digits", *SMALL, "--json", "--alpha=1e-3, 1,100")
    result = json.loads(out)
    assert result["alpha"] in (1e-3, 1.0, 100.0)
    assert result["alphas_tried"] == 3


def test_table_on_the_screen(call, tmp_path):
    out = call(
        "evaluate", "--dataset=digits", *SMALL, "--weights=dense", "-o", tmp_path / "m.skops"
    )
    for word in ("accuracy", "%", "fit seconds", "alpha", "peak memory", "dense", "m.skops"):
        assert word in out
    assert "None" not in out


@pytest.mark.parametrize("preprocess", ["none", "zscore-rows", "unit", "split"])
def test_preprocess_goes_into_the_saved_model(preprocess, call, tmp_path):
    path = tmp_path / "m.skops"
    out = call(
        "evaluate", "--dataset=digits", *SMALL, "--json", "--preprocess", preprocess, "-o", path
    )
    digits, model = densernn.datasets.load_digits(), load(path)
    assert model.score(digits.X_test, digits.y_test) == json.loads(out)["accuracy"]
    assert isinstance(model, Pipeline) == (preprocess == "zscore-rows")
    if preprocess in ("unit", "split"):
        assert model.preparation == preprocess


def write_mnist(folder):
    """Write a small data set in the format of MNIST."""
    rng = np.random.default_rng(0)
    for part, n_rows in (("train", 300), ("t10k", 100)):
        labels = rng.integers(0, 3, n_rows)
        images = rng.integers(0, 50, (n_rows, 28, 28)) + 60 * labels[:, None, None]
        images[np.arange(n_rows), 3 * labels] = 255
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            shape = np.array(array.shape, ">u4").tobytes()
            content = bytes([0, 0, 8, array.ndim]) + shape + array.astype(np.uint8).tobytes()
            (folder / f"{part}-{kind}-ubyte").write_bytes(content)


def test_mnist_is_standardised_row_by_row_unless_told_otherwise(call, tmp_path):
    write_mnist(tmp_path)
    common = ("evaluate", "--dataset=mnist", "--data-path", tmp_path, *SMALL, "--json")
    result = json.loads(call(*common, "-o", tmp_path / "m.skops"))
    assert result["preprocess"] == "zscore-rows"
    assert result["preprocess_seconds"] > 0
    assert load(tmp_path / "m.skops")[0].__class__.__name__ == "RowStandardizer"
    assert json.loads(call(*common, "--preprocess=none"))["preprocess_seconds"] == 0


def test_norb_is_subsampled_to_32_by_32_pixels(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (5, 2, 96, 96)).astype(np.uint8)
    names = tuple(f"{camera}_{i}_{j}" for camera in "ab" for i in range(96) for j in range(96))
    whole = densernn.datasets.Dataset("norb", X[:3], np.arange(3), X[3:], np.arange(2), names)
    monkeypatch.setattr(densernn.datasets, "load_norb", lambda path: whole)
    norb = evaluate.LOADERS["norb"](None)
    np.testing.assert_array_equal(norb.X_test, X[3:, :, ::3, ::3].reshape(2, -1))
    assert norb.X_train.shape == (3, 2 * 32 * 32)
    assert norb.feature_names[32 + 1] == "a_3_3"
    assert set(np.array(norb.feature_names)[norb.sources["b"]]) < set(names[96 * 96 :])


@pytest.mark.parametrize("name", ["words.csv", "words.csv.gz", "words.parquet"])
def test_own_file_holds_a_quarter_out(name, here, call):
    result = json.loads(call("evaluate", name, "--target=label", *SMALL, "--json"))
    assert (result["n_train"], result["n_test"], result["dataset"]) == (150, 50, name)
    assert result["accuracy"] > 0.8
    out = call("evaluate", name, "--target=label", *SMALL, "--json", "--test-size=0.1")
    assert json.loads(out)["n_test"] == 20


def test_held_out_part_has_the_share_of_each_class(folder):
    rows = ArraySource(X, WORDS)
    parts = evaluate._hold_out("words.csv", rows, Task("classification", 2, ""), 0.25, 0)
    share = np.mean(WORDS == "yes")
    assert np.mean(parts.test.y == "yes") == pytest.approx(share, abs=0.02)


def test_regression(here, call):
    result = json.loads(call("evaluate", "values.csv", "--target=value", *SMALL, "--json"))
    assert (result["task"], result["task_by"]) == ("regression", "fractions in the target")
    assert result["r2"] > 0.9
    assert "accuracy" not in result


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.arange(40) / 2, Task("regression", None, "fractions in the target")),
        (np.arange(630) % 30 * 1.0, Task("classification", 30, "30 classes of whole numbers")),
        (np.arange(1050) % 50, Task("classification", 50, "50 classes of whole numbers")),
        (
            np.arange(40).astype(str),
            Task("classification", 40, "40 classes of text or truth values"),
        ),
        (np.arange(40) > 7, Task("classification", 2, "2 classes of text or truth values")),
    ],
)
def test_automatic_task(y, task):
    assert choose_task(y, "file", "auto") == task


@pytest.mark.parametrize(
    "y", [np.arange(600) % 30, np.arange(600) % 30 * 1.0, np.arange(2000) % 51]
)
def test_whole_numbers_that_may_be_values_are_asked_about(y):
    with pytest.raises(DataError, match="say --task classification or --task regression"):
        choose_task(y, "file", "auto")
    assert choose_task(y, "file", "classification").n_classes == len(np.unique(y))
    assert choose_task(y, "file", "regression") == Task("regression", None, "--task")


# ---------------------------------------------------------------------------- fit and predict


def test_predictions_are_those_of_python(here, call):
    model = RNNELMClassifier(30, fan_in=4, random_state=0).fit(X, WORDS)
    rows = rows_of(call("predict", "words.skops", "words.csv", "--proba"))
    assert list(rows[0]) == ["prediction", "probability_no", "probability_yes"]
    assert [row["prediction"] for row in rows] == model.predict(X).tolist()
    probabilities = [[float(row[f"probability_{c}"]) for c in ("no", "yes")] for row in rows]
    np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=0, atol=1e-12)


def test_predictions_of_values(here, call, tmp_path):
    model = RNNELMRegressor(30, fan_in=4, random_state=0).fit(X, VALUES)
    call("predict", "values.skops", "values.csv", "-o", tmp_path / "out.csv")
    out = pd.read_csv(tmp_path / "out.csv")
    assert list(out) == ["prediction"]
    np.testing.assert_allclose(out["prediction"], model.predict(X), rtol=1e-12)


def test_columns_go_by_name(here, call, tmp_path):
    shuffled = FRAME[["d", "a"]].assign(other="text", c=FRAME["c"], b=FRAME["b"])
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    expected = call("predict", "words.skops", "words.csv")
    assert call("predict", "words.skops", tmp_path / "shuffled.csv", "-o", "-") == expected


def test_python_knows_the_columns_of_a_model_from_the_command_line(here):
    model = load("words.skops")
    assert model.feature_names_in_.tolist() == list("abcd")
    model.predict(FRAME)  # and does not warn, as errors here, of names
    model.partial_fit(FRAME, WORDS)


def test_arrays_from_npz(here, call, tmp_path):
    path = tmp_path / "m.skops"
    call("fit", "numbers.npz", "--target=y", *SMALL, "-o", path, "--preprocess=zscore-rows")
    rows = rows_of(call("predict", path, "numbers.npz"))
    assert [int(row["prediction"]) for row in rows] == load(path).predict(named(X)).tolist()


def named(rows):
    return pd.DataFrame(rows, columns=[f"x{j}" for j in range(rows.shape[1])])


def test_model_without_names_takes_columns_in_their_order(here, call, refuse, tmp_path):
    FRAME.to_csv(tmp_path / "plain.csv", index=False)
    rows = rows_of(call("predict", "unnamed.skops", tmp_path / "plain.csv"))
    np.testing.assert_allclose(
        [float(row["prediction"]) for row in rows], load("unnamed.skops").predict(X), rtol=1e-12
    )
    assert "5 columns" in refuse("predict", "unnamed.skops", "values.csv")


def test_several_outputs_get_numbered_columns(here, call, tmp_path):
    model = RNNELMRegressor(20, random_state=0).fit(FRAME, np.stack([VALUES, -VALUES], 1))
    save(model, tmp_path / "two.skops")
    rows = rows_of(call("predict", tmp_path / "two.skops", "words.csv"))
    assert list(rows[0]) == ["prediction_0", "prediction_1"]


def test_model_can_learn_on_unless_moments_are_left_out(here, call, tmp_path):
    call("fit", "words.csv", "--target=label", *SMALL, "-o", tmp_path / "a.skops")
    call("fit", "words.csv", "--target=label", *SMALL, "-o", tmp_path / "b.skops", "--no-moments")
    assert hasattr(load(tmp_path / "a.skops"), "moments_")
    assert not hasattr(load(tmp_path / "b.skops"), "moments_")


def test_info(here, call):
    out = call("info", "words.skops")
    for word in (
        "RNNELMClassifier",
        "n hidden",
        "30",
        "sparse",
        "float64",
        "no, yes",
        "a, b, c, d",
    ):
        assert word in out
    about = json.loads(call("info", "words.skops", "--json"))
    assert about["weight_learned"] == len(X)
    assert about["bytes"] == (here / "words.skops").stat().st_size


# ----------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Missing command"),
        ("nonsense", "nonsense"),
        ("--nonsense", "--nonsense"),
        ("evaluate", "--dataset"),
        ("evaluate words.csv --dataset digits --target label", "not both"),
        ("evaluate words.csv", "--target"),
        ("evaluate words.csv --target label --data-path .", "--data-path"),
        ("evaluate --dataset digits --target label", "--target"),
        ("evaluate --dataset digits --test-size 0.5", "--test-size"),
        ("evaluate --dataset digits --task regression", "--task"),
        ("evaluate --dataset digits --data-path .", "--data-path: digits come with"),
        ("evaluate --dataset stereo", "'stereo' is not one of 'covertype'"),
        ("evaluate --dataset norb --data-path .", "smallnorb"),
        ("evaluate --dataset mfeat --data-path .", "mfeat-fac"),
        ("evaluate --dataset cifar", "cifar"),
        ("evaluate --dataset mnist --data-path nowhere", "nowhere"),
        ("evaluate --dataset mnist --data-path .", "train-images"),
        ("evaluate --dataset digits --alpha much", "neither auto"),
        ("evaluate --dataset digits --alpha 1,,2", "neither auto"),
        ("evaluate --dataset digits --alpha -1", "at least 0"),
        ("evaluate --dataset digits --alpha inf", "finite"),
        ("evaluate --dataset digits --alpha nan", "finite"),
        ("evaluate --dataset digits --n-hidden 0", "--n-hidden"),
        ("evaluate --dataset digits --n-hidden many", "--n-hidden"),
        ("evaluate --dataset digits --fan-in 0", "--fan-in"),
        ("evaluate --dataset digits --weights soft", "--weights"),
        ("evaluate --dataset digits --dtype float16", "--dtype"),
        ("evaluate --dataset digits --seed -1", "--seed"),
        ("evaluate --dataset digits --preprocess much", "--preprocess"),
        ("evaluate --dataset digits -o .", "folder"),
        ("evaluate --dataset digits -o no/where.skops", "there is no folder no"),
        ("evaluate words.csv --target label --test-size 1.5", "--test-size"),
        ("evaluate words.csv --target label --test-size 0.001", "test_size"),
        ("evaluate words.csv --target label --task regression", "holds text"),
        ("evaluate values.csv --target value --task classification", "fractions"),
        ("evaluate rare.csv --target one", "'only'"),
        ("evaluate nowhere.csv --target label", "nowhere.csv: no such file"),
        ("evaluate words.csv --target lable", "nearest of 5: 'label'"),
        ("evaluate missing.csv --target label", "missing.csv, line 3, column 'label'"),
        ("evaluate word.csv --target label", "word.csv, line 2, column 'd': 'oops'"),
        ("evaluate words.txt --target label", "words.txt"),
        ("fit words.csv --target label", "--output"),
        ("fit words.csv -o m.skops", "--target"),
        ("fit words.csv --target label -o no/where.skops", "there is no folder no"),
        ("fit missing.csv --target label -o m.skops", "line 3"),
        ("predict", "MODEL"),
        ("predict words.skops", "TABLE"),
        ("predict nowhere.skops words.csv", "nowhere.skops: No such file"),
        ("predict words.skops nowhere.csv", "nowhere.csv: no such file"),
        ("predict words.skops word.csv", "line 2"),
        ("predict words.skops missing.csv", "'c', 'd'"),
        ("predict words.skops words.csv -o no/where.csv", "there is no folder no"),
        ("predict damaged.skops words.csv", "damaged.skops"),
        ("predict empty.skops words.csv", "empty.skops: the file is empty"),
        ("predict words.csv words.csv", "words.csv: not a model file"),
        ("predict scaler.skops words.csv", "does not predict"),
        ("predict values.skops values.csv --proba", "no probabilities"),
        ("predict . words.csv", "."),
        ("info nowhere.skops", "nowhere.skops: No such file"),
        ("info damaged.skops", "damaged.skops"),
    ],
)
def test_what_is_refused_in_one_line(line, said, here, refuse):
    before = sorted(here.iterdir())
    assert said in refuse(*line.split())
    assert sorted(here.iterdir()) == before


def test_data_set_that_is_nowhere(refuse, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DENSERNN_DATA", raising=False)

    def offline(*args):
        raise OSError("no network")

    monkeypatch.setattr("densernn.datasets.fetch.download", offline)
    assert "covtype.data.gz" in refuse("evaluate", "--dataset", "covertype")


def test_memory_that_runs_out_is_another_status(monkeypatch, capsys):
    def exhausted(*args, **options):
        raise MemoryError("Unable to allocate 1 TiB")

    monkeypatch.setattr("densernn.cli.evaluate.train", exhausted)
    assert entry.run(["evaluate", "--dataset=digits"]) == 1
    assert capsys.readouterr().err == "densernn: out of memory: Unable to allocate 1 TiB\n"


# ---------------------------------------------------------------------- as a process of its own


def test_help_is_fast_and_imports_nothing_heavy():
    program = (
        "import sys\n"
        "from densernn.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "finally:\n"
        "    heavy = {'numba', 'sklearn', 'numpy', 'scipy', 'pyarrow', 'skops', 'rich'}\n"
        "    assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    for _ in range(3):  # another process may be taking the processors
        start = time.perf_counter()
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, check=False, capture_output=True, timeout=60)
        seconds = time.perf_counter() - start
        assert done.returncode == 0, done.stderr
        if seconds < 0.3:
            break
    assert seconds < 0.3
    for command in (b"evaluate", b"fit", b"predict", b"info", b"simulate", b"datasets"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["evaluate", "fit", "predict", "info", "simulate", "datasets"])
def test_each_command_has_help(command, call):
    out = call(command, "--help")
    assert "Usage: densernn" in out
    if command in ("evaluate", "fit"):
        assert "50 classes with more than 20 rows each" in " ".join(out.split())


def test_version():
    done = shell("--version")
    assert (done.returncode, done.stdout) == (0, f"densernn {densernn.__version__}\n")


def test_console_script():
    from importlib.metadata import entry_points

    [script] = [e for e in entry_points(group="console_scripts") if e.name == "densernn"]
    assert script.load() is densernn.cli.main


def test_refusal_of_a_process(here):
    done = shell("evaluate", "missing.csv", "--target", "label")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("densernn: missing.csv, line 3")


def test_our_warnings_take_one_line_each(here, tmp_path):
    """Also where the program says that all warnings are to be shown."""
    done = shell(
        *("fit", "values.csv", "--target=value", "--weights=dense", "--n-hidden=300"),
        *("--alpha=0", "--dtype=float32", "-o", tmp_path / "m.skops", "--json"),
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["alpha"] == 0
    assert done.stderr.startswith("densernn: warning: the ridge system of 300 features")
    assert done.stderr.count("\n") == 1


def test_output_in_a_pipe_has_no_bar_and_no_colour(here):
    done = shell("evaluate", "words.csv", "--target=label", *SMALL)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("args", [("--help",), ("predict", "words.skops", "words.csv")])
def test_broken_pipe_is_quiet(args, here):
    command = [sys.executable, "-m", "densernn", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == entry.BROKEN_PIPE


def on_terminal(*args):
    """Run the command with a terminal for its output; return exit status and what it showed."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "densernn", *args]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        shown = bytearray()
        while True:
            try:
                part = os.read(master, 1 << 16)
            except OSError:  # the other side is gone
                break
            if not part:
                break
            shown += part
    os.close(master)
    return process.returncode, shown.decode()


def test_terminal_shows_a_bar_and_a_table(here):
    status, shown = on_terminal("evaluate", "words.csv", "--target=label", *SMALL)
    assert status == 0
    for word in ("readout", "100%", "accuracy", "words.csv", "\x1b["):
        assert word in shown


@pytest.mark.parametrize("seconds", [0.02, 0.3, pytest.param(4, marks=pytest.mark.slow)])
def test_interruption_is_quiet(seconds, tmp_path):
    big = FRAME.loc[np.zeros(200_000, int)].assign(y=np.arange(200_000) % 2)
    big.to_csv(tmp_path / "big.csv", index=False)
    command = [sys.executable, "-c", "from densernn.cli import main; print(flush=True); main()"]
    arguments = ["evaluate", tmp_path / "big.csv", "--target=y", "--n-hidden=3000"]
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()  # the interpreter itself is up, and the little that catches
        time.sleep(0.02 + seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


# ---------------------------------------------------------------------------------- simulate


@pytest.mark.slow
def test_simulate_finds_zeta_inside_each_interval(call):
    """The parameters that the paper takes, and the run length and seed that are the defaults."""
    cluster = ("--n", 20, "--p", 0.05, "--r", 0.001, "--lambda-plus", 0.005)
    out = call("simulate", *cluster, "--lambda-minus", 0.005, "--x", 0, 0.01, 0.1, "--json")
    result = json.loads(out)
    assert [one["x"] for one in result["results"]] == [0.0, 0.01, 0.1]
    for one in result["results"]:
        assert one["analytic"] == float(densernn.Cluster().zeta(one["x"]))
        assert one["low"] < one["simulated"] < one["high"]
        assert one["low"] < one["analytic"] < one["high"]
        assert one["inside"] is one["complete"] is True
        assert one["high"] - one["low"] < 0.02 * one["analytic"]
    assert {"level": 0.99, "runs": 8, "seed": 0, "n": 20}.items() <= result.items()
    assert result["events_per_second"] > 0


QUICK = ("simulate", "--arrivals", 2000)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], [0]),
        (["--x", "0.5"], [0.5]),
        (["--x", "0", "0.5", "1e-1"], [0, 0.5, 0.1]),
        (["--x=0", "0.5", "--seed", "3", "--x", "2", "3"], [0, 0.5, 2, 3]),
        (["--x", "1", "--x", "2"], [1, 2]),
    ],
)
def test_simulate_takes_many_inputs(call, args, expected):
    result = json.loads(call(*QUICK, *args, "--json"))
    assert [one["x"] for one in result["results"]] == expected


def test_simulate_draws_and_prints_a_table(call, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    out = call(*QUICK, "--x", 0.1, "--plot", tmp_path / "zeta.png")
    for word in ("analytic", "simulated", "99 % interval", "0.047575", "events per second"):
        assert word in out
    assert (tmp_path / "zeta.png").read_bytes().startswith(b"\x89PNG")


def test_simulate_stops_at_a_time_limit(refuse):
    args = ("--arrivals", 10**12, "--time-limit", 0.2)
    assert "time_limit=0.2 was over before the warm-up" in refuse("simulate", *args)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--n", "1"], "Cluster needs n >= 2"),
        (["--lambda-plus", "1"], "lambda_minus >= lambda_plus"),
        (["--x", "-0.1"], "-0.1 is not in the range"),
        (["--x", "0", "-0.1"], "-0.1 is not in the range"),
        (["0.1"], "unexpected extra argument"),
        (["--p", "0.1", "0.2"], "unexpected extra argument"),
        (["--runs", "1"], "--runs"),
        (["--plot", "nowhere/zeta.png"], "there is no folder nowhere"),
    ],
)
def test_simulate_refuses(refuse, args, said):
    assert said in refuse("simulate", *args)


def test_simulate_says_what_a_plot_needs(refuse, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'densernn[plot]'" in refuse("simulate", "--plot", tmp_path / "zeta.png")


# ---------------------------------------------------------------------------------- datasets


def test_make_higgs_like_writes_what_it_says(call, tmp_path):
    paths = [tmp_path / "rows.parquet", tmp_path / "HIGGS-rows.csv.gz"]
    outputs = ("-o", paths[0], "-o", paths[1])
    out = call("datasets", "make-higgs-like", "--rows", 300, "--seed", 5, *outputs, "--json")
    assert out.count("\n") == 1
    result = json.loads(out)
    assert (result["rows"], result["seed"]) == (300, 5)
    assert result["files"] == [str(path) for path in paths]
    assert result["bytes"] == [path.stat().st_size for path in paths]
    assert 0 < result["seconds"] < 60
    features, labels = datasets.make_higgs_like(300, seed=5)
    frame = pd.read_parquet(paths[0])
    np.testing.assert_array_equal(frame.drop(columns="class_label").to_numpy(), features)
    np.testing.assert_array_equal(frame["class_label"], labels)


def test_make_higgs_like_has_a_table_and_help(call, tmp_path):
    out = call("datasets", "make-higgs-like", "--rows", 1000, "-o", tmp_path / "rows.csv")
    assert "1,000" in out
    assert "seconds" in out
    assert "11000000" in call("datasets", "make-higgs-like", "--help")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Missing option '-o'"),
        (("-o", "rows.txt"), "rows.txt: its name must end with one of .parquet, .csv, .csv.gz"),
        (("-o", "nowhere/rows.csv"), "nowhere/rows.csv: there is no folder nowhere"),
        (("-o", "HIGGS.csv.gz"), "must not bear the name of the published file"),
        (("-o", "rows.csv", "--rows", "0"), "--rows"),
        (("-o", "rows.csv", "--seed", "-1"), "--seed"),
    ],
)
def test_make_higgs_like_refuses(refuse, args, said):
    assert said in refuse("datasets", "make-higgs-like", *args)


def test_the_group_asks_for_a_command(refuse):
    assert "Missing command" in refuse("datasets")


# ------------------------------------------------------------------------------------- parts


def test_seconds_add_up():
    """What the search for a penalty took is kept apart, and nothing is lost."""
    options = ModelOptions("sparse", 50, 4, "auto", "auto", "none", 0)
    model = models.make_model("classification", options)
    rows = ArraySource(X, WORDS)
    result = models.train(model, rows, rows)
    both = result["fit_seconds"] + result["alpha_seconds"]
    assert both == pytest.approx(sum(model.fit_seconds_.values()))
    assert result["alphas_tried"] == len(model.alpha_scores_)


def test_json_has_null_for_what_is_no_number(capsys):
    report.show({"r2": float("nan"), "alpha": float("inf"), "n": 1}, "title", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"r2": None, "alpha": None, "n": 1}


@pytest.mark.slow
def test_moderate_file_end_to_end(tmp_path):
    """100,000 rows through three processes: what comes out is what Python says."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(100_000, 8))
    frame = pd.DataFrame(rows, columns=[f"f{j}" for j in range(8)])
    frame["y"] = (rows[:, 0] * rows[:, 1] > 0).astype(int)
    frame.to_parquet(tmp_path / "t.parquet")
    model, out = tmp_path / "m.skops", tmp_path / "out.csv"
    fitted = shell("fit", tmp_path / "t.parquet", "--target=y", "-o", model, "--json")
    assert fitted.returncode == 0, fitted.stderr
    assert shell("predict", model, tmp_path / "t.parquet", "-o", out).returncode == 0
    predictions = pd.read_csv(out)["prediction"].to_numpy()
    np.testing.assert_array_equal(predictions, load(model).predict(frame.drop(columns="y")))
    assert np.mean(predictions == frame["y"]) > 0.9


# ---------------------------------------------------------------------------------- streams


def fitted(call, *args):
    return json.loads(call("fit", *args, *SMALL, "--json"))


def test_streamed_and_loaded_fits_make_one_model(here, call, tmp_path):
    models = [tmp_path / name for name in ("loaded.skops", "streamed.skops", "folder.skops")]
    (tmp_path / "parts").mkdir()
    words = FRAME.assign(label=WORDS)
    for number, part in enumerate((words[:40], words[40:])):
        part.to_csv(tmp_path / "parts" / f"{number}.csv", index=False)
    words.to_csv(tmp_path / "all.csv", index=False)
    loaded = fitted(call, tmp_path / "all.csv", "--target=label", "-o", models[0])
    streamed = fitted(call, tmp_path / "all.csv", "--target=label", "-o", models[1], "--stream")
    fitted(call, tmp_path / "parts", "--target=label", "-o", models[2])
    times = {"fit_seconds", "cpu_seconds", "alpha_seconds", "preprocess_seconds"}
    same = set(loaded) - times - {"model"}
    assert {name: loaded[name] for name in same if "memory" not in name} == {
        name: streamed[name] for name in same if "memory" not in name
    }
    answers = [call("predict", model, tmp_path / "all.csv", "--proba") for model in models]
    assert answers[0] == answers[1] == answers[2]
    assert call("predict", models[0], tmp_path / "parts", "--proba") == answers[0]


def test_a_stream_is_kept_and_taken_up(here, call, refuse, tmp_path):
    options = ("--target=label", "-o", tmp_path / "m.skops", "--checkpoint", tmp_path / "kept")
    first = fitted(call, "words.csv", *options, "--memory-limit", "200 MB")
    again = fitted(call, "words.csv", *options, "--memory-limit", "200 MB")
    assert (tmp_path / "kept").is_dir()
    assert first["alpha"] == again["alpha"]
    refused = refuse("fit", "words.csv", *options, *SMALL, "--memory-limit", "100 MB")
    assert "parameter memory_limit: '200 MB' there, '100 MB' now" in refused


@pytest.mark.filterwarnings("always::densernn.errors.SkippedRowsWarning")
def test_headerless_files_and_bad_rows(here, capsys, tmp_path):
    bad = FRAME.astype(object).assign(label=WORDS)
    bad.iloc[7, 0] = "oops"
    bad.to_csv(tmp_path / "bad.csv", index=False, header=False)
    target = len(FRAME.columns)
    command = ["fit", tmp_path / "bad.csv", f"--target={target}", "--no-header", *SMALL, "--json"]
    command = [str(word) for word in [*command, "-o", tmp_path / "m.skops"]]
    assert entry.run(command) == 2
    assert "bad.csv, line 8, column 'x0'" in capsys.readouterr().err
    assert entry.run([*command, "--on-bad-rows=skip"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["n_train"] == len(FRAME) - 1
    assert "1 bad rows were skipped" in shown.err
    assert "line 8" in shown.err


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--preprocess=zscore-rows", "--stream"), "does not go with rows that stream"),
        (("--memory-limit=much",), "memory_limit must be bytes"),
        (("--memory-limit=1 MB",), "too little"),
        (("--checkpoint=words.csv",), "must be a folder"),
    ],
)
def test_what_a_stream_cannot_do_is_said(extra, message, here, refuse):
    command = ("fit", "words.csv", "--target=label", "-o", "m.skops", *SMALL, *extra)
    assert message in refuse(*command)


def test_what_is_read_is_never_overwritten(here, refuse, tmp_path):
    (tmp_path / "parts").mkdir()
    table, model = tmp_path / "parts" / "a.csv", tmp_path / "m.skops"
    FRAME.assign(label=WORDS).to_csv(table, index=False)
    before = table.read_bytes()
    assert "cannot be written too" in refuse("fit", table, "--target=label", "-o", table)
    fitted_model = (here / "words.skops").read_bytes()
    model.write_bytes(fitted_model)
    assert "cannot be written too" in refuse("predict", model, table, "-o", table)
    assert "cannot be written too" in refuse("predict", model, table, "-o", model)
    assert "lies in the folder" in refuse("predict", model, table.parent, "-o", table)
    assert (table.read_bytes(), model.read_bytes()) == (before, fitted_model)


def test_predictions_are_written_whole_or_not_at_all(here, refuse, tmp_path, monkeypatch):
    monkeypatch.setattr("densernn.cli.predict.CHUNK_ROWS", 10)
    rows = FRAME.astype(object)
    rows.iloc[57, 1] = "oops"
    rows.to_csv(tmp_path / "late.csv", index=False)
    (tmp_path / "out.csv").write_text("kept", encoding="utf-8")
    assert "line 59" in refuse(
        "predict", "words.skops", tmp_path / "late.csv", "-o", tmp_path / "out.csv"
    )
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["late.csv", "out.csv"]


def test_headerless_rows_are_predicted_too(here, call, tmp_path):
    FRAME.assign(label=WORDS).to_csv(tmp_path / "bare.csv", index=False, header=False)
    target = len(FRAME.columns)
    model = tmp_path / "m.skops"
    call("fit", tmp_path / "bare.csv", f"--target={target}", "--no-header", *SMALL, "-o", model)
    answers = rows_of(call("predict", model, tmp_path / "bare.csv", "--no-header"))
    assert len(answers) == len(FRAME)


def test_feather_and_patterns_stream_by_themselves(here, call, tmp_path):
    words = FRAME.assign(label=WORDS)
    words.to_feather(tmp_path / "w.feather")
    words[:50].to_csv(tmp_path / "day1.csv", index=False)
    words[50:].to_csv(tmp_path / "day2.csv", index=False)
    for table in ("w.feather", "day*.csv"):
        found = fitted(call, tmp_path / table, "--target=label", "-o", tmp_path / "m.skops")
        assert found["n_train"] == len(FRAME)
