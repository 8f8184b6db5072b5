"""Logistic readouts: passes over the rows behind those of a ridge readout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.activation_cache import LIMIT, ActivationCache
from densernn.engine import Passes
from densernn.estimators.image_rows import augmented
from densernn.logistic import LogisticPass
from densernn.solvers.logistic import LogisticSums


def cache_for(model: Any) -> ActivationCache | None:
    """Return room for activations between the passes of a model; None where there is one pass."""
    if getattr(model._readout, "link", None) is None:
        return None
    return ActivationCache(LIMIT if model.memory_limit is None else 0)


def polished(model: Any, passes: Passes, moments: Any, cache: ActivationCache | None) -> Any:
    """Return the readout of a model, made logistic by passes over its rows if it is to be.

    Parameters
    ----------
    model : estimator
        With its frozen part, targets and a readout.
    passes : Passes
    moments : Moments
        Of the same rows.
    cache : ActivationCache or None
        Activations of the rows, so far.
    """
    readout, features, targets = model._readout, model.feature_map_, model.targets_
    if cache is None:
        return readout
    means = moments.means[: moments.n_features]
    number = 0

    def evaluate(coef: NDArray[np.float64], intercept: NDArray[np.float64]) -> LogisticSums:
        nonlocal number
        number += 1
        phase = LogisticPass(features, targets, readout.link, means, coef, intercept, cache)
        return passes.run(augmented(model, phase), f"logistic readout, pass {number}")

    return readout.polished(moments, evaluate)
