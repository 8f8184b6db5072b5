"""Rates and probabilities of a Random Neural Network, validated against section II."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from densernn.errors import ParameterError

Float64Array = NDArray[np.float64]
Matrix = Any
"""A dense array, a SciPy sparse matrix or array, or None for zeros."""

ROUNDING = 1e-9
"""Tolerance of sums of probabilities."""


@dataclass(frozen=True, eq=False)
class Rates:
    """Validated, read-only rates and probabilities of M cells: vectors, and CSR matrices.

    Created by :func:`checked_rates`; the parameters are those of :class:`RandomNeuralNetwork`.
    """

    lambda_plus: Float64Array
    lambda_minus: Float64Array
    r: Float64Array
    p_plus: Matrix
    p_minus: Matrix
    p: Matrix
    Q: Matrix
    pi: Matrix
    d: Float64Array

    @property
    def n_cells(self) -> int:
        """Number of cells, M."""
        return self.r.size

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():  # pickling drops the read-only flag
            _freeze(value)


def checked_rates(
    lambda_plus: ArrayLike,
    lambda_minus: ArrayLike,
    r: ArrayLike,
    given: Mapping[str, Matrix],
    d: ArrayLike | None = None,
) -> Rates:
    """Return rates that satisfy all conditions of section II.

    Matrices are given by name; parameters and errors are those of :class:`RandomNeuralNetwork`.
    """
    matrices = {name: given.get(name) for name in ("p_plus", "p_minus", "p", "Q", "pi")}
    default_pi = matrices["pi"] is None
    vectors = {"lambda_plus": lambda_plus, "lambda_minus": lambda_minus, "r": r}
    size = _size(*matrices.values(), *vectors.values(), d)
    whole = {name: _matrix(name, value, size) for name, value in matrices.items()}
    if default_pi:
        whole["pi"] = whole["p"]
    parts = {name: as_vector(name, value, size) for name, value in vectors.items()}
    for name in ("lambda_plus", "lambda_minus"):
        _require(parts[name] >= 0, f"{name} >= 0", name, parts[name])
    _require(parts["r"] > 0, "r > 0", "r", parts["r"])
    sent = sum(row_sums(whole[name]) for name in ("p_plus", "p_minus", "p"))
    loss = _departures(np.asarray(sent), d)
    moved = row_sums(whole["Q"]) + row_sums(whole["pi"])
    implicit = default_pi and matrices["p"] is not None
    named = "Q + pi (which is p, by default)" if implicit else "Q + pi"
    _require(moved <= 1 + ROUNDING, f"{named} <= 1", "the sum", moved)
    return Rates(**parts, **whole, d=loss)


def _departures(sent: Float64Array, d: ArrayLike | None) -> Float64Array:
    """Return the probability that a firing has no effect, given the sum of the others."""
    if d is None:
        condition = "p_plus + p_minus + p <= 1"
        _require(sent <= 1 + ROUNDING, condition, "the sum", sent)
        return _freeze(np.maximum(1 - sent, 0.0))  # type: ignore[no-any-return]
    loss = as_vector("d", d, sent.size)
    _require(loss >= 0, "d >= 0", "d", loss)
    condition = "p_plus + p_minus + p + d = 1"
    _require(np.abs(sent + loss - 1) <= ROUNDING, condition, "the sum", sent + loss)
    return loss


def _size(*values: Any) -> int:
    """Return M, the length of the first value that is not a scalar."""
    sizes = [int(np.shape(value)[0]) for value in values if value is not None and np.ndim(value)]
    if sizes and sizes[0] == 0:
        raise ParameterError("a network needs at least one cell")
    return sizes[0] if sizes else 1


def as_vector(name: str, value: ArrayLike, size: int) -> Float64Array:
    """Return a read-only vector of ``size`` finite values."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.ndim > 1:
        raise ParameterError(f"a network needs a number or a 1-D array for {name}")
    if array.ndim and array.size != size:
        raise ParameterError(
            f"a network of {size} cells needs as many values of {name}, not {array.size}"
        )
    vector = np.array(np.broadcast_to(array, size), np.float64)
    _require(np.isfinite(vector), f"finite {name}", name, vector)
    return _freeze(vector)  # type: ignore[no-any-return]


def _matrix(name: str, value: Matrix, size: int) -> Any:
    """Return a read-only CSR array of probabilities, sorted and without explicit zeros."""
    if value is None:
        return _freeze(sparse.csr_array((size, size), dtype=np.float64))
    array = value if sparse.issparse(value) else np.asarray(value)
    if array.dtype.kind not in "biuf" or array.shape != (size, size):
        raise ParameterError(
            f"a network of {size} cells needs real numbers of shape ({size}, {size}) for "
            f"{name}: it has {array.dtype} of shape {array.shape}"
        )
    matrix = sparse.csr_array(array, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    _require_probabilities(name, matrix)
    return _freeze(matrix)


def _require_probabilities(name: str, matrix: Any) -> None:
    """Raise for the first entry that is negative or not finite; row sums check the rest."""
    wrong = ~(np.isfinite(matrix.data) & (matrix.data >= 0))
    if wrong.any():
        entry = int(np.argmax(wrong))
        row = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
        raise ParameterError(
            f"cells need probabilities, finite and not negative, in {name}: "
            f"{name}[{row}, {matrix.indices[entry]}] is {matrix.data[entry]}"
        )


def _require(holds: NDArray[np.bool_], condition: str, name: str, value: Float64Array) -> None:
    """Raise for the first cell that violates the condition."""
    if holds.all():
        return
    cell = int(np.argmin(holds))
    raise ParameterError(f"cells need {condition}: {name} of cell {cell} is {value[cell]}")


def row_sums(matrix: Any) -> Float64Array:
    """Return the sums of the rows of a sparse matrix."""
    return cast("Float64Array", np.asarray(matrix.sum(axis=1), np.float64))


def _freeze(value: Any) -> Any:
    """Make an array, or the parts of a CSR array, read-only, and return it."""
    parts = (value.data, value.indices, value.indptr) if sparse.issparse(value) else (value,)
    for part in parts:
        part.setflags(write=False)
    return value
