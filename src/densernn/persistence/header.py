"""Header of a model file: its format, the version that wrote it, and a description of the model."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np

import densernn
from densernn.errors import ModelFileError
from densernn.estimators.base import Learner
from densernn.estimators.convolution import ConvolutionalClusters
from densernn.estimators.features import ClusterFeatures
from densernn.estimators.fitted_autoencoder import FittedAutoencoder
from densernn.estimators.forest import RNNForest
from densernn.estimators.network import RNNELM
from densernn.layers import FeatureMap
from densernn.persistence.trusted import SCHEMA
from densernn.weights import SparseWeights

FORMAT = 1
"""Number of the format that is written; all from 1 up to it can be read."""

MEMBER = "densernn.json"
"""Name of the header within the archive, which is otherwise an ordinary skops file."""


def describe(path: str | PathLike[str]) -> dict[str, Any]:
    """Describe a model file without loading the model.

    Parameters
    ----------
    path : str or path-like
        A file written by :func:`save`.

    Returns
    -------
    dict
        ``path``, ``bytes``, ``format``, ``densernn`` (the version that wrote it), ``class``,
        ``estimator`` (the densernn estimator inside a pipeline), ``moments`` (whether it can
        go on learning) and what describes the model: ``n_hidden``, ``weights``, ``fan_in``,
        ``preparation``, ``dtype``, ``alpha``, ``weight_learned``, ``n_features``,
        ``feature_names``, ``n_outputs``, ``classes``; of a forest ``n_trees``, ``n_regions``,
        ``n_clusters``, ``region_size``, ``min_samples_leaf``, ``input_scale``.  What does not
        apply is None or left out.

    Raises
    ------
    ModelFileError
        The file is damaged, foreign, or of a newer format.
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from densernn import RNNELMRegressor, save
    >>> model = RNNELMRegressor(n_hidden=5, random_state=0).fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, folder + "/line.skops")
    ...     about = describe(folder + "/line.skops")
    >>> about["class"], about["n_hidden"], about["weight_learned"]
    ('RNNELMRegressor', 5, 3.0)
    """
    path = Path(path)
    with path.open("rb") as file:
        header = read_header(path, file)
        if header is None:
            raise not_ours(path)
        return {"path": str(path), "bytes": file.seek(0, 2), **header}


def read_header(path: Path, file: IO[bytes]) -> dict[str, Any] | None:
    """Return the header; None for a skops file without one.

    Raises
    ------
    ModelFileError
        The file is empty, damaged, no skops file, or of a newer format; the text says which.
    """
    if not file.seek(0, 2):
        raise ModelFileError(f"{path}: the file is empty; expected a model saved by densernn.save")
    file.seek(0)
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
            header = json.loads(archive.read(MEMBER)) if MEMBER in names else None
    except Exception as error:  # of which zipfile and json raise all kinds on damaged files
        raise damaged(path, error) from error
    if SCHEMA not in names:
        raise not_ours(path)
    if header is None:
        return None
    number = header.get("format") if isinstance(header, dict) else None
    if not isinstance(number, int) or number < 1:
        raise ModelFileError(f"{path}: damaged: {MEMBER} holds no format number")
    if number > FORMAT:
        raise ModelFileError(
            f"{path}: has format {number}, written by densernn {header.get('densernn')}; this is "
            f"densernn {densernn.__version__}, which reads formats up to {FORMAT}: upgrade densernn"
        )
    return dict(header)


def make_header(model: Any, moments: bool) -> dict[str, Any]:
    """Return the header of a fitted model, in plain numbers and text."""
    inner = innermost(model)
    header = {
        "format": FORMAT,
        "densernn": densernn.__version__,
        "class": type(model).__name__,
        "estimator": type(inner).__name__ if inner is not model else None,
        "moments": moments and hasattr(inner, "moments_"),
        "n_features": getattr(model, "n_features_in_", None),
        "feature_names": _as_list(getattr(model, "feature_names_in_", None)),
    }
    layered = RNNELM | ClusterFeatures | ConvolutionalClusters | FittedAutoencoder
    if isinstance(inner, layered) and hasattr(inner, "feature_map_"):
        header |= _describe_layers(inner, inner.feature_map_)
    if isinstance(inner, RNNForest) and hasattr(inner, "feature_map_"):
        header |= _describe_forest(inner)
    if isinstance(inner, Learner) and hasattr(inner, "feature_map_"):
        header |= _describe_readout(inner)
    header["classes"] = _as_list(getattr(model, "classes_", None))
    return header


def innermost(model: Any) -> Any:
    """Return the last step of a pipeline, or of one inside it, and anything else as it is."""
    while hasattr(model, "steps"):
        model = model.steps[-1][1]
    return model


def _describe_layers(model: Any, features: FeatureMap) -> dict[str, Any]:
    weights = getattr(features.layers[-1], "weights", None)
    sparse, shared = isinstance(weights, SparseWeights), isinstance(weights, np.ndarray)
    widths = [layer.n_clusters for layer in features.layers]
    return {
        "n_hidden": features.n_features,
        **({"layers": widths} if len(widths) > 1 else {}),
        "weights": "sparse" if sparse else "shared" if shared else "dense",
        "fan_in": int(model.fan_in) if sparse else None,
        "preparation": None
        if features.preparation is None
        else type(features.preparation).__name__,
        "dtype": features.dtype.name,
    }


def _describe_forest(model: RNNForest) -> dict[str, Any]:
    trees = model.feature_map_.trees
    return {
        "n_trees": len(trees),
        "n_regions": sum(len(tree.sizes) for tree in trees),
        "n_clusters": model.feature_map_.n_features,
        "region_size": model.region_size_,
        "min_samples_leaf": model.min_samples_leaf_,
        "input_scale": model.input_scale_,
    }


def _describe_readout(model: Learner) -> dict[str, Any]:
    moments = getattr(model, "moments_", None)
    solved = moments is None or moments.weight
    return {
        "alpha": float(model.alpha_) if solved else None,
        "weight_learned": None if moments is None else float(moments.weight),
        "n_outputs": model.targets_.n_targets,
    }


def _as_list(values: Any) -> list[Any] | None:
    """Return an array as a list; a list of arrays, as of multioutput classes, as lists."""
    if values is None:
        return None
    items = values.tolist() if isinstance(values, np.ndarray) else values
    return [item.tolist() if isinstance(item, np.ndarray) else item for item in items]


def damaged(path: Path, error: BaseException) -> ModelFileError:
    """Return the error of a file that cannot be read as an archive."""
    reason = f"{type(error).__name__}: {error}".rstrip(": ")
    return ModelFileError(
        f"{path}: not a model file, or a damaged or truncated one ({reason}); expected a model "
        "saved by densernn.save"
    )


def not_ours(path: Path) -> ModelFileError:
    """Return the error of a sound archive that densernn did not write."""
    return ModelFileError(
        f"{path}: an archive, but no model saved by densernn.save: it has no {MEMBER} beside a "
        f"skops {SCHEMA}"
    )
