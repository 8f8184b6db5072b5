"""A sampled table as forests learn from it: bins, rows and what their weights stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from densernn.forest.bins import ColumnBins
from densernn.forest.sampled import SampledRows

FloatArray = NDArray[np.float64]

DIGITS = 30
"""Binary digits of weights that the structure of a forest depends on."""


@dataclass(frozen=True, eq=False)
class BinnedTable:
    """Sampled rows in bins, without the values that these were made from.

    Parameters
    ----------
    bins : ColumnBins
    rows : SampledRows
        Their weights are multiples of ``unit``.
    origin : ndarray of shape (n_targets,), float64
        Subtracted from values, so that their sums keep their digits; 0 for labels.
    unit : float
        Weight of a row that counts as one.
    share : float
        Weight of the sampled rows, as a share of that of the rows they stand for.
    kind : {"classes", "labels", "values"}
        What targets are.
    """

    bins: ColumnBins
    rows: SampledRows
    origin: FloatArray
    unit: float
    share: float
    kind: str

    @classmethod
    def of(
        cls,
        X: NDArray[Any],
        targets: FloatArray,
        weight: FloatArray,
        keys: NDArray[np.uint64],
        position: FloatArray,
        share: float,
        kind: str,
    ) -> Self:
        """Return sampled rows with their encoded targets, and weights above 0, in bins."""
        # Weights that are shares of 1 must not make a table of one row; above 1 they are copies.
        unit = min(1.0, float(weight.mean()))
        counts = _rounded(weight / unit)
        origin = np.zeros(1) if kind != "values" else counts @ targets / counts.sum()
        bins = ColumnBins.of(X, counts)
        labelled = kind == "classes"
        about = targets - origin
        rows = SampledRows.of(bins, X, about, counts, keys, position, labelled=labelled)
        return cls(bins, rows, origin, unit, share, kind)


def _rounded(counts: FloatArray) -> FloatArray:
    """Return weights to nine digits: what is left of one rounding does not decide between trees.

    A row of weight 1/n weighs 1 less a rounding error, too little for a box of 1; and splits that
    are equally good must be so whatever weights were multiplied by.
    """
    fraction, exponent = np.frexp(counts)
    rounded: FloatArray = np.ldexp(np.rint(np.ldexp(fraction, DIGITS)), exponent - DIGITS)
    return rounded
