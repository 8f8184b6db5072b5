"""Learn what comes before the readout: the preparation of input, and the random layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import check_random_state

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.errors import ParameterError
from densernn.folds import Extrema, Marginals
from densernn.layers import Below, ClusterLayer, Stack
from densernn.phases import DriveMaxima, Seen, counted
from densernn.preparation import Preparation, SplitScaler, UnitScaler, shares_unit
from densernn.rotation import FEWEST, LEADING, SAMPLE, Rotation
from densernn.sources.arrays import ArraySource
from densernn.sources.rows import Chunk, RowSource
from densernn.weights import SparseWeights, draw_dense, draw_patches, draw_sparse

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


@dataclass(frozen=True)
class NetworkRecipe:
    """The choices that make a random network; see :class:`RNNELMClassifier` for each."""

    n_hidden: int
    cluster: Cluster | None
    weights: str
    fan_in: int
    preparation: Any
    input_scale: float | str
    dtype: str
    random_state: Any
    labelled: bool | None = field(default=None, kw_only=True)
    """Whether a readout of labels follows, of values, or none."""

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """Take the choices from an estimator's parameters of the same names."""
        names = [field.name for field in fields(cls) if field.name != "labelled"]
        labelled = getattr(estimator, "_labelled", None)
        return cls(**{name: getattr(estimator, name) for name in names}, labelled=labelled)

    @property
    def n_sampled(self) -> int:
        """Rows that the first look is to keep, by whose activations a rotation is found."""
        known = self.labelled is not None and self.weights == "sparse"
        return SAMPLE if known and self.dtype != "float64" and self.n_hidden >= FEWEST else 0

    def learn(self, passes: Passes, seen: Seen, n_rows: int) -> Stack:
        """Draw the network, with nothing but the first look (dense weights: one more pass).

        Parameters
        ----------
        passes : Passes
            Over the training rows.
        seen : Seen
            What the first look found.
        n_rows : int
            Rows that the model is to learn from, which weigh in the choice of a dtype.

        Returns
        -------
        Stack
        """
        rng = generator(self.random_state)
        preparation = self.prepare(passes.source, seen.extrema, seen.marginals, rng)
        n_inputs, live = outputs_of(preparation, passes.source, seen.extrema)
        pixels = shares_unit(seen.extrema)
        sample = seen.sample.rows
        dtype = self._working_dtype(n_rows, pixels, rotated=len(sample) >= ENOUGH)
        below = Below(preparation, (), n_inputs)
        layer = self._random_layer(below, live, rng, dtype, passes)
        if pixels or dtype != np.float32 or len(sample) < ENOUGH:
            return Stack(preparation, (layer,))
        activations = below.then(layer).activations(sample, dtype)
        most = max(LEADING, self.n_hidden // FEATURES_PER_DIRECTION)
        return Stack(preparation, (layer,), Rotation.of(activations, most))

    def _random_layer(
        self,
        below: Below,
        live: NDArray[np.bool_] | None,
        rng: np.random.Generator,
        dtype: np.dtype[Any],
        passes: Passes,
    ) -> ClusterLayer:
        """Draw the layer of ``n_hidden`` clusters over what comes from below."""
        heard = below.preparation if not below.layers else None
        if self.weights == "sparse":
            drawn = self._draw_sparse(heard, below.n_outputs, live, self.n_hidden, rng)
            scale = self._sparse_scale(heard)
            return ClusterLayer(drawn.scaled(scale), self._clusters).astype(dtype)
        layer = draw_published(below.n_outputs, self.n_hidden, self._clusters, rng)
        phase = DriveMaxima(below, layer.astype(dtype), dtype)
        largest = passes.run(phase, "scale of the random layer")[0]
        return layer.scaled(self._dense_scale() / (largest or 1.0)).astype(dtype)

    @property
    def _clusters(self) -> Cluster:
        return self.cluster if self.cluster is not None else Cluster()

    def _draw_sparse(
        self,
        preparation: Any,
        n_inputs: int,
        live: NDArray[np.bool_] | None,
        n_clusters: int,
        rng: np.random.Generator,
    ) -> SparseWeights:
        """Let clusters hear patches where the input looks like square images."""
        side = math.isqrt(n_inputs)
        pixels = isinstance(preparation, UnitScaler) and preparation.shared
        if pixels and side * side == n_inputs:
            return draw_patches(side, n_clusters, self.fan_in, rng, live)
        return draw_sparse(n_inputs, n_clusters, self.fan_in, rng, live)

    @property
    def _n_readout(self) -> int:
        """Features of the readout, about."""
        return self.n_hidden

    @property
    def size(self) -> str:
        """Return the parameters that make the network large, for messages."""
        return f"n_hidden={self.n_hidden}"

    def footprint(self, n_columns: int, n_targets: int) -> tuple[int, int]:
        """Return bytes of moments and their factorisation, and numbers held for a row."""
        sampled = 32 * self.n_sampled * n_columns  # twice as many rows, and while they are joined
        return 16 * (self.n_hidden + n_targets) ** 2 + sampled, self.n_hidden + n_columns

    def check(self) -> None:
        """Raise ParameterError for a choice outside its condition that needs no data."""
        for name, value, least in (("n_hidden", self.n_hidden, 1), ("fan_in", self.fan_in, 1)):
            if not isinstance(value, (int, np.integer)) or value < least:
                raise ParameterError(f"{name} must be a whole number from {least} on: {value!r}")
        if self.weights not in ("sparse", "dense"):
            raise ParameterError(f"weights must be 'sparse' or 'dense': it is {self.weights!r}")
        scale = self.input_scale
        if scale != "auto" and not (isinstance(scale, (int, float)) and 0 < scale < np.inf):
            raise ParameterError(f"input_scale must be 'auto' or a number above 0: it is {scale!r}")
        if not (self.cluster is None or isinstance(self.cluster, Cluster)):
            raise ParameterError(f"cluster must be a Cluster or None: it is {self.cluster!r}")
        clusters = self.cluster.n_clusters if self.cluster is not None else None
        if clusters not in (None, self.n_hidden):
            raise ParameterError(
                f"cluster has parameters for {clusters} clusters, and n_hidden is {self.n_hidden}"
            )

    def _working_dtype(self, n_rows: int, pixels: bool, *, rotated: bool = False) -> np.dtype[Any]:
        """Choose float32 where it is known to lose nothing, and float64 elsewhere.

        Sparse clusters over pixels give well-conditioned moments.  Over other tables the best
        penalty can lie below what float32 resolves (docs/decisions/0003), unless activations
        are rotated; labels then lose next to nothing (docs/decisions/0013).
        """
        if self.dtype not in ("auto", "float32", "float64"):
            raise ParameterError(
                f"dtype must be 'auto', 'float32' or 'float64': it is {self.dtype!r}"
            )
        if self.dtype != "auto":
            return np.dtype(self.dtype)
        work = n_rows * self._n_readout**2
        single = work > CHEAP if pixels else bool(self.labelled) and rotated and work > LONG
        return np.dtype(np.float32 if single and self.weights == "sparse" else np.float64)

    def prepare(
        self,
        source: RowSource,
        extrema: Extrema,
        marginals: Marginals,
        rng: np.random.Generator,
    ) -> Any:
        """Return the fitted preparation of input."""
        chosen = self.preparation
        if chosen is None:
            return None
        if isinstance(chosen, str):
            chosen = self._named(chosen, extrema)
        fitted = clone(chosen)
        if isinstance(fitted, Preparation):
            return fitted.fit_folds(extrema, marginals)
        return fit_transformer(seeded(fitted, rng), source)

    def _named(self, name: str, extrema: Extrema) -> Preparation:
        pixels = shares_unit(extrema)
        if name == "auto":
            if not pixels and self.weights == "sparse":
                return self._split(extrema.width.size)
            name = "unit"
        if name == "unit":
            return UnitScaler(shared=pixels)
        if name == "split":
            return SplitScaler()
        raise ParameterError(
            f"preparation must be 'auto', 'unit', 'split', None or a transformer: it is {name!r}"
        )

    def _split(self, n_columns: int) -> Preparation:
        """Return what "auto" takes for tables of so many columns."""
        return SplitScaler()

    def _sparse_scale(self, preparation: Any) -> float:
        if self.input_scale != "auto":
            return float(self.input_scale)
        return self._code_scale(preparation)

    @staticmethod
    def _code_scale(preparation: Any) -> float:
        """Return the scale of a random code or layer that hears a preparation."""
        parts = getattr(preparation, "parts", (preparation,))
        split = any(isinstance(part, SplitScaler) for part in parts)
        return SPLIT_SCALE if split else UNIT_SCALE

    def _dense_scale(self) -> float:
        return PUBLISHED_SCALE if self.input_scale == "auto" else float(self.input_scale)


def outputs_of(
    preparation: Any, source: RowSource, extrema: Extrema
) -> tuple[int, NDArray[np.bool_] | None]:
    """Return how many columns a preparation gives, and which of them ever change."""
    if preparation is None:
        return source.n_columns, extrema.width > 0
    if isinstance(preparation, Preparation):
        return preparation.n_outputs, preparation.live_outputs(extrema)
    row = next(source.chunks(1)).X
    return np.shape(preparation.transform(row))[1], None


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
    """Draw a dense layer that hears, as published, one more input, always at zeta(0)."""
    at_zero = cluster.zeta(0.0 if cluster.n_clusters is None else np.zeros(n_clusters))
    offset = rng.random(n_clusters) * at_zero
    return ClusterLayer(draw_dense(n_inputs, n_clusters, rng), cluster, offset)


def generator(random_state: Any) -> np.random.Generator:
    """Return a Generator for any ``random_state`` that scikit-learn accepts."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    seed = check_random_state(random_state).randint(0, 2**31 - 1, size=4)
    return np.random.default_rng(seed)
