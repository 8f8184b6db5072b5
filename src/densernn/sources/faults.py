"""What is wrong with rows that cannot be used, and leaving them out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from densernn.errors import DataError
from densernn.sources.categories import find
from densernn.sources.csvtext import MISSING
from densernn.sources.encoding import Decoded
from densernn.sources.rechunk import Block
from densernn.sources.rows import SHOWN

NAMED = 10
"""Categories that a message names."""


def sift(decoded: Decoded, place: Callable[[int], str], *, skip: bool) -> Block:
    """Leave out the bad rows, or raise a :class:`DataError` at the first one.

    Parameters
    ----------
    decoded : Decoded
    place : callable
        Says of a row where it stands and what is wrong with it.
    skip : bool
        Whether to leave them out.

    Returns
    -------
    Block
    """
    rows = np.flatnonzero(decoded.bad)
    if not rows.size:
        return Block(decoded.X, decoded.y, decoded.weight)
    if not skip:
        raise DataError(place(int(rows[0])))
    keep = ~decoded.bad
    return Block(
        decoded.X[keep],
        None if decoded.y is None else decoded.y[keep],
        None if decoded.weight is None else decoded.weight[keep],
        rows - np.arange(len(rows)),
        tuple(place(int(row)) for row in rows[:SHOWN]),
    )


def fault_of_category(cell: str | None, known: tuple[str, ...], column: str) -> str | None:
    """Say what is wrong with a category, if anything is."""
    if cell in known or (cell is not None and find(cell, known) is not None):
        return None
    if cell is None or cell.strip().lower() in MISSING:
        found = "" if cell is None else f" (found {cell!r})"
        return f"column {column!r}: missing value{found}: impute it, or drop the row or the column"
    return (
        f"column {column!r}: {cell!r} is none of the known categories {_listed(known)}: correct "
        "it, drop the row, or name all categories in categorical"
    )


def fault_of_weight(weight: float | None, column: str, found: Any) -> str | None:
    """Say what is wrong with a weight, if anything is."""
    if weight is not None and math.isfinite(weight) and weight >= 0:
        return None
    return (
        f"column {column!r}: the weight must be a finite number of at least 0, found {found!r}: "
        "correct it or drop the row"
    )


def _listed(known: tuple[str, ...]) -> str:
    """List categories for a message."""
    shown = ", ".join(map(repr, known[:NAMED]))
    return shown + (f", ... ({len(known)} in all)" if len(known) > NAMED else "")
