"""How several sources, and several encoders of each, are wired: layers and maps side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import FloatArray
from densernn.errors import DataError, ParameterError
from densernn.folds import Extrema
from densernn.layers import ClusterLayer, prepare
from densernn.preparation import Preparation
from densernn.weights import DenseWeights

Span = tuple[int, int]
"""First of some contiguous columns, and the one after the last."""


@dataclass(frozen=True, eq=False)
class ParallelLayer:
    """Layers side by side, each of which hears a range of the columns below.

    Parameters
    ----------
    parts : tuple of ClusterLayer
        Their clusters come out one part after the other.
    starts : ndarray of shape (n_parts,), int64
        First column that each part hears; it hears as many as it has inputs.
    n_inputs : int
        Columns below.
    """

    parts: tuple[ClusterLayer, ...]
    starts: NDArray[np.int64]
    n_inputs: int

    @property
    def n_clusters(self) -> int:
        """Columns that come out."""
        return sum(part.n_clusters for part in self.parts)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Working dtype."""
        return self.parts[0].dtype

    def astype(self, dtype: Any) -> ParallelLayer:
        """Return the same layer in another float dtype."""
        return ParallelLayer(
            tuple(part.astype(dtype) for part in self.parts), self.starts, self.n_inputs
        )

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        """Write H' for inputs ``z`` of shape (n_inputs, n_rows) into ``out``.

        As :meth:`ClusterLayer.forward`, part by part, with nothing copied.
        """
        stops = self.starts + [part.n_inputs for part in self.parts]
        fits = len(z) == self.n_inputs and len(self.starts) == len(self.parts)
        if not fits or (self.starts < 0).any() or (stops > self.n_inputs).any():
            raise DataError(
                f"parallel layers that hear columns up to {stops.max()} of {self.n_inputs} got "
                f"{len(z)} columns"
            )
        row = 0
        for start, part in zip(self.starts, self.parts, strict=True):
            below = z[start : start + part.n_inputs]
            part.forward(below, out[row : row + part.n_clusters])
            row += part.n_clusters

    def drive_maxima(self, z: FloatArray) -> NDArray[np.float64]:
        """Return the largest pre-activation of each part, for inputs ``z``."""
        return np.array(
            [
                part.drive(z[start : start + part.n_inputs]).max()
                for start, part in zip(self.starts, self.parts, strict=True)
            ],
            np.float64,
        )

    def contents(self) -> dict[str, Any]:
        """Return what decides about the activations, by names for messages."""
        parts = {
            f"{name} of part {number}": content
            for number, part in enumerate(self.parts)
            for name, content in part.contents().items()
        }
        return {"wiring": self.starts, **parts}

    def scaled(self, factors: NDArray[np.float64]) -> ParallelLayer:
        """Return the layer with the weights and offset of each part times a factor of its own."""
        parts = tuple(p.scaled(float(f)) for p, f in zip(self.parts, factors, strict=True))
        return ParallelLayer(parts, self.starts, self.n_inputs)

    def joined(self) -> ParallelLayer | ClusterLayer:
        """Return the same layer in fewer parts: neighbours that hear the same columns are one.

        One matrix product then serves them all.  A single part that hears every column is
        returned as it is.
        """
        groups: list[list[int]] = []
        for number, (start, part) in enumerate(zip(self.starts, self.parts, strict=True)):
            last = groups[-1][0] if groups else None
            same = last is not None and (self.starts[last], self.parts[last].n_inputs) == (
                start,
                part.n_inputs,
            )
            if same:
                groups[-1].append(number)
            else:
                groups.append([number])
        parts = tuple(_side_by_side([self.parts[i] for i in group]) for group in groups)
        if len(parts) == 1 and parts[0].n_inputs == self.n_inputs:
            return parts[0]
        starts = self.starts[[group[0] for group in groups]]
        return ParallelLayer(parts, starts, self.n_inputs)


def _side_by_side(layers: Sequence[ClusterLayer]) -> ClusterLayer:
    """Join dense layers of one cluster that hear the same columns."""
    if len(layers) == 1:
        return layers[0]
    matrices = [layer.weights.toarray() for layer in layers]
    offsets = [layer.offset for layer in layers if layer.offset is not None]
    offset = np.concatenate(offsets) if offsets else None
    return ClusterLayer(DenseWeights(np.hstack(matrices)), layers[0].cluster, offset)


@dataclass(frozen=True, eq=False)
class SourcePreparation:
    """Preparations of the columns of several sources, one after the other.

    Parameters
    ----------
    columns : tuple of ndarray of int
        The columns of each source.
    parts : tuple of fitted transformer or None
        What prepares each source.
    sizes : tuple of int
        Outputs of each.
    """

    columns: tuple[NDArray[np.intp], ...]
    parts: tuple[Any, ...]
    sizes: tuple[int, ...]

    @property
    def spans(self) -> list[Span]:
        """Outputs of each source."""
        return list(pairwise([0, *accumulate(self.sizes)]))

    @property
    def n_outputs(self) -> int:
        """Columns that come out."""
        return sum(self.sizes)

    def live_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Tell which outputs can change, given the ranges of the training columns."""
        live = []
        for columns, part, size in zip(self.columns, self.parts, self.sizes, strict=True):
            own = Extrema(extrema.minimum[columns], extrema.maximum[columns])
            if part is None:
                live.append(own.width > 0)
            elif isinstance(part, Preparation):
                live.append(part.live_outputs(own))
            else:
                live.append(np.ones(size, bool))
        return np.concatenate(live)

    def prepare_columns(self, X: NDArray[Any], dtype: Any, first_row: int = 0) -> FloatArray:
        """Return what comes of rows ``X`` by columns, of shape (n_outputs, n_rows)."""
        out = np.empty((self.n_outputs, len(X)), dtype)
        for span, columns, part in zip(self.spans, self.columns, self.parts, strict=True):
            out[slice(*span)] = prepare(part, _take(X, columns), dtype, first_row)
        return out


def _take(X: NDArray[Any], columns: NDArray[np.intp]) -> NDArray[Any]:
    """Return columns in C order, from one contiguous range without looking each of them up."""
    first = int(columns[0])
    if np.array_equal(columns, np.arange(first, first + len(columns))):
        return np.ascontiguousarray(X[:, first : first + len(columns)])
    return np.ascontiguousarray(X[:, columns])


def replicas_per_source(
    replicas: int | Sequence[int], n_layers: int, n_sources: int
) -> tuple[int, ...]:
    """Return how many encoders of each source every layer has.

    Parameters
    ----------
    replicas : int or sequence of int
        Encoders of a layer over all sources, for all layers or one number for each; 1 stands for
        one encoder per source.
    n_layers, n_sources : int

    Returns
    -------
    tuple of int

    Raises
    ------
    ParameterError
        A number is no multiple of the sources, does not divide or is not divided by the one
        before it, or there are not as many as layers.

    Examples
    --------
    >>> replicas_per_source((80, 10), 2, 2), replicas_per_source(1, 2, 2)
    ((40, 5), (1, 1))
    """
    if isinstance(replicas, (int, np.integer)) and not isinstance(replicas, bool):
        totals = [n_sources if replicas == 1 else int(replicas)] * n_layers
    else:
        totals = list(replicas) if isinstance(replicas, (list, tuple, np.ndarray)) else []
        totals = [n_sources if total == 1 else total for total in totals]
    whole = all(isinstance(t, (int, np.integer)) and t >= 1 for t in totals)
    if not whole or len(totals) != n_layers:
        raise ParameterError(
            f"replicas must be a whole number from 1 on, or one for each of the {n_layers} "
            f"encoder layers: it is {replicas!r}"
        )
    for number, total in enumerate(totals):
        if total % n_sources:
            raise ParameterError(
                f"replicas of layer {number} must be a multiple of the {n_sources} views, each "
                f"of which has as many encoders: it is {total}"
            )
    counts = tuple(int(total) // n_sources for total in totals)
    for before, after in pairwise(counts):
        if before % after and after % before:
            raise ParameterError(
                f"replicas of neighbouring layers must divide one another, so that encoders share "
                f"out or join evenly: a view has {before}, then {after}"
            )
    return counts


def heard_spans(below: Sequence[Sequence[Span]], count: int) -> list[list[Span]]:
    """Return the columns that each of ``count`` encoders of every source hears.

    Parameters
    ----------
    below : sequence, for each source, of spans
        The outputs of the source's encoders in the layer below.
    count : int
        Encoders of each source in the new layer.

    Returns
    -------
    list, for each source, of spans
        Where there are more encoders than below, neighbours hear the same one below; where there
        are fewer, each hears contiguous ones.

    Examples
    --------
    >>> heard_spans([[(0, 5), (5, 10)]], 1), heard_spans([[(0, 5), (5, 10)]], 4)
    ([[(0, 10)]], [[(0, 5), (0, 5), (5, 10), (5, 10)]])
    """
    heard = []
    for spans in below:
        n_below = len(spans)
        if count >= n_below:
            heard.append([spans[i * n_below // count] for i in range(count)])
        else:
            group = n_below // count
            heard.append(
                [(spans[i * group][0], spans[(i + 1) * group - 1][1]) for i in range(count)]
            )
    return heard
