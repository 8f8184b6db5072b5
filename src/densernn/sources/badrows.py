"""Bad rows: the reason why a row cannot be used, and blocks without such rows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.arrow import pa
from densernn.sources.categories import TRUTH, find
from densernn.sources.encoding import TableEncoder, as_text, floats
from densernn.sources.formats.base import Malformed
from densernn.sources.formats.csvtext import is_utf8
from densernn.sources.numerals import INFINITE, MISSING, is_code, looks_numeric, parse_number
from densernn.sources.rechunk import Block
from densernn.sources.rows import SHOWN, Arrays, cut_arrays

NAMED = 10
"""Categories that a message names."""
PEEK_ROWS = 1000
"""Rows by which a column is taken for one of text."""
_COMMAS = re.compile(r"[+-]?\d+,\d+")
_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d{2}.*")
IMPUTE = "impute it, or drop the row or the column"
CORRECT = "correct it or drop the row"


def drop_bad_rows(
    batch: pa.RecordBatch,
    decoded: tuple[Arrays, NDArray[np.bool_]],
    malformed: Sequence[Malformed],
    encoding: TableEncoder,
    place: Callable[[int], str],
    row: int,
    *,
    skip: bool,
) -> Block:
    """Leave out the bad rows, or raise a :class:`DataError` at the first one.

    Parameters
    ----------
    batch, decoded
        The rows as read, and as matrices.
    malformed : sequence of (int, str)
        More rows, which stood among these.
    encoding : TableEncoder
    place : callable
        Names the place of a row by its number.
    row : int
        Number of the first row in the file.
    skip : bool
        Whether to leave them out.

    Returns
    -------
    Block
    """
    arrays, bad = decoded
    before = np.array([at for at, _ in malformed], np.intp)
    rows = np.flatnonzero(bad)
    if not rows.size and not before.size:
        return Block(*arrays)
    # By their numbers among all rows, the malformed ones included.
    numbers: dict[int, int | str] = {at + i: reason for i, (at, reason) in enumerate(malformed)} | {
        int(r + np.searchsorted(before, r, "right")): int(r) for r in rows
    }
    ordered = sorted(numbers)

    def described(number: int) -> str:
        found = numbers[number]
        if isinstance(found, str):
            return f"{place(row + number)}: {found}"
        reason = bad_row_reason(batch, found, encoding, peek=row + number == 0)
        return f"{place(row + number)}, {reason}"

    if not skip:
        raise DataError(described(ordered[0]))
    return Block(
        *cut_arrays(arrays, ~bad),
        np.array(ordered, np.intp) - np.arange(len(ordered)),
        tuple(described(number) for number in ordered[:SHOWN]),
    )


def bad_row_reason(batch: pa.RecordBatch, i: int, encoding: TableEncoder, *, peek: bool) -> str:
    """Return what is wrong with the first value of a row that is no use, and what to do.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
    i : int
        The row.
    encoding : TableEncoder
    peek : bool
        Whether to look at the rows that follow, to tell a column of text from a bad cell.
    """
    choice = encoding.choice
    reason = None
    for name in choice.used:
        column = batch.column(name)
        if name in encoding.categories:
            reason = _category_reason(column, i, encoding.categories[name])
        elif name in choice.targets:
            reason = _target_reason(_value(column, i), encoding)
        elif name == choice.weight:
            reason = _weight_reason(_value(column, i), encoding)
        else:
            reason = _number_reason(_value(column, i), encoding)
            if reason and peek:
                reason = _text_reason(column, name, encoding) or reason
        if reason:
            return f"column {name!r}: {reason}"
    return "some value cannot be used: drop the row"


class _Cell(str):
    """Text of a cell, with surrogates where it is not UTF-8."""


def _value(column: pa.Array, i: int) -> Any:
    """Return a typed value or the text of a cell."""
    value = column[i].as_py()
    return _Cell(value, "utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _number(value: Any, encoding: TableEncoder, dtype: Any = np.float64) -> float | None:
    """Return the number that a value or cell holds, if it is a finite one."""
    if isinstance(value, _Cell):
        return parse_number(value, encoding.numerals, dtype)
    return value if value is not None and math.isfinite(value) else None


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return value is None or bool(np.isnan(value))


def _number_reason(value: Any, encoding: TableEncoder) -> str | None:
    if _number(value, encoding, encoding.dtype) is not None:
        return None
    if not isinstance(value, _Cell):
        what = "missing value" if _is_missing(value) else f"{value} is not finite"
        return f"{what}: {IMPUTE}"
    word = value.strip().lower()
    if word in MISSING or word == "none":
        return f"missing value (found {value!r}): {IMPUTE}"
    if word in INFINITE or looks_numeric(word):
        return f"{value!r} is not finite here: {IMPUTE}"
    return f"{value!r} is not a number: {_how_to_read(value)}"


def _how_to_read(cell: str) -> str:
    """Return how to read a cell that is no number, be it one for people."""
    text, option = cell.strip(), "(an option of that name on the command line)"
    if _GROUPS.fullmatch(text) and text.count(",") + text.count(".") > 1:
        return f"if commas group its digits, say thousands=',' {option}"
    if _COMMAS.fullmatch(text):
        grouped = ", and if it groups digits, thousands=','" if _GROUPS.fullmatch(text) else ""
        return f"if the comma is a decimal one, say decimal=','{grouped} {option}"
    if text.endswith("%"):
        return "drop the percent signs in the file, or the column"
    if _DATE.fullmatch(text):
        return "turn dates and times into numbers, such as days, in the file, or drop the column"
    return CORRECT


def _text_reason(column: pa.Array, name: str, encoding: TableEncoder) -> str | None:
    """Return what to do about a column that has no number in its first rows."""
    first = column.slice(0, PEEK_ROWS)
    cell = _value(column, 0)
    if not isinstance(cell, _Cell):
        return None
    if np.isfinite(floats(first, np.float64, encoding.numerals)).any():
        return None
    if _is_missing(cell) or cell.strip().lower() == "none" or _how_to_read(cell) != CORRECT:
        return None
    what = "the column holds text; one-hot encode it or drop it"
    if cell.strip().lower() in TRUTH:
        what = "turn it into 0 and 1, or one-hot encode it"
    return f"{cell!r} is not a number: {what}; open_rows(..., categorical=[{name!r}]) does so"


def _category_reason(column: pa.Array, i: int, known: tuple[str, ...]) -> str | None:
    raw = _value(column, i)
    if isinstance(raw, _Cell) and not is_utf8(raw):
        return _not_utf8(raw)
    cell = as_text(column.slice(i, 1))[0].as_py()
    if cell in known or (cell is not None and find(cell, known) is not None):
        return None
    if _is_missing(cell):
        found = "" if cell is None else f" (found {cell!r})"
        return f"missing value{found}: {IMPUTE}"
    shown = ", ".join(map(repr, known[:NAMED]))
    shown += f", ... ({len(known)} in all)" if len(known) > NAMED else ""
    advice = "correct it, drop the row, or name all categories in categorical"
    return f"{cell!r} is none of the known categories {shown}: {advice}"


def _weight_reason(value: Any, encoding: TableEncoder) -> str | None:
    weight = _number(value, encoding)
    if weight is not None and weight >= 0:
        return None
    return f"the weight must be a finite number of at least 0, found {value!r}: {CORRECT}"


def _target_reason(value: Any, encoding: TableEncoder) -> str | None:
    if not isinstance(value, _Cell):
        finite = value is not None and (not isinstance(value, float) or math.isfinite(value))
        what = "missing" if _is_missing(value) else value
        return None if finite else f"the target is {what}: drop the row"
    number = _number(value, encoding)
    infinite = number is None and looks_numeric(value) and not encoding.text_target
    reason = None
    if not is_utf8(value):
        reason = _not_utf8(value)
    elif value.strip().lower() in encoding.unusable_labels or infinite:
        reason = f"the target is missing or not finite (found {value!r}): drop the row"
    elif encoding.text_target:
        pass
    elif number is None and encoding.choice.many:
        reason = f"{value!r} is not a number: {_how_to_read(value)}"
    elif number is None:
        reason = (
            f"{value!r} is not a number, as the target's first values are: correct it or drop the "
            'row, or say target_type="text" (--target-type) if all of them are names of classes'
        )
    elif is_code(value) and not (encoding.choice.many or encoding.codes_are_numbers):
        reason = (
            f'{value!r} would lose zeros or digits as a number: say target_type="text" '
            '(--target-type) if the values are names of classes, else "number"'
        )
    return reason


def _not_utf8(cell: str) -> str:
    return f"not UTF-8 text (found {cell!r}): save the file as UTF-8, or say its encoding="
