"""Forests in files that were tampered with: refused, and never followed by a kernel."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from forests import assert_same, forest, table

from densernn import load, save
from densernn.errors import DataError, ModelFileError

READ = """
import sys
import numpy as np
import densernn
for path in sys.argv[1:]:
    try:
        model = densernn.load(path)
        model.predict(np.random.default_rng(0).normal(size=(500, model.n_features_in_)))
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[0], flush=True)
    else:
        print("read", path, flush=True)
"""


def read(*paths):
    """Load files, and predict, in a process of its own; return what it says of each."""
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=99,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(paths)
    return said


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def longest(tree):
    """The first cluster of the largest region, and the last node that asks a column."""
    return tree.starts[int(tree.sizes.argmax())], np.flatnonzero(tree.column >= 0)[-1]


TREES = {
    "node on the right beyond the tree": lambda t: {"right": changed(t.right, 0, 10**6)},
    "node on the right above": lambda t: {"right": changed(t.right, longest(t)[1], 0)},
    "node on the right before it": lambda t: {"right": changed(t.right, 0, -5)},
    "column beyond the rows": lambda t: {"column": changed(t.column, 0, 99)},
    "region beyond the others": lambda t: {"region": changed(t.region, -1, 10**6)},
    "region below 0": lambda t: {"region": changed(t.region, -1, -7)},
    "region in a node": lambda t: {"column": changed(t.column, 0, -1)},
    "parent behind its box": lambda t: {"above": changed(t.above, longest(t)[0], 5)},
    "parent far below 0": lambda t: {"above": changed(t.above, 1, -(10**6))},
    "wall of no column": lambda t: {"input": changed(t.input, 0, 10**6)},
    "wall of a column below 0": lambda t: {"input": changed(t.input, 0, -1)},
    "clusters that end too late": lambda t: {"starts": changed(t.starts, -1, 10**6)},
    "clusters that begin below 0": lambda t: {"starts": changed(t.starts, 0, -5)},
    "clusters in no order": lambda t: {"starts": changed(t.starts, 1, t.starts[-1] + 1)},
    "no regions": lambda t: {"starts": t.starts[:0]},
    "one start": lambda t: {"starts": t.starts[:1]},
    "fewer clusters": lambda t: {"above": t.above[:-1]},
    "fewer hinges": lambda t: {"hinge": t.hinge[:, :-1]},
    "three hinges": lambda t: {"hinge": t.hinge[:3]},
    "fewer walls": lambda t: {"wall": t.wall[:-1]},
    "fewer factors": lambda t: {"factor": t.factor[:-1]},
    "nodes in two axes": lambda t: {"column": np.tile(t.column[:, None], 2)},
    "hinges in one axis": lambda t: {"hinge": t.hinge.ravel()},
    "walls of text": lambda t: {"wall": t.wall.astype(str)},
    "columns with fractions": lambda t: {"column": t.column + 0.5},
    "parents with fractions": lambda t: {"above": t.above.astype(np.float64)},
    "starts with fractions": lambda t: {"starts": t.starts.astype(np.float64)},
    "no nodes": lambda t: {
        name: getattr(t, name)[:0] for name in ("column", "right", "region", "wall")
    },
}

BINS = {
    "no start of columns": lambda b: {"starts": b.starts[:0]},
    "columns without knots": lambda b: {"starts": changed(b.starts, 1, 0)},
    "knots beyond the last": lambda b: {"starts": changed(b.starts, -1, 10**6)},
    "fewer scores": lambda b: {"scores": b.scores[:-1]},
    "fewer knots": lambda b: {"knots": b.knots[:3]},
    "a column less": lambda b: {"starts": np.delete(b.starts, 1)},
    "knots in two axes": lambda b: {"knots": b.knots[:, None]},
    "starts with fractions": lambda b: {"starts": b.starts.astype(np.float64)},
    "knots of text": lambda b: {"knots": b.knots.astype(str)},
}

SOLUTIONS = {
    "fewer weights": lambda s: {"weights": tuple(w[:-1] for w in s.weights)},
    "weights of a tree less": lambda s: {"weights": s.weights[:-1]},
    "means of a region less": lambda s: {"means": tuple(m[:-1] for m in s.means)},
    "means in one axis": lambda s: {"means": tuple(m.ravel() for m in s.means)},
    "no limits": lambda s: {"limits": s.limits[:1]},
    "weights of more targets": lambda s: {"weights": tuple(np.hstack([w, w]) for w in s.weights)},
    "weights of text": lambda s: {"weights": tuple(w.astype(str) for w in s.weights)},
}

MOMENTS = {
    "fewer products": lambda m: {"trees": tuple(replace(t, second=t.second[:-1]) for t in m.trees)},
    "fewer sums": lambda m: {"trees": tuple(replace(t, cross=t.cross[1:]) for t in m.trees)},
    "sums of a tree less": lambda m: {"trees": m.trees[1:]},
    "sums in one axis": lambda m: {
        "trees": tuple(replace(t, cross=t.cross.ravel()) for t in m.trees)
    },
    "ranges of more targets": lambda m: {"least": np.tile(m.least, 2)},
    "sums of text": lambda m: {
        "trees": tuple(replace(t, cross=t.cross.astype(str)) for t in m.trees)
    },
}


def tampered(part, change):
    """A fitted forest, some arrays of which were exchanged without a check."""
    model = forest("classes").fit(*table("classes"))
    forest_map = model.feature_map_
    if part == "tree":
        tree = forest_map.trees[1]
        trees = (forest_map.trees[0], replace(tree, **change(tree)), *forest_map.trees[2:])
        model.feature_map_ = replace(forest_map, trees=trees)
    elif part == "bins":
        bins = replace(forest_map.bins, **change(forest_map.bins))
        model.feature_map_ = replace(forest_map, bins=bins)
    elif part == "solution":
        solution = model._readout.solve(None)[0]
        model._readout._solved = replace(solution, **change(solution))
    else:
        state = model.learned_
        model.learned_ = replace(state, moments=replace(state.moments, **change(state.moments)))
    return model


CASES = [
    (part, name)
    for part, changes in (
        ("tree", TREES),
        ("bins", BINS),
        ("solution", SOLUTIONS),
        ("moments", MOMENTS),
    )
    for name in changes
]
CHANGES = {"tree": TREES, "bins": BINS, "solution": SOLUTIONS, "moments": MOMENTS}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What one process says of all files; if one of them kills it, of none."""
    folder = tmp_path_factory.mktemp("tampered")
    paths = []
    for number, (part, name) in enumerate(CASES):
        paths.append(folder / f"{number}.skops")
        save(tampered(part, CHANGES[part][name]), paths[-1])
    return dict(zip(CASES, read(*paths), strict=True))


@pytest.mark.parametrize(("part", "name"), CASES)
def test_arrays_that_contradict_each_other_are_refused(part, name, verdicts):
    assert "damaged" in verdicts[part, name]
    assert verdicts[part, name].startswith("ModelFileError")


def test_what_was_not_tampered_with_is_read(tmp_path):
    model = tampered("tree", lambda tree: {"wall": tree.wall.copy()})
    save(model, tmp_path / "m.skops")
    assert_same(load(tmp_path / "m.skops"), model, table("classes")[0])
    assert read(tmp_path / "m.skops")[0].startswith("read")


def test_rows_of_other_columns_are_never_followed(tmp_path):
    model = forest("classes").fit(*table("classes"))
    model.n_features_in_ = 3000
    save(model, tmp_path / "m.skops")
    with pytest.raises(ModelFileError, match="of 5 columns says it has 3000"):
        load(tmp_path / "m.skops")


def test_a_readout_of_other_trees_is_refused(tmp_path):
    X, y = table("classes")
    model = forest("classes").fit(X, y)
    other = forest("classes", region_size=30).fit(X, y)
    model._readout = replace(model._readout, forest=other.feature_map_)
    save(model, tmp_path / "m.skops")
    with pytest.raises(ModelFileError, match="readout of this forest is of other trees"):
        load(tmp_path / "m.skops")


def test_several_clusters_are_refused(tmp_path):
    model = forest("classes").fit(*table("classes"))
    other = replace(model.feature_map_.cluster, p=np.full(5, 0.1))
    model.feature_map_ = replace(model.feature_map_, cluster=other)
    save(model, tmp_path / "m.skops", moments=False)
    with pytest.raises((ModelFileError, DataError), match="one set of cluster parameters"):
        load(tmp_path / "m.skops")
