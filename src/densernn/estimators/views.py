"""Columns of views: slices, numbers, masks or names, as numbers of columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import ParameterError


def view_columns(
    views: Sequence[Any], n_columns: int, names: Sequence[str] | None = None
) -> list[NDArray[np.intp]]:
    """Return the columns of each view.

    Parameters
    ----------
    views : sequence, or dict whose values are taken
        For each view a slice, a sequence of column numbers or names, or a mask of columns.
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
        A view is empty, names what does not exist, or a column is in no view.

    Examples
    --------
    >>> [c.tolist() for c in view_columns([slice(0, 2), [3, 2]], 4)]
    [[0, 1], [3, 2]]
    """
    listed = list(views.values()) if isinstance(views, dict) else views
    if not isinstance(listed, (list, tuple, np.ndarray)) or not len(listed):
        raise ParameterError(
            "views must be a list with the columns of each view (slices, numbers or names): "
            f"it is {views!r}"
        )
    found = [_columns(i, view, n_columns, names) for i, view in enumerate(listed)]
    left = sorted(set(range(n_columns)) - set(np.concatenate(found).tolist()))
    if left:
        shown = ", ".join(str(names[j] if names is not None else j) for j in left[:5])
        raise ParameterError(
            f"{len(left)} of {n_columns} columns are in no view ({shown}"
            f"{', ...' if len(left) > 5 else ''}): add them to one, or leave them out of X"
        )
    return found


def _columns(
    number: int, view: Any, n_columns: int, names: Sequence[str] | None
) -> NDArray[np.intp]:
    chosen = np.empty(0, np.intp)
    if isinstance(view, slice):
        with suppress(TypeError):  # of a slice that is not of numbers
            inside = view.stop is None or view.stop <= n_columns
            chosen = np.arange(n_columns)[view] if inside else chosen
    elif not isinstance(view, (str, bytes)) and isinstance(view, Iterable):
        listed = list(view)
        if listed and all(isinstance(name, str) for name in listed):
            return _named(number, listed, names)
        chosen = np.asarray(listed)
        if chosen.dtype == bool and chosen.shape == (n_columns,):
            chosen = np.flatnonzero(chosen)
    if not chosen.size or chosen.ndim > 1 or chosen.dtype.kind not in "iu":
        raise ParameterError(
            f"view {number} must be a slice within the {n_columns} columns, or a sequence of "
            f"column numbers or names, and not empty: it is {view!r}"
        )
    if chosen.min() < 0 or chosen.max() >= n_columns or np.unique(chosen).size < chosen.size:
        raise ParameterError(
            f"view {number} must name columns from 0 to {n_columns - 1}, each once: it has "
            f"{chosen.min()} to {chosen.max()} in {chosen.size} entries"
        )
    return chosen.astype(np.intp)


def _named(number: int, view: Any, names: Sequence[str] | None) -> NDArray[np.intp]:
    if names is None:
        raise ParameterError(
            f"view {number} is given by names ({view[0]!r}, ...), and X has none: give a data "
            "frame, or slices or column numbers"
        )
    place = {name: j for j, name in enumerate(names)}
    for name in view:
        if name not in place:
            raise ParameterError(f"view {number}: X has no column {name!r}")
    if len(set(view)) < len(view):
        raise ParameterError(f"view {number} names a column twice")
    return np.array([place[name] for name in view], np.intp)
