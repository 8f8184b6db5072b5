"""Judged rows: some of the training rows, whose left-out outputs calibrate a readout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.estimators.targets import ClassTargets, LabelTargets, RealTargets, encode_sample
from densernn.forest.solution import ClassProbabilities, LabelProbabilities
from densernn.intervals import Intervals
from densernn.layers import FeatureMap
from densernn.solvers import RidgeSolution, RidgeSystem
from densernn.solvers.alpha import System
from densernn.solvers.dual import DualSystem
from densernn.stats import DistinctSample

Float64Array = NDArray[np.float64]

MOST, FEWEST = 20_000, 500
"""Rows that are judged: more would move log losses by less than 0.0002."""

WORK = 2e10
"""Multiply-adds that leverages may take, or a quarter of a factorisation's if that is more."""

BYTES, SHARE = 128 << 20, 0.05
"""Memory for the rows, or a share of a memory limit."""

BLOCK_BYTES = 4 << 20
"""Memory for the activations of a block of rows, of which a few copies are held."""

MAKERS: dict[type, Any] = {
    ClassTargets: ClassProbabilities().fit,
    LabelTargets: LabelProbabilities().fit,
    RealTargets: Intervals.fit,
}
"""What is made of left-out outputs, targets and weights, for each kind of targets."""


def n_judged(n_columns: int, n_features: int, limit: int | None) -> int:
    """Return how many rows are judged by their leverages."""
    affordable = max(WORK / n_features**2, n_features / 12)
    return int(min(np.clip(affordable, FEWEST, MOST), rows_within(n_columns, limit)))


def rows_within(n_columns: int, limit: int | None) -> int:
    """Return how many rows may be held, with or without a memory limit in bytes."""
    return int((BYTES if limit is None else SHARE * limit) / row_bytes(n_columns))


def row_bytes(n_columns: int) -> int:
    """Return the memory for a row: as it is, and once more while rows are joined."""
    return 16 * n_columns


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows that a readout is calibrated by, once it is solved for the first time.

    Parameters
    ----------
    sample : DistinctSample
    features : FeatureMap
    targets : ClassTargets, LabelTargets or RealTargets
    """

    sample: DistinctSample
    features: FeatureMap
    targets: ClassTargets | LabelTargets | RealTargets

    def left_out(
        self, system: System, solution: RidgeSolution
    ) -> tuple[Float64Array, Float64Array, Float64Array] | None:
        """Return outputs that rows had no part in, their targets and weights, if they are known."""
        few = system.moments.few
        if isinstance(system, DualSystem) and few is not None:
            targets, weight, residual = few.targets, few.weight, system.left_out(solution.alpha)
        elif isinstance(system, RidgeSystem) and self.sample.most:
            rows = self.sample.rows()
            targets, weight = encode_sample(self.targets, rows)
            residual = system.left_out(solution, self._blocks(rows.X, targets, weight))
        else:
            return None
        counted = weight > 0
        outputs = np.clip(targets - residual, *self.targets.limits)[counted]
        return outputs, targets[counted], weight[counted]

    def fitted(self, judged: tuple[Float64Array, Float64Array, Float64Array]) -> Any:
        """Return probabilities, or intervals, by such outputs."""
        return MAKERS[type(self.targets)](*judged)

    def _blocks(
        self, X: NDArray[Any], targets: Float64Array, weight: Float64Array
    ) -> Iterator[tuple[Float64Array, Float64Array, Float64Array]]:
        """Yield activations by columns, targets and weights, some rows at a time."""
        n_rows = max(1, BLOCK_BYTES // (8 * self.features.n_features))
        for start in range(0, len(X), n_rows):
            part = slice(start, start + n_rows)
            H = self.features.forward(np.asarray(X[part], np.float64))
            yield H.astype(np.float64, copy=False), targets[part], weight[part]
