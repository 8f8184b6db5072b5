"""Schema check: the columns that are used must be there, alike in all files, of types of use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from densernn.errors import DataError
from densernn.sources.choice import Choice, Options, check_names, resolve
from densernn.sources.encoding import TableEncoder, float_for
from densernn.sources.formats.base import FileInfo, Stored
from densernn.sources.headers import all_numbers, hint
from densernn.sources.numerals import UNUSABLE

TEXT = ("string", "large_string", "string_view")
DIGITS = 15
"""Digits of whole decimals up to which a float64 holds them."""


def choose_columns(
    stored: Sequence[Stored], infos: Sequence[FileInfo], options: Options, *, like: bool
) -> TableEncoder:
    """Return which columns are used and what becomes of them, without categories.

    Parameters
    ----------
    stored : sequence of Stored
    infos : sequence of FileInfo
        Of each of them.
    options : Options
        What was asked for.
    like : bool
        Whether the target may lack.

    Raises
    ------
    DataError
        If columns are missing, differ between files, or are of a type that is of no use.
    """
    first = stored[0]
    try:
        choice = resolve(first.title, infos[0], options, like=like)
    except DataError as error:
        if first.is_text and options.header and all_numbers(names := infos[0].schema.names):
            raise DataError(f"{error}; {hint(names)}") from error
        raise
    by_name, wanted = options.columns is not None, options.target_type
    for one, info in zip(stored, infos, strict=True):
        check_names(one.title, info, first.title, choice, by_name=by_name)
        if not first.is_text:
            _check_types(one.title, info.schema, choice, wanted)
    if first.is_text:
        named, text = options.type_was_given, wanted == "text"
        unusable = frozenset({""}) if named and text else UNUSABLE
        codes = named and wanted == "number"
        return TableEncoder(
            choice, {}, np.float64, text, None, unusable, codes, decimal=options.decimal
        )
    schemas = [info.schema for info in infos]
    numeric = [name for name in choice.features if name not in choice.categorical]
    dtype = float_for([_dtype(schema.field(name).type) for schema in schemas for name in numeric])
    plain = TableEncoder(choice, {}, dtype)
    if plain.label is None:
        return plain
    kinds = [_value_type(schema.field(plain.label).type) for schema in schemas]
    numbers = [_is_number(kind) for kind in kinds]
    if wanted == "auto" and len(set(numbers)) > 1:
        other = numbers.index(not numbers[0])
        raise DataError(
            f"{stored[other].title}: the target {plain.label!r} holds {kinds[other]}, in "
            f"{first.title} {kinds[0]}; all files must have numbers or all text"
        )
    joint = np.result_type(*map(_dtype, kinds)) if all(numbers) else None
    # Whole numbers beyond what a float64 holds are labels: as text they stay apart.
    large = joint == np.float64 and all(map(_is_whole, kinds)) and any(map(_is_large, kinds))
    if wanted == "text" or joint is None or (large and wanted == "auto"):
        return replace(plain, text_target=True)
    return replace(plain, target_dtype=joint)


def _is_whole(kind: pa.DataType) -> bool:
    """Whether a type of numbers has whole ones only."""
    return not pa.types.is_floating(kind) and not getattr(kind, "scale", 0)


def _is_large(kind: pa.DataType) -> bool:
    """Whether a type of whole numbers has some that a float64 does not hold."""
    return bool(kind.precision > DIGITS if pa.types.is_decimal(kind) else kind.bit_width == 64)


def _dtype(kind: pa.DataType) -> np.dtype[Any]:
    """Return NumPy's type for one of Arrow's that holds numbers."""
    return np.dtype(np.float64 if pa.types.is_decimal(kind) else kind.to_pandas_dtype())


def _check_types(title: str, schema: pa.Schema, choice: Choice, target_type: str) -> None:
    """Raise a :class:`DataError` on columns of types that are of no use, before any is read."""
    label = () if choice.many else choice.targets
    encoded = choice.categorical if target_type == "number" else {*choice.categorical, *label}
    for name in choice.used:
        kind = schema.field(name).type
        value = _value_type(kind)
        encodable = _is_number(value) or str(value) in TEXT
        if _is_number(value if name in label else kind) or (encodable and name in encoded):
            continue
        advice = f"one-hot encode it (open_rows(..., categorical=[{name!r}]) does so), "
        raise DataError(
            f"{title}, column {name!r}: holds {kind}, not numbers{' or text' * (name in encoded)}; "
            f"{advice * (encodable and name in choice.features)}turn it into numbers or drop it"
        )


def _value_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_number(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of numbers or bools."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in tests)
