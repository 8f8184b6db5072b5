"""TableEncoder: columns of Arrow's as matrices, and which rows cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from densernn.sources import numerals
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

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        names: list[str] = []
        for name in self.choice.features:
            known = self.categories.get(name)
            names += [name] if known is None else [f"{name}={value}" for value in known]
        return tuple(names)

    @property
    def n_columns(self) -> int:
        """Columns of X."""
        return len(self.feature_names)

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
        known, column = encoding.categories.get(name), batch.column(name)
        if known is None:
            X[:, at] = floats(column, encoding.dtype, encoding.decimal)
            at += 1
        else:
            _one_hot(column, known, X[:, at : at + len(known)])
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
            text = column.cast(pa.string())
        except pa.ArrowInvalid:
            cells = column.to_pylist()
            utf8 = [
                cell if cell.decode(errors="ignore").encode() == cell else None for cell in cells
            ]
            text = pa.array(utf8, pa.binary()).cast(pa.string())
        return pc.utf8_trim_whitespace(text)
    if pa.types.is_boolean(column.type):  # Arrow writes true, most CSV files have True
        return pc.if_else(column, TRUTH["true"], TRUTH["false"])
    return column if column.type == pa.string() else column.cast(pa.string())


def _one_hot(column: pa.Array, categories: tuple[str, ...], out: NDArray[Any]) -> None:
    """Fill columns of X, with NaN where the category is missing or unknown."""
    text = as_text(column).dictionary_encode()
    exact = {value: i for i, value in enumerate(categories)}
    numbers = [
        exact[value] if value in exact else find(value, categories)
        for value in text.dictionary.to_pylist()
    ]
    codes = pa.array(numbers, pa.int64()).take(text.indices).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(codes >= 0)
    out[:] = np.where(codes >= 0, 0, np.nan)[:, None]
    out[rows, codes[rows].astype(np.intp)] = 1


def _targets(
    batch: pa.RecordBatch, encoding: TableEncoder, bad: NDArray[np.bool_]
) -> NDArray[Any] | None:
    """Return the targets; mark rows bad that lack one."""
    names, decimal = encoding.choice.targets, encoding.decimal
    if not names:
        return None
    if encoding.choice.many:
        y = np.column_stack([floats(batch.column(name), np.float64, decimal) for name in names])
        bad |= ~np.isfinite(y).all(axis=1)
        return y
    column = as_values(batch.column(names[0]))
    cells = column.type == pa.binary()
    if encoding.text_target:
        text = as_text(column)
        usable = text.is_valid()
        if cells:
            unusable = pa.array(sorted(encoding.unusable_labels), pa.string())
            usable = pc.and_not(usable, pc.is_in(pc.utf8_lower(text), value_set=unusable))
        bad |= ~usable.to_numpy(zero_copy_only=False)
        return np.array(text.fill_null("").to_pylist(), dtype=np.str_)
    if cells:
        y, good = numerals.parse_labels(column, decimal)
        bad |= ~good if encoding.codes_are_numbers else ~good | numerals.codes(column)
    else:
        bad |= column.is_null().to_numpy(zero_copy_only=False)
        kind = encoding.target_dtype or np.dtype(np.float64)
        filled = column.fill_null(pa.scalar(0).cast(column.type))
        y = filled.to_numpy(zero_copy_only=False).astype(kind)
    bad |= ~np.isfinite(y)
    return y


def distinct(column: pa.Array) -> set[str]:
    """Return the texts of a column that are no null and no way to write one."""
    # Made text only once it is few: a dictionary's values, or distinct numbers.
    values = set(as_text(pc.unique(column)).to_pylist()) - {None}
    return {value for value in values if value.strip().lower() not in MISSING}


def float_for(kinds: Sequence[Any]) -> type[np.float32 | np.float64]:
    """Return float32 if it holds every value of these dtypes, else float64."""
    return np.float32 if all(np.can_cast(kind, np.float32) for kind in kinds) else np.float64
