"""Where an autoencoder starts: its choices checked, its preparation learned, its weights drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.errors import ParameterError
from densernn.estimators.base import refuse_weightless
from densernn.estimators.network import (
    PUBLISHED_SCALE,
    NetworkRecipe,
    generator,
    outputs_of,
)
from densernn.layers import Below, ClusterLayer
from densernn.phases import DriveMaxima, Look, Seen
from densernn.solvers import alpha_values
from densernn.solvers.multiplicative import VARIANTS
from densernn.weights import draw_dense

Float64Array = NDArray[np.float64]

METHODS = ("rnn-elm", "spiking", "ridge")

CHEAP = 1e8
"""Multiply-adds of a product over all rows up to which float64 is used."""

LEARNED_SCALE = 0.001
"""Largest pre-activation that a W1 for "rnn-elm" starts with, where zeta is nearly linear: smaller
than for weights that are kept, which need the bend of zeta to differ (docs/decisions/0006)."""

DECODER_SCALE = 0.02
"""Largest pre-activation that the decoder of the spiking method can start with.

From U[0, 1) every output would begin at next to 0, where zeta is flat; outputs fall from near 1 to
there over pre-activations of some hundredths.
"""


@dataclass(frozen=True, eq=False)
class Start:
    """What iterations start from.

    Parameters
    ----------
    preparation : Preparation, another fitted transformer, or None
    cluster : Cluster
    encoder : ndarray of shape (n_inputs, n_hidden), float64
        W1.
    decoder : ndarray of shape (n_hidden, n_inputs), float64
        W2, for the spiking method.
    dtype : numpy float dtype
        In which to work.
    """

    preparation: Any
    cluster: Cluster
    encoder: Float64Array
    decoder: Float64Array
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class AutoencoderRecipe:
    """The choices that make an autoencoder; see :class:`RNNAutoencoder` for each."""

    n_hidden: int
    method: str
    cluster: Cluster | None
    preparation: Any
    input_scale: float | str | None
    alpha: Any
    max_iter: int
    tol: float
    max_exponent: float
    variant: str
    dtype: str
    random_state: Any

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """Take the choices from an estimator's parameters of the same names."""
        return cls(**{field.name: getattr(estimator, field.name) for field in fields(cls)})

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data to be seen."""
        choices = (("method", self.method, METHODS), ("variant", self.variant, VARIANTS))
        for name, value, known in choices:
            if value not in known:
                raise ParameterError(f"{name} must be one of {known}: it is {value!r}")
        if not isinstance(self.max_iter, (int, np.integer)) or self.max_iter < 1:
            raise ParameterError(f"max_iter must be a whole number from 1 on: {self.max_iter!r}")
        if not self.tol >= 0:
            raise ParameterError(f"tol must be at least 0: it is {self.tol!r}")
        if not self.max_exponent > 0:
            raise ParameterError(f"max_exponent must be above 0: it is {self.max_exponent!r}")
        alpha_values(self.alpha)
        if self.method == "rnn-elm" and not isinstance(self.alpha, str) and np.ndim(self.alpha):
            raise ParameterError(
                f"method='rnn-elm' takes one alpha, for all its iterations: it is {self.alpha!r}"
            )
        if self.method == "spiking" and self._cluster.n_clusters is not None:
            raise ParameterError(
                "method='spiking' has clusters in both layers, so cluster needs one number for "
                f"each parameter: it has arrays of {self._cluster.n_clusters}"
            )

    def draw(self, passes: Passes) -> Start:
        """Learn the preparation and draw the weights, in one look at the rows and one for a scale.

        Parameters
        ----------
        passes : Passes
            Over the training rows.

        Returns
        -------
        Start
        """
        network, source = self._network, passes.source
        network.check()
        seen: Seen = passes.run(Look(source.n_columns), "first look")
        refuse_weightless(seen)
        rng = generator(self.random_state)
        preparation = network.prepare(source, seen.extrema, seen.marginals, rng)
        n_inputs, _ = outputs_of(preparation, source, seen.extrema)
        drawn = draw_dense(n_inputs, self.n_hidden, rng)
        dtype = self._working_dtype(float(passes.n_rows or 0) * n_inputs * self.n_hidden)
        factor = 1.0
        if self.input_scale is not None:
            layer = ClusterLayer(drawn.astype(dtype), self._cluster)
            below = Below(preparation, (), layer.n_inputs)
            largest = float(passes.run(DriveMaxima(below, layer, dtype), "scale")[0])
            factor = self._scale / (largest or 1.0)
        return Start(
            preparation,
            self._cluster,
            np.asarray(drawn.scaled(factor).toarray(), np.float64),
            rng.random((self.n_hidden, n_inputs)) * (DECODER_SCALE / self.n_hidden),
            dtype,
        )

    @property
    def _cluster(self) -> Cluster:
        return self.cluster if self.cluster is not None else Cluster()

    @property
    def _scale(self) -> float:
        if self.input_scale is not None and not isinstance(self.input_scale, str):
            return float(self.input_scale)
        return LEARNED_SCALE if self.method == "rnn-elm" else PUBLISHED_SCALE

    @property
    def _network(self) -> NetworkRecipe:
        return NetworkRecipe(
            n_hidden=self.n_hidden,
            cluster=self.cluster,
            weights="dense",
            fan_in=1,
            preparation=self.preparation,
            input_scale="auto" if self.input_scale is None else self.input_scale,
            dtype=self.dtype,
            random_state=self.random_state,
        )

    def _working_dtype(self, size: float) -> np.dtype[Any]:
        if self.dtype not in ("auto", "float32", "float64"):
            raise ParameterError(
                f"dtype must be 'auto', 'float32' or 'float64': it is {self.dtype!r}"
            )
        if self.dtype != "auto":
            return np.dtype(self.dtype)
        # Dense random clusters, which "ridge" keeps, are nearly collinear: they need float64.
        return np.dtype(np.float32 if self.method != "ridge" and size > CHEAP else np.float64)
