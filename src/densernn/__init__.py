"""densernn: deep learning with dense Random Neural Networks, without gradient descent.

RNN here always means Random Neural Network, the spiking model of Gelenbe, never recurrent.
Public names load on first use, so that ``import densernn`` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from densernn._version import VERSION

if TYPE_CHECKING:
    from densernn.cluster import Cluster
    from densernn.estimators import (
        ClusterFeatures,
        DenseRNNClassifier,
        DenseRNNRegressor,
        RNNAutoencoder,
        RNNELMClassifier,
        RNNELMRegressor,
    )
    from densernn.folds import ClassCounts, Extrema, Marginals, Moments
    from densernn.gnetwork import RandomNeuralNetwork
    from densernn.persistence import load, save
    from densernn.preparation import SplitScaler, UnitScaler
    from densernn.row_standardizer import RowStandardizer
    from densernn.sign_splitter import SignSplitter
    from densernn.sources.open import open_rows
    from densernn.sources.rows import RowSource
    from densernn.subsampling import ImageSubsampler
    from densernn.whitening import ZCAWhitener

__version__ = VERSION

_HOMES = {
    "Cluster": "cluster",
    "ClusterFeatures": "estimators",
    "DenseRNNClassifier": "estimators",
    "DenseRNNRegressor": "estimators",
    "RNNAutoencoder": "estimators",
    "RNNELMClassifier": "estimators",
    "RNNELMRegressor": "estimators",
    "ClassCounts": "folds",
    "Extrema": "folds",
    "Marginals": "folds",
    "Moments": "folds",
    "RandomNeuralNetwork": "gnetwork",
    "open_rows": "sources.open",
    "RowSource": "sources.rows",
    "ImageSubsampler": "subsampling",
    "RowStandardizer": "row_standardizer",
    "SignSplitter": "sign_splitter",
    "ZCAWhitener": "whitening",
    "load": "persistence",
    "save": "persistence",
    "SplitScaler": "preparation",
    "UnitScaler": "preparation",
}

__all__ = [
    "ClassCounts",
    "Cluster",
    "ClusterFeatures",
    "DenseRNNClassifier",
    "DenseRNNRegressor",
    "Extrema",
    "ImageSubsampler",
    "Marginals",
    "Moments",
    "RNNAutoencoder",
    "RNNELMClassifier",
    "RNNELMRegressor",
    "RandomNeuralNetwork",
    "RowSource",
    "RowStandardizer",
    "SignSplitter",
    "SplitScaler",
    "UnitScaler",
    "ZCAWhitener",
    "__version__",
    "load",
    "open_rows",
    "save",
]


_ROOMS = ("datasets", "paper", "plotting", "solvers")
"""Modules that users reach as attributes of the package."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"densernn.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'densernn' has no attribute {name!r}")
    value = getattr(import_module(f"densernn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
