"""Opening rows: files, folders of files and Arrow tables as sources of rows."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from operator import index
from os import PathLike
from typing import TYPE_CHECKING, Any, SupportsIndex

from densernn.errors import ParameterError
from densernn.sources.choice import TARGET_TYPES, Column, Options, as_categories
from densernn.sources.filesource import open_files
from densernn.sources.formats.csv import UTF8, Dialect
from densernn.sources.rows import RowSource

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

BAD_ROWS = ("raise", "skip")


def open_rows(
    where: str | PathLike[str] | Sequence[str | PathLike[str]] | pa.Table | ds.Dataset | RowSource,
    target: Column | Sequence[Column] | None = None,
    *,
    columns: Sequence[Column] | None = None,
    drop: Sequence[Column] = (),
    weight: Column | None = None,
    categorical: Sequence[Column] | Mapping[Column, Sequence[Any]] = (),
    missing: Sequence[Any] = (),
    names: Sequence[str] | None = None,
    header: bool = True,
    delimiter: str | None = None,
    on_bad_rows: str = "raise",
    target_type: str = "auto",
    decimal: str = ".",
    skip_rows: int = 0,
    encoding: str = "utf-8",
) -> RowSource:
    """Open rows that need not fit in memory: they are read in chunks, pass by pass.

    Parameters
    ----------
    where : path, list of paths, pyarrow.Table, pyarrow.dataset.Dataset or RowSource
        A file whose name ends in ``.csv``, ``.data``, ``.txt``, ``.tsv`` (these may be packed
        and end in ``.gz``, ``.bz2``, ``.xz`` or ``.zst`` too), ``.parquet``, ``.pq``,
        ``.feather``, ``.arrow``, ``.ipc``, ``.npy`` or ``.npz`` (an array ``X`` of shape
        (n_rows, n_features) and, if wanted, ``y`` and ``feature_names``); a folder of such
        files, all of one kind, taken by name and without those that begin with a dot or
        underscore; a pattern such as ``"part-*.parquet"``; a list of files, taken in its order;
        a data set of local files; a table in memory. A source of rows is returned as it is. In
        paths ``~`` is the home folder.
    target : str, int or list of them, optional
        The column to predict, by name or place (from the end if negative). Of a list, y has
        two axes and is float64. Of NPZ files, the name of an array, ``y`` if it is there.
    columns : sequence of str or int, optional
        The features, in the order wanted. By default all columns but target and weight.
    drop : sequence of str or int, optional
        Columns that are no features, where ``columns`` does not say which are.
    weight : str or int, optional
        A column of sample weights, finite and at least 0.
    categorical : sequence of str or int, or mapping to categories, optional
        Features that are categories though their type does not say so, as columns of text and
        truth values do. Categories are learned in a pass over these columns when they are first
        needed, unless the mapping gives them. Chunks have a column for each, named
        ``column=category``, where the column stood, in the order of the categories: as given,
        else sorted. Estimators encode categories themselves.
    missing : sequence of str or numbers, optional
        What says that a value is missing, beside ``NA``, ``NaN``, ``null``, ``?`` and nothing.
    names : sequence of str, optional
        Names of the columns of CSV or NPY files, which then have no header.
    header : bool, optional
        Whether CSV files begin with the names. If not, and none are given, they are ``x0``,
        ``x1``, ...
    delimiter : str, optional
        What separates the values of CSV files: by default a tab where the name says ``.tsv``,
        else a comma.
    on_bad_rows : {"raise", "skip"}, optional
        What to do with a row in which a value that is used is missing, no number, not finite or
        an unknown category, or that has too many or too few fields: raise an error that says
        where it stands, or skip it and report it in the chunk (``Chunk.skipped``). Estimators
        take features that are missing, and unknown categories.
    target_type : {"auto", "text", "number"}, optional
        What the target is: names of classes, or numbers. By default, what the column's type
        says; in CSV files, numbers if all are that in the first 4 MB, else text. Whole numbers
        with zeros in front, such as ``007``, and those beyond int64 are text too, so that no
        two labels become one. Words such as ``NA`` and ``null`` in CSV files say that it is
        missing, but for "text" said here: then only an empty one is.
    decimal : str, optional
        The decimal point of numbers in CSV files.
    skip_rows : int, optional
        Lines to leave out at the beginning of each CSV file.
    encoding : str, optional
        Of the text of CSV files.

    Returns
    -------
    RowSource
        X is float64 of CSV; else float32 if no feature loses by it, else float64. y keeps its
        type; of CSV numbers it is int64 where a block of the file has whole ones only, else
        float64; of text, strings. Has the methods ``open_same``, ``where``, ``rows`` and
        ``head``, as the notes say.

    Raises
    ------
    DataError
        If files are missing, empty, damaged or differ in their columns, a column is not there,
        or the first line of a CSV file looks like data where it should be names. What
        is wrong with rows is found, and raised, when they are read.
    ParameterError
        If parameters contradict themselves or each other.

    Notes
    -----
    Opening reads headers and metadata only. A pass holds a few blocks of about 4 MB, read ahead
    in a thread, beside the chunk that is given: never a whole file or Parquet row group. Only
    NPZ files are loaded whole.

    Columns that nobody asked for may hold anything. An index that pandas stored is no feature
    unless ``columns`` names it. Folders such as ``year=2020`` inside a folder or pattern give a
    column ``year``, and so do those by which a data set is partitioned: whole numbers, else text.

    ``source.open_same(other)`` opens other files with the same columns and categories, with or
    without target and weight; ``source.where(mask)``, ``source.rows(start, stop)`` and
    ``source.head(n_rows)`` give some of the rows.

    A feature is a category if it is named in ``categorical``, if its type is text, bool or
    dictionary, or, in CSV files, if one in twenty of its values, and of its different ones, in the
    first 16 MB is no number. All else must be numbers: dates and times are refused by name, as are
    columns of text that is mostly numbers or dates in another way of writing.

    Categories that are all numbers are told apart by value, so that ``1.0`` is the category
    ``1``; truth values are named ``True`` and ``False``, whatever the kind of file. Of more than
    131,072 categories the commonest are told apart.

    Blank lines of CSV files are no rows, unless there is but one column: then the value is
    missing. A last column without a name whose first value is empty, as of a
    delimiter at the end of each line, is no feature.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"a": [1.0, 2.0], "colour": ["red", "blue"], "y": [0, 1]})
    >>> source = open_rows(table, "y", categorical=["colour"])
    >>> source.feature_names
    ('a', 'colour=blue', 'colour=red')
    >>> next(source.chunks(2)).X.tolist()
    [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]
    >>> new = source.open_same(pa.table({"colour": ["red"], "a": [3.0]}))  # to predict
    >>> next(new.chunks(2)).X.tolist()
    [[3.0, 0.0, 1.0]]
    """
    given = ((on_bad_rows, BAD_ROWS, "on_bad_rows"), (target_type, TARGET_TYPES, "target_type"))
    for value, allowed, what in given:
        if value not in allowed:
            raise ParameterError(f"{what} must be one of {', '.join(allowed)}, found {value!r}")
    if names is not None and len(set(names)) != len(names):
        raise ParameterError("names must name each column once")
    if len(drop) and columns is not None:
        raise ParameterError("give columns= or drop=, not both: columns= names all features")
    many = isinstance(target, Iterable) and not isinstance(target, str)
    encoded = _columns(categorical, "categorical", least=0)
    known = categorical.values() if isinstance(categorical, Mapping) else ()
    options = Options(
        targets=_columns(target if many or target is None else [target], "target"),
        many=many,
        columns=_columns(columns, "columns"),
        drop=_columns(drop, "drop", least=0),
        weight=None if weight is None else _columns([weight], "weight")[0],
        categorical=tuple(zip_longest(encoded, map(as_categories, known, encoded))),
        missing=_words(missing),
        names=None if names is None else tuple(map(str, names)),
        header=bool(header) and names is None,
        dialect=_dialect(delimiter, skip_rows, encoding),
        skip=on_bad_rows == "skip",
        target_type=target_type,
        type_was_given=target_type != "auto",
        decimal=_decimal(decimal),
    )
    if not isinstance(where, RowSource):
        return open_files(where, options)
    if options != Options():
        raise ParameterError("a source of rows knows its columns already: give no other argument")
    return where


def _dialect(delimiter: Any, skip_rows: Any, encoding: Any) -> Dialect:
    if not isinstance(skip_rows, int) or isinstance(skip_rows, bool) or skip_rows < 0:
        raise ParameterError(f"skip_rows must be a number of lines, at least 0: {skip_rows!r}")
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, TypeError) as error:
        raise ParameterError(f"encoding must name one of text, found {encoding!r}") from error
    # A byte order mark is dropped from any kind of UTF-8.
    name = UTF8 if name in ("utf-8-sig", "ascii") else name
    return Dialect(_one_letter(delimiter or "", "delimiter"), name, skip_rows)


def _words(missing: Any) -> tuple[str, ...]:
    if isinstance(missing, str) or not isinstance(missing, Iterable):
        raise ParameterError(f"missing must be a list of texts or numbers, found {missing!r}")
    return tuple(sorted({str(word).strip().lower() for word in missing}))


def _decimal(decimal: Any) -> str:
    mark = _one_letter(decimal, "decimal")
    if not mark.strip() or mark.isalnum() or mark in "+-":
        raise ParameterError(f"decimal must be no letter, sign or white space, found {mark!r}")
    return mark


def _columns(columns: Any, what: str, least: int = 1) -> Any:
    """Return names and places of columns as such."""
    if columns is None:
        return None
    found = () if isinstance(columns, str) else tuple(columns)
    if isinstance(columns, str) or len(found) < least:
        said = f"must be a list of at least {least} columns"
        raise ParameterError(f"{what} {said}, found {columns!r}")
    for column in found:
        if isinstance(column, bool) or not isinstance(column, str | SupportsIndex):
            raise ParameterError(f"{what} must be names or places of columns, found {column!r}")
    return tuple(str(c) if isinstance(c, str) else index(c) for c in found)


def _one_letter(letter: Any, what: str) -> str:
    if isinstance(letter, str) and re.fullmatch(r'[^"\r\n\x80-\U0010ffff]?', letter):
        return letter
    raise ParameterError(f"{what} must be one character of ASCII, no quote, found {letter!r}")
