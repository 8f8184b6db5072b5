"""Find the files that a path, a folder, a pattern or a list of paths stands for."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any

from densernn.errors import DataError, ParameterError

CSV, PARQUET, FEATHER, NPY = "CSV", "Parquet", "Feather", "NPY"
ENDINGS = {
    ".csv": CSV,
    ".csv.gz": CSV,
    ".data": CSV,
    ".data.gz": CSV,
    ".txt": CSV,
    ".txt.gz": CSV,
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".feather": FEATHER,
    ".arrow": FEATHER,
    ".ipc": FEATHER,
    ".npy": NPY,
}
TABS = (".tsv", ".tab", ".tsv.gz", ".tab.gz")
"""Endings of text that the delimiter would do for, but that stand for no other kind of file."""
HIDDEN = (".", "_")
"""How names of files begin that other programs leave beside the data, such as ``_SUCCESS``."""


@dataclass(frozen=True)
class Places:
    """Files of one kind, in order.

    Parameters
    ----------
    kind : str
        CSV, PARQUET, FEATHER or NPY.
    paths : tuple of Path
    delimiter : str or None
        What separates the values, where that is known.
    columns : tuple of str or None
        Columns there should be, as far as that is known.
    """

    kind: str
    paths: tuple[Path, ...]
    delimiter: str | None = None
    columns: tuple[str, ...] | None = None


def find_files(where: Any) -> Places:
    """Return the files that something stands for, which must all be there and of one kind.

    Parameters
    ----------
    where : path, folder, pattern, list of paths, or pyarrow.dataset.FileSystemDataset

    Raises
    ------
    DataError
        If a file is missing or empty, or there are none, or of several kinds.
    ParameterError
        If ``where`` is nothing of all this, or a data set that is to be filtered.
    """
    if is_arrow(where, "Dataset"):
        return _of_dataset(where)
    if isinstance(where, str | PathLike):
        paths = _expand(local_path(where))
    elif isinstance(where, list | tuple):
        paths = [_path(item) for item in where]
        if not paths:
            raise ParameterError("where must name at least one file, found an empty list")
    else:
        _path(where)
    return Places(_one_kind(paths), _check(paths))


def is_arrow(thing: object, name: str) -> bool:
    """Whether something is a ``pyarrow.Table`` or ``pyarrow.dataset.Dataset``.

    Does not import pyarrow: who has such an object has done so.
    """
    home = sys.modules.get("pyarrow.dataset" if name == "Dataset" else "pyarrow")
    return home is not None and isinstance(thing, getattr(home, name))


def _path(item: Any) -> Path:
    if not isinstance(item, str | PathLike):
        raise ParameterError(
            "where must be a path, a list of paths, a pattern, a pyarrow Table or Dataset, or a "
            f"source of rows, found {type(item).__name__}"
        )
    return local_path(item)


def local_path(item: str | PathLike[str]) -> Path:
    """Return a path with ``~`` replaced by the home folder; refuse the address of another place.

    Raises
    ------
    DataError
        If it begins as an address does, such as ``https://``.
    """
    text = fsdecode(item)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise DataError(f"{text}: only files on this machine are read; fetch it first")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody of that name has a home folder here: the file is called so
        return Path(text)


def _expand(path: Path) -> list[Path]:
    """Return the files of a folder or pattern by name, hidden ones left out; else the path."""
    if path.is_dir():
        found = [item for item in path.iterdir() if not item.name.startswith(HIDDEN)]
        folders = sorted(item.name for item in found if item.is_dir())
        if folders:
            raise DataError(
                f"{path}: holds the folder {folders[0]!r} beside files; name the files by a "
                f"pattern such as {str(path / '**' / '*.parquet')!r}"
            )
        if not found:
            raise DataError(f"{path}: the folder holds no files")
    elif path.exists() or not any(letter in str(path) for letter in "*?["):
        return [path]
    else:
        base = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(path.anchor))
        found = [item for item in base.glob(pattern) if not item.name.startswith(HIDDEN)]
        if not found:
            raise DataError(f"{path}: no file matches this pattern")
    return sorted(found)


def _kind(path: Path) -> str:
    name = path.name.lower()
    # The longest first: .csv.gz is no unknown .gz.
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            return ENDINGS[ending]
    tabs = ""
    if name.endswith(TABS):
        tabs = '; if tabs separate its values, rename it to .csv and say delimiter="\\t"'
    raise DataError(
        f"{path}: unknown kind of file; its name must end in {', '.join(ENDINGS)}{tabs}"
    )


def _one_kind(paths: list[Path]) -> str:
    kinds = [_kind(path) for path in paths]
    for path, kind in zip(paths, kinds, strict=True):
        if kind != kinds[0]:
            raise DataError(
                f"{path}: a {kind} file beside {paths[0].name}, which is {kinds[0]}; all files "
                "must be of one kind: name those of one kind by a pattern"
            )
    return kinds[0]


def _check(paths: Iterable[Path]) -> tuple[Path, ...]:
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file")
        if not path.is_file():
            raise DataError(f"{path}: not a file")
        if not path.stat().st_size:
            raise DataError(f"{path}: the file is empty")
    return tuple(paths)


def _of_dataset(dataset: Any) -> Places:
    """Return the files of an Arrow data set, whose format is told by it and not by names."""
    import pyarrow.dataset as ds  # noqa: PLC0415  (importing densernn must stay fast)
    from pyarrow.fs import LocalFileSystem  # noqa: PLC0415

    if not isinstance(dataset, ds.FileSystemDataset):
        raise ParameterError(
            f"a {type(dataset).__name__} has no files; give a pyarrow Table, or their paths"
        )
    if not isinstance(dataset.filesystem, LocalFileSystem):
        raise ParameterError("the files of a pyarrow Dataset must be local ones")
    # A filter of a data set is kept here only, and takes no part in the list of its files.
    if (getattr(dataset, "_scan_options", None) or {}).get("filter") is not None:
        raise ParameterError(
            "the pyarrow Dataset carries a filter, which open_rows does not apply: write the "
            "filtered rows to a file, or open the data set without it and use .where(mask)"
        )
    kinds = {
        ds.ParquetFileFormat: PARQUET,
        ds.IpcFileFormat: FEATHER,
        ds.FeatherFileFormat: FEATHER,
        ds.CsvFileFormat: CSV,
    }
    kind = kinds.get(type(dataset.format))
    if kind is None:
        raise ParameterError(f"a pyarrow Dataset of {type(dataset.format).__name__} is not read")
    if not dataset.files:
        raise DataError("the pyarrow Dataset has no files")
    delimiter = dataset.format.parse_options.delimiter if kind == CSV else None
    paths = _check([Path(name) for name in dataset.files])
    # The schema of CSV files may have names that were made up for them.
    schema = dataset.schema if kind != CSV else getattr(dataset.partitioning, "schema", ())
    return Places(kind, paths, delimiter, tuple(getattr(schema, "names", ())))
