"""Numbers and labels written as text: parsed by pyarrow, a column of cells at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from densernn.errors import DataError

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>", "?"})
"""Ways to write that a value is missing, in lower case.

In a text column "none" is none of them: it is a class in some published data.
"""
INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
UNUSABLE = MISSING | INFINITE
"""Labels that are none."""
INT64 = range(-(2**63), 2**63)
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_CODE = r"^\s*[+-]?(0\d+|\d{19,})\s*$"
"""Whole numbers that may lose something as an int64: zeros in front, or digits."""


def with_point(cells: pa.Array, decimal: str) -> pa.Array:
    """Return cells with a decimal point in the place of another mark.

    Where it is another one, what was written with a point is no number.
    """
    if decimal == ".":
        return cells
    return pc.replace_substring(pc.replace_substring(cells, ".", "x"), decimal, ".")


def parse_floats(cells: pa.Array, decimal: str, dtype: Any = np.float64) -> NDArray[Any]:
    """Return the numbers of cells of text, NaN where there is none."""
    cells, kind = with_point(cells, decimal), pa.from_numpy_dtype(dtype)
    try:  # in most files numbers stand alone
        parsed = cells.cast(kind)
    except pa.ArrowInvalid:
        numbers = pc.if_else(pc.match_substring_regex(cells, f"^{_NUMBER}$"), cells, None)
        parsed = _trimmed(numbers).cast(kind)
    return np.asarray(parsed.to_numpy(zero_copy_only=False), dtype)


def _trimmed(cells: pa.Array) -> pa.Array:
    return pc.ascii_trim_whitespace(cells.cast(pa.string()))


def parse_labels(cells: pa.Array, decimal: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the numbers of a target, int64 if all are whole ones, else float64, and what is one.

    Where there is no finite number, the value is any.
    """
    floats = parse_floats(cells, decimal)
    good: NDArray[np.bool_] = np.isfinite(floats)
    try:  # whole numbers beyond float64's 53 bits stay exact
        whole = _trimmed(with_point(cells, decimal).filter(pa.array(good))).cast(pa.int64())
    except pa.ArrowInvalid:
        return np.array(floats), good
    y = np.zeros(len(floats), np.int64)
    y[good] = whole.to_numpy()
    return y, good


def codes(cells: pa.Array) -> NDArray[np.bool_]:
    """Return where cells hold whole numbers that are rather codes: ``007``, or beyond int64."""
    labels = pc.unique(cells)
    suspects = labels.filter(pc.match_substring_regex(labels, _CODE)).to_pylist()
    found = [c for c in suspects if c.strip(b"\t\n\f\r +-")[:1] == b"0" or int(c) not in INT64]
    is_code = pc.is_in(cells, value_set=pa.array(found, pa.binary()))
    return np.asarray(is_code.to_numpy(zero_copy_only=False), bool)


def is_text(labels: Collection[str], decimal: str) -> bool:
    """Whether one of some labels at least is no number, or a code."""
    cells = pa.array(list(labels), pa.string()).cast(pa.binary())
    return bool(np.isnan(parse_floats(cells, decimal)).any() or codes(cells).any())


def share_of_text(cells: Mapping[str, int], decimal: str) -> float:
    """Return the share of counted cells that are no numbers, or of the different ones if less."""
    if not cells:
        return 0.0
    column = pa.array(list(cells), pa.string()).cast(pa.binary())
    infinite = np.array([cell.strip().lower() in INFINITE for cell in cells])
    is_text = np.isnan(parse_floats(column, decimal)) & ~infinite
    counts = np.array(list(cells.values()))
    return float(min(is_text.mean(), counts[is_text].sum() / counts.sum()))


_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"

DATES = (
    r"\d{1,4}([-/.]\d{1,2}[-/.]|:\d\d)",  # 2020-01-31, 31.1.20, 12:30
    rf"\d{{1,2}}[ -]{_MONTH}\.?,?[ -]\d{{2,4}}\b",  # 31 January 2020
    rf"{_MONTH}\.? \d{{1,2}},? \d{{2,4}}\b",  # Jan 31, 2020
    r"-?\d+ days?( [-+]?\d\d:\d\d:\d\d(\.\d+)?)?$",  # lengths of time, as pandas writes them
)
"""How dates and times begin in text."""


def strange_number(word: str, decimal: str) -> str | None:
    """Return what to do about a number or date that is written in another way; None of others."""
    if decimal == "." and re.fullmatch(r"[+-]?\d+,\d+", word):
        return "if the comma is a decimal one, say decimal=',' (--decimal on the command line)"
    if any(re.match(pattern, word, re.IGNORECASE) for pattern in DATES):
        return "turn dates and times into numbers, such as days since the first, or drop the column"
    if re.fullmatch(r"[-+]?[$€£¥]?\s?\d[\d.,' ]*\s?[%$€£¥]?", word):
        return "write the number as 1234.5, without signs or marks of thousands"
    return None


def refuse_strange_numbers(place: str, texts: Collection[str], decimal: str) -> None:
    """Raise a :class:`DataError` if most texts of a column are numbers in another way of writing.

    Taken for categories they would be told apart, and their order lost.
    """
    cells = pa.array(list(texts), pa.string()).cast(pa.binary())
    plain = ~np.isnan(parse_floats(cells, decimal))
    words = [text for text, number in zip(texts, plain, strict=True) if not number]
    strange = [word for word in words if strange_number(word, decimal)]
    if 2 * len(strange) > len(words):
        raise DataError(
            f"{place}: holds {strange[0]!r}: {strange_number(strange[0], decimal)}; if the column "
            "holds categories, name it in categorical= (--categorical)"
        )


def looks_numeric(cell: str) -> bool:
    """Whether a cell is written as a number, be it a finite one or not."""
    return re.fullmatch(_NUMBER, cell, re.ASCII) is not None
