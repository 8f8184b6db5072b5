"""ForestSpec: the choices that make a forest, checked, and how it is learned."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.budget import CHUNK_BYTES, FEWEST, parse_bytes
from densernn.errors import DataError, ParameterError
from densernn.estimators.network_spec import DEFAULT_CLUSTER
from densernn.estimators.targets import ClassTargets, LabelTargets
from densernn.forest.forest_map import ForestMap
from densernn.forest.learning import ForestOptions, learn_forest
from densernn.forest.readout import ForestReadout, OpenReadout
from densernn.forest.table import BinnedTable
from densernn.solvers import alpha_values
from densernn.sources.rows import RowSource
from densernn.summaries import TablePass, TableSummary

SAMPLE_BYTES = 768 * 2**20
"""Memory for the sample by which structure is learned, where no limit is given."""

MOMENT_BYTES = 512 * 2**20
"""Memory for the sums of all trees, where no limit is given."""

VALUE_BYTES = 26
"""Memory for a value of a sampled row: a quarter more rows, their bins and normal scores."""

ROW_BYTES = 128
"""Memory for a sampled row beside its values."""

FEWEST_ROWS = 1000
"""Rows of a sample at least."""


class ForestSpec:
    """The choices that make a forest.

    Parameters
    ----------
    params : estimator
        Its parameters are the choices; see :class:`RNNForestClassifier` for each.
    """

    def __init__(self, params: Any) -> None:
        self.params = params

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data."""
        p = self.params
        if not _is_auto(p.n_trees) and not (
            isinstance(p.n_trees, (int, np.integer)) and p.n_trees >= 1
        ):
            raise ParameterError(
                f"n_trees must be 'auto' or a whole number from 1 on: it is {p.n_trees!r}"
            )
        for name, value, least in (
            ("region_size", p.region_size, 1.0),
            ("min_samples_leaf", p.min_samples_leaf, 1.0),
            ("input_scale", p.input_scale, 0.0),
        ):
            number = isinstance(value, (int, float, np.number)) and least <= value < np.inf
            if not _is_auto(value) and not (number and value > 0):
                bound = f"from {least:g} on" if least else "above 0"
                raise ParameterError(f"{name} must be 'auto' or a number {bound}: it is {value!r}")
        if p.cluster is None:
            return
        if not isinstance(p.cluster, Cluster):
            raise ParameterError(f"cluster must be a Cluster or None: it is {p.cluster!r}")
        if p.cluster.n_clusters is not None:
            raise ParameterError(
                "cluster must have single numbers for parameters in a forest: it has arrays for "
                f"{p.cluster.n_clusters} clusters"
            )

    def first_pass(self, source: RowSource, labels: bool) -> TablePass:
        """Return the first pass over the rows."""
        half = self._half(source)
        bytes_ = SAMPLE_BYTES if half is None else half
        n_columns = source.n_columns
        n_sampled = max(FEWEST_ROWS, bytes_ // _sampled_row(n_columns))
        return TablePass(n_columns, labels, n_sampled)

    def digest(self, summary: TableSummary, targets: Any) -> BinnedTable:
        """Return the sampled rows in bins, which take a fifth of their memory."""
        sample = summary.sample
        if not sample.weight:
            raise DataError("every row weighs 0: there is nothing to learn from")
        rows = sample.rows()
        weight = targets.weigh(rows.y, rows.weight)
        if not weight.any():
            raise DataError("class_weight is 0 for all rows: there is nothing to learn from")
        share = float(rows.weight.sum()) / sample.weight
        if not weight.all():
            rows, weight = rows.take(weight > 0), weight[weight > 0]
        kind = "values"
        if isinstance(targets, (ClassTargets, LabelTargets)):
            kind = "classes" if isinstance(targets, ClassTargets) else "labels"
        encoded = targets.encode(rows.y)
        return BinnedTable.of(rows.X, encoded, weight, rows.keys, rows.position, share, kind)

    def learn_model(
        self,
        passes: Passes,
        table: BinnedTable,
        targets: Any,
        n_rows: int,
        rng: np.random.Generator,
    ) -> tuple[ForestMap, ForestReadout | OpenReadout]:
        """Return the forest and its readout, learned from the rows that the first pass kept."""
        return learn_forest(table, self._options(passes.source), int(rng.integers(1, 2**31)))

    def _options(self, source: RowSource) -> ForestOptions:
        p, alphas = self.params, alpha_values(self.params.alpha)
        return ForestOptions(
            n_trees=None if _is_auto(p.n_trees) else int(p.n_trees),
            region_size=None if _is_auto(p.region_size) else float(p.region_size),
            min_leaf=None if _is_auto(p.min_samples_leaf) else float(p.min_samples_leaf),
            scale=None if _is_auto(p.input_scale) else float(p.input_scale),
            alphas=None if alphas is None else np.atleast_1d(alphas),
            # A copy, as set_params may change the parameter later.
            cluster=copy.copy(DEFAULT_CLUSTER if p.cluster is None else p.cluster),
            moment_bytes=self._moment_bytes(source),
        )

    def _half(self, source: RowSource) -> int | None:
        """Return half of what a limit leaves beside reading; None without a limit."""
        limit = self.params.memory_limit
        return None if limit is None else (parse_bytes(limit) - source.buffer_bytes) // 2

    def _moment_bytes(self, source: RowSource) -> int:
        """Return the memory for sums; when they begin, the sample has gone."""
        half = self._half(source)
        if half is None:
            return MOMENT_BYTES
        # A checkpoint holds sums once more, packed and as a file, before they are written.
        return half if self.params.checkpoint is None else half // 2

    def chunk_bytes(self, source: RowSource, n_targets: int = 1) -> int:
        """Return the memory left for a chunk of rows of a source.

        Raises
        ------
        ParameterError
            The limit leaves no room for a sample and the smallest chunk.
        """
        half = self._half(source)
        if half is None:
            return CHUNK_BYTES
        chunk = FEWEST * 8 * (4 * source.n_columns + 2 * n_targets)
        least = max(FEWEST_ROWS * _sampled_row(source.n_columns), chunk)
        if half < least:
            needed = (source.buffer_bytes + 2 * least) / 1e6
            raise ParameterError(
                f"memory_limit={self.params.memory_limit!r} is too little for a forest: a sample "
                f"of the rows, sums and reading need {needed:.1f} MB"
            )
        return min(CHUNK_BYTES, half)


def _sampled_row(n_columns: int) -> int:
    """Return the memory for a sampled row."""
    return VALUE_BYTES * n_columns + ROW_BYTES


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"
