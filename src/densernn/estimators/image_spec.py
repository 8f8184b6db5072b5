"""ImageSpec: the choices that make an image model, checked, and how it is learned."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.errors import DataError, ParameterError
from densernn.estimators.image_rows import layout_of
from densernn.estimators.judged import row_bytes, rows_within
from densernn.estimators.network_spec import DTYPES, NetworkSpec, memory_bytes
from densernn.images.augment import augmentation
from densernn.images.image_map import ImageMap
from densernn.images.pixels import PixelPreparation
from densernn.images.stages import LARGE, learn_stages
from densernn.layers import FeatureMap, prepare
from densernn.preparation import UnitScaler
from densernn.rotation import Scaling
from densernn.summaries import ColumnSummary

IMAGE_CLUSTER = Cluster(n=100, p=0.5, r=1e-5)
"""Clusters that are excited, too: with a small r they saturate as soon as excitation prevails."""

N_SAMPLED, FEWEST = 4000, 100
"""Images from which filters are learned, and at least; more do not make them better."""


class ImageSpec(NetworkSpec):
    """The choices that make an image model; see :class:`RNNImageClassifier` for each."""

    n_sampled = 0

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.cluster = copy.copy(IMAGE_CLUSTER if params.cluster is None else params.cluster)

    def n_judged(self, n_columns: int) -> int:
        """Return the rows that the first pass is to keep, for filters and for calibration."""
        held = max(FEWEST, rows_within(n_columns, memory_bytes(self.params.memory_limit)))
        return max(min(N_SAMPLED, held), self.n_calibrating(n_columns))

    @property
    def n_last(self) -> int:
        """Features that the readout weighs, at most."""
        return 9 * int(self.params.n_filters[1])

    @property
    def size(self) -> str:
        """The parameter that makes the model large, for messages."""
        return f"n_filters={self.params.n_filters!r}"

    def footprint(self, n_columns: int, n_targets: int) -> tuple[int, int]:
        """Return bytes of moments and their factorisation, and numbers held for a row."""
        sampled = self.n_judged(n_columns) * row_bytes(n_columns)
        values = n_columns * (1 + int(self.params.n_filters[0])) + self.n_last
        return 16 * (self.n_last + n_targets) ** 2 + sampled, values

    def learn(
        self, passes: Passes, summary: ColumnSummary, n_rows: int, rng: np.random.Generator
    ) -> FeatureMap:
        """Learn the filters of both stages; no pass over the rows."""
        if not summary.marginals.weight:
            raise DataError("every row weighs 0: there is nothing to learn from")
        p = self.params
        dtype = np.dtype(np.float32 if p.dtype == "auto" else p.dtype)
        layout = layout_of(p)
        scaler = None if p.standardize else UnitScaler(shared=True).fit_statistics(summary.extrema)
        preparation = PixelPreparation(layout, scaler)
        rows = summary.judged.rows().X[:N_SAMPLED]
        pixels = prepare(preparation, np.ascontiguousarray(rows), dtype)
        filters = int(p.n_filters[0]), int(p.n_filters[1])
        layers, hidden = learn_stages(pixels, layout.shape, filters, self.cluster, rng)
        # A pixel is too much of a smaller image.
        usual = int(bool(p.augment) and min(layout.shape[:2]) >= LARGE)
        shift = usual if p.test_shift is None else int(p.test_shift)
        return ImageMap(preparation, layers, Scaling.of(hidden), layout=layout, shift=shift)

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data."""
        p = self.params
        self.check_readout()
        whole = (int, np.integer)
        if not (
            isinstance(p.n_filters, (tuple, list))
            and len(p.n_filters) == 2
            and all(isinstance(n, whole) and n >= 1 for n in p.n_filters)
        ):
            raise ParameterError(
                f"n_filters must be two whole numbers from 1 on, of both stages: it is "
                f"{p.n_filters!r}"
            )
        augmentation(p.augment)
        if not isinstance(p.standardize, (bool, np.bool_)):
            raise ParameterError(f"standardize must be True or False: it is {p.standardize!r}")
        if p.test_shift is not None and not (isinstance(p.test_shift, whole) and p.test_shift >= 0):
            raise ParameterError(
                f"test_shift must be None or a whole number from 0 on: it is {p.test_shift!r}"
            )
        if p.dtype not in DTYPES:
            raise ParameterError(f"dtype must be one of {DTYPES}: it is {p.dtype!r}")
        if not isinstance(self.cluster, Cluster):
            raise ParameterError(f"cluster must be a Cluster or None: it is {p.cluster!r}")
        if self.cluster.n_clusters is not None:
            raise ParameterError(
                "cluster must have single numbers for parameters in an image model: it has arrays "
                f"for {self.cluster.n_clusters} clusters"
            )
