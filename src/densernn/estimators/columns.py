"""Which columns make a source: slices, numbers, a mask, or names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import ParameterError


def source_columns(
    sources: Sequence[Any], n_columns: int, names: Sequence[str] | None = None
) -> list[NDArray[np.intp]]:
    """Return the columns of each source.

    Parameters
    ----------
    sources : sequence, or dict whose values are taken
        For each source a slice, a sequence of column numbers or names, or a mask of columns.
    n_columns : int
        Columns of a row.
    names : sequence of str, optional
        Their names.

    Returns
    -------
    list of ndarray of int

    Raises
    ------
    ParameterError
        A source is empty, names what does not exist, or a column is in no source.

    Examples
    --------
    >>> [c.tolist() for c in source_columns([slice(0, 2), [3, 2]], 4)]
    [[0, 1], [3, 2]]
    """
    listed = list(sources.values()) if isinstance(sources, dict) else sources
    if not isinstance(listed, (list, tuple, np.ndarray)) or not len(listed):
        raise ParameterError(
            "sources must be a list with the columns of each source (slices, numbers or names): "
            f"it is {sources!r}"
        )
    found = [_columns(i, source, n_columns, names) for i, source in enumerate(listed)]
    left = sorted(set(range(n_columns)) - set(np.concatenate(found).tolist()))
    if left:
        shown = ", ".join(str(names[j] if names is not None else j) for j in left[:5])
        raise ParameterError(
            f"{len(left)} of {n_columns} columns are in no source ({shown}"
            f"{', ...' if len(left) > 5 else ''}): add them to one, or leave them out of X"
        )
    return found


def _columns(
    number: int, source: Any, n_columns: int, names: Sequence[str] | None
) -> NDArray[np.intp]:
    chosen = np.empty(0, np.intp)
    if isinstance(source, slice):
        with suppress(TypeError):
            inside = source.stop is None or source.stop <= n_columns
            chosen = np.arange(n_columns)[source] if inside else chosen
    elif not isinstance(source, (str, bytes)) and isinstance(source, Iterable):
        listed = list(source)
        if listed and all(isinstance(name, str) for name in listed):
            return _named(number, listed, names)
        chosen = np.asarray(listed)
        if chosen.dtype == bool and chosen.shape == (n_columns,):
            chosen = np.flatnonzero(chosen)
    if not chosen.size or chosen.ndim > 1 or chosen.dtype.kind not in "iu":
        raise ParameterError(
            f"source {number} must be a slice within the {n_columns} columns, or a sequence of "
            f"column numbers or names, and not empty: it is {source!r}"
        )
    if chosen.min() < 0 or chosen.max() >= n_columns or np.unique(chosen).size < chosen.size:
        raise ParameterError(
            f"source {number} must name columns from 0 to {n_columns - 1}, each once: it has "
            f"{chosen.min()} to {chosen.max()} in {chosen.size} entries"
        )
    return chosen.astype(np.intp)


def _named(number: int, source: Any, names: Sequence[str] | None) -> NDArray[np.intp]:
    if names is None:
        raise ParameterError(
            f"source {number} is given by names ({source[0]!r}, ...), and X has none: give a data "
            "frame, or slices or column numbers"
        )
    place = {name: j for j, name in enumerate(names)}
    missing = [name for name in source if name not in place]
    if missing or len(set(source)) < len(source):
        what = f"has no column {missing[0]!r}" if missing else "names a column twice"
        raise ParameterError(f"source {number}: X {what}" if missing else f"source {number} {what}")
    return np.array([place[name] for name in source], np.intp)
