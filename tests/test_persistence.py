"""Model files: the same model comes back, or a ModelFileError says why not; nothing else."""

import copy
import io
import json
import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

import densernn
from densernn import (
    Cluster,
    ClusterFeatures,
    ImageSubsampler,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    RowStandardizer,
    SignSplitter,
    SplitScaler,
    UnitScaler,
    ZCAWhitener,
    load,
    save,
)
from densernn.errors import DataError, ModelFileError, WriteError
from densernn.persistence import describe, header, reading, trusted, writing

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 6))
LABELS = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 0)
WORDS = np.array(["low", "middle", "high"])[LABELS]
VALUES = X @ np.arange(6.0)
NAMED = pd.DataFrame(X, columns=list("abcdef"))


def classifier(**options):
    return RNNELMClassifier(**{"n_hidden": 12, "fan_in": 3, "random_state": 0, **options})


def regressor(**options):
    return RNNELMRegressor(**{"n_hidden": 12, "fan_in": 3, "random_state": 0, **options})


def forest(**options):
    return RNNForestClassifier(**{"n_trees": 3, "random_state": 0, **options})


def value_forest(**options):
    return RNNForestRegressor(**{"n_trees": 3, "random_state": 0, **options})


class Doubler(UnitScaler):
    """A transformer of a user's own, which load must not trust."""


FITTED = {
    "sparse": lambda: classifier().fit(X, LABELS),
    "dense": lambda: classifier(weights="dense").fit(X, LABELS),
    "float32": lambda: classifier(dtype="float32", alpha=0.1).fit(X, LABELS),
    "words": lambda: classifier().fit(X, WORDS),
    "objects": lambda: classifier().fit(X, WORDS.astype(object)),
    "booleans": lambda: classifier().fit(X, LABELS > 0),
    "multilabel": lambda: classifier().fit(X, np.stack([LABELS > 0, LABELS > 1], 1).astype(int)),
    "weighted": lambda: classifier(class_weight={0: 2.0, 1: 0.5}).fit(X, LABELS),
    "balanced": lambda: classifier(class_weight="balanced").fit(X, LABELS),
    "grid": lambda: classifier(alpha=[1e-3, 1.0]).fit(X, LABELS),
    "array grid": lambda: classifier(alpha=np.geomspace(1e-3, 1, 3)).fit(X, LABELS),
    "clusters": lambda: classifier(cluster=Cluster(p=np.linspace(0, 0.5, 12))).fit(X, LABELS),
    "no preparation": lambda: classifier(preparation=None).fit(np.abs(X), LABELS),
    "scikit-learn's": lambda: classifier(preparation=MinMaxScaler(clip=True)).fit(X, LABELS),
    "split": lambda: classifier(preparation=SplitScaler(knots=(0.0, 1.0))).fit(X, LABELS),
    "names": lambda: classifier().fit(NAMED, WORDS),
    "random state": lambda: classifier(random_state=np.random.RandomState(3)).fit(X, LABELS),
    "generator": lambda: classifier(random_state=np.random.default_rng(3)).fit(X, LABELS),
    "streamed": lambda: classifier().partial_fit(X, LABELS, classes=[0, 1, 2, 3]),
    "regressor": lambda: regressor().fit(X, VALUES),
    "two outputs": lambda: regressor().fit(X, np.stack([VALUES, -(VALUES**2)], 1)),
    "forest": lambda: forest().fit(NAMED, WORDS),
    "forest of labels": lambda: forest().fit(X, np.stack([LABELS > 0, LABELS > 1], 1).astype(int)),
    "weighted forest": lambda: forest(class_weight={0: 2.0}, alpha=0.1).fit(X, LABELS),
    "streamed forest": lambda: forest().partial_fit(X, LABELS, classes=[0, 1, 2, 3]),
    "forest of values": lambda: value_forest(cluster=Cluster(n=10)).fit(X, VALUES),
    "forest of two": lambda: value_forest().fit(X, np.stack([VALUES, -(VALUES**2)], 1)),
    "large forest": lambda: forest().fit(
        np.tile(X, (50, 1)) + np.arange(6000)[:, None] / 1e3, WORDS.repeat(50)
    ),
    "logistic": lambda: classifier(readout="logistic").fit(X, WORDS),
    "logistic labels": lambda: classifier(readout="logistic").fit(
        X, np.stack([LABELS > 0, LABELS > 1], 1).astype(int)
    ),
    "features": lambda: ClusterFeatures(8, fan_in=2, random_state=0).fit(X),
    "unit": lambda: UnitScaler().fit(NAMED),
    "split scaler": lambda: SplitScaler().fit(X),
    "rows": lambda: RowStandardizer().fit(X),
    "subsampler": lambda: ImageSubsampler((1, X.shape[1]), step=2).fit(X),
    "sign splitter": lambda: SignSplitter("drop").fit(NAMED),
    "signs in a network": lambda: classifier(preparation=SignSplitter()).fit(X, LABELS),
    "whitener": lambda: ZCAWhitener().fit(NAMED),
    "pipeline": lambda: make_pipeline(StandardScaler(), classifier()).fit(NAMED, WORDS),
    "rows pipeline": lambda: make_pipeline(RowStandardizer(), classifier()).fit(X, WORDS),
    "nested": lambda: make_pipeline(
        make_union(StandardScaler(), RowStandardizer()), make_pipeline(UnitScaler(), regressor())
    ).fit(X, VALUES),
    "log": lambda: make_pipeline(FunctionTransformer(np.abs), classifier()).fit(X, LABELS),
    "bagging": lambda: BaggingClassifier(classifier(), n_estimators=2, random_state=0).fit(
        X, WORDS
    ),
    "voting": lambda: VotingClassifier([("a", classifier())], voting="soft").fit(X, WORDS),
    "stacking": lambda: StackingClassifier([("a", classifier())], cv=2).fit(X, WORDS),
    "calibrated": lambda: CalibratedClassifierCV(classifier(), cv=2).fit(X, WORDS),
    "isotonic": lambda: CalibratedClassifierCV(classifier(), method="isotonic", cv=2).fit(X, WORDS),
    "one against rest": lambda: OneVsRestClassifier(classifier()).fit(X, WORDS),
    "search": lambda: GridSearchCV(classifier(), {"fan_in": [1, 2]}, cv=2).fit(X, WORDS),
    "columns": lambda: ColumnTransformer(
        [("a", ClusterFeatures(4, fan_in=2, random_state=0), ["a", "b"]), ("b", "drop", ["c"])]
    ).fit(NAMED),
    "target": lambda: TransformedTargetRegressor(regressor(), transformer=StandardScaler()).fit(
        X, VALUES
    ),
}


def outputs(model):
    """Everything that a model says of some rows, by the name of the method."""
    rows = NAMED if hasattr(model, "feature_names_in_") else X
    rows = abs(rows) if getattr(model, "preparation", "") is None else rows
    methods = ("predict", "predict_proba", "decision_function", "transform")
    return {name: getattr(model, name)(rows) for name in methods if hasattr(model, name)}


def assert_same(one, other):
    """The same class, and equal outputs to the last bit."""
    assert type(one) is type(other)
    mine, theirs = outputs(one), outputs(other)
    assert mine.keys() == theirs.keys()
    assert mine
    for name, values in mine.items():
        assert values.dtype == theirs[name].dtype
        np.testing.assert_array_equal(values, theirs[name])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A fitted model and its file, for tests that damage copies of it."""
    model = classifier().fit(X, LABELS)
    path = tmp_path_factory.mktemp("small") / "model.skops"
    save(model, path)
    return model, path


# ------------------------------------------------------------------------- the same model


@pytest.mark.parametrize("moments", [True, False])
@pytest.mark.parametrize("name", FITTED)
def test_loaded_model_says_the_same_to_the_last_bit(name, moments, tmp_path, one_blas_thread):
    model = FITTED[name]()
    save(model, tmp_path / "m.skops", moments=moments)
    assert_same(model, load(tmp_path / "m.skops"))
    assert describe(tmp_path / "m.skops")["class"] == type(model).__name__


def test_another_process_reads_the_same(small, tmp_path):
    model, path = small
    program = (
        "import sys, numpy as np, densernn\n"
        "model = densernn.load(sys.argv[1])\n"
        "np.save(sys.argv[2], model.predict_proba(np.load(sys.argv[3])))\n"
    )
    np.save(tmp_path / "X.npy", X)
    command = [sys.executable, "-c", program, str(path)]
    subprocess.run([*command, tmp_path / "out.npy", tmp_path / "X.npy"], check=True, timeout=120)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), model.predict_proba(X))


@pytest.mark.parametrize("kind", [classifier, regressor, forest, value_forest])
def test_loaded_model_goes_on_as_the_saved_one_would(kind, tmp_path, one_blas_thread):
    y = LABELS if kind in (classifier, forest) else VALUES
    first = {"classes": [0, 1, 2]} if kind in (classifier, forest) else {}
    model = kind().partial_fit(X[:70], y[:70], **first)
    shard = model.fresh().partial_fit(X[70:90], y[70:90])
    save(model, tmp_path / "model.skops")
    save(shard, tmp_path / "shard.skops")
    again, other = load(tmp_path / "model.skops"), load(tmp_path / "shard.skops")
    for one, two in ((model, shard), (again, other)):
        one.merge(two).partial_fit(X[90:], y[90:]).forget(X[:10], y[:10])
    assert_same(model, again)
    assert model.moments_.weight == again.moments_.weight == len(X) - 10
    if kind in (classifier, regressor):
        np.testing.assert_array_equal(model.moments_.second, again.moments_.second)


@pytest.mark.parametrize("kind", [classifier, forest])
def test_fresh_model_travels_to_a_shard(kind, tmp_path, one_blas_thread):
    model = kind().fit(X, LABELS)
    save(model.fresh(), tmp_path / "fresh.skops")
    shard = load(tmp_path / "fresh.skops").partial_fit(X, LABELS)
    np.testing.assert_array_equal(shard.predict_proba(X), model.predict_proba(X))
    assert describe(tmp_path / "fresh.skops").get("alpha") is None
    with pytest.raises(DataError, match="no rows"):
        save(model.fresh(), tmp_path / "none.skops", moments=False)


def test_readout_is_solved_before_saving(tmp_path, monkeypatch):
    model = classifier().partial_fit(X, LABELS, classes=[0, 1, 2])
    save(model, tmp_path / "m.skops")
    monkeypatch.setattr("densernn.estimators.readout.choose_alpha", None)
    load(tmp_path / "m.skops").predict(X)


def test_saving_changes_nothing_outside_a_file(tmp_path):
    model = classifier().fit(X, LABELS)
    save(model, tmp_path / "m.skops", moments=False)
    assert copy.deepcopy(model).moments_.weight == len(X)
    model.partial_fit(X, LABELS)
    assert model.moments_.weight == 2 * len(X)


# ------------------------------------------------------------------- for prediction alone


@pytest.fixture(params=[classifier, forest])
def predictor(request, tmp_path):
    save(request.param().fit(X, LABELS), tmp_path / "p.skops", moments=False)
    return load(tmp_path / "p.skops")


@pytest.mark.parametrize(
    "act",
    [
        lambda model: model.partial_fit(X, LABELS),
        lambda model: model.partial_fit(X, LABELS, classes=[0, 1, 2]),
        lambda model: model.forget(X, LABELS),
        lambda model: model.fresh(),
        lambda model: model.merge(classifier().fit(X, LABELS)),
        lambda model: clone(model).fit(X, LABELS).merge(model),
    ],
)
def test_model_without_moments_refuses_what_needs_them(act, predictor):
    before = predictor.predict_proba(X)
    with pytest.raises(DataError, match="moments=False"):
        act(predictor)
    np.testing.assert_array_equal(predictor.predict_proba(X), before)


def test_model_without_moments_can_be_saved_and_fitted_again(predictor, tmp_path):
    save(predictor, tmp_path / "again.skops")
    assert_same(predictor, load(tmp_path / "again.skops"))
    assert describe(tmp_path / "again.skops")["moments"] is False
    assert (
        predictor.fit(X[:60], LABELS[:60]).partial_fit(X[60:], LABELS[60:]).score(X, LABELS) > 0.5
    )


def test_file_holds_moments_once_and_packed(tmp_path):
    size = 300 + 3
    rows = np.tile(X, (3, 1))  # more than clusters: of fewer, the rows themselves are kept
    model = classifier(n_hidden=300).fit(rows, np.tile(LABELS, 3))
    save(model, tmp_path / "whole.skops")
    save(model, tmp_path / "small.skops", moments=False)
    whole, small = ((tmp_path / f"{n}.skops").stat().st_size for n in ("whole", "small"))
    packed = 8 * size * (size + 1) // 2
    assert packed < whole - small < packed + 10_000
    weights_and_coefficients = 300 * (3 * 12 + 3 * 8)
    assert small < weights_and_coefficients + 15_000


# --------------------------------------------------------------------------- what describes


def test_describe_tells_what_the_model_is_without_making_it(tmp_path, monkeypatch):
    path = tmp_path / "m.skops"
    save(
        make_pipeline(RowStandardizer(), classifier(weights="dense", alpha=0.5)).fit(NAMED, WORDS),
        path,
    )
    monkeypatch.setattr(skops.io, "load", None)
    about = describe(path)
    assert about == {
        "path": str(path),
        "bytes": path.stat().st_size,
        "format": header.FORMAT,
        "densernn": densernn.__version__,
        "class": "Pipeline",
        "estimator": "RNNELMClassifier",
        "moments": True,
        "n_features": 6,
        "feature_names": list("abcdef"),
        "n_hidden": 12,
        "weights": "dense",
        "fan_in": None,
        "preparation": "UnitScaler",
        "dtype": "float64",
        "alpha": 0.5,
        "weight_learned": 120.0,
        "n_outputs": 3,
        "classes": ["high", "low", "middle"],
    }


# ------------------------------------------------------------------------ refusals to save


@pytest.mark.parametrize(
    "model",
    [classifier(), regressor(), ClusterFeatures(), make_pipeline(UnitScaler(), classifier())],
)
def test_untrained_model_is_not_saved(model, tmp_path):
    with pytest.raises(NotFittedError):
        save(model, tmp_path / "m.skops")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("thing", [3, "model", classifier, None, {"a": 1}])
def test_only_estimators_are_saved(thing, tmp_path):
    with pytest.raises(ModelFileError, match="estimator"):
        save(thing, tmp_path / "m.skops")


def a_function(rows):
    return abs(rows)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: classifier(preparation=Doubler()).fit(X, LABELS), "Doubler"),
        (
            lambda: make_pipeline(FunctionTransformer(a_function), classifier()).fit(X, LABELS),
            "a_func",
        ),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(make, named, tmp_path):
    with pytest.raises(ModelFileError, match=named):
        save(make(), tmp_path / "m.skops")
    assert not list(tmp_path.iterdir())


def test_file_is_replaced_whole_or_not_at_all(small, tmp_path, monkeypatch):
    path = tmp_path / "m.skops"
    shutil.copy(small[1], path)
    before = path.read_bytes()

    def fail(handle):
        raise OSError(28, "No space left on device")

    model = regressor().fit(X, VALUES)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="space"):
            save(model, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    save(model, path)
    assert describe(path)["class"] == "RNNELMRegressor"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError, match=f"there is no folder {tmp_path / 'no'}: make it"):
        save(small[0], tmp_path / "no" / "m.skops")
    with pytest.raises(WriteError, match="is a folder: name a file in it"):
        save(small[0], tmp_path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_said_and_leaves_nothing(small, tmp_path, monkeypatch):
    replaced = Path("/dev/full")
    monkeypatch.setattr(
        writing, "_pack", lambda data, header, part: replaced.write_bytes(data.getvalue())
    )
    with pytest.raises(WriteError, match=r"m\.skops: cannot be written \(No space left") as caught:
        save(small[0], tmp_path / "m.skops")
    assert ".part" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_folder_without_the_right_to_write_is_said(small, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match=r"m\.skops: cannot be written \(Permission denied"):
        save(small[0], tmp_path / "m.skops")
    tmp_path.chmod(0o700)


def test_link_is_followed_and_rights_are_usual(small, tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    save(small[0], tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert_same(small[0], load(tmp_path / "target"))
    (tmp_path / "plain").touch()
    assert (tmp_path / "target").stat().st_mode == (tmp_path / "plain").stat().st_mode


# ------------------------------------------------------------------------ refusals to load


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return path


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refuse(path, said):
    """The file must be refused, by name, when it is loaded."""
    with pytest.raises(ModelFileError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path):
    for read in (load, describe):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none.skops")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "not a model file"),
        (b"PK\x03\x04" + bytes(100), "not a model file"),
        ({"a.txt": b"hello"}, "an archive, but no model"),
        ({header.MEMBER: {"format": 1}}, "an archive, but no model"),
        ({"schema.json": b"{", header.MEMBER: {"format": 1}}, "damaged"),
        ({"schema.json": b"[]", header.MEMBER: {"format": 1}}, "damaged"),
        ({"schema.json": {"protocol": 10**6}, header.MEMBER: {"format": 1}}, "skops protocol"),
        ({"schema.json": b"[" * 10**5, header.MEMBER: {"format": 1}}, "damaged"),
    ],
)
def test_what_is_no_model_file(content, said, tmp_path):
    path = tmp_path / "m.skops"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write(path, content)
    refuse(path, said)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"format": header.FORMAT + 1, "densernn": "9.9"}, "written by densernn 9.9.*upgrade"),
        ({"format": 0}, "no format number"),
        ({"format": "1"}, "no format number"),
        ({}, "no format number"),
        ([1], "no format number"),
        (b"{", "damaged"),
        (b"\xff\xfe", "damaged"),
        ({"format": 1, "class": "Pipeline"}, "announced as Pipeline"),
    ],
)
def test_header_that_does_not_fit(head, said, small, tmp_path):
    path = write(tmp_path / "m.skops", {**members_of(small[1]), header.MEMBER: head})
    refuse(path, said)


def test_plain_skops_file_is_foreign(tmp_path):
    skops.io.dump(StandardScaler().fit(X), tmp_path / "m.skops")
    refuse(tmp_path / "m.skops", "no model saved by densernn.save")
    with pytest.raises(ModelFileError, match=r"no model saved by densernn\.save"):
        describe(tmp_path / "m.skops")


def test_every_format_has_a_reader():
    assert sorted(reading.READERS) == list(range(1, header.FORMAT + 1))


@pytest.mark.parametrize("name", trusted.TRUSTED)
def test_trusted_names_are_classes_at_their_place(name):
    module, _, kind = name.rpartition(".")
    assert isinstance(getattr(import_module(module), kind), type)


# -------------------------------------------------------------------------------- damage


def check_damaged(small, content, folder):
    """Either nothing that matters was hit, and the model is the same, or it is refused."""
    model, _ = small
    path = Path(folder) / "damaged.skops"
    path.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = load(path)
    except ModelFileError:
        return False
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.moments_.second, model.moments_.second)
    return True


@given(data=st.data())
def test_flipped_bytes_are_noticed_or_harmless(data, small, tmp_path_factory):
    content = bytearray(small[1].read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    check_damaged(small, content, tmp_path_factory.getbasetemp())


@given(data=st.data())
def test_cut_files_are_noticed(data, small, tmp_path_factory):
    content = small[1].read_bytes()
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    cut = content[:start] + content[stop:]
    intact = check_damaged(small, cut, tmp_path_factory.getbasetemp())
    assert not intact or start == stop or len(content) - len(cut) < 100


@given(data=st.data())
def test_damage_to_the_directory_of_the_archive(data, small, tmp_path_factory):
    """The directory at the end has no checksum of its own: most damage hides there."""
    content = bytearray(small[1].read_bytes())
    start = content.index(b"PK\x01\x02")
    for place in data.draw(st.lists(st.integers(start, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    check_damaged(small, content, tmp_path_factory.getbasetemp())


@pytest.mark.slow
def test_every_byte_of_the_directory(small, tmp_path):
    content = small[1].read_bytes()
    for place in range(content.index(b"PK\x01\x02"), len(content)):
        for flip in (1, 0x80, 0xFF):
            hurt = bytearray(content)
            hurt[place] ^= flip
            check_damaged(small, hurt, tmp_path)


def test_arrays_of_two_models_are_not_mixed_up(small, tmp_path):
    """A schema whose arrays are missing, or of another shape, makes no model."""
    members = members_of(small[1])
    arrays = [name for name in members if name.endswith(".npy")]
    for name in arrays:
        left = {key: value for key, value in members.items() if key != name}
        refuse(write(tmp_path / "m.skops", left), "damaged")


# ---------------------------------------------------------------------------- malice


class Local:
    """Stands for any class that is not densernn's."""

    def __init__(self):
        self.value = 1


def text(value):
    return {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(value),
    }


def node(name, loader, **more):
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader, **more}


def arguments(*values):
    return node("builtins.tuple", "TupleNode", content=[text(value) for value in values])


def harmful(marker):
    """Schemas that would make a file if they were ever made into objects, and what they hold."""
    touch = arguments(f"touch {marker}")
    # The first protocol wrote a function's name a second time.
    system = node("os.system", "FunctionNode", content={"module_path": "os", "function": "system"})
    call = {
        "func": system,
        "args": touch,
        "kwds": node("builtins.dict", "DictNode", content={}, key_types=text([])),
        "namespace": text(None),
    }
    kind = "densernn.estimators.classifier.RNNELMClassifier"
    held = node(
        "builtins.dict",
        "DictNode",
        content={"preparation": node("trap_module.Trap", "ObjectNode")},
        key_types=node("builtins.list", "ListNode", content=[node("builtins.str", "TypeNode")]),
    )
    return {
        "os.system": system,
        "posix.system": node("posix.system", "ConstructorFromReduceNode", content=touch),
        "functools.partial": node("functools.partial", "PartialNode", content=call),
        "subprocess.Popen": node("subprocess.Popen", "ConstructorFromReduceNode", content=touch),
        "builtins.eval": node("builtins.eval", "TypeNode"),
        "trap_module.Trap": node(kind, "ObjectNode", content=held),
        "trap_module.other": node("trap_module.other", "ObjectNode"),
        f"{kind}.fit": node(
            kind, "MethodNode", content={"func": "fit", "obj": node(kind, "ObjectNode")}
        ),
    }


@pytest.mark.parametrize("with_header", [True, False])
@pytest.mark.parametrize("protocol", [0, 1, 2])
@pytest.mark.parametrize("name", harmful(""))
def test_harmful_file_names_its_types_and_runs_nothing(
    name, protocol, with_header, tmp_path, monkeypatch
):
    marker = tmp_path / "executed"
    (tmp_path / "trap_module.py").write_text(
        f"import pathlib\npathlib.Path({str(marker)!r}).touch()\nclass Trap: pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    schema = {**harmful(marker)[name], "protocol": protocol, "_skops_version": "0.16.0"}
    members = {"schema.json": schema}
    if with_header:
        members[header.MEMBER] = {"format": 1, "class": "RNNELMClassifier"}
    path = write(tmp_path / "m.skops", members)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert not marker.exists()
    assert "trap_module" not in sys.modules
    assert "not trusted" in str(caught.value)
    assert name in str(caught.value)


def test_object_of_a_local_class_is_named(tmp_path):
    model = classifier().fit(X, LABELS)
    model.note_ = Local()
    skops.io.dump(model, tmp_path / "m.skops")
    refuse(tmp_path / "m.skops", r"test_persistence\.Local")


def test_numbers_that_would_lead_kernels_astray_are_refused(small, tmp_path):
    """Kernels do not check bounds, so a crafted model must not reach them."""
    for change in (
        lambda w: w["inputs"].__setitem__(0, 10**6),
        lambda w: w["inputs"].__setitem__(0, -1),
        lambda w: w["starts"].__setitem__(-1, 10**6),
        lambda w: w["starts"].__setitem__(1, 10**6),
        lambda w: w.update(values=w["values"][:-1]),
        lambda w: w.update(n_inputs=1),
    ):
        model = copy.deepcopy(small[0])
        change(vars(model.feature_map_.layers[0].weights))
        save(model, tmp_path / "m.skops")
        refuse(tmp_path / "m.skops", "sparse weights")


@pytest.mark.parametrize("preparation", ["unit", "split"])
def test_maps_of_another_width_are_refused_in_use(preparation, tmp_path):
    model = classifier(preparation=preparation).fit(X, LABELS)
    scaler = model.feature_map_.preparation
    scaler.factor_ = scaler.factor_[:2]
    save(model, tmp_path / "m.skops")
    with pytest.raises(DataError, match="6 columns"):
        load(tmp_path / "m.skops").predict(X)


def test_layer_of_another_width_is_refused_in_use(tmp_path):
    model = classifier(preparation="unit").fit(X, LABELS)
    vars(model.feature_map_.layers[0].weights)["n_inputs"] = 7
    save(model, tmp_path / "m.skops")
    with pytest.raises(DataError, match="7 columns"):
        load(tmp_path / "m.skops").predict(X)


def test_moments_of_another_size_are_refused(tmp_path, monkeypatch):
    model = classifier().fit(X, LABELS)
    model.moments_.sums = model.moments_.sums[:-1]
    save(model, tmp_path / "m.skops")
    refuse(tmp_path / "m.skops", "moments of 15 columns")


def test_audit_reads_the_schema_alone():
    """Types stand in the schema: leaving arrays out changes nothing of what is found."""
    data = io.BytesIO()
    skops.io.dump(Local(), data)
    assert trusted.untrusted_types(data) == skops.io.get_untrusted_types(data=data.getvalue())
    assert writing.untrusted_types is trusted.untrusted_types


# ------------------------------------------------------------------------- files of old formats


GOLDEN = Path(__file__).parent / "formats"
GOLDEN_ROWS = np.arange(36.0).reshape(12, 3) % 7


def golden_model():
    """Return what the files beside hold; one is written when a new format is made, and kept."""
    y = np.array(["low", "high"])[(GOLDEN_ROWS[:, 0] > 3).astype(int)]
    return make_pipeline(
        RowStandardizer("float64"), RNNELMClassifier(6, fan_in=2, alpha=1e-6, random_state=0)
    ).fit(GOLDEN_ROWS, y)


@pytest.mark.parametrize("number", reading.READERS)
def test_file_of_each_format_can_be_read(number):
    model = load(GOLDEN / f"format-{number}.skops")
    low = model.predict_proba(GOLDEN_ROWS[[0, 2]])[:, 1]
    np.testing.assert_allclose(low, [0.874999938, 5.2e-8], atol=1e-6)
    rows = model[:-1].transform(GOLDEN_ROWS)
    model[-1].partial_fit(rows, model.predict(GOLDEN_ROWS))
    assert model[-1].moments_.weight == 24


def rewritten(path, target, changes):
    """Write a copy of a model file with text of its schema changed."""
    members = members_of(path)
    schema = members["schema.json"].decode()
    for old, new in changes.items():
        assert old in schema
        schema = schema.replace(old, new)
    return write(target, {**members, "schema.json": schema.encode()})


def test_renamed_classes_and_attributes_of_older_files_are_found(small, tmp_path, monkeypatch):
    model, path = small
    monkeypatch.setitem(trusted.RENAMED, "densernn.heaps.Heap", "densernn.cluster.Cluster")
    monkeypatch.setitem(trusted.RENAMED_ATTRIBUTES, "old_targets_", "targets_")
    changes = {
        '"__class__": "Cluster",': '"__class__": "Heap",',
        '"densernn.cluster"': '"densernn.heaps"',
        '"targets_"': '"old_targets_"',
    }
    older = rewritten(path, tmp_path / "older.skops", changes)
    assert_same(model, load(older))
    assert describe(older)["class"] == "RNNELMClassifier"
    monkeypatch.delitem(trusted.RENAMED, "densernn.heaps.Heap")
    refuse(older, r"not trusted.*densernn\.heaps\.Heap")


def test_renamed_classes_exist_and_are_trusted():
    assert not set(trusted.RENAMED) & set(trusted.OWN)
    assert set(trusted.RENAMED.values()) <= set(trusted.OWN)
