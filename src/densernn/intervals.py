"""Intervals: how far values lie from predictions, by the errors for rows that were left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from densernn.errors import ParameterError
from densernn.stats.column_stats import as_rows

FloatArray = NDArray[np.float64]

LEVELS = np.linspace(0.005, 0.995, 199)
"""Levels of the quantiles that are kept."""

MOST_COVERAGE = float(LEVELS[-1] - LEVELS[0])

BIN_ROWS, MOST_BINS = 250, 20
"""Rows of a bin at least, where there is more than one, and bins at most."""

COVERAGE, DEVIATIONS = 0.9, 1.6448536269514722
"""Share of errors within so many standard deviations, if they are normal."""


@dataclass(frozen=True, eq=False)
class Intervals:
    r"""Quantiles of errors in bins of predicted values, with straight lines between.

    Errors e are those of rows that predictions had no part in.  In each bin their quantiles have
    the levels i / (n + 1) of the i-th smallest of n, so that the next error lies below the
    quantile of level q with probability q whatever its distribution, if it comes from the same as
    the n (Vovk, Gammerman and Shafer, 2005).  Errors may so be larger where values are larger, and
    need be neither normal nor symmetric.

    Parameters
    ----------
    centres : ndarray of shape (n_targets, n_bins), float64
        Mean prediction in each bin, ascending.
    quantiles : ndarray of shape (n_targets, n_bins, n_levels), float64
        Of errors: value less prediction.
    deviations : ndarray of shape (n_targets, n_bins), float64
        Size that nine in ten errors stay below, over 1.645: of normal errors, their standard
        deviation.
    least, most : ndarray of shape (n_targets,), float64
        Values that there were.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = Intervals.fit(np.zeros((9999, 1)), rng.normal(size=(9999, 1)), np.ones(9999))
    >>> found.predict_interval(np.zeros((1, 1)), 0.9).round(1).tolist()
    [[[-1.7, 1.5]]]
    >>> found.predict_std(np.zeros((1, 1))).round(1).tolist()
    [[1.0]]
    """

    centres: FloatArray
    quantiles: FloatArray
    deviations: FloatArray
    least: FloatArray
    most: FloatArray

    @classmethod
    def fit(cls, outputs: FloatArray, targets: FloatArray, weight: FloatArray) -> Self:
        """Return the intervals of some rows.

        Parameters
        ----------
        outputs, targets : ndarray of shape (n_rows, n_targets)
            Predictions that the rows had no part in, and values.
        weight : ndarray of shape (n_rows,)
            Above 0.
        """
        counts, errors = as_rows(weight), targets - outputs
        n_bins = int(np.clip(len(errors) // BIN_ROWS, 1, MOST_BINS))
        found = []
        for output, error in zip(outputs.T, errors.T, strict=True):
            for rows in np.array_split(np.argsort(output, kind="stable"), n_bins):
                o, e, w = output[rows], error[rows], counts[rows]
                size = _quantiles(np.abs(e), w, np.array([COVERAGE]))
                found.append((w @ o / w.sum(), _quantiles(e, w, LEVELS), size[0] / DEVIATIONS))
        centres, quantiles, deviations = (
            np.array(part).reshape(targets.shape[1], n_bins, *np.shape(part[0]))
            for part in zip(*found, strict=True)
        )
        return cls(centres, quantiles, deviations, targets.min(axis=0), targets.max(axis=0))

    def moved(self, origin: FloatArray) -> Self:
        """Return the intervals of predictions that are larger by ``origin``."""
        centres, least, most = (
            self.centres + origin[:, None],
            self.least + origin,
            self.most + origin,
        )
        return replace(self, centres=centres, least=least, most=most)

    def bounds(self, mean: FloatArray, deviation: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the least and the largest prediction that is no runaway.

        Half of their range beyond the values that there were, or 2.5 standard deviations from the
        mean of all values so far, if that is further: of 0 and 1 never beyond 2.
        """
        margin = 0.5 * (self.most - self.least)
        low = np.minimum(self.least - margin, mean - 2.5 * deviation)
        return low, np.maximum(self.most + margin, mean + 2.5 * deviation)

    def predict_interval(self, outputs: FloatArray, coverage: float) -> FloatArray:
        """Return lower and upper ends, of shape (n_rows, n_targets, 2).

        Raises
        ------
        ParameterError
            ``coverage`` is not above 0, or above 0.99.
        """
        if not 0.0 < coverage <= MOST_COVERAGE:
            raise ParameterError(
                f"coverage must be above 0 and at most {MOST_COVERAGE:.2f}: it is {coverage!r}"
            )
        ends = (0.5 - coverage / 2.0, 0.5 + coverage / 2.0)
        # At these levels, in each bin.
        place = np.interp(ends, LEVELS, np.arange(LEVELS.size))
        low = np.minimum(place.astype(np.intp), LEVELS.size - 2)
        share = place - low
        at = (1.0 - share) * self.quantiles[..., low] + share * self.quantiles[..., low + 1]
        errors = [self._along(outputs, at[..., end]) for end in (0, 1)]
        return np.stack(errors, axis=-1) + outputs[..., None]

    def predict_std(self, outputs: FloatArray) -> FloatArray:
        """Return a standard deviation for each prediction, of shape (n_rows, n_targets)."""
        return self._along(outputs, self.deviations)

    def _along(self, outputs: FloatArray, values: FloatArray) -> FloatArray:
        """Return values of bins, of shape (n_targets, n_bins), at predictions."""
        columns = zip(outputs.T, self.centres, values, strict=True)
        return np.stack([np.interp(*column) for column in columns], axis=1)


def _quantiles(values: FloatArray, weight: FloatArray, levels: FloatArray) -> FloatArray:
    """Return quantiles of values, of which one of weight k counts as k of them."""
    order = np.argsort(values, kind="stable")
    last = np.cumsum(weight[order])
    first = last - weight[order] + np.minimum(weight[order], 1.0)
    places = np.stack([first, last], axis=1).ravel() / (last[-1] + 1.0)
    return np.interp(levels, places, np.repeat(values[order], 2))
