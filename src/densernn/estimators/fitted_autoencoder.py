"""Codes and reconstructions of a fitted autoencoder."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_is_fitted

from densernn.cluster import FloatArray
from densernn.engine.passes import warn_of_skipped
from densernn.errors import DataError
from densernn.estimators.readout import Readout
from densernn.estimators.transformer import FeatureTransformer
from densernn.estimators.validation import as_source
from densernn.layers import ClusterLayer
from densernn.solvers import RidgeSolution
from densernn.sources.rows import NOTHING
from densernn.stats import Moments

Float64Array = NDArray[np.float64]


class FittedAutoencoder(FeatureTransformer):
    """The part of :class:`RNNAutoencoder` that learns nothing."""

    moments_: Moments
    _spiking_decoder: bool
    _readout: Readout
    _decoder: Float64Array

    def inverse_transform(self, X: ArrayLike) -> Float64Array:
        """Return what codes stand for, in the units of the training rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_hidden)
            Codes, as of :meth:`transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64

        Raises
        ------
        DataError
            ``X`` has another number of columns, or the preparation has no inverse.
        """
        check_is_fitted(self)
        return self._restore(self._decode(check_array(X, dtype=np.float64)))

    def score(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return minus the mean squared error per value of rebuilt rows, in prepared units.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
        y : ignored
        sample_weight : array of shape (n_samples,), optional

        Returns
        -------
        float
            At most 0, which is perfect.
        """
        check_is_fitted(self)
        features, total, weights, skipped = self.feature_map_, 0.0, [], NOTHING
        for chunk in as_source(self, X, None, sample_weight).chunks(features.predict_rows):
            Z = features.prepare(chunk.X, chunk.start)
            codes = np.empty((features.n_features, Z.shape[1]), features.dtype)
            self._layer.forward(Z, codes)
            errors = np.square(self._decode(codes.T.astype(np.float64)) - Z.T).sum(axis=1)
            weights.append(np.ones(len(errors)) if chunk.weight is None else chunk.weight)
            total += float(errors.sum() if chunk.weight is None else errors @ chunk.weight)
            skipped = skipped.merge(chunk.skipped)
        mass = np.concatenate(weights)
        warn_of_skipped(skipped, len(mass))
        return -total / (float(mass.sum()) * self._layer.n_inputs)

    @property
    def _layer(self) -> ClusterLayer:
        return cast("ClusterLayer", self.feature_map_.layers[0])

    @property
    def weights_(self) -> FloatArray:
        """W1, of shape (n_inputs, n_hidden)."""
        check_is_fitted(self)
        return self._layer.weights.toarray()

    @property
    def decoder_weights_(self) -> Float64Array:
        """W2, of shape (n_hidden, n_inputs)."""
        check_is_fitted(self)
        return self._solution().coef if hasattr(self, "_readout") else self._decoder

    def _solution(self) -> RidgeSolution:
        return self._readout.solve(getattr(self, "moments_", None))[0]

    def _decode(self, codes: Float64Array) -> Float64Array:
        """Return prepared rows rebuilt from codes."""
        decoder = self.decoder_weights_
        if codes.shape[1] != len(decoder):
            raise DataError(
                f"codes of this RNNAutoencoder have {len(decoder)} columns: X has {codes.shape[1]}"
            )
        rebuilt = codes @ decoder
        if not self._spiking_decoder:
            return rebuilt
        # Codes of transform are positive; those that a user made may not be.
        return np.asarray(self._layer.cluster.zeta(rebuilt, out=rebuilt), np.float64)

    def _restore(self, prepared: Float64Array) -> Float64Array:
        preparation = self.feature_map_.preparation
        if preparation is None:
            return prepared
        if not hasattr(preparation, "inverse_transform"):
            raise DataError(
                f"{type(preparation).__name__} has no inverse_transform, so codes cannot be turned "
                "back into rows: use preparation='unit', or a transformer that has one"
            )
        return np.asarray(preparation.inverse_transform(prepared), np.float64)
