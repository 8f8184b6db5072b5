"""Schema check: the columns that are used must be there, alike in all files, of types of use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
MEANING = {"number": "numbers", "category": "categories"}
DIGITS = 15
"""Digits of whole decimals up to which a float64 holds them."""


def choose_columns(
    stored: Sequence[Stored],
    infos: Sequence[FileInfo],
    options: Options,
    known: TableEncoder | None = None,
    *,
    like: bool,
    one_hot: bool = True,
) -> TableEncoder:
    """Return which columns are used and what becomes of them, without categories to be learned.

    Parameters
    ----------
    stored : sequence of Stored
    infos : sequence of FileInfo
        Of each of them.
    options : Options
        What was asked for.
    known : TableEncoder, optional
        What becomes of the features, where that was learned from other rows.
    like : bool
        Whether the target may lack.
    one_hot : bool
        Whether X is for those who read chunks themselves.

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
    for one, info in zip(stored, infos, strict=True):
        check_names(one.title, info, first.title, choice, by_name=options.columns is not None)
    plain = _typed_alike(stored, infos, choice, options, known, one_hot)
    given = {name: categories for name, categories in choice.categorical.items() if categories}
    plain = replace(
        plain,
        categories=given,
        one_hot=one_hot,
        unlearned=tuple(sorted({*plain.unlearned, *choice.categorical} - given.keys())),
        missing=options.missing,
        decimal=options.decimal,
    )
    return plain if known is None else plain.like(known)


def _typed_alike(
    stored: Sequence[Stored],
    infos: Sequence[FileInfo],
    choice: Choice,
    options: Options,
    known: TableEncoder | None,
    one_hot: bool,
) -> TableEncoder:
    """Return the encoder as far as types of columns and options of the target say it."""
    wanted, first = options.target_type, stored[0]
    if first.is_text:
        named, text = options.type_was_given, wanted == "text"
        return TableEncoder(
            choice,
            {},
            np.float64,
            text_target=text,
            unusable_labels=frozenset({""}) if named and text else UNUSABLE,
            codes_are_numbers=named and wanted == "number",
        )
    schemas = [info.schema for info in infos]
    found = [
        _check_types(one.title, schema, choice, wanted, known, one_hot)
        for one, schema in zip(stored, schemas, strict=True)
    ]
    kinds = _joint(found, [one.title for one in stored], schemas)
    numeric = [name for name, kind in kinds.items() if kind == "number"]
    dtype = float_for([_dtype(schema.field(name).type) for schema in schemas for name in numeric])
    words = tuple(name for name, kind in kinds.items() if kind == "category")
    plain = TableEncoder(choice, {}, dtype, words)
    if plain.label is None:
        return plain
    types = [_value_type(schema.field(plain.label).type) for schema in schemas]
    numbers = [_is_number(kind) for kind in types]
    if wanted == "auto" and len(set(numbers)) > 1:
        other = numbers.index(not numbers[0])
        raise DataError(
            f"{stored[other].title}: the target {plain.label!r} holds {types[other]}, in "
            f"{first.title} {types[0]}; all files must have numbers or all text"
        )
    joint = np.result_type(*map(_dtype, types)) if all(numbers) else None
    # Whole numbers beyond what a float64 holds are labels: as text they stay apart.
    large = joint == np.float64 and all(map(_is_whole, types)) and any(map(_is_large, types))
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
    """Return NumPy's type for one of Arrow's that holds numbers, or nothing."""
    if pa.types.is_null(kind):
        return np.dtype(np.float32)
    return np.dtype(np.float64 if pa.types.is_decimal(kind) else kind.to_pandas_dtype())


def _joint(
    found: Sequence[dict[str, str]], titles: Sequence[str], schemas: Sequence[pa.Schema]
) -> dict[str, str]:
    """Return the kind of each feature, which all files must share that have values of it."""
    kinds: dict[str, str] = {}
    first: dict[str, str] = {}
    for own, title, schema in zip(found, titles, schemas, strict=True):
        for name, kind in own.items():
            if pa.types.is_null(schema.field(name).type):
                continue
            first.setdefault(name, title)
            if kinds.setdefault(name, kind) != kind:
                raise DataError(
                    f"{title}, column {name!r}: holds {schema.field(name).type}, which is "
                    f"{MEANING[kind]}, and in {first[name]} {MEANING[kinds[name]]}: convert one"
                )
    return found[0] | kinds


def _check_types(
    title: str,
    schema: pa.Schema,
    choice: Choice,
    target_type: str,
    known: TableEncoder | None,
    one_hot: bool,
) -> dict[str, str]:
    """Return what each feature is: "number" or "category".

    Raises
    ------
    DataError
        Columns are of types that are of no use; none has been read yet.
    """
    label = () if choice.many else choice.targets
    kinds: dict[str, str] = {}
    for name in choice.used:
        kind = schema.field(name).type
        value = _value_type(kind)
        if name in choice.features:
            kinds[name] = _feature_kind(title, name, kind, choice, known)
            if one_hot and pa.types.is_boolean(kind) and name not in choice.categorical:
                kinds[name] = "number"
        elif not _is_number(value if name in label else kind):
            text = name in label and target_type != "number"
            if not (text and str(value) in TEXT):
                raise DataError(
                    f"{title}, column {name!r}: holds {kind}, not numbers{' or text' * text}; turn "
                    "it into numbers or drop it"
                )
    return kinds


def _feature_kind(
    title: str, name: str, kind: pa.DataType, choice: Choice, known: TableEncoder | None
) -> str:
    """Return what a feature is; raise a :class:`DataError` if its type is of no use for that."""
    own = _own_kind(kind)
    if own is None:
        date = ", such as days since the first of them," * pa.types.is_temporal(kind)
        raise DataError(
            f"{title}, column {name!r}: holds {kind}, which is neither numbers, text nor truth "
            f"values: turn it into numbers{date} or leave it out"
        )
    if known is None:
        return "category" if name in choice.categorical else own
    wanted = "category" if name in known.categories else "number"
    if wanted == "number" and own == "category" and not pa.types.is_boolean(kind):
        raise DataError(
            f"{title}, column {name!r}: holds {kind}, and numbers in training; convert it"
        )
    return wanted


def refuse_text(title: str, names: Collection[str]) -> None:
    """Raise a :class:`DataError` that says how to encode columns of text, if there are any."""
    if names:
        name = min(names)
        raise DataError(
            f"{title}, column {name!r}: holds text, not numbers; estimators encode it; to read it "
            f"in chunks, open_rows(..., categorical=[{name!r}]) does so one-hot, or drop it"
        )


def _own_kind(kind: pa.DataType) -> str | None:
    """Return what a feature of a type of Arrow's is by itself; None if it is of no use."""
    if pa.types.is_null(kind) or (_is_number(kind) and not pa.types.is_boolean(kind)):
        return "number"
    value = _value_type(kind)
    return "category" if _is_number(value) or str(value) in TEXT else None


def _value_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_number(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of numbers or bools."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(test(kind) for test in tests)
