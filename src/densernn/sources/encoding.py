"""TableEncoder: columns of Arrow's as matrices, and which rows cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from densernn.sources import numerals
from densernn.sources.categories import TRUTH, find, places
from densernn.sources.choice import Choice
from densernn.sources.numerals import MISSING, UNUSABLE
from densernn.sources.rows import Arrays

BLOCK_BYTES = 4 << 20
"""Bytes of rows that are read and worked on at once, about."""


@dataclass(frozen=True)
class TableEncoder:
    """What becomes of the columns of a table: a model keeps it, to read the next one alike.

    For a model, a feature is a column of X: a number, or a category, as its number among the known
    ones and behind these for any other; NaN is a missing value.  For those who read chunks
    themselves categories are one-hot, and rows with a missing value or another category are bad.

    Parameters
    ----------
    choice : Choice
        Which columns are used.
    categories : dict of str to tuple of str
        Those of every categorical feature.
    dtype : type
        Of X: ``numpy.float32`` or ``numpy.float64``.
    unlearned : tuple of str
        Features of text or categories that are still to be learned.
    one_hot : bool
        Whether X is for those who read chunks themselves.
    missing : tuple of str
        Texts, in lower case, and numbers that say that a value is missing, beside the usual ones.
    text_target : bool
        Whether a single target is text.
    target_dtype : dtype or None
        Of a single target that is numbers; None for int64 where all of a block are whole
        numbers, else float64.
    unusable_labels : collection of str
        What a CSV target may not be, in lower case.
    codes_are_numbers : bool
        Whether ``007`` may be a CSV target that is numbers.
    decimal : str
        The decimal point of numbers in CSV files.
    """

    choice: Choice
    categories: dict[str, tuple[str, ...]]
    dtype: type[np.float32 | np.float64]
    unlearned: tuple[str, ...] = ()
    one_hot: bool = True
    missing: tuple[str, ...] = ()
    text_target: bool = False
    target_dtype: np.dtype[Any] | None = None
    unusable_labels: Collection[str] = UNUSABLE
    codes_are_numbers: bool = False
    decimal: str = "."

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        if not self.one_hot:
            return self.choice.features
        names: list[str] = []
        for name in self.choice.features:
            known = self.categories.get(name)
            names += [name] if known is None else [f"{name}={value}" for value in known]
        return tuple(names)

    @property
    def n_columns(self) -> int:
        """Columns of X."""
        if not self.one_hot:
            return len(self.choice.features)
        return sum(len(self.categories.get(name, ("",))) for name in self.choice.features)

    @property
    def n_categories(self) -> tuple[int, ...]:
        """Known categories of each feature; 0 of what is no category."""
        return tuple(len(self.categories.get(name, ())) for name in self.choice.features)

    @property
    def row_bytes(self) -> int:
        """Memory that a row takes, about: as columns, and as a row of X."""
        return 8 * len(self.choice.used) + np.dtype(self.dtype).itemsize * self.n_columns

    @property
    def block_rows(self) -> int:
        """Rows to read at once."""
        return max(1, BLOCK_BYTES // self.row_bytes)

    @property
    def label(self) -> str | None:
        """The target that is one column by itself."""
        return self.choice.targets[0] if self.choice.targets and not self.choice.many else None

    @property
    def missing_words(self) -> frozenset[str]:
        """Texts, in lower case, that say that a value is missing."""
        return MISSING.union(self.missing)

    def like(self, known: TableEncoder) -> TableEncoder:
        """Return the encoder with the features of another one, of the same names."""
        return replace(
            self,
            categories=known.categories,
            dtype=known.dtype,
            unlearned=(),
            one_hot=known.one_hot,
            missing=tuple(sorted({*self.missing, *known.missing})),
        )


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
    X = np.empty((batch.num_rows, len(choice.features)), encoding.dtype)
    bad = np.zeros(batch.num_rows, bool)
    for at, name in enumerate(choice.features):
        X[:, at], unusable = decode_feature(name, batch.column(name), encoding)
        bad |= unusable
    X = _one_hot(X, encoding) if encoding.one_hot else X
    y = _targets(batch, encoding, bad)
    weight = None
    if choice.weight is not None:
        # A copy: what Arrow owns is read-only.
        weight = np.array(floats(batch.column(choice.weight), np.float64, encoding.decimal))
        bad |= ~(np.isfinite(weight) & (weight >= 0))
    return (X, y, weight), bad


def decode_feature(
    name: str, column: pa.Array, encoding: TableEncoder
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the numbers of a feature, NaN where a value is missing, and where one is no use."""
    words = encoding.missing_words
    strict = encoding.one_hot
    if name not in encoding.categories:
        numbers = floats(column, encoding.dtype, encoding.decimal)
        unusable = np.isinf(numbers)
        if column.type == pa.binary() and np.isnan(numbers).any():
            unusable |= np.isnan(numbers) & ~_are_missing(column, words)
        if encoding.missing:
            said = np.array(as_numbers(encoding.missing), encoding.dtype)
            numbers = np.where(np.isin(numbers, said), np.nan, numbers).astype(encoding.dtype)
        return numbers, unusable | (np.isnan(numbers) & strict)
    text = as_text(column)
    # What is null as text and was not is no UTF-8.
    unusable = _mask(pc.and_(text.is_null(), column.is_valid()))
    text = pc.if_else(_in_words(text, words), None, text)
    known = encoding.categories[name]
    found = _codes(text, known)
    return found, unusable | ((np.isnan(found) | (found >= len(known))) & strict)


def _one_hot(X: NDArray[Any], encoding: TableEncoder) -> NDArray[Any]:
    """Return rows with a column for each category in the place of its number."""
    out = np.zeros((len(X), encoding.n_columns), X.dtype)
    at = 0
    for values, name in zip(X.T, encoding.choice.features, strict=True):
        known = encoding.categories.get(name)
        if known is None:
            out[:, at] = values
            at += 1
            continue
        rows = np.flatnonzero(values < len(known))  # what is missing or unknown has none
        out[rows, at + values[rows].astype(np.intp)] = 1
        at += len(known)
    return out


def as_numbers(words: Iterable[str]) -> list[float]:
    """Return those of some texts that are numbers, as such."""
    return [float(word) for word in words if numerals.looks_numeric(word)]


def _in_words(text: pa.Array, words: frozenset[str]) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(pc.utf8_lower(text))
    return pc.is_in(trimmed, value_set=pa.array(sorted(words), pa.string()))


def _are_missing(cells: pa.Array, words: frozenset[str]) -> NDArray[np.bool_]:
    """Return where cells of text say that a value is missing; one that is no UTF-8 does not."""
    return _mask(pc.or_(_in_words(as_text(cells), words), cells.is_null()))


def _mask(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)


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


def _codes(text: pa.Array, known: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the numbers of categories, NaN where one is missing."""
    coded, exact, other = text.dictionary_encode(), places(known), len(known)
    values = coded.dictionary.to_pylist()
    found = [exact.get(value, other) for value in values]
    new = [at for at, number in enumerate(found) if number == other]
    for at, alike in zip(new, find([values[at] for at in new], known), strict=True):
        found[at] = other if alike is None else alike
    numbers = np.array([*found, np.nan])
    places_of = coded.indices.fill_null(len(numbers) - 1).to_numpy(zero_copy_only=False)
    return cast("NDArray[np.float64]", numbers[places_of])


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


def count_texts(column: pa.Array, missing: frozenset[str]) -> list[tuple[str, int]]:
    """Return the texts of a column that are no null and no way to write one, and how many."""
    # Made text only once it is few: a dictionary's values, or distinct numbers.
    counted = pc.value_counts(as_values(column))
    texts = as_text(counted.field("values")).to_pylist()
    pairs = zip(texts, counted.field("counts").to_pylist(), strict=True)
    return [(t, n) for t, n in pairs if t is not None and t.strip().lower() not in missing]


def float_for(kinds: Sequence[Any]) -> type[np.float32 | np.float64]:
    """Return float32 if it holds every value of these dtypes, else float64."""
    return np.float32 if all(np.can_cast(kind, np.float32) for kind in kinds) else np.float64
