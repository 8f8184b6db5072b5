"""Which columns of a table are features, targets and weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any

from densernn.errors import DataError, ParameterError
from densernn.sources.categories import distinct_values
from densernn.sources.columns import check_column, choose, refuse_twice

Column = str | int
"""A column's name, or its place among all columns, from the end if negative."""

MAX_CATEGORIES = 1000
TARGET_TYPES = ("auto", "text", "number")


@dataclass(frozen=True)
class Options:
    """What was asked for, before any file is looked at.

    Parameters
    ----------
    targets, columns : tuple of str or int, or None
        Targets and features; None for no target, and for all features there are.
    many : bool
        Whether targets were given as a list, so that y has two axes.
    weight : str, int or None
        The column of weights.
    categorical : tuple of (column, categories or None)
        Features to encode one-hot.
    names : tuple of str or None
        Names for files that have none.
    header : bool
        Whether CSV files begin with names.
    delimiter : str
        What separates the values of a CSV file.
    skip : bool
        Whether rows that cannot be used are passed over.
    target_type : str
        "auto", "text" or "number", of a CSV target.
    words_are_missing : bool
        Whether words such as NA say that a CSV target is missing, as they do not where it was
        said to be text.
    """

    targets: tuple[Column, ...] | None
    many: bool
    columns: tuple[Column, ...] | None
    weight: Column | None
    categorical: tuple[tuple[Column, tuple[str, ...] | None], ...]
    names: tuple[str, ...] | None
    header: bool
    delimiter: str
    skip: bool
    target_type: str
    words_are_missing: bool = True


@dataclass(frozen=True)
class Choice:
    """The columns of a table that are used, by name.

    Parameters
    ----------
    names : tuple of str
        All columns.
    features : tuple of str
        In the order wanted.
    targets : tuple of str
        Empty where there are none.
    many : bool
        Whether y has two axes.
    weight : str or None
    categorical : dict of str to (tuple of str or None)
        Features to encode one-hot and their categories, None if they are to be learned.
    """

    names: tuple[str, ...]
    features: tuple[str, ...]
    targets: tuple[str, ...]
    many: bool
    weight: str | None
    categorical: dict[str, tuple[str, ...] | None]

    @property
    def used(self) -> tuple[str, ...]:
        """All columns that are read: features, targets, weight."""
        weight = () if self.weight is None else (self.weight,)
        return (*self.features, *self.targets, *weight)


def resolve(
    path: Path | str, names: tuple[str, ...], options: Options, *, target_may_lack: bool = False
) -> Choice:
    """Find the columns asked for among those of a file.

    Parameters
    ----------
    path : Path or str
        The file, for messages.
    names : tuple of str
        All its columns.
    options : Options
        What was asked for.
    target_may_lack : bool, optional
        Whether files without any of the targets, or without the weight, are accepted.

    Returns
    -------
    Choice

    Raises
    ------
    DataError
        If a column is not there, or one is there twice.
    ParameterError
        If a column is asked for twice, or as two things.
    """
    refuse_twice(path, names)
    targets, weight = options.targets or (), options.weight
    if target_may_lack:
        targets = targets if any(target in names for target in targets) else ()
        weight = weight if weight in names else None
    target_names = tuple(_name(path, names, column, "target column") for column in targets)
    weight_name = None if weight is None else _name(path, names, weight, "weight column")
    wanted = None
    if options.columns is not None:
        wanted = [
            names[_place(path, names, c)] if isinstance(c, int) else c for c in options.columns
        ]
    others = (*target_names, *(() if weight_name is None else (weight_name,)))
    _refuse_double(wanted or (), others)
    features = choose(path, names, None, wanted, others)
    categorical = {
        _name(path, features if isinstance(c, str) else names, c, "categorical feature"): known
        for c, known in options.categorical
    }
    for name in categorical:
        check_column(path, name, features, "categorical feature")
    return Choice(names, features, target_names, options.many, weight_name, categorical)


def name_columns(
    path: Path, count: int, options: Options, *, target_may_lack: bool
) -> tuple[str, ...]:
    """Return the names of the columns of a file that has none itself: those asked for, or x0 ...

    A file with as many columns fewer as there are targets is taken as one that lacks them, and
    so for the weight, and both; raises a :class:`DataError` where it may be either.
    """
    names = options.names
    if names is None:
        return tuple(f"x{j}" for j in range(count))
    targets, weight = options.targets or (), () if options.weight is None else (options.weight,)
    lacks = [some for some in (targets, weight, (*targets, *weight)) if some] * target_may_lack
    fitting = {some for some in lacks if count == len(names) - len(some)}
    if len(fitting) > 1:
        raise DataError(
            f"{path}: has a column fewer than the {len(names)} there were, and no names to tell "
            "whether it is the target or the weight; open it by open_rows with names="
        )
    for lacking in fitting:
        names = tuple(name for name in names if name not in lacking)
    if count != len(names):
        raise DataError(f"{path}: {len(names)} names for {count} columns")
    return names


def _name(path: Path | str, names: Sequence[str], column: Column, what: str) -> str:
    if isinstance(column, int):
        return names[_place(path, names, column)]
    check_column(path, column, names, what)
    return column


def _place(path: Path | str, names: Sequence[str], column: int) -> int:
    if not -len(names) <= column < len(names):
        raise DataError(f"{path}: no column {column}; there are {len(names)}, from 0 on")
    return column


def _refuse_double(features: Sequence[str], others: Sequence[str]) -> None:
    for wanted, what in ((features, "columns"), (others, "target and weight")):
        twice = [name for name, count in Counter(wanted).items() if count > 1]
        if twice:
            raise ParameterError(f"{what} must name each column once, found {twice[0]!r} twice")
    both = set(features) & set(others)
    if both:
        raise ParameterError(f"{min(both)!r} cannot be a feature and the target or the weight too")


def as_column(column: Any, what: str) -> Column:
    """Return a name or an index as such; raise on what is neither."""
    if isinstance(column, str):
        return str(column)
    try:
        if isinstance(column, bool):
            raise TypeError
        return index(column)
    except TypeError:
        raise ParameterError(
            f"{what} must be the name or the index of a column, found {column!r}"
        ) from None


def as_categories(categories: Any, column: Column) -> tuple[str, ...]:
    """Return categories as Arrow writes them as text; raise if none, doubled or too many."""
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)

    if isinstance(categories, str | bytes) or not isinstance(categories, Iterable):
        raise ParameterError(
            f"the categories of column {column!r} must be a list of them, found {categories!r}"
        )
    known = tuple(
        str(value) if isinstance(value, str | bool) else str(pa.scalar(value).cast(pa.string()))
        for value in (getattr(categories, "tolist", lambda: categories)())
    )
    if not known or distinct_values(known) != len(known):
        raise ParameterError(
            f"the categories of column {column!r} must be at least one, and each named once"
        )
    refuse_many_categories(known, column)
    return known


def refuse_many_categories(known: Any, column: Column, path: Path | str | None = None) -> None:
    """Raise a :class:`DataError` if there are more categories than can be meant."""
    if len(known) > MAX_CATEGORIES:
        raise DataError(
            f"{'' if path is None else f'{path}, '}column {column!r}: more than "
            f"{MAX_CATEGORIES} categories; leave it out of categorical, or make fewer of them"
        )
