"""Formats by the kind of file: the one list of those that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from densernn.errors import DataError, ParameterError
from densernn.sources.choice import Options, name_columns
from densernn.sources.formats.base import Stored
from densernn.sources.formats.csv import CsvRows, read_header
from densernn.sources.formats.feather import FeatherRows
from densernn.sources.formats.hive import with_folders
from densernn.sources.formats.npy import NpyRows, map_matrix
from densernn.sources.formats.npz import NpzRows
from densernn.sources.formats.parquet import ParquetRows
from densernn.sources.formats.table import TableRows
from densernn.sources.headers import refuse_data
from densernn.sources.paths import CSV, FEATHER, NPY, NPZ, PARQUET, find_files, is_arrow


def _csv(path: Path, options: Options, like: bool) -> Stored:
    names, following, n_lines = read_header(path, options.dialect)
    if not options.header:
        names = name_columns(path, len(names), options, target_may_lack=like)
        return CsvRows(path, names, options.dialect.skip_rows, options.dialect)
    refuse_data(path, names, options)
    trailing = names[-1] == "" and following[-1:] == [""]
    return CsvRows(path, names, n_lines, options.dialect, trailing)


def _npy(path: Path, options: Options, like: bool) -> Stored:
    count = map_matrix(path).shape[1]
    return NpyRows(path, name_columns(path, count, options, target_may_lack=like))


def _npz(path: Path, options: Options, like: bool) -> Stored:
    target = options.targets[0] if options.targets else "y"
    return NpzRows(path, target if isinstance(target, str) else "y")


FORMATS: dict[str, Callable[[Path, Options, bool], Stored]] = {
    CSV: _csv,
    PARQUET: lambda path, options, like: ParquetRows(path),
    FEATHER: lambda path, options, like: FeatherRows(path),
    NPY: _npy,
    NPZ: _npz,
}
"""What opens a file of each kind: its path, the options, and whether it may lack the target."""

NAMELESS = (CSV, NPY)
"""Kinds of files for which names may be given."""


def find_stored(where: Any, options: Options, *, like: bool) -> tuple[Sequence[Stored], Options]:
    """Return the files or the table that something stands for, and options as these fix them.

    Parameters
    ----------
    where : path, folder, pattern, list of paths, pyarrow.Table or Dataset
    options : Options
    like : bool
        Whether another source was opened with these options.

    Raises
    ------
    DataError
        If files are missing, empty or damaged.
    ParameterError
        If options do not go with the kind of file.
    """
    if is_arrow(where, "Table"):
        _refuse_names(options, like=like)
        return [TableRows(where)], options
    files = find_files(where)
    if files.kind not in NAMELESS:
        _refuse_names(options, like=like)
    if files.kind == NPY:
        options = replace(options, header=False)
    if files.kind == NPZ and options.targets is None and _has_target(files.paths, options):
        options = replace(options, targets=("y",))
    delimiter = options.dialect.delimiter or files.delimiter or ","
    options = replace(options, dialect=replace(options.dialect, delimiter=delimiter))
    stored = [FORMATS[files.kind](path, options, like) for path in files.paths]
    found = with_folders(stored, files.partitions())
    if files.columns and (options.header or files.kind != CSV):
        _refuse_lost(files.columns, found[0].info().schema.names)
    return found, options


def _has_target(paths: Sequence[Path], options: Options) -> bool:
    """Whether an archive has ``y``, which is its target unless another one is named."""
    names = NpzRows(paths[0], "y").info().schema.names
    return "y" in names and "y" not in (options.columns or ())


def _refuse_names(options: Options, *, like: bool) -> None:
    if not like and (options.names is not None or not options.header):
        raise ParameterError(
            "names and header=False are for CSV and NPY files; Parquet, Feather and NPZ files and "
            "Arrow tables have names of their own"
        )


def _refuse_lost(columns: Sequence[str], names: Sequence[str]) -> None:
    """Raise a :class:`DataError` on columns of a data set that its files lack."""
    extra = [name for name in columns if name not in names]
    if extra:
        raise DataError(
            f"the data set has the column {extra[0]!r}, which its files lack: it stands in the "
            "names of folders; such columns are read where the folders are named as in "
            f"'{extra[0]}=1': name them so, or keep the column in the files"
        )
