"""NetworkSpec: the choices that make a random network, from input to the random layer."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import check_random_state

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.budget import CHUNK_BYTES, chunk_budget, parse_bytes
from densernn.engine.checkpoint import Checkpoint
from densernn.errors import DataError, ParameterError
from densernn.estimators.judged import JudgedRows, n_judged, row_bytes
from densernn.estimators.readout import Readout
from densernn.estimators.targets import ClassTargets
from densernn.layers import ClusterLayer, FeatureMap
from densernn.phases import PreactivationMaxima, counted
from densernn.preparation import (
    MissingIndicator,
    Preparation,
    SplitScaler,
    UnitScaler,
    shares_unit,
)
from densernn.rotation import FEWEST, LEADING, SAMPLE, Rotation
from densernn.solvers.logistic import Link, Sigmoid, Softmax
from densernn.sources.arrays import ArraySource
from densernn.sources.rows import Chunk, RowSource
from densernn.stats import Extrema
from densernn.summaries import ColumnSummary, SummaryPass
from densernn.weights import draw_dense, draw_patches, draw_sparse
from densernn.wiring import ViewPreparation

DEFAULT_CLUSTER = Cluster()

WEIGHTS, DTYPES = ("sparse", "dense"), ("auto", "float32", "float64")

READOUTS = ("ridge", "logistic")

PUBLISHED_SCALE = 0.1
"""Largest pre-activation over the training rows in the published experiments."""

CHEAP = 1e11
"""Multiply-adds of a pass up to which float64 costs no more than about a second."""

TRANSFORMER_ROWS = 8192
"""Rows at a time that a transformer of another library learns from."""

LONG = 1e12
"""Multiply-adds from which on tables are worth a rotation, for float32's sake: some ten seconds."""

ENOUGH = 256
"""Sampled rows from which a rotation is found."""

FEATURES_PER_DIRECTION = 64
"""Features for each direction that a rotation turns into a coordinate; docs/decisions/0013."""

UNIT_SCALE, SPLIT_SCALE = 0.1, 0.02
"""Weighted mean of inputs times this is a sparse cluster's pre-activation; docs/decisions."""


def memory_bytes(limit: int | str | None) -> int | None:
    """Return a memory limit in bytes; None where there is none."""
    return None if limit is None else parse_bytes(limit)


class NetworkSpec:
    """The choices that make a random network, checked, and how it is learned.

    Parameters
    ----------
    params : estimator
        Its parameters are the choices; see :class:`RNNELMClassifier` for each.
    """

    automatic: tuple[str | None, ...] = ("auto",)
    """Values of ``input_scale`` that are no numbers."""

    split_once_from = math.inf
    """Columns from which on preparation="auto" splits a table at its means alone."""

    def __init__(self, params: Any) -> None:
        self.params = params
        chosen = DEFAULT_CLUSTER if params.cluster is None else params.cluster
        # set_params may change the parameter later, and must not change fitted layers with it.
        self.cluster: Cluster = copy.copy(chosen)
        self.weights = getattr(params, "weights", "dense")
        self.labelled: bool | None = getattr(params, "_labelled", None)

    @property
    def n_sampled(self) -> int:
        """Rows that the first pass is to keep, by whose activations a rotation is found."""
        p = self.params
        known = self.labelled is not None and self.weights == "sparse"
        return SAMPLE if known and p.dtype != "float64" and p.n_hidden >= FEWEST else 0

    def n_judged(self, n_columns: int) -> int:
        """Return the rows that the first pass is to keep, with their targets."""
        return self.n_calibrating(n_columns)

    def n_calibrating(self, n_columns: int) -> int:
        """Return how many of them calibrate outputs."""
        limit = memory_bytes(self.params.memory_limit)
        return 0 if self.labelled is None else n_judged(n_columns, self.n_last, limit)

    @property
    def n_last(self) -> int:
        """Features that the readout weighs."""
        return int(self.params.n_hidden)

    def first_pass(self, source: RowSource, labels: bool) -> SummaryPass:
        """Return the first pass over the rows."""
        return SummaryPass(
            source.n_columns, labels, self.n_sampled, self.n_judged(source.n_columns)
        )

    def digest(self, summary: ColumnSummary, targets: Any) -> ColumnSummary:
        """Return what learning needs of the first pass: all of it."""
        return summary

    def learn_model(
        self,
        passes: Passes,
        summary: ColumnSummary,
        targets: Any,
        n_rows: int,
        rng: np.random.Generator,
    ) -> tuple[FeatureMap, Readout]:
        """Return the network and its readout; see :meth:`learn`."""
        features = self.learn(passes, summary, n_rows, rng)
        dtype, leading = features.dtype.name, features.n_leading
        most = self.n_calibrating(summary.extrema.minimum.size)
        judged = JudgedRows(replace(summary.judged, most=most), features, targets)
        readout = Readout(
            self.params.alpha,
            dtype,
            targets.negligible,
            n_leading=leading,
            judged=judged,
            link=self.link(targets),
        )
        return features, readout

    def link(self, targets: Any) -> Link | None:
        """Return how scores of a logistic readout become probabilities; None for ridge."""
        if getattr(self.params, "readout", "ridge") == "ridge":
            return None
        return Softmax() if isinstance(targets, ClassTargets) else Sigmoid()

    def learn(
        self, passes: Passes, summary: ColumnSummary, n_rows: int, rng: np.random.Generator
    ) -> FeatureMap:
        """Draw the network, with nothing but the summary (dense weights: one more pass).

        Parameters
        ----------
        passes : Passes
            Over the training rows.
        summary : ColumnSummary
            Found by the first pass.
        n_rows : int
            Rows that the model is to learn from, which weigh in the choice of a dtype.
        rng : Generator

        Returns
        -------
        FeatureMap
        """
        below, varying = self.prepare(passes.source, summary, rng)
        pixels = shares_unit(summary.extrema)
        sample = summary.sample.rows
        rotated = len(sample) >= ENOUGH
        dtype = self._working_dtype(n_rows, self.params.n_hidden, pixels, rotated)
        features = below.then(self._random_layer(below, varying, rng, dtype, passes))
        if pixels or dtype != np.float32 or not rotated:
            return features
        most = max(LEADING, self.params.n_hidden // FEATURES_PER_DIRECTION)
        return replace(features, rotation=Rotation.of(features.forward(sample), most))

    def _random_layer(
        self,
        below: FeatureMap,
        varying: NDArray[np.bool_] | None,
        rng: np.random.Generator,
        dtype: np.dtype[Any],
        passes: Passes,
    ) -> ClusterLayer:
        """Draw the layer of ``n_hidden`` clusters over the features below."""
        p = self.params
        if self.weights == "sparse":
            inputs = below.preparation if not below.layers else None
            scale = None if p.input_scale == "auto" else float(p.input_scale)
            return self._draw_sparse(
                inputs, below.n_features, varying, p.n_hidden, rng, dtype, scale
            )
        layer = draw_published(below.n_features, p.n_hidden, self.cluster, rng)
        phase = PreactivationMaxima(below, layer.astype(dtype), dtype)
        largest = passes.run(phase, "scale of the random layer")[0]
        scale = PUBLISHED_SCALE if p.input_scale == "auto" else float(p.input_scale)
        return layer.scaled(scale / (largest or 1.0)).astype(dtype)

    def _draw_sparse(
        self,
        preparation: Any,
        n_inputs: int,
        varying: NDArray[np.bool_] | None,
        n_clusters: int,
        rng: np.random.Generator,
        dtype: np.dtype[Any],
        scale: float | None = None,
    ) -> ClusterLayer:
        """Draw clusters, connected to patches where the input looks like square images."""
        if scale is None:
            scale = UNIT_SCALE
            for part in getattr(preparation, "parts", (preparation,)):
                scale = SPLIT_SCALE if isinstance(part, SplitScaler) else scale
        side, fan_in = math.isqrt(n_inputs), self.params.fan_in
        pixels = isinstance(preparation, UnitScaler) and preparation.shared
        if pixels and side * side == n_inputs:
            drawn = draw_patches(side, n_clusters, fan_in, rng, varying)
        else:
            drawn = draw_sparse(n_inputs, n_clusters, fan_in, rng, varying)
        return ClusterLayer(drawn.scaled(scale).astype(dtype), self.cluster)

    @property
    def size(self) -> str:
        """The parameters that make the network large, for messages."""
        return f"n_hidden={self.params.n_hidden}"

    def footprint(self, n_columns: int, n_targets: int) -> tuple[int, int]:
        """Return bytes of moments and their factorisation, and numbers held for a row."""
        n_hidden = self.params.n_hidden
        sampled = 32 * self.n_sampled * n_columns  # twice as many rows, and while they are joined
        sampled += self.n_judged(n_columns) * row_bytes(n_columns)
        return 16 * (n_hidden + n_targets) ** 2 + sampled, n_hidden + n_columns

    def chunk_bytes(self, source: RowSource, n_targets: int = 1) -> int:
        """Return the memory left for a chunk of rows of a source."""
        p = self.params
        if p.memory_limit is None:
            return CHUNK_BYTES
        moments, row_values = self.footprint(source.n_columns, n_targets)
        kept = moments + source.buffer_bytes
        if p.checkpoint is not None:
            kept += moments // 2  # a statistic, packed and as a file, before it is written
        return chunk_budget(p.memory_limit, kept, 3 * row_values, self.size)

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data."""
        p = self.params
        for name, value in (("n_hidden", p.n_hidden), ("fan_in", getattr(p, "fan_in", 1))):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ParameterError(f"{name} must be a whole number from 1 on: {value!r}")
        for name, value, known in (("weights", self.weights, WEIGHTS), ("dtype", p.dtype, DTYPES)):
            if value not in known:
                raise ParameterError(f"{name} must be one of {known}: it is {value!r}")
        self.check_readout()
        scale = p.input_scale
        if scale not in self.automatic and not (
            isinstance(scale, (int, float)) and 0 < scale < np.inf
        ):
            raise ParameterError(f"input_scale must be 'auto' or a number above 0: it is {scale!r}")
        if p.cluster is None:
            return
        if not isinstance(p.cluster, Cluster):
            raise ParameterError(f"cluster must be a Cluster or None: it is {p.cluster!r}")
        if p.cluster.n_clusters not in (None, p.n_hidden):
            raise ParameterError(
                f"cluster has parameters for {self.cluster.n_clusters} clusters, and n_hidden is "
                f"{p.n_hidden}"
            )

    def check_readout(self) -> None:
        """Raise ParameterError for a readout that there is not."""
        chosen = getattr(self.params, "readout", "ridge")
        if chosen not in READOUTS:
            raise ParameterError(f"readout must be one of {READOUTS}: it is {chosen!r}")

    def _working_dtype(
        self, n_rows: int, n_features: int, pixels: bool, rotated: bool = False
    ) -> np.dtype[Any]:
        """Choose float32 where it is known to lose nothing, and float64 elsewhere.

        Sparse clusters over pixels give well-conditioned moments.  Over other tables the best
        penalty can lie below what float32 resolves (docs/decisions/0003), unless activations
        are rotated; labels then lose next to nothing (docs/decisions/0013).
        """
        p = self.params
        if p.dtype != "auto":
            return np.dtype(str(p.dtype))
        work = n_rows * n_features**2
        single = work > CHEAP if pixels else bool(self.labelled) and rotated and work > LONG
        return np.dtype(np.float32 if single and self.weights == "sparse" else np.float64)

    def prepare(
        self, source: RowSource, summary: ColumnSummary, rng: np.random.Generator
    ) -> tuple[FeatureMap, NDArray[np.bool_] | None]:
        """Return the fitted preparation of input, and which of its outputs vary, if known."""
        extrema, marginals = summary.extrema, summary.marginals
        if not marginals.weight:
            raise DataError("every row weighs 0: there is nothing to learn from")
        chosen = self.params.preparation
        if isinstance(chosen, str):
            chosen = self._named(chosen, extrema)
        if chosen is None:
            return FeatureMap(None, n_prepared=source.n_columns), extrema.width > 0
        fitted = clone(chosen)
        if isinstance(fitted, Preparation):
            fitted.fit_statistics(extrema, marginals)
            whole = with_indicators(fitted, summary)
            return FeatureMap(whole, n_prepared=whole.n_outputs), whole.varying_outputs(extrema)
        fitted = fit_transformer(seeded(fitted, rng), source)
        n_outputs = np.shape(fitted.transform(next(source.chunks(1)).X))[1]
        return FeatureMap(fitted, n_prepared=n_outputs), None

    def _named(self, name: str, extrema: Extrema) -> Preparation:
        pixels = shares_unit(extrema)
        if name == "auto":
            name = "unit" if pixels or self.weights == "dense" else "split"
            if name == "split" and extrema.minimum.size >= self.split_once_from:
                return SplitScaler((0.0,))
        if name == "unit":
            return UnitScaler(shared=pixels)
        if name == "split":
            return SplitScaler()
        raise ParameterError(
            f"preparation must be 'auto', 'unit', 'split', None or a transformer: it is {name!r}"
        )


def with_indicators(fitted: Preparation, summary: ColumnSummary) -> Preparation | ViewPreparation:
    """Return a preparation with one more output for each column that has missing values."""
    missing = np.flatnonzero(summary.marginals.missing > 0)
    if not missing.size:
        return fitted
    indicator = MissingIndicator().fit_statistics(
        summary.restricted(missing).extrema, summary.restricted(missing).marginals
    )
    columns = (np.arange(summary.extrema.minimum.size), missing)
    return ViewPreparation(columns, (fitted, indicator), (fitted.n_outputs, indicator.n_outputs))


def seeded(transformer: Any, rng: np.random.Generator) -> Any:
    """Give a transformer that draws by chance a seed wherever it has none, as scikit-learn does.

    Nothing is drawn for one that does not.
    """
    if not hasattr(transformer, "get_params"):
        return transformer
    free = [
        name
        for name, value in sorted(transformer.get_params(deep=True).items())
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    ]
    return transformer.set_params(**{name: int(rng.integers(2**31)) for name in free})


def fit_transformer(transformer: Any, source: RowSource) -> Any:
    """Fit a transformer that is not of this library: at once, or in pieces where rows stream.

    Rows that weigh 0 are left out; other weights are not known to it.

    Raises
    ------
    ParameterError
        Rows stream and the transformer learns from all rows at once alone.
    """
    if isinstance(source, ArraySource):
        return transformer.fit(counted(Chunk(source.X, None, source.weight, 0)))
    if not hasattr(transformer, "partial_fit"):
        if transformer.__sklearn_tags__().requires_fit is False:
            return transformer.fit(next(source.chunks(1)).X)
        raise ParameterError(
            f"preparation={transformer!r} has no partial_fit, so it cannot learn from rows that "
            "stream: fit on an array, or take 'unit' or 'split'"
        )
    for chunk in source.chunks(TRANSFORMER_ROWS):
        if len(rows := counted(chunk)):
            transformer.partial_fit(rows)
    return transformer


def draw_published(
    n_inputs: int, n_clusters: int, cluster: Cluster, rng: np.random.Generator
) -> ClusterLayer:
    """Draw a dense layer with one more input, as published, which is always at zeta(0)."""
    at_zero = cluster.zeta(0.0 if cluster.n_clusters is None else np.zeros(n_clusters))
    offset = rng.random(n_clusters) * at_zero
    return ClusterLayer(draw_dense(n_inputs, n_clusters, rng), cluster, offset)


def generator(random_state: Any, checkpoint: Checkpoint | None = None) -> np.random.Generator:
    """Return a Generator for any ``random_state`` that scikit-learn accepts.

    A training that is resumed from a checkpoint gets the one that it began with.
    """
    rng = random_state
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng(check_random_state(rng).randint(0, 2**31 - 1, size=4))
    return rng if checkpoint is None else checkpoint.generator(rng)
