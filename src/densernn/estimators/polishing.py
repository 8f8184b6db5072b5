"""Logistic readouts: passes over the rows behind those of a ridge readout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.engine import Passes
from densernn.estimators.image_rows import augmented
from densernn.logistic import ActivationCache, LogisticPass
from densernn.solvers.logistic import LogisticSums

CACHE_BYTES = 3 << 29
"""Memory for activations between passes, where there is no memory limit."""


def polished(model: Any, passes: Passes, moments: Any) -> Any:
    """Return the readout of a model, made logistic by passes over its rows if it is to be.

    Parameters
    ----------
    model : estimator
        With its frozen part, targets and a readout.
    passes : Passes
    moments : Moments
        Of the same rows.
    """
    readout, features, targets = model._readout, model.feature_map_, model.targets_
    if getattr(readout, "link", None) is None:
        return readout
    means = moments.means[: moments.n_features]
    cache = ActivationCache(CACHE_BYTES if model.memory_limit is None else 0)
    number = 0

    def evaluate(coef: NDArray[np.float64], intercept: NDArray[np.float64]) -> LogisticSums:
        nonlocal number
        number += 1
        phase = LogisticPass(features, targets, readout.link, means, coef, intercept, cache)
        return passes.run(augmented(model, phase), f"logistic readout, pass {number}")

    return readout.polished(moments, evaluate)
