"""Frozen layers of clusters, and the feature map from rows to hidden activations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, CodeType, FunctionType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from densernn import _kernels
from densernn._products import transposed_product
from densernn._threads import run_blocks
from densernn.cluster import Cluster, FloatArray, apply_rows, refuse_negative
from densernn.errors import DataError
from densernn.preparation import as_chunk
from densernn.rotation import STEP, Rotation, Scaling
from densernn.stats import Moments
from densernn.weights import DenseWeights, SparseWeights, Weights

MOST_ROWS = 8192
"""Rows of a chunk at most: matrix products gain nothing from more."""


@dataclass(frozen=True, eq=False)
class ClusterLayer:
    """A layer of clusters with fixed weights: H = zeta(Z W + b), equation (11).

    Parameters
    ----------
    weights : DenseWeights or SparseWeights
        W, nonnegative, in the working dtype of the layer.
    cluster : Cluster
        Parameters of the clusters: scalars, or arrays of one value per cluster.
    offset : ndarray of shape (n_clusters,) or None
        b, nonnegative: weights from an input that is always active.

    Notes
    -----
    Chunks are stored by columns, as C-ordered arrays of shape (n_columns, n_rows): a sparse layer
    then adds contiguous rows, and SYRK uses them without a copy (docs/decisions/0005).
    """

    weights: Weights
    cluster: Cluster
    offset: FloatArray | None = None

    @property
    def n_inputs(self) -> int:
        """Number of input columns."""
        return self.weights.n_inputs

    @property
    def n_clusters(self) -> int:
        """Number of output columns."""
        return self.weights.n_clusters

    @property
    def dtype(self) -> np.dtype[Any]:
        """Working dtype."""
        values = (
            self.weights.matrix if isinstance(self.weights, DenseWeights) else self.weights.values
        )
        return values.dtype

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        """Write H' for inputs ``z`` of shape (n_inputs, n_rows) into ``out``.

        Both are C-ordered arrays of the layer's dtype, ``out`` of shape (n_clusters, n_rows).
        Inputs must be nonnegative, which is checked where they are prepared.
        """
        coefficients = self._coefficients()
        # Kernels do not check bounds, and layers may come from a file.
        fits = len(z) == self.n_inputs and out.shape == (self.n_clusters, z.shape[1])
        if not fits or coefficients.shape[1] not in (1, self.n_clusters):
            raise DataError(
                f"a layer of {self.n_clusters} clusters over {self.n_inputs} columns got "
                f"{len(z)} columns, room for {len(out)} and cluster parameters for "
                f"{coefficients.shape[1]}"
            )
        if isinstance(self.weights, SparseWeights):
            self._forward_sparse(self.weights, z, out, coefficients)
        else:
            transposed_product(self.weights.matrix, z, out)
            apply_rows(_kernels.zeta_rows, out, out, coefficients)

    def astype(self, dtype: Any) -> ClusterLayer:
        """Return the same layer in another float dtype."""
        return ClusterLayer(self.weights.astype(dtype), self.cluster, self.offset)

    def scaled(self, factor: float) -> ClusterLayer:
        """Return the layer with weights and offset times a factor."""
        offset = None if self.offset is None else self.offset * factor
        return ClusterLayer(self.weights.scaled(factor), self.cluster, offset)

    def preactivation_maxima(self, z: FloatArray) -> NDArray[np.float64]:
        """Return the largest pre-activation for inputs ``z``, as an array of length 1."""
        return np.array([self.preactivation(z).max()], np.float64)

    def preactivation(self, z: FloatArray) -> FloatArray:
        """Return the pre-activations (Z W + b)' of inputs ``z`` of shape (n_inputs, n_rows)."""
        total: FloatArray
        if isinstance(self.weights, SparseWeights):
            total = self.weights.toarray().T @ z
        else:
            total = transposed_product(self.weights.matrix, z)
        return total if self.offset is None else total + self.offset[:, None]

    def contents(self) -> dict[str, Any]:
        """Return the parameters that determine the activations, by name."""
        return {
            "weights": self.weights,
            "offset": self.offset,
            "cluster": self.cluster.coefficients(),
        }

    def _coefficients(self) -> FloatArray:
        """Return coefficients with the offset absorbed: b0 + b1 (x + b) = (b0 + b1 b) + b1 x."""
        coefficients = self.cluster.coefficients(np.float64)
        if self.offset is not None:
            coefficients = np.repeat(
                coefficients, 1 if coefficients.shape[1] > 1 else self.n_clusters, axis=1
            )
            coefficients[0] += coefficients[1] * self.offset
            coefficients[2] += coefficients[3] * self.offset
        return coefficients.astype(self.dtype)

    def _forward_sparse(
        self, weights: SparseWeights, z: FloatArray, out: FloatArray, coefficients: FloatArray
    ) -> None:
        def part(start: int, stop: int) -> None:
            own = coefficients if coefficients.shape[1] == 1 else coefficients[:, start:stop]
            _kernels.sparse_zeta_rows(
                z,
                weights.starts[start : stop + 1],
                weights.inputs,
                weights.values,
                own,
                out[start:stop],
            )

        run_blocks(part, weights.n_clusters, at_least=8)


class Layer(Protocol):
    """A frozen layer: a single :class:`ClusterLayer`, or several side by side."""

    @property
    def n_inputs(self) -> int:
        """Number of input columns."""

    @property
    def n_clusters(self) -> int:
        """Number of output columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Working dtype."""

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        """Write activations of inputs ``z`` of shape (n_inputs, n_rows) into ``out``."""

    def astype(self, dtype: Any) -> Layer:
        """Return the same layer in another float dtype."""

    def contents(self) -> dict[str, Any]:
        """Return the parameters that determine the activations, by name."""


class ScalableLayer(Layer, Protocol):
    """A layer that is scaled by the largest pre-activations of its parts, as published."""

    def preactivation_maxima(self, z: FloatArray) -> NDArray[np.float64]:
        """Return the largest pre-activation of each part."""


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Feature map: a fitted preparation, frozen layers and an optional rotation.

    Parameters
    ----------
    preparation : Preparation, another fitted transformer, or None
        Makes rows nonnegative; None if they already are, which is checked.
    layers : tuple of Layer
        Layers in order; empty before the first one is learned.
    rotation : Rotation or Scaling, optional
        Of the last layer's activations, for numerical precision (docs/decisions/0008).
    n_prepared : int
        Number of columns after the preparation; only used without layers.
    """

    preparation: Any
    layers: tuple[Layer, ...] = ()
    rotation: Rotation | Scaling | None = None
    n_prepared: int = 0  # a class attribute, too: maps in files of 0.3 do not have their own

    @property
    def n_leading(self) -> int:
        """Number of leading features that are principal directions, each with its own scale."""
        return self.rotation.n_leading if self.rotation is not None else 0

    @property
    def n_features(self) -> int:
        """Number of output columns."""
        return self.layers[-1].n_clusters if self.layers else self.n_prepared

    @property
    def dtype(self) -> np.dtype[Any]:
        """Working dtype of the layers."""
        return self.layers[-1].dtype

    @property
    def compact_dtype(self) -> np.dtype[Any]:
        """Smallest dtype that holds activations exactly: those that are scaled are rounded so."""
        rounded = isinstance(self.rotation, Scaling) and self.rotation.is_rounded
        return np.dtype(np.int8) if rounded else self.dtype

    def packed(self, H: FloatArray) -> NDArray[Any]:
        """Return activations in the compact dtype, as an array of its own."""
        return (H / STEP).astype(np.int8) if self.compact_dtype == np.int8 else H.copy()

    def unpacked(self, packed: NDArray[Any]) -> FloatArray:
        """Return activations from :meth:`packed`, as an array of its own."""
        found = packed.astype(self.dtype)
        if packed.dtype == np.int8:
            found *= STEP
        return found

    @property
    def values_per_row(self) -> int:
        """Values held at once for each row."""
        # The raw row and its prepared columns, and the activations of every layer.
        total = 2 * (self.layers[0].n_inputs if self.layers else self.n_prepared)
        for layer in self.layers:
            total += layer.n_clusters
        return total

    most_rows = MOST_ROWS
    predict_rows = 2048
    """Rows of a batch of predictions."""

    def row_bytes(self, n_targets: int) -> int:
        """Return the memory for a row of a chunk."""
        return (self.values_per_row + n_targets) * self.dtype.itemsize

    def zero_moments(self, n_targets: int) -> Moments:
        """Return the moments of no rows."""
        return Moments.zero(self.n_features, n_targets)

    def add_moments(
        self,
        moments: Moments,
        X: NDArray[Any],
        targets: NDArray[np.float64],
        weight: NDArray[np.float64] | None = None,
        first_row: int = 0,
        keep: Callable[[FloatArray], None] | None = None,
    ) -> Moments:
        """Return moments with more rows, which are added in place; ``keep`` gets activations."""
        # Activations are written where SYRK reads them, with room for the targets behind.
        columns = np.empty((moments.size, len(X)), self.dtype)
        H = self.forward(X, columns[: moments.n_features], first_row)
        if keep is not None:
            keep(H)
        moments.add(columns, targets, weight)
        return moments

    def outputs(self, X: NDArray[Any], solution: Any, first_row: int = 0) -> NDArray[np.float64]:
        """Return the outputs of a RidgeSolution for rows, of shape (n_rows, n_targets)."""
        coef = np.ascontiguousarray(solution.coef, self.dtype)
        found = transposed_product(coef, self.forward(X, None, first_row)).T + solution.intercept
        return cast("NDArray[np.float64]", found)

    def then(self, layer: Layer) -> FeatureMap:
        """Return the map with one more layer."""
        return replace(self, layers=(*self.layers, layer))

    def forward(
        self,
        X: NDArray[Any],
        out: FloatArray | None = None,
        first_row: int = 0,
        dtype: Any = None,
    ) -> FloatArray:
        """Return activations of rows ``X`` by columns, of shape (n_features, n_rows), C order.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns)
            Raw rows of any real dtype.
        out : ndarray of shape (n_features, n_rows), optional
            Array for the result.
        first_row : int, default=0
            Index of the first row within the whole data, for messages.
        dtype : numpy float dtype, optional
            Working dtype; only needed without layers.

        Raises
        ------
        NegativeInputError
            The prepared input is negative.
        """
        dtype = self.dtype if dtype is None else dtype
        values = prepare(self.preparation, X, dtype, first_row)
        for number, layer in enumerate(self.layers, start=1):
            hidden = out if number == len(self.layers) else None
            if hidden is None:
                hidden = np.empty((layer.n_clusters, values.shape[1]), dtype)
            layer.forward(values, hidden)
            values = hidden
        if self.rotation is not None:
            self.rotation.apply(values)
        return values

    def prepare(self, X: NDArray[Any], first_row: int = 0) -> FloatArray:
        """Return the input of the first layer by columns, of shape (n_inputs, n_rows)."""
        return prepare(self.preparation, X, self.dtype, first_row)

    def fingerprint(self) -> dict[str, str]:
        """Return a digest of each part; equal digests mean equal activations."""
        parts: dict[str, str] = {"preparation": digest_of(self.preparation)}
        for number, layer in enumerate(self.layers):
            for name, content in layer.contents().items():
                parts[f"{name} of layer {number}"] = digest_of(content)
        if self.rotation is not None:
            parts["rotation"] = digest_of(self.rotation)
        return parts


def prepare(preparation: Any, X: NDArray[Any], dtype: Any, first_row: int = 0) -> FloatArray:
    """Return prepared rows by columns, of shape (n_inputs, n_rows), in ``dtype``."""
    if hasattr(preparation, "prepare_columns"):
        return preparation.prepare_columns(X, dtype, first_row)  # type: ignore[no-any-return]
    if hasattr(preparation, "forward"):
        out = np.empty((preparation.n_outputs, len(X)), dtype)
        preparation.forward(X, out)
        return out
    rows: Any = X if preparation is None else preparation.transform(X)
    rows = rows.toarray() if issparse(rows) else np.asarray(rows)
    values = np.ascontiguousarray(as_chunk(rows).T, dtype=dtype)
    lacks = np.isnan(values)
    if lacks.any():  # a missing value sends no spikes; what was given stays as it is
        values = np.where(lacks, values.dtype.type(0), values)
    if values.size and not values.min() >= 0:
        refuse_negative(rows, "X" if preparation is None else "the prepared X", first_row)
    return values


def digest_of(value: Any) -> str:
    """Return a digest of a value and everything it contains, the same in every process."""
    digest = hashlib.sha256()
    _feed(digest.update, value, ())
    return digest.hexdigest()[:16]


def _feed(update: Callable[[bytes], None], value: Any, above: tuple[int, ...]) -> None:
    """Digest arrays by their bytes, objects by their pickled state, other values by their repr."""
    if id(value) in above:  # a reference cycle
        return
    above = (*above, id(value))
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object:
        update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    elif isinstance(value, (type, FunctionType, BuiltinFunctionType, np.ufunc)):
        update(f"{getattr(value, '__module__', '')}.{value.__qualname__}".encode())
        if isinstance(value, FunctionType):
            # Two lambdas have one name: only their code distinguishes them.
            code = value.__code__
            _feed(update, [code.co_code, code.co_names, value.__defaults__], above)
            _feed(update, [c for c in code.co_consts if not isinstance(c, CodeType)], above)
            _feed(update, [cell.cell_contents for cell in value.__closure__ or ()], above)
    elif value is None or isinstance(value, (str, bytes, int, float, complex, np.dtype)):
        update(repr(value).encode() + b";")
    else:
        if isinstance(value, (list, tuple, np.ndarray)):
            parts = list(value)
        elif isinstance(value, (dict, set, frozenset)):
            parts = sorted(value.items() if isinstance(value, dict) else value, key=repr)
        else:
            parts = list(value.__reduce_ex__(2))
        update(f"{type(value).__name__}{len(parts)}".encode())
        for part in parts:
            _feed(update, part, above)
