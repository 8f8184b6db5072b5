"""RNNELMRegressor: a random layer of clusters, and a ridge readout of real values."""

from __future__ import annotations

from os import PathLike
from typing import Any, Self

from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score

from densernn.cluster import Cluster
from densernn.estimators.base import RNNELM
from densernn.estimators.state import store_params


class RNNELMRegressor(RegressorMixin, MultiOutputMixin, RNNELM):  # type: ignore[misc]
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

    _labelled = False

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

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Add rows to the model; see :meth:`RNNELMClassifier.partial_fit`."""
        return self._update(X, y, None, sample_weight)

    def predict(self, X: Any) -> Any:
        """Return the value or values of each row, in the shape that ``y`` had.

        Of a Dask collection they are computed when they are needed, block by block.
        """
        return self._predict(X, "predict")

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the coefficient of determination R^2, as in scikit-learn.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; a source brings its own targets and weights.
        """
        return self._score(r2_score, X, y, sample_weight)
