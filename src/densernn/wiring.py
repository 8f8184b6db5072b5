"""Parallel layers and preparations, for several views of a row and several encoders of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import FloatArray
from densernn.errors import DataError, ParameterError
from densernn.layers import ClusterLayer, prepare
from densernn.preparation import Preparation
from densernn.stats import Extrema
from densernn.weights import DenseWeights

Span = tuple[int, int]
"""Start and stop of a range of columns."""


@dataclass(frozen=True, eq=False)
class ParallelLayer:
    """Layers side by side, each connected to a range of the input columns.

    Parameters
    ----------
    parts : tuple of ClusterLayer
        The output is the concatenation of their outputs.
    starts : ndarray of shape (n_parts,), int64
        First input column of each part.
    n_inputs : int
        Number of input columns.
    """

    parts: tuple[ClusterLayer, ...]
    starts: NDArray[np.int64]
    n_inputs: int

    @property
    def n_clusters(self) -> int:
        """Number of output columns."""
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
        """Write H' for inputs ``z`` of shape (n_inputs, n_rows) into ``out``."""
        stops = self.starts + [part.n_inputs for part in self.parts]
        fits = len(z) == self.n_inputs and len(self.starts) == len(self.parts)
        if not fits or (self.starts < 0).any() or (stops > self.n_inputs).any():
            raise DataError(
                f"parallel layers over columns up to {stops.max()} of {self.n_inputs} got "
                f"{len(z)} columns"
            )
        row = 0
        for start, part in zip(self.starts, self.parts, strict=True):
            inputs = z[start : start + part.n_inputs]  # contiguous rows: a view, not a copy
            part.forward(inputs, out[row : row + part.n_clusters])
            row += part.n_clusters

    def preactivation_maxima(self, z: FloatArray) -> NDArray[np.float64]:
        """Return the largest pre-activation of each part, for inputs ``z``."""
        return np.array(
            [
                part.preactivation(z[start : start + part.n_inputs]).max()
                for start, part in zip(self.starts, self.parts, strict=True)
            ],
            np.float64,
        )

    def contents(self) -> dict[str, Any]:
        """Return the parameters that determine the activations, by name."""
        parts = {
            f"{name} of part {number}": content
            for number, part in enumerate(self.parts)
            for name, content in part.contents().items()
        }
        return {"wiring": self.starts, **parts}

    def scaled(self, factors: NDArray[np.float64]) -> ParallelLayer:
        """Return the layer with weights and offset of each part times its factor."""
        parts = tuple(p.scaled(float(f)) for p, f in zip(self.parts, factors, strict=True))
        return ParallelLayer(parts, self.starts, self.n_inputs)

    def joined(self) -> ParallelLayer | ClusterLayer:
        """Return the same layer with neighbouring parts of equal inputs joined into one.

        They then need a single matrix product.  A single part over all columns is returned as a
        :class:`ClusterLayer`.
        """
        inputs = zip(self.starts.tolist(), self.parts, strict=True)
        groups = [
            (start, _side_by_side([part for _, part in group]))
            for (start, _), group in groupby(inputs, lambda pair: (pair[0], pair[1].n_inputs))
        ]
        parts = tuple(part for _, part in groups)
        if len(parts) == 1 and parts[0].n_inputs == self.n_inputs:
            return parts[0]
        starts = np.array([start for start, _ in groups], np.int64)
        return ParallelLayer(parts, starts, self.n_inputs)


def _side_by_side(layers: Sequence[ClusterLayer]) -> ClusterLayer:
    """Return one layer for dense layers with the same inputs and cluster parameters."""
    if len(layers) == 1:
        return layers[0]
    matrices = [layer.weights.toarray() for layer in layers]
    offsets = [layer.offset for layer in layers if layer.offset is not None]
    offset = np.concatenate(offsets) if offsets else None
    return ClusterLayer(DenseWeights(np.hstack(matrices)), layers[0].cluster, offset)


@dataclass(frozen=True, eq=False)
class ViewPreparation:
    """Preparations of several views, groups of columns, of which each has its own.

    Parameters
    ----------
    columns : tuple of ndarray of int
        Columns of each view.
    parts : tuple of fitted transformer or None
        Preparation of each view.
    sizes : tuple of int
        Number of outputs of each view.
    """

    columns: tuple[NDArray[np.intp], ...]
    parts: tuple[Any, ...]
    sizes: tuple[int, ...]

    @property
    def spans(self) -> list[Span]:
        """Output columns of each view."""
        return list(pairwise([0, *accumulate(self.sizes)]))

    @property
    def n_outputs(self) -> int:
        """Number of output columns."""
        return sum(self.sizes)

    def varying_outputs(self, extrema: Extrema) -> NDArray[np.bool_]:
        """Return a mask of outputs that vary, given the ranges of the training columns."""
        varying = []
        for columns, part, size in zip(self.columns, self.parts, self.sizes, strict=True):
            own = Extrema(extrema.minimum[columns], extrema.maximum[columns])
            if part is None:
                varying.append(own.width > 0)
            elif isinstance(part, Preparation):
                varying.append(part.varying_outputs(own))
            else:  # ranges say nothing about the outputs of another transformer
                varying.append(np.ones(size, bool))
        return np.concatenate(varying)

    def prepare_columns(self, X: NDArray[Any], dtype: Any, first_row: int = 0) -> FloatArray:
        """Return the prepared rows ``X`` by columns, of shape (n_outputs, n_rows)."""
        out = np.empty((self.n_outputs, len(X)), dtype)
        for span, columns, part in zip(self.spans, self.columns, self.parts, strict=True):
            out[slice(*span)] = prepare(part, _select(X, columns), dtype, first_row)
        return out


def _select(X: NDArray[Any], columns: NDArray[np.intp]) -> NDArray[Any]:
    """Return columns in C order; a contiguous range is sliced, which is faster than an index."""
    first = int(columns[0])
    if np.array_equal(columns, np.arange(first, first + len(columns))):
        return np.ascontiguousarray(X[:, first : first + len(columns)])
    return np.ascontiguousarray(X[:, columns])


def replicas_per_view(
    replicas: int | Sequence[int], n_layers: int, n_sources: int
) -> tuple[int, ...]:
    """Return the number of encoders of each view, for every layer.

    Parameters
    ----------
    replicas : int or sequence of int
        Number of encoders of a layer over all views, for all layers or one number for each; 1
        stands for one encoder per view.
    n_layers, n_sources : int

    Returns
    -------
    tuple of int

    Raises
    ------
    ParameterError
        A number is not a multiple of the number of views, neighbouring numbers do not divide one
        another, or their count is not that of the layers.

    Examples
    --------
    >>> replicas_per_view((80, 10), 2, 2), replicas_per_view(1, 2, 2)
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


def input_spans(below: Sequence[Sequence[Span]], count: int) -> list[list[Span]]:
    """Return the input columns of each of ``count`` encoders of every view.

    Parameters
    ----------
    below : sequence, for each view, of spans
        Output columns of the view's encoders in the previous layer.
    count : int
        Number of encoders of each view in the new layer.

    Returns
    -------
    list, for each view, of spans
        If there are more encoders than in the previous layer, neighbours share the same input; if
        there are fewer, each is connected to several contiguous ones.

    Examples
    --------
    >>> input_spans([[(0, 5), (5, 10)]], 1), input_spans([[(0, 5), (5, 10)]], 4)
    ([[(0, 10)]], [[(0, 5), (0, 5), (5, 10), (5, 10)]])
    """
    inputs = []
    for spans in below:
        # Groups of one where encoders share an input, so that one line serves both cases.
        group, n_below = max(1, len(spans) // count), len(spans)
        firsts = [i * n_below // count for i in range(count)]
        inputs.append([(spans[i][0], spans[i + group - 1][1]) for i in firsts])
    return inputs
