"""Open files, folders of files and Arrow tables as sources of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from densernn.errors import DataError, ParameterError
from densernn.sources.arrowsource import ArrowSource, open_arrow
from densernn.sources.choice import (
    TARGET_TYPES,
    Choice,
    Column,
    Options,
    as_categories,
    as_column,
    name_columns,
)
from densernn.sources.csvsource import open_csv
from densernn.sources.csvtext import read_header
from densernn.sources.encoding import Encoding
from densernn.sources.filesource import FileSource
from densernn.sources.places import CSV, NPY, PARQUET, find_files, is_arrow
from densernn.sources.rows import RowSource
from densernn.sources.stored import (
    FeatherRows,
    NpyRows,
    ParquetRows,
    Stored,
    TableRows,
    map_matrix,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

BAD_ROWS = ("raise", "skip")


def open_rows(
    where: str | PathLike[str] | Sequence[str | PathLike[str]] | pa.Table | ds.Dataset | RowSource,
    target: Column | Sequence[Column] | None = None,
    *,
    columns: Sequence[Column] | None = None,
    weight: Column | None = None,
    categorical: Sequence[Column] | Mapping[Column, Sequence[Any]] = (),
    names: Sequence[str] | None = None,
    header: bool = True,
    delimiter: str = ",",
    on_bad_rows: str = "raise",
    target_type: str = "auto",
) -> RowSource:
    """Open rows that need not fit in memory: they are read in chunks, pass by pass.

    Parameters
    ----------
    where : path, list of paths, pyarrow.Table, pyarrow.dataset.Dataset or RowSource
        A file whose name ends in ``.csv``, ``.data``, ``.txt`` (these may be packed with gzip
        and end in ``.gz`` too), ``.parquet``, ``.pq``, ``.feather``, ``.arrow``, ``.ipc`` or
        ``.npy``; a folder of such files, all of one kind, taken by name and without those that
        begin with a dot or underscore; a pattern such as ``"part-*.parquet"``; a list of files,
        taken in its order; a data set of local files; a table in memory. A source of rows is
        returned as it is. In paths ``~`` is the home folder.
    target : str, int or list of them, optional
        The column to predict, by name or place (from the end if negative). Of a list, y has
        two axes and is float64.
    columns : sequence of str or int, optional
        The features, in the order wanted. By default all columns but target and weight.
    weight : str or int, optional
        A column of sample weights, finite and at least 0.
    categorical : sequence of str or int, or mapping to categories, optional
        Features to encode one-hot. Their categories are learned in a pass over these columns
        when they are first needed, unless the mapping gives them. The columns that come of it
        are named ``column=category`` and stand where the column stood, in the order of the
        categories: as given, else sorted.
    names : sequence of str, optional
        Names of the columns of CSV or NPY files, which then have no header.
    header : bool, optional
        Whether CSV files begin with the names. If not, and none are given, they are ``x0``,
        ``x1``, ...
    delimiter : str, optional
        What separates the values of CSV files.
    on_bad_rows : {"raise", "skip"}, optional
        What to do with a row in which a value that is used is missing, no number, not finite or
        an unknown category, or that has too many or too few fields: raise an error that says
        where it stands, or pass it over and tell of it in the chunk (``Chunk.skipped``).
    target_type : {"auto", "text", "number"}, optional
        What the target is: names of classes, or numbers. By default, what the column's type
        says; in CSV files, numbers if all are that in the first 4 MB, else text. Words such as
        ``NA`` and ``null`` in CSV files say that it is missing, but for "text" said here: then
        only an empty one is.

    Returns
    -------
    RowSource
        X is float64 of CSV; else float32 if no feature loses by it, else float64. y keeps its
        type; of CSV numbers it is int64 where a block of the file has whole ones only, else
        float64; of text, strings. Has the methods ``like``, ``where``, ``rows`` and ``head``,
        as the notes say.

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
    in a thread, beside the chunk that is given: never a whole file or Parquet row group.
    ``source.like(other)`` opens other files with the same columns and categories, with or
    without target and weight; ``source.where(mask)``, ``source.rows(start, stop)`` and
    ``source.head(n_rows)`` give some of the rows.

    Categories that are all numbers are told apart by value, so that ``1.0`` is the category
    ``1``; truth values are named ``True`` and ``False``, whatever the kind of file.

    Blank lines of CSV files are no rows, unless there is but one column: then the value is
    missing.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"a": [1.0, 2.0], "colour": ["red", "blue"], "y": [0, 1]})
    >>> source = open_rows(table, "y", categorical=["colour"])
    >>> source.feature_names
    ('a', 'colour=blue', 'colour=red')
    >>> next(source.chunks(2)).X.tolist()
    [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]
    >>> new = source.like(pa.table({"colour": ["red"], "a": [3.0]}))  # to predict
    >>> next(new.chunks(2)).X.tolist()
    [[3.0, 0.0, 1.0]]
    """
    if isinstance(where, RowSource):
        asked = (target, columns, weight, names)
        plain = header and delimiter == "," and on_bad_rows == "raise" and target_type == "auto"
        if any(value is not None for value in asked) or len(categorical) or not plain:
            raise ParameterError(
                "a source of rows knows its columns already; give what it was made of, or no "
                "other argument"
            )
        return where
    many = isinstance(target, Iterable) and not isinstance(target, str)
    options = Options(
        targets=_targets(target, many),
        many=many,
        columns=None if columns is None else _columns(columns),
        weight=None if weight is None else as_column(weight, "weight"),
        categorical=_categorical(categorical),
        names=None if names is None else tuple(map(str, names)),
        header=bool(header) and names is None,
        delimiter=_one_letter(delimiter),
        skip=_one_of(on_bad_rows, BAD_ROWS, "on_bad_rows") == "skip",
        target_type=_one_of(target_type, TARGET_TYPES, "target_type"),
        words_are_missing=target_type != "text",
    )
    if options.names is not None and len(set(options.names)) != len(options.names):
        raise ParameterError("names must name each column once")
    return _open(where, options)


def open_like(where: Any, options: Options, choice: Choice, encoding: Encoding) -> FileSource:
    """Open other files with the columns and categories of a source.

    Parameters
    ----------
    where
        As in :func:`open_rows`, but for a source of rows.
    options, choice, encoding
        Of the source.

    Returns
    -------
    FileSource
    """
    kind = options.target_type
    if kind == "auto" and choice.targets and not choice.many:
        kind = "text" if encoding.text_target else "number"
    asked = replace(
        options,
        targets=choice.targets or None,
        columns=choice.features,
        weight=choice.weight,
        categorical=tuple(encoding.categories.items()),
        names=None if options.header else choice.names,
        target_type=kind,
    )
    return _open(where, asked, like=True)


def _open(where: Any, options: Options, *, like: bool = False) -> FileSource:
    """Open what a source is made of; ``like`` says that it is opened as another one was."""
    if is_arrow(where, "Table"):
        return _open_named([TableRows(where)], options, like=like)
    places = find_files(where)
    if places.kind == CSV:
        if places.delimiter is not None:
            options = replace(options, delimiter=places.delimiter)
        if places.columns is not None and options.header:
            names, _ = read_header(places.paths[0], options.delimiter)
            _refuse_partitions(places.columns, names)
        return open_csv(places.paths, options, target_may_lack=like)
    if places.kind == NPY:
        matrices = []
        for path in places.paths:
            count = map_matrix(path).shape[1]
            names = name_columns(path, count, options, target_may_lack=like)
            matrices.append(NpyRows(path, names))
        return open_arrow(matrices, replace(options, header=False), target_may_lack=like)
    kind = ParquetRows if places.kind == PARQUET else FeatherRows
    stored = [kind(path) for path in places.paths]
    if places.columns is not None:
        _refuse_partitions(places.columns, stored[0].survey().schema.names)
    return _open_named(stored, options, like=like)


def _refuse_partitions(columns: Sequence[str], names: Sequence[str]) -> None:
    """Raise a :class:`DataError` on columns of a data set that its files lack."""
    extra = [name for name in columns if name not in names]
    if extra:
        raise DataError(
            f"the data set has the column {extra[0]!r}, which its files lack: it stands in the "
            "names of folders; such partition columns are not read: keep them in the files"
        )


def _open_named(stored: Sequence[Stored], options: Options, *, like: bool) -> ArrowSource:
    """Open what has names of its own, which none must be given for."""
    if not like and (options.names is not None or not options.header):
        raise ParameterError(
            "names and header=False are for CSV files; Parquet, Feather and Arrow tables have "
            "names of their own"
        )
    return open_arrow(stored, options, target_may_lack=like)


def _targets(target: Any, many: bool) -> tuple[Column, ...] | None:
    if target is None:
        return None
    targets = tuple(as_column(one, "target") for one in (target if many else [target]))
    if not targets:
        raise ParameterError("target must name at least one column, found an empty list")
    return targets


def _columns(columns: Any) -> tuple[Column, ...]:
    if isinstance(columns, str):
        raise ParameterError(f"columns must be a list of columns, found {columns!r}")
    found = tuple(as_column(column, "columns") for column in columns)
    if not found:
        raise ParameterError("columns must name at least one feature, found an empty list")
    return found


def _categorical(categorical: Any) -> tuple[tuple[Column, tuple[str, ...] | None], ...]:
    if isinstance(categorical, str):
        raise ParameterError(f"categorical must be a list of columns, found {categorical!r}")
    if isinstance(categorical, Mapping):
        found = ((as_column(c, "categorical"), known) for c, known in categorical.items())
        return tuple((column, as_categories(known, column)) for column, known in found)
    return tuple((as_column(column, "categorical"), None) for column in categorical)


def _one_letter(delimiter: str) -> str:
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ParameterError(f"delimiter must be one character, no quote, found {delimiter!r}")
    if not delimiter.isascii():
        raise ParameterError(f"delimiter must be an ASCII character, found {delimiter!r}")
    return delimiter


def _one_of(value: str, allowed: tuple[str, ...], what: str) -> str:
    if value not in allowed:
        raise ParameterError(f"{what} must be one of {', '.join(allowed)}, found {value!r}")
    return value
