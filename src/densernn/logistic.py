"""LogisticPass: the log loss of a readout and its gradient, as sums over the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from densernn._products import transposed_product
from densernn.activation_cache import ActivationCache
from densernn.layers import FeatureMap
from densernn.phases import Phase, Targets
from densernn.solvers.logistic import Link, LogisticSums
from densernn.sources.rows import Chunk

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LogisticPass(Phase[LogisticSums]):
    """A pass for the log loss and its gradient at given weights.

    Parameters
    ----------
    feature_map : FeatureMap
    targets : Targets
    link : Softmax or Sigmoid
    means : ndarray of shape (n_features,)
        By which activations are centred.
    coef, intercept : ndarray of shape (n_features, n_targets) and (n_targets,)
        Weights of centred activations.
    cache : ActivationCache
    """

    feature_map: FeatureMap
    targets: Targets
    link: Link
    means: Float64Array
    coef: Float64Array
    intercept: Float64Array
    cache: ActivationCache

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk."""
        return self.feature_map.row_bytes(self.targets.n_targets)

    @property
    def most_rows(self) -> int:
        """Rows of a chunk at most."""
        return self.feature_map.most_rows

    def zero(self) -> LogisticSums:
        """Return the sums over no rows."""
        return LogisticSums.zero(*self.coef.shape)

    def needs_rows(self, chunk: Chunk) -> bool:
        """Return whether activations of a chunk are computed, or kept."""
        return not self.cache.holds(chunk)

    def add(self, state: LogisticSums, chunk: Chunk) -> LogisticSums:
        """Add the rows of a chunk."""
        targets = self.targets.encode(np.asarray(chunk.y))
        weight = self.targets.weigh(np.asarray(chunk.y), chunk.weight)
        weight = np.ones(len(targets)) if weight is None else weight
        H = self.cache.activations(self.feature_map, chunk)
        H -= self.means[:, None].astype(H.dtype)
        scores = transposed_product(self.coef.astype(H.dtype), H).T + self.intercept
        losses, slopes = self.link.losses(np.asarray(scores, np.float64), targets)
        slopes *= weight[:, None]
        gemm = blas.sgemm if H.dtype == np.float32 else blas.dgemm
        # BLAS expects Fortran order: (H S)' = S' H' of transposed views.
        gradient = gemm(1.0, slopes.astype(H.dtype).T, H.T).T
        own = LogisticSums(
            float(losses @ weight),
            gradient.astype(np.float64),
            slopes.sum(axis=0),
            float(weight.sum()),
        )
        return state.merge(own)
