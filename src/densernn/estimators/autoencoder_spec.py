"""AutoencoderSpec: the choices that make an autoencoder, and the weights it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.budget import chunk_budget
from densernn.errors import DataError, ParameterError
from densernn.estimators.network_spec import PUBLISHED_SCALE, NetworkSpec
from densernn.layers import ClusterLayer
from densernn.phases import PreactivationMaxima
from densernn.solvers import alpha_values
from densernn.solvers.multiplicative import VARIANTS
from densernn.sources.rows import RowSource
from densernn.summaries import SummaryPass
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
    """The start of iterations.

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


class AutoencoderSpec(NetworkSpec):
    """The choices that make an autoencoder; see :class:`RNNAutoencoder` for each."""

    automatic = ("auto", None)

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data to be seen."""
        p = self.params
        choices = (("method", p.method, METHODS), ("variant", p.variant, VARIANTS))
        for name, value, known in choices:
            if value not in known:
                raise ParameterError(f"{name} must be one of {known}: it is {value!r}")
        if not isinstance(p.max_iter, (int, np.integer)) or p.max_iter < 1:
            raise ParameterError(f"max_iter must be a whole number from 1 on: {p.max_iter!r}")
        if not p.tol >= 0:
            raise ParameterError(f"tol must be at least 0: it is {p.tol!r}")
        if not p.max_exponent > 0:
            raise ParameterError(f"max_exponent must be above 0: it is {p.max_exponent!r}")
        alpha_values(p.alpha)
        if p.method == "rnn-elm" and not isinstance(p.alpha, str) and np.ndim(p.alpha):
            raise ParameterError(
                f"method='rnn-elm' takes one alpha, for all its iterations: it is {p.alpha!r}"
            )
        super().check()
        if p.method == "spiking" and self.cluster.n_clusters is not None:
            raise ParameterError(
                "method='spiking' has clusters in both layers, so cluster needs one number for "
                f"each parameter: it has arrays of {self.cluster.n_clusters}"
            )

    def draw(self, passes: Passes, rng: np.random.Generator) -> Start:
        """Learn the preparation and draw the weights: one pass for it, and one for a scale.

        Parameters
        ----------
        passes : Passes
            Over the training rows.
        rng : Generator

        Returns
        -------
        Start
        """
        p, source = self.params, passes.source
        summary = passes.run(SummaryPass(source.n_columns), "first pass")
        missing = np.flatnonzero(summary.marginals.missing)
        if missing.size:
            names = source.feature_names
            name = int(missing[0]) if names is None else names[missing[0]]
            raise DataError(f"column {name!r} lacks values, which cannot be learned: impute them")
        below, _ = self.prepare(source, summary, rng)
        n_inputs = below.n_features
        drawn = draw_dense(n_inputs, p.n_hidden, rng)
        # Dense random clusters, which "ridge" keeps, are nearly collinear: they need float64.
        single = p.method != "ridge" and (passes.n_rows or 0) * n_inputs * p.n_hidden > CHEAP
        automatic = "float32" if single else "float64"
        dtype = np.dtype(automatic if p.dtype == "auto" else p.dtype)
        factor = 1.0
        if p.input_scale is not None:
            layer = ClusterLayer(drawn.astype(dtype), self.cluster)
            largest = float(passes.run(PreactivationMaxima(below, layer, dtype), "scale")[0])
            usual = LEARNED_SCALE if p.method == "rnn-elm" else PUBLISHED_SCALE
            scale = usual if p.input_scale == "auto" else float(p.input_scale)
            factor = scale / (largest or 1.0)
        return Start(
            below.preparation,
            self.cluster,
            np.asarray(drawn.scaled(factor).toarray(), np.float64),
            rng.random((p.n_hidden, n_inputs)) * (DECODER_SCALE / p.n_hidden),
            dtype,
        )

    def chunk_bytes(self, source: RowSource, n_targets: int = 0) -> int:
        """Return the memory left for a chunk, beside weights and their terms, or moments."""
        p, n_columns = self.params, source.n_columns
        ridge, iterated = 32 * (p.n_hidden + n_columns) ** 2, 192 * p.n_hidden * n_columns
        kept = source.buffer_bytes + (ridge if p.method == "ridge" else iterated)
        needed_by = f"n_hidden={p.n_hidden} and {n_columns} columns"
        return chunk_budget(p.memory_limit, kept, 4 * n_columns + 6 * p.n_hidden, needed_by)
