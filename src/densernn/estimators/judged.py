"""Judged rows: some of the training rows, whose left-out outputs calibrate a readout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from densernn.estimators.targets import ClassTargets, LabelTargets, encode_sample
from densernn.forest.solution import ClassProbabilities, LabelProbabilities
from densernn.layers import FeatureMap
from densernn.solvers import RidgeSolution, RidgeSystem
from densernn.solvers.alpha import System
from densernn.solvers.dual import DualSystem
from densernn.stats import DistinctSample

MOST = 4000
"""Rows that are judged: three numbers need no more."""

WORK, FEWEST = 2e10, 500
"""Multiply-adds that leverages may take, about, and rows that they are worth in any case."""

SHARE = 0.05
"""Of a memory limit."""


def n_judged(n_columns: int, n_features: int, limit: int | None) -> int:
    """Return how many rows are judged by their leverages."""
    most = int(np.clip(WORK / n_features**2, FEWEST, MOST))
    return (
        most if limit is None else min(most, int(SHARE * limit / row_bytes(n_columns, n_features)))
    )


def row_bytes(n_columns: int, n_features: int) -> int:
    """Return the memory for a row: as it is, twice while rows are joined, and its activations."""
    return 8 * (2 * n_columns + 2 * n_features)


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows that a readout is calibrated by, once it is solved for the first time.

    Parameters
    ----------
    sample : DistinctSample
    features : FeatureMap
    targets : ClassTargets or LabelTargets
    """

    sample: DistinctSample
    features: FeatureMap
    targets: ClassTargets | LabelTargets

    @classmethod
    def of(cls, sample: DistinctSample, features: FeatureMap, targets: Any) -> JudgedRows | None:
        """Return sampled rows; None where targets are no labels."""
        labelled = isinstance(targets, (ClassTargets, LabelTargets))
        return cls(sample, features, targets) if labelled else None

    def fitted(self, system: System, solution: RidgeSolution) -> Any:
        """Return probabilities from outputs, calibrated by outputs that rows had no part in."""
        few = system.moments.few
        if isinstance(system, DualSystem) and few is not None:
            targets, weight, residual = few.targets, few.weight, system.left_out(solution.alpha)
        elif isinstance(system, RidgeSystem) and self.sample.most:
            rows = self.sample.rows()
            targets, weight = encode_sample(self.targets, rows)
            H = self.features.forward(np.asarray(rows.X, np.float64))
            residual = system.left_out(solution, H, targets, weight)
        else:
            return None
        counted = weight > 0
        outputs = np.clip(targets - residual, *self.targets.limits)[counted]
        finish = (
            ClassProbabilities if isinstance(self.targets, ClassTargets) else LabelProbabilities
        )
        return finish().fit(outputs, targets[counted], weight[counted])
