"""Size of chunks: rows that fit into a budget of memory, whatever the source."""

from __future__ import annotations

import re

from densernn.errors import ParameterError
from densernn.layers import MOST_ROWS

CHUNK_BYTES = 96 * 2**20
"""Memory for a chunk where no limit is given."""

FEWEST = 64
"""Rows of a chunk at least: fewer starve the matrix products."""

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def chunk_rows(row_bytes: int, chunk_bytes: int = CHUNK_BYTES, most: int = MOST_ROWS) -> int:
    """Return the rows of a chunk.

    Parameters
    ----------
    row_bytes : int
        Memory for a row.
    chunk_bytes : int
        Memory that a chunk may take.
    most : int
        Rows of a chunk at most, a multiple of 64.

    Returns
    -------
    int
        A multiple of 64, from 64 to ``most``.

    Examples
    --------
    >>> chunk_rows(5000 * 4), chunk_rows(10 * 8)
    (4992, 8192)
    """
    rows = chunk_bytes // max(1, row_bytes)
    return max(FEWEST, min(most, rows // FEWEST * FEWEST))


def parse_bytes(limit: int | str) -> int:
    """Return a number of bytes, given as such or as text with a unit.

    Raises
    ------
    ParameterError
        The text is not a number followed by KB, MB, GB, KiB, MiB or GiB.

    Examples
    --------
    >>> parse_bytes("1.5 GB"), parse_bytes(4096)
    (1500000000, 4096)
    """
    if not isinstance(limit, str):
        return int(limit)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B)?\s*", limit, re.IGNORECASE)
    if match is None:
        raise ParameterError(f"memory_limit must be bytes or text such as '4 GB': it is {limit!r}")
    return int(float(match[1]) * _UNITS[(match[2] or "").upper()])


def chunk_budget(limit: int | str | None, kept: int, row_values: int, needed_by: str) -> int:
    """Return the memory for a chunk, once what is kept all the time has its part of a limit.

    Parameters
    ----------
    limit : int, str or None
        As ``memory_limit`` of the estimators.
    kept : int
        Bytes that moments, their factorisation, weights and reading take.
    row_values : int
        Numbers of 8 bytes held at once for a row.
    needed_by : str
        The parameters that decide about ``kept``, for the message.

    Raises
    ------
    ParameterError
        The limit leaves no room for the smallest chunk.
    """
    if limit is None:
        return CHUNK_BYTES
    available, least = parse_bytes(limit), kept + FEWEST * 8 * row_values
    if available < least:
        raise ParameterError(
            f"memory_limit={limit!r} is too little for {needed_by}: moments or weights, their "
            f"factorisation and reading alone need {least / 1e6:.1f} MB"
        )
    return min(CHUNK_BYTES, available - kept)
