"""ClusterFeatures: the random layer as a transformer of its own."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.choice import choose_engine
from densernn.estimators.base import check_weights, refuse_weightless
from densernn.estimators.given import as_source, meet, transformed
from densernn.estimators.network import NetworkRecipe
from densernn.estimators.state import unchanged_by_errors
from densernn.phases import Look
from densernn.sources.arrays import ArraySource


class ClusterFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Activations of a random layer of spiking clusters, for use in a Pipeline.

    Parameters
    ----------
    n_hidden, cluster, weights, fan_in, preparation, input_scale, random_state
        As in :class:`RNNELMClassifier`.
    dtype : {"float32", "float64"}, default="float64"
        Of the activations.

    Attributes
    ----------
    stack_ : Stack
        Fitted preparation and frozen layer.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    ``transform`` makes the whole array of shape (n_samples, n_hidden); the estimators, which
    fold chunks of it, never do.

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
        self.n_hidden = n_hidden
        self.cluster = cluster
        self.weights = weights
        self.fan_in = fan_in
        self.preparation = preparation
        self.input_scale = input_scale
        self.dtype = dtype
        self.random_state = random_state

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
            source = as_source(X, None, sample_weight)
            if source is None:
                rows = validate_data(self, X, dtype="numeric")
                source = ArraySource(rows, None, check_weights(sample_weight, rows))
            else:
                meet(self, source, reset=True)
            recipe = NetworkRecipe.of(self)
            recipe.check()
            passes = Passes(source, engine=choose_engine("auto", source))
            seen = passes.run(Look(source.n_columns))
            refuse_weightless(seen)
            self.stack_ = recipe.learn(passes, seen, int(passes.n_rows or 0))
            passes.warn_of_skipped()
        return self

    def transform(self, X: Any) -> Any:
        """Return activations of shape (n_samples, n_hidden), in (0, 1).

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)

        Returns
        -------
        ndarray; of a Dask collection one that is computed when it is asked for
        """
        check_is_fitted(self)
        return transformed(self, X)

    @property
    def _n_features_out(self) -> int:
        return self.stack_.n_features
