"""CategoryEncoder: categories as numbers that trees can divide and clusters can be inhibited by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from densernn.stats.column_stats import as_rows

FloatArray = NDArray[np.float64]

MOST_SHOWN = 8
"""Categories up to which each has a column of its own (docs/decisions/0021)."""

RARE, RARE_SHARE = 10.0, 0.02
"""Rows below which, and share of the rows below which, a category is joined with other rare ones:
what is seen a few times says nothing, and its mean is that of its own rows."""

SHRUNK = 20.0
"""Rows of the mean target that are added to those of each category."""

MOST_DIRECTIONS, LEAST_DIRECTION = 3, 0.1
"""Columns of a feature of many categories, and singular values, as shares of the largest."""


@dataclass(frozen=True, eq=False)
class CategoryEncoder:
    r"""A table of numbers for each categorical feature: a row for each category.

    A feature of up to 8 categories becomes as many columns of 0 and 1; two categories, one column.
    Of a feature with more, categories become their mean targets, shrunk to the mean of all by 20
    rows,

    .. math:: m_c = \bar t + \frac{n_c}{n_c + 20} (\bar t_c - \bar t),

    of several targets, along the up to three directions in which these differ most: so memory does
    not grow with the number of categories.  Rare ones are one category together, and so is every
    category that was not there in training.  A missing value is a category if there were any in
    training, else it is 0 everywhere, or stays missing where there is one column.

    Parameters
    ----------
    n_inputs : int
        Columns of a row before.
    tables : dict of int to ndarray of shape (n_categories + 2, n_outputs), float64
        For the number of a feature, what becomes of each category, of any other one, and of a
        missing one.
    cut : tuple of int
        Features with more categories than are told apart.

    Examples
    --------
    >>> X, y = np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]), np.zeros((3, 1))
    >>> encoder = CategoryEncoder.learn(X[:, 1:], y, np.ones(3), (0, 2))
    >>> encoder.forward(X).tolist()
    [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]
    """

    n_inputs: int
    tables: dict[int, FloatArray]
    cut: tuple[int, ...] = ()

    @classmethod
    def learn(
        cls, codes: FloatArray, targets: FloatArray, weight: FloatArray, sizes: Sequence[int]
    ) -> Self:
        """Return the encoder of rows.

        Parameters
        ----------
        codes : ndarray of shape (n_rows, n_categorical)
            Numbers of categories, NaN where missing: of the features that are categorical.
        targets : ndarray of shape (n_rows, n_targets)
        weight : ndarray of shape (n_rows,)
            Above 0.
        sizes : sequence of int
            Categories of each feature of a row; 0 for one that is not categorical.
        """
        counts = as_rows(weight)
        features = [j for j, size in enumerate(sizes) if size]
        tables = {
            j: _table(column, targets, counts, sizes[j])
            for j, column in zip(features, codes.T, strict=True)
        }
        cut = tuple(j for j, c in zip(features, codes.T, strict=True) if (c >= sizes[j]).any())
        return cls(len(sizes), tables, cut)

    @property
    def widths(self) -> NDArray[np.intp]:
        """Columns that each feature becomes."""
        widths = [self.tables[j].shape[1] if j in self.tables else 1 for j in range(self.n_inputs)]
        return np.array(widths, np.intp)

    @property
    def n_outputs(self) -> int:
        """Columns of a row behind."""
        return int(self.widths.sum())

    def outputs_of(self, columns: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the numbers of the columns that some features become."""
        origins = self.origins()
        return np.concatenate([np.flatnonzero(origins == j) for j in columns])

    def origins(self) -> NDArray[np.intp]:
        """Return the feature of each column behind."""
        return np.repeat(np.arange(self.n_inputs), self.widths)

    def unknown(self, X: NDArray[Any]) -> dict[int, int]:
        """Return how many rows have a category that training did not know, by feature."""
        found = {
            j: int((X[:, j] >= len(table) - 2).sum())
            for j, table in self.tables.items()
            if j not in self.cut
        }
        return {j: count for j, count in found.items() if count}

    def forward(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return rows with numbers in the place of categories, of shape (n_rows, n_outputs)."""
        out = np.empty((len(X), self.n_outputs), X.dtype)
        ends = np.cumsum(self.widths)
        plain = np.array([j for j in range(self.n_inputs) if j not in self.tables], np.intp)
        out[:, ends[plain] - 1] = X[:, plain]
        for j, table in self.tables.items():
            missing = len(table) - 1
            code = np.where(np.isnan(X[:, j]), missing, np.minimum(X[:, j], missing - 1))
            out[:, ends[j] - table.shape[1] : ends[j]] = table[code.astype(np.intp)]
        return out


def _table(codes: FloatArray, targets: FloatArray, counts: FloatArray, size: int) -> FloatArray:
    """Return the numbers of all categories of a feature, of any other one, and of missing ones."""
    missing = size + 1
    # What is not known in training, as where there are too many categories, is rare.
    place = np.where(np.isnan(codes), missing, np.minimum(codes, size)).astype(np.intp)
    n: FloatArray = np.bincount(place, counts, minlength=size + 2).astype(np.float64)
    rare = n[:size] < min(RARE, RARE_SHARE * n.sum())
    group = np.append(np.where(rare, size, np.arange(size)), [size, missing])
    n = np.bincount(group, n, minlength=size + 2).astype(np.float64)
    shown = np.flatnonzero(n)
    if len(shown) <= MOST_SHOWN:
        return _indicators(shown, group, missing)
    totals = [np.bincount(group[place], counts * t, minlength=size + 2) for t in targets.T]
    found: FloatArray = _means(np.stack(totals, axis=1).astype(np.float64), n)[group]
    return found


def _indicators(shown: NDArray[np.intp], group: NDArray[np.intp], missing: int) -> FloatArray:
    """Return columns of 0 and 1, one for each category that is shown; one alone for two."""
    table: FloatArray = (group[:, None] == shown).astype(np.float64)
    if len(shown) == 2 and missing not in shown:
        table = table[:, 1:]
        table[[*np.flatnonzero(~np.isin(group, shown)), missing]] = np.nan
    return table


def _means(sums: FloatArray, n: FloatArray) -> FloatArray:
    """Return shrunk mean targets of groups along the directions in which they differ most."""
    overall = sums.sum(axis=0) / n.sum()
    about = (sums - n[:, None] * overall) / (n + SHRUNK)[:, None]
    _, scale, directions = np.linalg.svd(np.sqrt(n)[:, None] * about, full_matrices=False)
    kept = (scale > LEAST_DIRECTION * scale[0])[:MOST_DIRECTIONS]
    kept[0] = True
    chosen = directions[: len(kept)][kept]
    # The sign of a direction is a matter of rounding: its largest entry is positive.
    largest = np.abs(chosen).argmax(axis=1)
    chosen = chosen * np.sign(chosen[np.arange(len(chosen)), largest])[:, None]
    found = about @ chosen.T
    found[-1 if not n[-1] else len(n) :] = np.nan
    return cast("FloatArray", found)
