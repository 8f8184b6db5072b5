"""DeepSpec: the choices that make a deep network, from input to the last layer."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._renamed import UNTIL
from densernn.encoders import EncoderSpec, PublishedRange, Solver, StandardCode
from densernn.engine import Passes
from densernn.errors import ParameterError, user_level
from densernn.estimators.judged import row_bytes
from densernn.estimators.network_spec import NetworkSpec, draw_published
from densernn.estimators.views import view_columns
from densernn.layers import ClusterLayer, FeatureMap
from densernn.preparation import shares_unit
from densernn.rotation import FEWEST, SAMPLE, Rotation
from densernn.solvers import SOLVERS
from densernn.sources.narrow import narrowed
from densernn.sources.rows import RowSource
from densernn.summaries import ColumnSummary
from densernn.wiring import Span, ViewPreparation, input_spans, replicas_per_view

WIDE = 64
"""Columns from which on a table is split at one knot before encoders."""


class DeepSpec(NetworkSpec):
    """The choices that make a deep network; see :class:`DenseRNNClassifier` for each."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.names: Sequence[str] | None = getattr(params, "feature_names_in_", None)
        self.n_layers = len(params.encoder_sizes) if _is_list(params.encoder_sizes) else 0
        # An encoder's moments grow with the square of the inputs, and wide tables gain nothing
        # from more knots (docs/decisions/0007).
        self.split_once_from = WIDE if self.n_layers else math.inf
        self.views = params.views
        if not (isinstance(params.sources, str) and params.sources == "deprecated"):
            self.views = _renamed_views(params)

    @property
    def n_sampled(self) -> int:
        """Rows by whose activations the rotation is found."""
        return SAMPLE if self.n_layers else 0

    def learn(
        self, passes: Passes, summary: ColumnSummary, n_rows: int, rng: np.random.Generator
    ) -> FeatureMap:
        """Learn the network: one pass for each encoder layer.

        With dense weights, as published, an encoder layer takes three passes, and the random
        layer one.
        """
        p = self.params
        inputs = self._inputs(passes.source, summary, rng)
        dtype = self._working_dtype(n_rows, self.n_last, inputs.pixels)
        features = self._encoded(passes, inputs, dtype, rng)
        if p.random_hidden:
            varying = None if features.layers else inputs.varying
            layer = self._random_layer(features, varying, rng, dtype, passes)
            features = features.then(layer)
        few = not self.n_layers or features.n_features < FEWEST
        if few or not len(summary.sample.rows):
            return features
        return replace(features, rotation=Rotation.of(features.forward(summary.sample.rows)))

    def _encoded(
        self, passes: Passes, inputs: Inputs, dtype: np.dtype[Any], rng: np.random.Generator
    ) -> FeatureMap:
        """Return the feature map of all encoder layers, learned one after the other."""
        below, spans = inputs.below, [[span] for span in inputs.spans]
        counts = replicas_per_view(self.params.replicas, self.n_layers, len(spans))
        phase = StandardCode if self.weights == "sparse" else PublishedRange
        for number, (size, count) in enumerate(zip(self.params.encoder_sizes, counts, strict=True)):
            inputs_of = input_spans(spans, count)
            codes = self._codes(inputs_of, int(size), rng, dtype, None if number else inputs)
            flat = tuple(span for view in inputs_of for span in view)
            encoding = EncoderSpec(below, flat, codes, self._solver(), dtype)
            below = below.then(passes.learn_layer(phase(encoding), f"encoder {number + 1}"))
            spans = _equal_spans(below.n_features, len(inputs_of), count)
        return below

    @property
    def size(self) -> str:
        """The parameters that make the network large, for messages."""
        p = self.params
        sizes = f"encoder_sizes={p.encoder_sizes!r}, replicas={p.replicas!r}"
        return f"{sizes}, {super().size}" if p.random_hidden else sizes

    def footprint(self, n_columns: int, n_targets: int) -> tuple[int, int]:
        """Return bytes of the largest moments at a time, and numbers held for a row.

        Columns that a preparation adds are not counted.
        """
        p = self.params
        views = [np.arange(n_columns)]
        if self.views is not None:
            views = self._view_columns(n_columns)
        counts = replicas_per_view(p.replicas, self.n_layers, len(views))
        most, before, widths, total = 0, 1, [v.size for v in views], n_columns
        for size, count in zip(p.encoder_sizes, counts, strict=True):
            inputs = [width // min(before, count) for width in widths]
            # Moments of all encoders at once, and copies of one while it is solved.
            kept = sum(8 * count * (int(size) + wide) ** 2 for wide in inputs)
            most = max(most, kept + 24 * (int(size) + max(inputs)) ** 2)
            widths, before = [self._sides * count * int(size)] * len(views), count
            total += sum(widths)
        last = self.n_last
        # Twice as many rows, and while they are joined.
        sampled = 32 * self.n_sampled * n_columns
        sampled += self.n_judged(n_columns) * row_bytes(n_columns)
        return max(most, 16 * (last + n_targets) ** 2) + sampled, total + last

    def _view_columns(self, n_columns: int) -> list[NDArray[np.intp]]:
        """Return the columns of each view; of categorical features, those that they become."""
        encoder = getattr(self.params, "category_encoder_", None)
        if encoder is None:
            return view_columns(self.views, n_columns, self.names)
        features = view_columns(self.views, encoder.n_inputs, self.names)
        return [encoder.outputs_of(chosen) for chosen in features]

    @property
    def _sides(self) -> int:
        """Clusters for each unit of an encoder: two where weights are signed."""
        return 2 if self._solver().signed else 1

    @property
    def n_last(self) -> int:
        """Features of the last layer."""
        replicas, sizes = self.params.replicas, self.params.encoder_sizes
        if self.params.random_hidden:
            return int(self.params.n_hidden)
        last = replicas if isinstance(replicas, (int, np.integer)) else replicas[-1]
        n_views = 1 if self.views is None else len(self.views)
        return self._sides * int(sizes[-1]) * max(int(last), n_views)

    def _inputs(
        self, source: RowSource, summary: ColumnSummary, rng: np.random.Generator
    ) -> Inputs:
        """Prepare the columns of each view, or all of them."""
        if self.views is None:
            below, varying = self.prepare(source, summary, rng)
            spans, parts = [(0, below.n_features)], [below.preparation]
            return Inputs(below, spans, parts, varying, shares_unit(summary.extrema))
        columns = self._view_columns(source.n_columns)
        parts, sizes, pixels = [], [], True
        for chosen in columns:
            own = summary.restricted(chosen)
            part, _ = self.prepare(narrowed(source, chosen), own, rng)
            parts.append(part.preparation)
            sizes.append(part.n_features)
            pixels = pixels and shares_unit(own.extrema)
        preparation = ViewPreparation(tuple(columns), tuple(parts), tuple(sizes))
        below = FeatureMap(preparation, n_prepared=preparation.n_outputs)
        varying = preparation.varying_outputs(summary.extrema)
        return Inputs(below, preparation.spans, parts, varying, pixels)

    def _codes(
        self,
        inputs_of: list[list[Span]],
        size: int,
        rng: np.random.Generator,
        dtype: np.dtype[Any],
        inputs: Inputs | None,
    ) -> tuple[ClusterLayer, ...]:
        """Draw the random code of each encoder, by a generator of its own.

        ``inputs`` are those of a first layer.
        """
        seeds = rng.integers(2**63, size=(sum(len(spans) for spans in inputs_of), 4))
        rngs = [np.random.default_rng(seed) for seed in seeds]
        codes: list[ClusterLayer] = []
        for number, spans in enumerate(inputs_of):
            preparation = inputs.parts[number] if inputs else None
            for start, stop in spans:
                own, n_inputs = rngs[len(codes)], stop - start
                if self.weights == "dense":
                    drawn = draw_published(n_inputs, size, self.cluster, own).astype(dtype)
                else:
                    varying = inputs.varying if inputs else None
                    varying = None if varying is None else varying[start:stop]
                    drawn = self._draw_sparse(preparation, n_inputs, varying, size, own, dtype)
                codes.append(drawn)
        return tuple(codes)

    def _solver(self) -> Solver:
        """Return the solver that is named, or given."""
        p = self.params
        if not isinstance(p.encoder, str):
            return p.encoder  # type: ignore[no-any-return]
        return replace(SOLVERS[p.encoder], alpha=p.encoder_alpha)  # type: ignore[no-any-return]

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data."""
        super().check()
        sizes = self.params.encoder_sizes
        if not _is_list(sizes) or not all(
            isinstance(size, (int, np.integer)) and size >= 1 for size in sizes
        ):
            raise ParameterError(
                f"encoder_sizes must be a sequence of whole numbers from 1 on: it is {sizes!r}"
            )
        if not self.n_layers and not self.params.random_hidden:
            raise ParameterError("random_hidden=False needs encoder_sizes: nothing is left else")
        self._check_encoder()
        if self.n_layers and self.cluster.n_clusters is not None:
            raise ParameterError(
                "cluster must have single numbers for parameters where there are encoders: it has "
                f"arrays for {self.cluster.n_clusters} clusters"
            )

    def _check_encoder(self) -> None:
        encoder = self.params.encoder
        if isinstance(encoder, str) and encoder in SOLVERS:
            self._solver()
        elif isinstance(encoder, (str, type)) or not (
            hasattr(encoder, "solve") and hasattr(encoder, "signed")
        ):
            raise ParameterError(
                f"encoder must be one of {tuple(SOLVERS)}, or a RidgeSolver or FistaSolver: it is "
                f"{encoder!r}"
            )
        elif self.params.encoder_alpha != "auto":
            raise ParameterError(
                f"encoder_alpha goes with an encoder that is named: the alpha of {encoder!r} is "
                "its own"
            )


@dataclass(frozen=True)
class Inputs:
    """Prepared columns: the feature map without layers, and what is known of each view."""

    below: FeatureMap
    spans: list[Span]
    parts: Sequence[Any]
    varying: NDArray[np.bool_] | None
    pixels: bool


def _is_list(sizes: Any) -> bool:
    return isinstance(sizes, (list, tuple, np.ndarray))


def _renamed_views(params: Any) -> Any:
    """Return the views given by the old name of the parameter."""
    if params.views is not None:
        raise ParameterError(
            "views and sources are two names of one parameter: give views alone, with "
            "set_params(sources='deprecated') if sources was set before"
        )
    warnings.warn(
        f"sources is now views: the old name goes in version {UNTIL}",
        FutureWarning,
        stacklevel=user_level(),
    )
    return params.sources


def _equal_spans(n_columns: int, n_views: int, count: int) -> list[list[Span]]:
    """Return the outputs of ``count`` encoders of each view, all of one width."""
    width = n_columns // (n_views * count)
    edges = [(i * width, (i + 1) * width) for i in range(n_views * count)]
    return [edges[i : i + count] for i in range(0, len(edges), count)]
