"""Choice of columns: which ones of a table are features, targets and weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa

from densernn.errors import DataError, ParameterError
from densernn.sources.categories import MOST, distinct_values
from densernn.sources.formats.base import FileInfo
from densernn.sources.formats.csv import COMMENTS, Dialect

Column = str | int
"""A column's name, or its place among all columns, from the end if negative."""

UNSAID = Dialect(delimiter="")
MAX_CATEGORIES = 1000
"""Columns that a feature may become where it is encoded one-hot."""
TARGET_TYPES = ("auto", "text", "number")


@dataclass(frozen=True)
class Options:
    """What was asked for, before any file is looked at.

    Parameters
    ----------
    targets, columns : tuple of str or int, or None
        Targets and features; None for no target, and for all features there are.
    drop : tuple of str or int
        Columns that are no features.
    many : bool
        Whether targets were given as a list, so that y has two axes.
    weight : str, int or None
        The column of weights.
    categorical : tuple of (column, categories or None)
        Features that are categories, whatever their type.
    missing : tuple of str
        More texts, in lower case, that say that a value is missing.
    names : tuple of str or None
        Names for files that have none.
    header : bool
        Whether CSV files begin with names.
    dialect : Dialect
        How CSV text is written.
    skip : bool
        Whether rows that cannot be used are skipped.
    target_type : str
        "auto", "text" or "number".
    type_was_given : bool
        Whether the user said so, and not the target's first values: then words such as NA are
        names of classes in text, and numbers may have leading zeros.
    decimal : str
        The decimal point of numbers in CSV files.
    """

    targets: tuple[Column, ...] | None = None
    many: bool = False
    columns: tuple[Column, ...] | None = None
    drop: tuple[Column, ...] = ()
    weight: Column | None = None
    categorical: tuple[tuple[Column, tuple[str, ...] | None], ...] = ()
    missing: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    header: bool = True
    dialect: Dialect = UNSAID
    skip: bool = False
    target_type: str = "auto"
    type_was_given: bool = False
    decimal: str = "."

    @property
    def written(self) -> str:
        """How CSV files are written, where it is not as usual, to tell sources apart."""
        said = f"delimiter {self.dialect.delimiter or ','!r}"
        if self.missing:
            said += f", missing {self.missing}"
        more = (replace(self.dialect, delimiter=","), self.decimal)
        return said if more == (Dialect(), ".") else f"{said}, {more}"


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
        Features that are said to be categories, and which; None if they are to be learned.
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

    def renamed(self, names: tuple[str, ...]) -> Choice:
        """Return the same columns by other names, given for all there are."""
        new = dict(zip(self.names, names, strict=True))
        features, targets = (
            tuple(new[name] for name in some) for some in (self.features, self.targets)
        )
        weight = None if self.weight is None else new[self.weight]
        return Choice(names, features, targets, self.many, weight, {})


def resolve(title: str, info: FileInfo, options: Options, *, like: bool) -> Choice:
    """Find the columns asked for among those of a file.

    Parameters
    ----------
    title : str
        The file, for messages.
    info : FileInfo
        Its columns; those that are unasked are used only by name, and have no place.
    options : Options
        What was asked for.
    like : bool
        Whether files without any of the targets, or without the weight, are accepted.

    Returns
    -------
    Choice

    Raises
    ------
    DataError
        If a column is not there.
    ParameterError
        If a column is asked for twice, or as two things.
    """
    names = own = tuple(info.schema.names)
    if info.unasked:
        own = tuple(name for name in names if name not in info.unasked)
    known, columns, targets = set(names), options.columns or (), options.targets or ()
    if not targets and info.target not in (None, *columns):
        targets = (str(info.target),)
    weights = () if options.weight is None else (options.weight,)
    if like:
        targets = targets if known.intersection(targets) else ()
        weights = weights if known.intersection(weights) else ()
    missing = [name for name in columns if isinstance(name, str) and name not in known]
    if missing:
        count = f"{len(missing)} of {len(columns)} needed columns are missing"
        raise DataError(f"{title}: {count}: {_some(missing, 10)}")
    roles = ["target column"] * len(targets) + ["weight column"] * len(weights)
    found: dict[str, str] = {}
    for column, role in zip_longest((*targets, *weights, *columns), roles, fillvalue="feature"):
        there = isinstance(column, str) and column in known
        name = str(column) if there else _find(title, column, role, names, own)
        if name in found:
            raise ParameterError(f"{name!r} is asked for twice: as {found[name]} and as {role}")
        found[name] = role
    asked, features = list(found)[: len(roles)], list(found)[len(roles) :]
    if options.columns is None:
        unwanted = {_find(title, column, "column", names, own) for column in options.drop}
        features = [name for name in own if name not in found and name not in unwanted]
        _check_features(title, names, features)
    categorical = {}
    for column, categories in options.categorical:
        categorical[_find(title, column, "categorical feature", features, own)] = categories
    target_names, weight = tuple(asked[: len(targets)]), asked[-1] if weights else None
    return Choice(names, tuple(features), target_names, options.many, weight, categorical)


def _find(title: str, column: Column, role: str, among: Sequence[str], own: Sequence[str]) -> str:
    """Return the name of a column that is asked for by its name or place."""
    if not isinstance(column, str):
        if not -len(own) <= column < len(own):
            raise DataError(f"{title}: no column {column}; there are {len(own)}, from 0 on")
        column = own[column]
    check_column(title, column, among, role)
    return column


def check_column(title: Path | str, wanted: str, names: Sequence[str], what: str) -> None:
    """Raise a :class:`DataError` that lists the nearest names if ``wanted`` is none of them."""
    if wanted in names:
        return
    alike = sorted(names, key=lambda n: -SequenceMatcher(None, n.lower(), wanted.lower()).ratio())
    nearest = f"nearest of {len(names)}: {_some(alike) or 'none'}{_hint(names)}"
    raise DataError(f"{title}: no {what} {wanted!r}; {nearest}")


def _hint(names: Sequence[str]) -> str:
    """Return advice where names look as if a file were read in a wrong way."""
    if names and names[0].startswith(COMMENTS):
        return "; it looks like a comment: say skip_rows=1, or how many lines are before the names"
    if len(names) != 1:
        return ""
    found = next((letter for letter in ";\t|, " if letter in names[0]), None)
    say = "" if found is None else f" if not, say delimiter={found!r} (--delimiter)"
    return f"; are the values separated by commas?{say}"


def _check_features(title: str, names: Sequence[str], features: Sequence[str]) -> None:
    """Raise a :class:`DataError` if there are none, or one has no name."""
    if not features:
        raise DataError(f"{title}: no feature columns{_hint(names)}")
    if "" in features:
        place = names.index("") + 1
        index = " (an index of pandas? write it with index=False)" if place == 1 else ""
        todo = "drop it, or name it, or name the features that are wanted: columns="
        raise DataError(f"{title}: column {place} has no name{index}; {todo}")


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(map(repr, names[:most])) + (", ..." if len(names) > most else "")


def check_names(title: str, info: FileInfo, other: str, choice: Choice, *, by_name: bool) -> None:
    """Raise a :class:`DataError` if a file lacks used columns of another one, or has them twice.

    Where features were not asked ``by_name``, more columns would be more features.
    """
    names = info.schema.names
    lacks = sorted({*choice.used} - {*names})
    more = sorted({*names} - {*choice.names} - {str(name) for name in info.unasked})
    if lacks or (more and not by_name):
        raise DataError(
            f"{title}: columns differ from those of {other}: lacks {_some(lacks) or 'none'}, has "
            f"besides {_some(more) or 'none'}; rename them, or name the features: columns="
        )
    twice = [] if len({*names}) == len(names) else [n for n in choice.used if names.count(n) > 1]
    if twice:
        todo = "rename them, or name other features by columns="
        raise DataError(f"{title}: duplicate column names: {_some(sorted({*twice}))}; {todo}")


def name_columns(path: Path, count: int, options: Options, *, like: bool) -> tuple[str, ...]:
    """Return the names of the columns of a file that has none itself: those asked for, or x0 ...

    A file with as many columns fewer as there are targets is taken as one that lacks them, and
    so for the weight, and both; raises a :class:`DataError` where it may be either.
    """
    names = options.names
    if names is None:
        return tuple(f"x{j}" for j in range(count))
    targets, weight = options.targets or (), (options.weight,)
    lacking: list[tuple[Any, ...]] = [(), targets, weight, (*targets, *weight)]
    tried = lacking if like else lacking[:1]
    left = {tuple(name for name in names if name not in some) for some in tried}
    fitting = [some for some in left if len(some) == count]
    if len(fitting) == 1:
        return fitting[0]
    lacks = (
        "; is it the target or the weight that it lacks? open it by open_rows" if fitting else ""
    )
    raise DataError(f"{path}: {len(names)} names for {count} columns{lacks}; say which, by names=")


def names_by_place(
    title: str, choice: Choice, other: Choice, *, all_asked: bool
) -> tuple[str, ...]:
    """Return names for columns that have none, by place those of another table.

    Parameters
    ----------
    title : str
        The file, for messages.
    choice, other : Choice
        Its columns, and those of the other table.
    all_asked : bool
        Whether all columns were asked for, and not some of them as features.

    Raises
    ------
    DataError
        There are neither as many columns as there, nor as many features.
    """
    if all_asked and len(choice.names) == len(other.names):
        return other.names
    if len(choice.features) != len(other.features):
        raise DataError(
            f"{title}: has {len(choice.names)} columns without names, and in training there were "
            f"{len(other.names)}, {len(other.features)} of them features: give as many columns, "
            "or the features alone, in their order"
        )
    new = dict(zip(choice.features, other.features, strict=True))
    # Brackets keep apart what is no feature.
    return tuple(new.get(name, f"({name})") for name in choice.names)


def as_categories(categories: Any, column: Column) -> tuple[str, ...]:
    """Return categories as Arrow writes them as text; raise if none, doubled or too many."""
    what = f"the categories of column {column!r} must be"
    if isinstance(categories, str | bytes) or not isinstance(categories, Iterable):
        raise ParameterError(f"{what} a list of them, found {categories!r}")
    values = categories.tolist() if hasattr(categories, "tolist") else categories
    known = tuple(
        str(value) if isinstance(value, str | bool) else str(pa.scalar(value).cast(pa.string()))
        for value in values
    )
    if not known or distinct_values(known) != len(known):
        raise ParameterError(f"{what} at least one, and each named once")
    if len(known) > MOST:
        found = f"{len(known)} categories, more than {MOST}"
        raise ParameterError(f"{found}, are named for column {column!r}: leave the rarest out")
    return known


def refuse_many_categories(known: Any, column: Column, path: str) -> None:
    """Raise a :class:`DataError` if there are more categories than can be columns."""
    if len(known) > MAX_CATEGORIES:
        found = f"more than {MAX_CATEGORIES} categories"
        raise DataError(f"{path}, column {column!r}: {found}; make fewer of them, or drop it")
