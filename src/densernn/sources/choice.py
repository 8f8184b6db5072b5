"""Choice of columns: which ones of a table are features, targets and weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from operator import index
from pathlib import Path
from typing import Any

from densernn.errors import DataError, ParameterError
from densernn.sources.arrow import pa
from densernn.sources.categories import distinct_values
from densernn.sources.formats.csv import COMMENTS, Dialect

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
    dialect : Dialect
        How CSV text is written.
    skip : bool
        Whether rows that cannot be used are passed over.
    target_type : str
        "auto", "text" or "number".
    type_was_given : bool
        Whether the user said so, and not the target's first values: then words such as NA are
        names of classes in text, and numbers may have leading zeros.
    decimal : str
        The decimal point of numbers in CSV files.
    """

    targets: tuple[Column, ...] | None
    many: bool
    columns: tuple[Column, ...] | None
    weight: Column | None
    categorical: tuple[tuple[Column, tuple[str, ...] | None], ...]
    names: tuple[str, ...] | None
    header: bool
    dialect: Dialect
    skip: bool
    target_type: str
    type_was_given: bool
    decimal: str = "."

    @property
    def written(self) -> str:
        """How CSV files are written, where it is not as usual, to tell sources apart."""
        said = f"delimiter {self.dialect.delimiter!r}"
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
    title: str,
    names: tuple[str, ...],
    options: Options,
    *,
    index: Collection[str] = (),
    target_may_lack: bool = False,
) -> Choice:
    """Find the columns asked for among those of a file.

    Parameters
    ----------
    title : str
        The file, for messages.
    names : tuple of str
        All its columns.
    options : Options
        What was asked for.
    index : collection of str, optional
        Columns that are used only if they are asked for by name, and have no place.
    target_may_lack : bool, optional
        Whether files without any of the targets, or without the weight, are accepted.

    Returns
    -------
    Choice

    Raises
    ------
    DataError
        If a column is not there, or one that is used is there twice.
    ParameterError
        If a column is asked for twice, or as two things.
    """
    own = tuple(name for name in names if name not in index)
    if options.columns is None:
        _refuse_twice(title, own)
    targets, weight = options.targets or (), options.weight
    if target_may_lack:
        targets = targets if any(target in names for target in targets) else ()
        weight = weight if weight in names else None

    def named(column: Column, what: str, among: Sequence[str] = names) -> str:
        if isinstance(column, str):
            check_column(title, column, among, what)
            return column
        if not -len(own) <= column < len(own):
            raise DataError(f"{title}: no column {column}; there are {len(own)}, from 0 on")
        return own[column]

    target_names = tuple(named(target, "target column") for target in targets)
    weight_name = None if weight is None else named(weight, "weight column")
    others = (*target_names, *(() if weight_name is None else (weight_name,)))
    if options.columns is None:
        features = tuple(name for name in own if name not in others)
        _refuse_no_features(title, own, features)
    else:
        features = tuple(c if isinstance(c, str) else named(c, "") for c in options.columns)
        _refuse_double(features, "columns")
        _refuse_missing(title, names, features)
    _refuse_double(others, "target and weight")
    both = set(features) & set(others)
    if both:
        raise ParameterError(f"{min(both)!r} cannot be a feature and the target or the weight too")
    _refuse_twice(title, [name for name in names if name in {*features, *others}])
    categorical = {
        named(column, "categorical feature", features): known
        for column, known in options.categorical
    }
    for name in categorical:
        check_column(title, name, features, "categorical feature")
    return Choice(names, features, target_names, options.many, weight_name, categorical)


def check_column(title: Path | str, wanted: str, names: Sequence[str], what: str) -> None:
    """Raise a :class:`DataError` that lists the nearest names if ``wanted`` is none of them."""
    if wanted in names:
        return
    alike = sorted(names, key=lambda n: -SequenceMatcher(None, n.lower(), wanted.lower()).ratio())
    shown = ", ".join(map(repr, alike[:5])) or "none"
    raise DataError(
        f"{title}: no {what} {wanted!r}; nearest of {len(names)}: {shown}{_hint(names)}"
    )


def _hint(names: Sequence[str]) -> str:
    """Return advice where names look as if a file were read in a wrong way."""
    if names and names[0].startswith(COMMENTS):
        return "; line 1 looks like a comment: say skip_rows=1, or how many such lines there are"
    if len(names) != 1:
        return ""
    found = next((letter for letter in ";\t|, " if letter in names[0]), None)
    say = "" if found is None else f" if not, say delimiter={found!r} (--delimiter)"
    return f"; are the values separated by commas?{say}"


def _refuse_no_features(title: str, names: Sequence[str], features: Sequence[str]) -> None:
    if not features:
        raise DataError(f"{title}: no feature columns{_hint(names)}")
    if "" in features:
        place = names.index("") + 1
        index = "if it is an index of pandas, written without index=False, " if place == 1 else ""
        raise DataError(
            f"{title}: column {place} has no name; {index}drop it, or name it, or name the "
            "features that are wanted: columns="
        )


def _refuse_missing(title: str, names: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in set(names)]
    if missing:
        count = f"{len(missing)} of {len(wanted)}"
        raise DataError(f"{title}: {count} needed columns are missing: {_some(missing, 10)}")


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(map(repr, names[:most])) + (", ..." if len(names) > most else "")


def _refuse_twice(title: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        what = f"duplicate column names: {', '.join(map(repr, twice))}"
        raise DataError(f"{title}: {what}; rename them, or name other features by columns=")


def refuse_other_columns(
    title: str, names: Sequence[str], other: str, choice: Choice, *, by_name: bool
) -> None:
    """Raise a :class:`DataError` if a file lacks columns that are used in another one.

    Where features were not asked ``by_name``, more columns would be more features.
    """
    here, there = set(names), set(choice.names)
    missing = [name for name in choice.used if name not in here]
    surplus = [name for name in names if name not in there]
    if missing or (surplus and not by_name):
        both = (("lacks", missing), ("has besides", surplus))
        found = [f"{what} {_some(some)}" for what, some in both if some]
        raise DataError(
            f"{title}: columns differ from those of {other}: {' and '.join(found)}; files that "
            "are read together must have the same columns, or name the features: columns="
        )
    _refuse_twice(title, [name for name in names if name in choice.used])


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


def _refuse_double(names: Sequence[str], what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ParameterError(f"{what} must name each column once, found {twice[0]!r} twice")


def as_column(column: Any, what: str) -> Column:
    """Return a name or an index as such; raise on what is neither."""
    if isinstance(column, str):
        return str(column)
    if not isinstance(column, bool) and hasattr(column, "__index__"):
        return index(column)
    raise ParameterError(f"{what} must be the name or the index of a column, found {column!r}")


def as_categories(categories: Any, column: Column) -> tuple[str, ...]:
    """Return categories as Arrow writes them as text; raise if none, doubled or too many."""
    what = f"the categories of column {column!r} must be"
    if isinstance(categories, str | bytes) or not isinstance(categories, Iterable):
        raise ParameterError(f"{what} a list of them, found {categories!r}")
    known = tuple(
        str(value) if isinstance(value, str | bool) else str(pa.scalar(value).cast(pa.string()))
        for value in (getattr(categories, "tolist", lambda: categories)())
    )
    if not known or distinct_values(known) != len(known):
        raise ParameterError(f"{what} at least one, and each named once")
    refuse_many_categories(known, column)
    return known


def refuse_many_categories(known: Any, column: Column, path: str = "categorical") -> None:
    """Raise a :class:`DataError` if there are more categories than can be meant."""
    if len(known) > MAX_CATEGORIES:
        raise DataError(
            f"{path}, column {column!r}: more than {MAX_CATEGORIES} categories; leave it out of "
            "categorical, or make fewer of them"
        )
