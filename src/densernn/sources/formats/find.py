"""Formats by suffix: the one list of those that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

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
from densernn.sources.paths import find_files


def _csv(path: Path, options: Options, like: bool, delimiter: str = ",") -> Stored:
    dialect = replace(options.dialect, delimiter=options.dialect.delimiter or delimiter)
    names, following, n_lines = read_header(path, dialect)
    if not options.header:
        names = name_columns(path, len(names), options, like=like)
        return CsvRows(path, names, dialect.skip_rows, dialect)
    refuse_data(path, names, options)
    trailing = names[-1] == "" and following[-1:] == [""]
    return CsvRows(path, names, n_lines, dialect, trailing)


def _npy(path: Path, options: Options, like: bool) -> Stored:
    return NpyRows(path, name_columns(path, map_matrix(path).shape[1], options, like=like))


def _npz(path: Path, options: Options, like: bool) -> Stored:
    target = options.targets[0] if options.targets else "y"
    return NpzRows(path, target if isinstance(target, str) else "y")


Opener: TypeAlias = Callable[[Path, Options, bool], Stored]

FORMATS: dict[str, Opener] = {
    **dict.fromkeys((".csv", ".data", ".txt"), _csv),
    **dict.fromkeys((".tsv", ".tab"), partial(_csv, delimiter="\t")),
    **dict.fromkeys((".parquet", ".pq"), lambda path, options, like: ParquetRows(path)),
    **dict.fromkeys((".feather", ".arrow", ".ipc"), lambda path, options, like: FeatherRows(path)),
    ".npy": _npy,
    ".npz": _npz,
}
"""What opens a file, by its suffix: its path, the options, and whether it may lack the target."""
PACKED = (".gz", ".bz2", ".xz", ".zst")
"""Suffixes that may follow those of CSV files."""


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
        If files are missing, empty, damaged, or not of one kind.
    ParameterError
        If options do not go with the kind of file.
    """
    if isinstance(where, pa.Table):
        stored: Sequence[Stored] = [TableRows(where)]
    else:
        paths, folders = find_files(where)
        for path in paths:
            if _opener(path) is not _opener(paths[0]):
                kinds = f"of another kind than {paths[0].name}"
                raise DataError(f"{path}: {kinds}; name files of one kind, such as by a pattern")
        stored = [_opener(path)(path, options, like) for path in paths]
        if any(folders):
            stored = with_folders(stored, folders)
    first = getattr(stored[0], "stored", stored[0])
    if isinstance(first, NpyRows):
        options = replace(options, header=False)
    elif not (first.is_text or like) and (options.names is not None or not options.header):
        raise ParameterError(
            "names and header=False are for CSV and NPY files; Parquet, Feather and NPZ files and "
            "Arrow tables have names of their own"
        )
    return stored, options


def _opener(path: Path) -> Opener:
    packed = path.suffix.lower() in PACKED
    opener = FORMATS.get(Path(path.stem if packed else path).suffix.lower())
    if opener is None or (packed and getattr(opener, "func", opener) is not _csv):
        raise DataError(
            f"{path}: unknown kind of file; its name must end in {', '.join(FORMATS)}; behind "
            f"those of text may stand {', '.join(PACKED)}"
        )
    return opener
