"""ClusterFeatures: the random layer as a transformer of its own."""

from __future__ import annotations

from typing import Any, Self

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.engines import resolve_engine
from densernn.engine.passes import warn_of_skipped
from densernn.estimators.network_spec import NetworkSpec, generator
from densernn.estimators.state import store_params, unchanged_by_errors
from densernn.estimators.transformer import FeatureTransformer
from densernn.estimators.validation import as_source
from densernn.summaries import SummaryPass


class ClusterFeatures(FeatureTransformer):
    """Activations of a random layer of spiking clusters, for use in a Pipeline.

    Parameters
    ----------
    n_hidden, cluster, weights, fan_in, preparation, input_scale, random_state
        As in :class:`RNNELMClassifier`.
    dtype : {"float32", "float64"}, default="float64"
        Of the activations.

    Attributes
    ----------
    feature_map_ : FeatureMap
        Fitted preparation and frozen layer.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    ``transform`` makes the whole array of shape (n_samples, n_hidden); the estimators, which
    accumulate moments of chunks of it, never do.

    Examples
    --------
    >>> features = ClusterFeatures(n_hidden=3, fan_in=2, random_state=0)
    >>> features.fit_transform([[-1.0, 0.0], [0.0, 2.0], [1.0, 4.0]]).shape
    (3, 3)
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
        dtype: str = "float64",
        random_state: Any = None,
    ) -> None:
        store_params(self, locals())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the preparation of input and draw the layer.

        Parameters
        ----------
        X : array, source of rows or Dask collection, of shape (n_samples, n_features)
            Training rows.
        y : ignored
        sample_weight : array of shape (n_samples,), optional
            Weights of rows.

        Returns
        -------
        self
        """
        with unchanged_by_errors(self):
            source = as_source(self, X, None, sample_weight, reset=True)
            spec = NetworkSpec(self)
            spec.check()
            passes = Passes(source, engine=resolve_engine("auto", source))
            summary = passes.run(SummaryPass(source.n_columns))
            rng = generator(self.random_state)
            self.feature_map_ = spec.learn(passes, summary, int(passes.n_rows or 0), rng)
            warn_of_skipped(passes.skipped, passes.n_rows)
        return self
