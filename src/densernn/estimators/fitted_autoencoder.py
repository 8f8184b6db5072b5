"""What an autoencoder does once it has learned: code rows, and rebuild them from codes."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from densernn.cluster import FloatArray
from densernn.errors import DataError
from densernn.estimators.base import check_weights
from densernn.estimators.given import PREDICT_ROWS, transformed
from densernn.estimators.readout import Readout
from densernn.layers import ClusterLayer, Stack

Float64Array = NDArray[np.float64]


class FittedAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The part of :class:`RNNAutoencoder` that learns nothing."""

    stack_: Stack
    _spiking_decoder: bool
    _readout: Readout
    _decoder: Float64Array

    def transform(self, X: Any) -> Any:
        """Return codes zeta(X W1), of shape (n_samples, n_hidden), in (0, 1).

        ``X`` may be a source of rows or a Dask collection, too, as in ``fit``.
        """
        check_is_fitted(self)
        return transformed(self, X)

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
        rows = validate_data(self, X, dtype="numeric", reset=False)
        weight = check_weights(sample_weight, rows)
        total = 0.0
        for start in range(0, len(rows), PREDICT_ROWS):
            part = slice(start, start + PREDICT_ROWS)
            Z = self.stack_.prepare(rows[part], start)
            codes = np.empty((self.stack_.n_features, Z.shape[1]), self.stack_.dtype)
            self._layer.forward(Z, codes)
            errors = np.square(self._decode(codes.T.astype(np.float64)) - Z.T).sum(axis=1)
            total += float(errors.sum() if weight is None else errors @ weight[part])
        mass = float(len(rows) if weight is None else weight.sum())
        return -total / (mass * self._layer.n_inputs)

    @property
    def _layer(self) -> ClusterLayer:
        return cast("ClusterLayer", self.stack_.layers[0])

    @property
    def weights_(self) -> FloatArray:
        """W1, of shape (n_inputs, n_hidden)."""
        check_is_fitted(self)
        return self._layer.weights.toarray()

    @property
    def decoder_weights_(self) -> Float64Array:
        """W2, of shape (n_hidden, n_inputs)."""
        check_is_fitted(self)
        return self._readout.solution.coef if hasattr(self, "_readout") else self._decoder

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
        preparation = self.stack_.preparation
        if preparation is None:
            return prepared
        if not hasattr(preparation, "inverse_transform"):
            raise DataError(
                f"{type(preparation).__name__} has no inverse_transform, so codes cannot be turned "
                "back into rows: use preparation='unit', or a transformer that has one"
            )
        return np.asarray(preparation.inverse_transform(prepared), np.float64)

    @property
    def _n_features_out(self) -> int:
        return self.stack_.n_features
