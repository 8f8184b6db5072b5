"""Learn what comes before a deep network's readout: preparation, encoders, random layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import Cluster
from densernn.encoders import Encoding, PublishedRange, Solver, StandardCode
from densernn.engine import Passes
from densernn.errors import ParameterError
from densernn.estimators.columns import source_columns
from densernn.estimators.network import (
    NetworkRecipe,
    draw_published,
    generator,
    outputs_of,
)
from densernn.folds import Extrema, Marginals
from densernn.layers import Below, ClusterLayer, Stack
from densernn.phases import Seen
from densernn.preparation import Preparation, SplitScaler, shares_unit
from densernn.rotation import FEWEST, SAMPLE, Rotation
from densernn.solvers import FistaSolver, RidgeSolver
from densernn.sources.narrow import narrowed
from densernn.sources.rows import RowSource
from densernn.wiring import (
    SourcePreparation,
    Span,
    heard_spans,
    replicas_per_source,
)

WIDE = 64
"""Columns from which on a table is split at one knot before encoders."""

SOLVERS = ("ridge", "fista", "nonnegative-fista")


@dataclass(frozen=True)
class DeepRecipe(NetworkRecipe):
    """The choices that make a deep network; see :class:`DenseRNNClassifier` for each."""

    encoder_sizes: Sequence[int]
    encoder: Any
    encoder_alpha: float | str
    sources: Any
    replicas: int | Sequence[int]
    random_hidden: bool
    names: Sequence[str] | None = None

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """Take the choices from an estimator's parameters, and the names of its columns."""
        own = ("names", "labelled")
        choices = {f.name: getattr(estimator, f.name) for f in fields(cls) if f.name not in own}
        names = getattr(estimator, "feature_names_in_", None)
        return cls(**choices, names=names, labelled=estimator._labelled)

    @property
    def n_sampled(self) -> int:
        """Rows by whose activations the rotation is found."""
        return SAMPLE if len(self.encoder_sizes) else 0

    def learn(self, passes: Passes, seen: Seen, n_rows: int) -> Stack:
        """Learn the network: one pass for each encoder layer.

        With dense weights, as published, an encoder layer takes three passes, and the random
        layer one.
        """
        rng = generator(self.random_state)
        inputs = self._inputs(passes.source, seen.extrema, seen.marginals, rng)
        dtype = self._working_dtype(n_rows, inputs.pixels)
        below = self._encoded(passes, inputs, dtype, rng)
        if self.random_hidden:
            live = None if below.layers else inputs.live
            below = below.then(self._random_layer(below, live, rng, dtype, passes))
        few = not len(self.encoder_sizes) or below.n_outputs < FEWEST
        if few or not len(seen.sample.rows):
            return Stack(below.preparation, below.layers)
        rotation = Rotation.of(below.activations(seen.sample.rows, dtype))
        return Stack(below.preparation, below.layers, rotation)

    def _encoded(
        self, passes: Passes, inputs: Inputs, dtype: np.dtype[Any], rng: np.random.Generator
    ) -> Below:
        """Return what rows pass with all encoder layers, learned one after the other."""
        below, spans = inputs.below, [[span] for span in inputs.spans]
        counts = replicas_per_source(self.replicas, len(self.encoder_sizes), len(spans))
        phase = StandardCode if self.weights == "sparse" else PublishedRange
        for number, (size, count) in enumerate(zip(self.encoder_sizes, counts, strict=True)):
            heard = heard_spans(spans, count)
            codes = self._codes(heard, int(size), rng, None if number else inputs)
            flat = tuple(span for source in heard for span in source)
            codes = tuple(code.astype(dtype) for code in codes)
            encoding = Encoding(below, flat, codes, self._solver(), dtype)
            below = below.then(passes.learn_layer(phase(encoding), f"encoder {number + 1}"))
            spans = _equal_spans(below.n_outputs, len(heard), count)
        return below

    @property
    def size(self) -> str:
        """Return the parameters that make the network large, for messages."""
        sizes = f"encoder_sizes={self.encoder_sizes!r}, replicas={self.replicas!r}"
        return f"{sizes}, {super().size}" if self.random_hidden else sizes

    def footprint(self, n_columns: int, n_targets: int) -> tuple[int, int]:
        """Return bytes of the largest moments at a time, and numbers held for a row.

        Columns that a preparation adds are not counted.
        """
        columns = [np.arange(n_columns)]
        if self.sources is not None:
            columns = source_columns(self.sources, n_columns, self.names)
        counts = replicas_per_source(self.replicas, len(self.encoder_sizes), len(columns))
        most, before, widths, total = 0, 1, [c.size for c in columns], n_columns
        for size, count in zip(self.encoder_sizes, counts, strict=True):
            heard = [width // min(before, count) for width in widths]
            # Moments of all encoders at once, and copies of one while it is solved.
            kept = sum(8 * count * (int(size) + wide) ** 2 for wide in heard)
            most = max(most, kept + 24 * (int(size) + max(heard)) ** 2)
            widths, before = [self._sides * count * int(size)] * len(columns), count
            total += sum(widths)
        last = self.n_hidden if self.random_hidden else sum(widths)
        sampled = (
            4 * self.n_sampled * 8 * n_columns
        )  # twice as many rows, and while they are joined
        return max(most, 16 * (last + n_targets) ** 2) + sampled, total + last

    @property
    def _sides(self) -> int:
        """Clusters for each unit of an encoder: two where weights are signed."""
        return 2 if self._solver().signed else 1

    @property
    def _n_readout(self) -> int:
        if self.random_hidden:
            return self.n_hidden
        last = self.replicas if isinstance(self.replicas, (int, np.integer)) else self.replicas[-1]
        n_sources = 1 if self.sources is None else len(self.sources)
        return self._sides * int(self.encoder_sizes[-1]) * max(int(last), n_sources)

    def _inputs(
        self,
        source: RowSource,
        extrema: Extrema,
        marginals: Marginals,
        rng: np.random.Generator,
    ) -> Inputs:
        """Prepare the columns of each source, or of the only one."""
        if self.sources is None:
            preparation = self.prepare(source, extrema, marginals, rng)
            n_outputs, live = outputs_of(preparation, source, extrema)
            below = Below(preparation, (), n_outputs)
            return Inputs(below, [(0, n_outputs)], [preparation], live, shares_unit(extrema))
        columns = source_columns(self.sources, source.n_columns, self.names)
        parts, sizes, pixels = [], [], True
        for chosen in columns:
            own = Extrema(extrema.minimum[chosen], extrema.maximum[chosen])
            spread = Marginals(marginals.weight, marginals.mean[chosen], marginals.spread[chosen])
            part = narrowed(source, chosen)
            parts.append(self.prepare(part, own, spread, rng))
            sizes.append(outputs_of(parts[-1], part, own)[0])
            pixels = pixels and shares_unit(own)
        preparation = SourcePreparation(tuple(columns), tuple(parts), tuple(sizes))
        below = Below(preparation, (), preparation.n_outputs)
        live = preparation.live_outputs(extrema)
        return Inputs(below, preparation.spans, parts, live, pixels)

    def _codes(
        self,
        heard: list[list[Span]],
        size: int,
        rng: np.random.Generator,
        inputs: Inputs | None,
    ) -> tuple[ClusterLayer, ...]:
        """Draw the random code of each encoder, by a generator of its own.

        ``inputs`` are those of a first layer.
        """
        seeds = rng.integers(2**63, size=(sum(len(spans) for spans in heard), 4))
        rngs = [np.random.default_rng(seed) for seed in seeds]
        codes: list[ClusterLayer] = []
        for number, spans in enumerate(heard):
            for start, stop in spans:
                own = rngs[len(codes)]
                if self.weights == "dense":
                    codes.append(draw_published(stop - start, size, self._clusters, own))
                    continue
                preparation = inputs.parts[number] if inputs else None
                live = inputs.live[start:stop] if inputs and inputs.live is not None else None
                drawn = self._draw_sparse(preparation, stop - start, live, size, own)
                scale = self._code_scale(preparation)
                codes.append(ClusterLayer(drawn.scaled(scale), self._clusters))
        return tuple(codes)

    def _split(self, n_columns: int) -> Preparation:
        """Split many columns at their means alone.

        An encoder's moments grow with the square of the inputs, and wide tables gain nothing from
        more knots (docs/decisions/0007).
        """
        wide = len(self.encoder_sizes) and n_columns >= WIDE
        return SplitScaler((0.0,)) if wide else super()._split(n_columns)

    def _solver(self) -> Solver:
        """Return the solver that is named, or given."""
        if not isinstance(self.encoder, str):
            return self.encoder  # type: ignore[no-any-return]
        if self.encoder == "ridge":
            return RidgeSolver(self.encoder_alpha)
        return FistaSolver(self.encoder_alpha, nonnegative=self.encoder == "nonnegative-fista")

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data."""
        super().check()
        sizes = self.encoder_sizes
        listed = isinstance(sizes, (list, tuple, np.ndarray))
        if not listed or not all(
            isinstance(size, (int, np.integer)) and size >= 1 for size in sizes
        ):
            raise ParameterError(
                f"encoder_sizes must be a sequence of whole numbers from 1 on: it is {sizes!r}"
            )
        if not len(sizes) and not self.random_hidden:
            raise ParameterError("random_hidden=False needs encoder_sizes: nothing is left else")
        self._check_encoder()
        if len(sizes) and isinstance(self.cluster, Cluster) and self.cluster.n_clusters is not None:
            raise ParameterError(
                "cluster must have single numbers for parameters where there are encoders: it has "
                f"arrays for {self.cluster.n_clusters} clusters"
            )

    def _check_encoder(self) -> None:
        if isinstance(self.encoder, str):
            if self.encoder not in SOLVERS:
                raise ParameterError(
                    f"encoder must be one of {SOLVERS}, or a solver: it is {self.encoder!r}"
                )
            self._solver()
        elif isinstance(self.encoder, type) or not (
            hasattr(self.encoder, "solve") and hasattr(self.encoder, "signed")
        ):
            raise ParameterError(
                f"encoder must be one of {SOLVERS}, or a RidgeSolver or FistaSolver: it is "
                f"{self.encoder!r}"
            )
        elif self.encoder_alpha != "auto":
            raise ParameterError(
                "encoder_alpha goes with an encoder that is named: the alpha of "
                f"{self.encoder!r} is its own"
            )


@dataclass(frozen=True)
class Inputs:
    """The prepared columns: what rows pass, and what is known of each source."""

    below: Below
    spans: list[Span]
    parts: Sequence[Any]
    live: NDArray[np.bool_] | None
    pixels: bool


def _equal_spans(n_columns: int, n_sources: int, count: int) -> list[list[Span]]:
    """Return the outputs of ``count`` encoders of each source, all of one width."""
    width = n_columns // (n_sources * count)
    edges = [(i * width, (i + 1) * width) for i in range(n_sources * count)]
    return [edges[i : i + count] for i in range(0, len(edges), count)]
