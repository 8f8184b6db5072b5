"""The types that a model file may hold beside those that skops trusts by itself."""

from __future__ import annotations

import io
from typing import IO
from zipfile import ZipFile

from skops.io import get_untrusted_types

from densernn.solvers import SOLVERS

OWN = (
    "densernn.cluster.Cluster",
    "densernn.estimators.autoencoder.RNNAutoencoder",
    "densernn.estimators.classifier.RNNELMClassifier",
    "densernn.estimators.deep.DenseRNNClassifier",
    "densernn.estimators.deep.DenseRNNRegressor",
    "densernn.estimators.features.ClusterFeatures",
    "densernn.estimators.readout.Readout",
    "densernn.estimators.regressor.RNNELMRegressor",
    "densernn.estimators.targets.ClassTargets",
    "densernn.estimators.targets.LabelTargets",
    "densernn.estimators.targets.RealTargets",
    "densernn.folds.columns.ClassCounts",
    "densernn.folds.moments.Moments",
    "densernn.layers.ClusterLayer",
    "densernn.layers.FeatureMap",
    "densernn.layers.Stack",
    "densernn.phases.LearnedState",
    "densernn.preparation.SplitScaler",
    "densernn.preparation.UnitScaler",
    "densernn.rotation.Rotation",
    "densernn.row_standardizer.RowStandardizer",
    "densernn.sign_splitter.SignSplitter",
    "densernn.solvers.ridge.RidgeSolution",
    "densernn.subsampling.ImageSubsampler",
    "densernn.weights.DenseWeights",
    "densernn.weights.SparseWeights",
    "densernn.whitening.ZCAWhitener",
    "densernn.wiring.ParallelLayer",
    "densernn.wiring.SourcePreparation",
)
"""A list and not a rule: a class is added once it is sure that its state can do no harm.

The names stand in files.  A class that moves stays importable from, and listed under, its old
name, so that older files can be read.
"""

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
