"""TableEncoder: columns of Arrow's as matrices, and which rows cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.sources import numerals
from densernn.sources.arrow import pa, pc
from densernn.sources.categories import TRUTH, find
from densernn.sources.choice import Choice
from densernn.sources.numerals import MISSING, UNUSABLE
from densernn.sources.rows import Arrays

BLOCK_BYTES = 4 << 20
"""Bytes of rows that are read and worked on at once, about."""


@dataclass(frozen=True)
class TableEncoder:
    """What becomes of the columns of a table.

    Parameters
    ----------
    choice : Choice
        Which they are.
    categories : dict of str to tuple of str
        Those of every categorical feature.
    dtype : type
        Of X: ``numpy.float32`` or ``numpy.float64``.
    text_target : bool
        Whether a single target is text.
    target_dtype : dtype or None
        Of a single target that is numbers; None for int64 where all of a block are whole
        numbers, else float64.
    unusable_labels : frozenset of str
        What a CSV target may not be, in lower case.
    codes_are_numbers : bool
        Whether ``007`` may be a CSV target that is numbers.
    decimal : str
        The decimal point of numbers in CSV files.
    """

    choice: Choice
    categories: dict[str, tuple[str, ...]]
    dtype: type[np.float32 | np.float64]
    text_target: bool = False
    target_dtype: np.dtype[Any] | None = None
    unusable_labels: frozenset[str] = UNUSABLE
    codes_are_numbers: bool = False
    decimal: str = "."

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        values = {name: [f"={value}" for value in known] for name, known in self.categories.items()}
        return tuple(n + value for n in self.choice.features for value in values.get(n, [""]))

    @cached_property
    def n_columns(self) -> int:
        """Columns of X."""
        categories = self.categories
        return sum(len(categories.get(name, (name,))) for name in self.choice.features)

    @cached_property
    def row_bytes(self) -> int:
        """Memory that a row takes, about: as columns, and as a row of X."""
        return 8 * len(self.choice.used) + np.dtype(self.dtype).itemsize * self.n_columns

    @cached_property
    def block_rows(self) -> int:
        """Rows to read at once."""
        return max(1, BLOCK_BYTES // self.row_bytes)

    @property
    def label(self) -> str | None:
        """The target that is one column by itself."""
        return self.choice.targets[0] if self.choice.targets and not self.choice.many else None


def decode(batch: pa.RecordBatch, encoding: TableEncoder) -> tuple[Arrays, NDArray[np.bool_]]:
    """Turn a batch that has all columns that are used into matrices.

    Parameters
    ----------
    batch : pyarrow.RecordBatch of n_rows rows
    encoding : TableEncoder

    Returns
    -------
    X, y, weight : ndarray
        As in a chunk, X in C order, but with anything at all in bad rows.
    bad : ndarray of bool, of shape (n_rows,)
        Rows that cannot be used.
    """
    choice = encoding.choice
    X = np.empty((batch.num_rows, encoding.n_columns), encoding.dtype)
    at = 0
    for name in choice.features:
        known = encoding.categories.get(name, ("",))
        if name in encoding.categories:
            _one_hot(batch.column(name), known, X[:, at : at + len(known)])
        else:
            X[:, at] = floats(batch.column(name), encoding.dtype, encoding.decimal)
        at += len(known)
    bad: NDArray[np.bool_] = np.logical_not(np.isfinite(X).all(axis=1))
    y = _targets(batch, encoding, bad)
    weight = None
    if choice.weight is not None:
        # A copy: what Arrow owns is read-only.
        weight = np.array(floats(batch.column(choice.weight), np.float64, encoding.decimal))
        bad |= ~(np.isfinite(weight) & (weight >= 0))
    return (X, y, weight), bad


def floats(column: pa.Array, dtype: type[np.float32 | np.float64], decimal: str) -> NDArray[Any]:
    """Return numbers as floats; nulls are NaN, and integers may be rounded."""
    if column.type == pa.binary():
        return numerals.parse_floats(column, decimal, dtype)
    cast = column.cast(pa.from_numpy_dtype(dtype), safe=False)
    return np.asarray(cast.to_numpy(zero_copy_only=False), dtype)


def as_values(column: pa.Array) -> pa.Array:
    """Return a column as it would be without a dictionary."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def as_text(column: pa.Array) -> pa.Array:
    """Return a column of any type as Arrow's strings; null where cells are not UTF-8."""
    column = as_values(column)
    if column.type == pa.binary():
        try:
            return pc.utf8_trim_whitespace(column.cast(pa.string()))
        except pa.ArrowInvalid:
            return pa.array([_utf8(cell) for cell in column.to_pylist()], pa.string())
    if pa.types.is_boolean(column.type):  # Arrow writes true, most CSV files have True
        return pc.if_else(column, TRUTH["true"], TRUTH["false"])
    return column if column.type == pa.string() else column.cast(pa.string())


def _utf8(cell: bytes) -> str | None:
    try:
        return cell.decode().strip()
    except UnicodeDecodeError:
        return None


def _one_hot(column: pa.Array, categories: tuple[str, ...], out: NDArray[Any]) -> None:
    """Fill columns of X, with NaN where the category is missing or unknown."""
    text = as_text(column)
    found = pc.index_in(text, value_set=pa.array(categories, pa.string()))
    if found.null_count:
        others = pc.unique(text.filter(found.is_null()).drop_null()).to_pylist()
        alike = {other: find(other, categories) for other in others}
        if any(number is not None for number in alike.values()):
            place = pc.index_in(text, value_set=pa.array(list(alike), pa.string()))
            numbers = pa.array(list(alike.values()), pa.int32())
            found = pc.coalesce(found, numbers.take(place))
    codes = found.fill_null(-1).to_numpy(zero_copy_only=False)
    out[:] = 0
    rows = np.flatnonzero(codes >= 0)
    out[rows, codes[rows]] = 1
    out[codes < 0] = np.nan


def _targets(
    batch: pa.RecordBatch, encoding: TableEncoder, bad: NDArray[np.bool_]
) -> NDArray[Any] | None:
    """Return the targets; mark rows bad that lack one."""
    choice = encoding.choice
    if choice.many and choice.targets:
        y = np.empty((batch.num_rows, len(choice.targets)))
        for j, name in enumerate(choice.targets):
            y[:, j] = floats(batch.column(name), np.float64, encoding.decimal)
        bad |= ~np.isfinite(y).all(axis=1)
        return y
    if encoding.label is None:
        return None
    column = as_values(batch.column(encoding.label))
    if encoding.text_target:
        text = as_text(column)
        bad |= ~_usable(text, encoding if _is_cells(column) else None)
        return np.array(text.fill_null("").to_pylist(), dtype=np.str_)
    if _is_cells(column):
        y, good = numerals.parse_labels(column, encoding.decimal)
        bad |= ~good
        if not encoding.codes_are_numbers:
            bad |= numerals.codes(column)
    else:
        bad |= column.is_null().to_numpy(zero_copy_only=False)
        kind = encoding.target_dtype or np.dtype(np.float64)
        filled = column.fill_null(False if kind.kind == "b" else 0)
        y = filled.to_numpy(zero_copy_only=False).astype(kind)
    bad |= ~np.isfinite(y)
    return y


def _is_cells(column: pa.Array) -> bool:
    return bool(column.type == pa.binary())


def _usable(text: pa.Array, encoding: TableEncoder | None) -> NDArray[np.bool_]:
    """Return where a target that is text is there; of cells, where it is no word for missing."""
    usable = text.is_valid()
    if encoding is not None:
        unusable = pa.array(sorted(encoding.unusable_labels), pa.string())
        usable = pc.and_not(usable, pc.is_in(pc.utf8_lower(text), value_set=unusable))
    return np.asarray(usable.to_numpy(zero_copy_only=False), bool)


def distinct(column: pa.Array) -> set[str]:
    """Return the texts of a column that are no null and no way to write one."""
    # Made text only once it is few: a dictionary's values, or distinct numbers.
    values = set(as_text(pc.unique(column)).to_pylist()) - {None}
    return {value for value in values if value.strip().lower() not in MISSING}


def float_for(kinds: Sequence[Any]) -> type[np.float32 | np.float64]:
    """Return float32 if it holds every value of these dtypes, else float64."""
    return np.float32 if all(np.can_cast(kind, np.float32) for kind in kinds) else np.float64
