"""RNNELMRegressor: a random layer of clusters, and a ridge readout of real values."""

from __future__ import annotations

from os import PathLike
from typing import Any

from densernn.cluster import Cluster
from densernn.estimators.network import RNNELM
from densernn.estimators.state import store_params
from densernn.estimators.values import ValueLearner


class RNNELMRegressor(RNNELM, ValueLearner):
    r"""Random Neural Network extreme learning machine for regression.

    Input is made nonnegative, passes a random layer of spiking clusters (11), and a ridge
    readout (24) of one or several values is solved from moments (25), (26).

    Parameters
    ----------
    n_hidden, cluster, weights, fan_in, preparation, input_scale, alpha, dtype, memory_limit, \
engine, checkpoint, random_state, verbose
        As in :class:`RNNELMClassifier`.

    Attributes
    ----------
    readout_coef_, readout_intercept_, alpha_, alpha_scores_, feature_map_, learned_, moments_, \
n_features_in_, feature_names_in_
        As in :class:`RNNELMClassifier`.

    See Also
    --------
    RNNELMClassifier, ClusterFeatures

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RNNELMRegressor(n_hidden=200, random_state=0).fit(X[:300], y[:300])
    >>> bool(model.score(X[300:], y[300:]) > 0.4)
    True
    """

    def __init__(
        self,
        n_hidden: int = 1000,
        *,
        cluster: Cluster | None = None,
        weights: str = "sparse",
        fan_in: int = 16,
        preparation: Any = "auto",
        input_scale: float | str = "auto",
        alpha: Any = "auto",
        dtype: str = "auto",
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())
