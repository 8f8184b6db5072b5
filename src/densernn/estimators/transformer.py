"""Transformers of this library: rows in, activations of a frozen feature map out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from densernn._renamed import renamed
from densernn.errors import DataError
from densernn.estimators.validation import as_source, is_collection
from densernn.layers import FeatureMap


class FeatureTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of transformers: ``transform`` applies ``feature_map_``, some rows at a time."""

    feature_map_: FeatureMap
    stack_ = renamed("stack_", "feature_map_")

    def transform(self, X: Any) -> Any:
        """Return activations of shape (n_samples, n_hidden), in (0, 1).

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)

        Returns
        -------
        ndarray; of a Dask collection one that is computed when it is needed
        """
        check_is_fitted(self)
        features, source = self.feature_map_, as_source(self, X)
        if is_collection(X):
            from densernn.engine.lazy import map_rows  # noqa: PLC0415 - needs Dask

            names = self.get_feature_names_out()
            template = np.empty((1, features.n_features), features.dtype)
            return map_rows(X, self, type(self).transform, template, names)
        stop = 0
        activations = np.empty((source.n_rows or 0, features.n_features), features.dtype)
        for chunk in source.chunks(features.predict_rows):
            if chunk.skipped.count:
                raise DataError(f"{chunk.skipped.places[0]}; transform skips no row: mend the file")
            stop = chunk.start + len(chunk.X)
            if stop > len(activations):  # the number of rows was not known: as many again may come
                activations.resize((2 * stop, features.n_features), refcheck=False)
            activations[chunk.start : stop] = features.forward(chunk.X, None, chunk.start).T
        if source.n_rows is None:
            activations.resize((stop, features.n_features), refcheck=False)
        return activations

    @property
    def _n_features_out(self) -> int:
        return self.feature_map_.n_features

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "stack_" in state:  # saved by version 0.3
            state = dict(state)
            state["feature_map_"] = state.pop("stack_")
        super().__setstate__(state)
