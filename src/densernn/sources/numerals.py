"""Numbers and labels written as text: parsed by pyarrow, a column of cells at a time."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.sources.arrow import pa, pc

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>", "?"})
"""Ways to write that a value is missing, in lower case.

In a text column "none" is none of them: it is a class in some published data.
"""
INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
UNUSABLE = MISSING | INFINITE
"""Labels that are none."""
INT64 = range(-(2**63), 2**63)
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CODE = r"^\s*[+-]?(0\d+|\d{19,})\s*$"
"""Whole numbers that may lose something as an int64: zeros in front, or digits."""


@dataclass(frozen=True)
class Numerals:
    """How numbers are written.

    Parameters
    ----------
    decimal : str
        The decimal point.
    thousands : str
        What stands between groups of three digits, if anything does.
    """

    decimal: str = "."
    thousands: str = ""

    def plain(self, cells: pa.Array) -> pa.Array:
        """Return cells with numbers as programs write them; no other cell becomes a number."""
        if self.thousands:
            mark, point = re.escape(self.thousands), re.escape(self.decimal)
            grouped = pc.match_substring_regex(
                cells, rf"^\s*[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?\s*$"
            )
            cells = pc.if_else(grouped, pc.replace_substring(cells, self.thousands, ""), cells)
        if self.decimal != ".":
            cells = pc.replace_substring(cells, ".", "x")
            cells = pc.replace_substring(cells, self.decimal, ".")
        return cells


PLAIN = Numerals()


def parse_floats(
    cells: pa.Array, dtype: type[np.float32 | np.float64], numerals: Numerals = PLAIN
) -> NDArray[Any]:
    """Return the numbers of cells of text, NaN where there is none."""
    kind = pa.from_numpy_dtype(dtype)
    if numerals != PLAIN:
        cells = numerals.plain(cells)
    # In most files numbers stand alone, in some with white space: what works is tried first.
    for form in (pa.Array.view, _trimmed, _numbers_alone):
        try:
            parsed = form(cells, pa.binary()).cast(kind)
            break
        except pa.ArrowInvalid:
            continue
    return np.asarray(parsed.to_numpy(zero_copy_only=False), dtype)


def _trimmed(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    return pc.ascii_trim_whitespace(cells.cast("string")).cast(kind)


def _numbers_alone(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the cells that hold a number, null in the place of others."""
    stripped = map(bytes.strip, cells.to_pylist())
    return pa.array([cell if _NUMBER.fullmatch(cell) else None for cell in stripped], kind)


def parse_labels(cells: pa.Array, numerals: Numerals) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the numbers of a target, int64 if all are whole ones, else float64, and what is one.

    Where there is no finite number, the value is any.
    """
    floats = parse_floats(cells, np.float64, numerals)
    good: NDArray[np.bool_] = np.isfinite(floats)
    plain = numerals.plain(cells) if numerals != PLAIN else cells
    try:  # whole numbers beyond float64's 53 bits stay exact
        whole = _trimmed(plain.filter(pa.array(good)), pa.string()).cast(pa.int64())
    except pa.ArrowInvalid:
        return np.array(floats), good
    y = np.zeros(len(floats), np.int64)
    y[good] = whole.to_numpy()
    return y, good


def codes(cells: pa.Array) -> NDArray[np.bool_]:
    """Return where cells hold whole numbers that are rather codes: ``007``, or beyond int64."""
    found = np.zeros(len(cells), bool)
    # Labels are few: the regular expression is tried on each once.
    if not pc.any(pc.match_substring_regex(pc.unique(cells), _CODE)).as_py():
        return found
    suspect = pc.match_substring_regex(cells, _CODE).to_numpy(zero_copy_only=False)
    for i in np.flatnonzero(suspect):
        found[i] = is_code(cells[int(i)].as_py().decode())
    return found


def is_code(cell: str) -> bool:
    """Whether a whole number would lose its zeros in front, or digits, as an int64."""
    digits = cell.strip().lstrip("+-")
    if not (digits.isascii() and digits.isdigit()):
        return False
    return (len(digits) > 1 and digits[0] == "0") or int(cell) not in INT64


def is_text(labels: Collection[str], numerals: Numerals) -> bool:
    """Whether one of some labels at least is no number, or a code."""
    cells = pa.array([label.encode() for label in labels], pa.binary())
    no_number = np.isnan(parse_floats(cells, np.float64, numerals)).any()
    return bool(no_number) or any(map(is_code, labels))


def looks_numeric(cell: str) -> bool:
    """Whether a cell is written as a number, be it a finite one or not."""
    return _NUMBER.fullmatch(cell.strip().encode("utf-8", "surrogateescape")) is not None


def parse_number(
    cell: str, numerals: Numerals = PLAIN, dtype: type[np.float32 | np.float64] = np.float64
) -> float | None:
    """Return the finite number of one cell, or None if it holds none."""
    raw = pa.array([cell.encode("utf-8", "surrogateescape")], pa.binary())
    value = float(parse_floats(raw, dtype, numerals)[0])
    return value if np.isfinite(value) else None
