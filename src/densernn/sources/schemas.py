"""Schema check: the columns that are used must be there, alike in all files, of types of use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from densernn.errors import DataError
from densernn.sources.arrow import pa
from densernn.sources.choice import Choice, Options, refuse_other_columns, resolve
from densernn.sources.encoding import TableEncoder, float_for
from densernn.sources.formats.base import FileInfo, Stored
from densernn.sources.headers import all_numbers, hint
from densernn.sources.numerals import UNUSABLE

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
    is_text, title = stored[0].is_text, stored[0].title
    names = tuple(infos[0].schema.names)
    try:
        choice = resolve(title, names, options, index=infos[0].unasked, target_may_lack=like)
    except DataError as error:
        if is_text and options.header and all_numbers(names):
            raise DataError(f"{error}; {hint(names)}") from error
        raise
    by_name = options.columns is not None
    for one, info in zip(stored[1:], infos[1:], strict=True):
        refuse_other_columns(one.title, info.schema.names, title, choice, by_name=by_name)
    if is_text:
        given = options.type_was_given
        return TableEncoder(
            choice,
            {},
            np.float64,
            options.target_type == "text",
            unusable_labels=frozenset({""})
            if given and options.target_type == "text"
            else UNUSABLE,
            codes_are_numbers=given and options.target_type == "number",
            decimal=options.decimal,
        )
    schemas = [info.schema for info in infos]
    for one, schema in zip(stored, schemas, strict=True):
        _refuse_types(one.title, schema, choice)
    numeric = [name for name in choice.features if name not in choice.categorical]
    kinds = [_dtype(schema.field(name).type) for schema in schemas for name in numeric]
    target = _target_type(stored, schemas, choice, options.target_type)
    return TableEncoder(choice, {}, float_for(kinds), *target)


def _dtype(kind: pa.DataType) -> np.dtype[Any]:
    """Return NumPy's type for one of Arrow's that holds numbers."""
    return np.dtype(np.float64 if pa.types.is_decimal(kind) else kind.to_pandas_dtype())


def _refuse_types(title: str, schema: pa.Schema, choice: Choice) -> None:
    """Raise a :class:`DataError` on columns of types that are of no use, before any is read."""
    weight = () if choice.weight is None else (choice.weight,)
    for name in (*choice.features, *weight, *(choice.targets if choice.many else ())):
        kind = schema.field(name).type
        if _is_number(kind):
            continue
        value = _value_type(kind)
        encodable = name in choice.features and (_is_text(value) or _is_number(value))
        if encodable and name in choice.categorical:
            continue
        todo = "turn it into numbers or drop it"
        if encodable:
            todo = f"one-hot encode it (open_rows(..., categorical=[{name!r}]) does so), {todo}"
        raise DataError(f"{title}, column {name!r}: holds {kind}, not numbers; {todo}")


def _value_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_number(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of numbers or bools."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def _is_text(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of text."""
    return str(kind) in ("string", "large_string", "string_view")


def _target_type(
    stored: Sequence[Stored], schemas: Sequence[pa.Schema], choice: Choice, wanted: str
) -> tuple[bool, np.dtype[Any] | None]:
    """Return whether the target is text, and else the dtype that holds those of all files."""
    if choice.many or not choice.targets:
        return False, None
    name = choice.targets[0]
    kinds = [_value_type(schema.field(name).type) for schema in schemas]
    for one, kind in zip(stored, kinds, strict=True):
        what = f"{one.title}: the target {name!r}"
        if not _is_number(kind) and (wanted == "number" or not _is_text(kind)):
            allowed = "numbers" if wanted == "number" else "numbers or text"
            raise DataError(f"{what} must hold {allowed}, found {kind}")
        if wanted == "auto" and _is_number(kind) != _is_number(kinds[0]):
            others = f"in {stored[0].title} {kinds[0]}; all files must have numbers or all text"
            raise DataError(f"{what} holds {kind}, {others}")
    # Whole numbers beyond what a float64 holds are labels: as text they stay apart.
    large = any(pa.types.is_decimal(k) and k.scale == 0 and k.precision > DIGITS for k in kinds)
    if wanted == "text" or not _is_number(kinds[0]) or (large and wanted == "auto"):
        return True, None
    return False, np.result_type(*map(_dtype, kinds))
