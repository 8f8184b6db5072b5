"""Types that a model file may hold beside those that skops trusts, and their former names."""

from __future__ import annotations

import io
import json
from typing import IO, Any
from zipfile import ZipFile

from sklearn.base import BaseEstimator
from skops.io import get_untrusted_types

import densernn
from densernn.solvers import SOLVERS


def _public_estimators() -> list[str]:
    """Return the paths of the estimators that the package's stub names."""
    public = [getattr(densernn, name) for name in dir(densernn) if name[0].isupper()]
    return [f"{c.__module__}.{c.__name__}" for c in public if issubclass(c, BaseEstimator)]


OWN = (
    *_public_estimators(),
    "densernn.category_encoder.CategoryEncoder",
    "densernn.cluster.Cluster",
    "densernn.estimators.readout.Readout",
    "densernn.estimators.targets.ClassTargets",
    "densernn.estimators.targets.LabelTargets",
    "densernn.estimators.targets.RealTargets",
    "densernn.forest.bins.ColumnBins",
    "densernn.forest.boxes.BoxTree",
    "densernn.calibration.Calibration",
    "densernn.intervals.Intervals",
    "densernn.forest.forest_map.ForestMap",
    "densernn.forest.moments.ForestMoments",
    "densernn.forest.moments.TreeMoments",
    "densernn.forest.readout.ForestReadout",
    "densernn.forest.solution.ClassProbabilities",
    "densernn.forest.solution.ForestSolution",
    "densernn.forest.solution.LabelProbabilities",
    "densernn.forest.solution.ValuesInRange",
    "densernn.forest.structure.Structure",
    "densernn.sources.choice.Choice",
    "densernn.sources.encoding.TableEncoder",
    "densernn.stats.column_stats.ClassCounts",
    "densernn.stats.few_rows.FewRows",
    "densernn.stats.moments.Moments",
    "densernn.layers.ClusterLayer",
    "densernn.layers.FeatureMap",
    "densernn.phases.LearnedState",
    "densernn.preparation.MissingIndicator",
    "densernn.images.augment.Augmentation",
    "densernn.images.pixels.Layout",
    "densernn.images.pixels.PixelPreparation",
    "densernn.images.image_map.ImageMap",
    "densernn.images.layer.ConvolutionalLayer",
    "densernn.solvers.logistic.Sigmoid",
    "densernn.solvers.logistic.Softmax",
    "densernn.rotation.Rotation",
    "densernn.rotation.Scaling",
    "densernn.solvers.ridge.RidgeSolution",
    "densernn.weights.DenseWeights",
    "densernn.weights.SparseWeights",
    "densernn.wiring.ParallelLayer",
    "densernn.wiring.ViewPreparation",
)
"""Public estimators, and a list: a class is added once it is sure that its state can do no harm.

The names stand in files.  A class that moves is listed under its new name, and its old name goes
into ``RENAMED``, so that older files can be read.
"""

RENAMED = {
    "densernn.folds.columns.ClassCounts": "densernn.stats.column_stats.ClassCounts",
    "densernn.folds.moments.Moments": "densernn.stats.moments.Moments",
    "densernn.layers.Stack": "densernn.layers.FeatureMap",
    "densernn.wiring.SourcePreparation": "densernn.wiring.ViewPreparation",
}
"""Classes that files of earlier versions hold under another name: the old one, then the new."""

RENAMED_ATTRIBUTES: dict[str, str] = {}
"""Attributes, of any class of densernn, that earlier versions saved under another name."""

SCIKIT_LEARN = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.utils._bunch.Bunch",
)
"""Plain holders of data that calibrated, voting, stacked and searched models keep inside."""

TRUSTED = (
    *OWN,
    *sorted({f"{type(s).__module__}.{type(s).__qualname__}" for s in SOLVERS.values()}),
    *SCIKIT_LEARN,
)

SCHEMA = "schema.json"


def untrusted_types(file: IO[bytes]) -> list[str]:
    """Return the names of types and functions in a skops file that are not trusted.

    Parameters
    ----------
    file : binary file
        A skops file.

    Returns
    -------
    list of str

    Notes
    -----
    Types stand in the schema, so arrays are left out of what skops is given: the audit costs
    no more for a large model than for a small one.
    """
    outline = io.BytesIO()
    with ZipFile(file) as whole, ZipFile(outline, "w") as copy:
        for name in set(whole.namelist()) - {SCHEMA}:
            copy.writestr(name, b"")
        copy.writestr(SCHEMA, whole.read(SCHEMA))
    found = get_untrusted_types(data=outline.getvalue())
    return [name for name in found if name not in TRUSTED]


def with_current_names(file: IO[bytes]) -> IO[bytes]:
    """Return a skops file in which classes and attributes have the names of this version.

    Parameters
    ----------
    file : binary file
        A skops file.

    Returns
    -------
    binary file
        The same one if it holds no old name, else a copy in memory.
    """
    with ZipFile(file) as archive:
        text = archive.read(SCHEMA)
        old = [(name,) for name in RENAMED_ATTRIBUTES] + [
            (name.rpartition(".")[0], name.rpartition(".")[2]) for name in RENAMED
        ]
        if not any(all(f'"{part}"'.encode() in text for part in parts) for parts in old):
            return file
        schema = json.loads(text, object_hook=_with_current_names)
        renamed = io.BytesIO()
        with ZipFile(renamed, "w") as copy:
            for name in archive.namelist():
                copy.writestr(name, json.dumps(schema) if name == SCHEMA else archive.read(name))
    return renamed


def _with_current_names(node: dict[str, Any]) -> dict[str, Any]:
    """Rename in a node of the schema, below which all is renamed already."""
    module, name = str(node.get("__module__")), node.get("__class__")
    state = node.get("content")
    if module.startswith("densernn.") and isinstance(state, dict):
        # An object's state, which skops stores as a dict of nodes.
        attributes = state.get("content")
        if isinstance(attributes, dict):
            state["content"] = {RENAMED_ATTRIBUTES.get(k, k): v for k, v in attributes.items()}
    new = RENAMED.get(f"{module}.{name}")
    if new is not None:
        node["__module__"], _, node["__class__"] = new.rpartition(".")
    return node
