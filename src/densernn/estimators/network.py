"""Networks of frozen layers with one readout: attributes, and files of version 0.3."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from densernn._renamed import renamed
from densernn.estimators.base import Learner
from densernn.estimators.network_spec import NetworkSpec
from densernn.estimators.readout import Readout
from densernn.estimators.targets import ClassTargets
from densernn.layers import FeatureMap
from densernn.phases import LearnedState
from densernn.stats import ClassCounts

Float64Array = NDArray[np.float64]


class RNNELM(Learner):
    """A random layer of clusters and a ridge readout."""

    feature_map_: FeatureMap
    _readout: Readout
    _spec: ClassVar[type[Any]] = NetworkSpec

    stack_ = renamed("stack_", "feature_map_")

    @property
    def readout_coef_(self) -> Float64Array:
        """Readout weights, of shape (n_hidden, n_targets)."""
        coef: Float64Array = self._solution().coef
        return coef

    @property
    def readout_intercept_(self) -> Float64Array:
        """Unpenalised intercepts, of shape (n_targets,)."""
        intercept: Float64Array = self._solution().intercept
        return intercept

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "sources" in state and "views" not in state:  # of version 0.3, fitted or not
            state = {**state, "views": state["sources"], "sources": "deprecated"}
        super().__setstate__(_from_version_03(state) if "stack_" in state else state)


def _from_version_03(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a model saved by version 0.3 under the names of today."""
    state = dict(state)
    state["feature_map_"] = state.pop("stack_")
    counts = state.pop("class_counts_", ClassCounts.zero())
    moments, is_decayed = state.pop("moments_", None), state.pop("decayed_", False)
    state["learned_"] = LearnedState(moments, counts, is_decayed)
    classes, class_weight = state.pop("classes_", None), state.pop("class_weight_", None)
    if isinstance(state["targets_"], ClassTargets):
        state["targets_"] = ClassTargets(classes, class_weight)
    return state
