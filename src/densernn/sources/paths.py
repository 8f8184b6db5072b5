"""Paths: the files that a path, a folder, a pattern or a list of paths stands for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from densernn.errors import DataError, ParameterError

CSV, PARQUET, FEATHER, NPY, NPZ = "CSV", "Parquet", "Feather", "NPY", "NPZ"
TEXT = {".csv": None, ".data": None, ".txt": None, ".tsv": "\t", ".tab": "\t"}
"""Endings of CSV files, and what separates their values, where the ending says so."""
PACKED = (".gz", ".bz2", ".xz", ".zst")
"""Endings that may follow those of CSV files."""
BINARY = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".feather": FEATHER,
    ".arrow": FEATHER,
    ".ipc": FEATHER,
    ".npy": NPY,
    ".npz": NPZ,
}
DATASETS = {
    "ParquetFileFormat": PARQUET,
    "IpcFileFormat": FEATHER,
    "FeatherFileFormat": FEATHER,
    "CsvFileFormat": CSV,
}
"""Kinds of files by the formats of Arrow's data sets."""
HIDDEN = (".", "_")
"""How names of files begin that other programs leave beside the data, such as ``_SUCCESS``."""
_HIVE = re.compile(r"([^=]+)=(.*)", re.DOTALL)
"""The name of a folder that stands for a column and its value."""


@dataclass(frozen=True)
class Paths:
    """Files of one kind, in order.

    Parameters
    ----------
    kind : str
        CSV, PARQUET, FEATHER, NPY or NPZ.
    paths : tuple of Path
    base : Path or None
        The folder below which names of folders may stand for columns.
    delimiter : str or None
        What separates the values, where that is known.
    columns : tuple of str
        Columns there should be, as far as that is known.
    """

    kind: str
    paths: tuple[Path, ...]
    base: Path | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] = ()

    def partitions(self) -> list[dict[str, str]]:
        """Return for each file the columns that its folders stand for, as in ``year=2020/``."""
        if self.base is None:
            return [{} for _ in self.paths]
        below = [path.relative_to(self.base).parent.parts for path in self.paths]
        return [dict(_partition(part) for part in parts if "=" in part) for parts in below]


def _partition(folder: str) -> tuple[str, str]:
    name, _, value = folder.partition("=")
    return unquote(name), unquote(value)


def find_files(where: Any) -> Paths:
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
    base = None
    if isinstance(where, str | PathLike):
        paths, base = _expand(local_path(where))
    elif isinstance(where, list | tuple):
        paths = [_path(item) for item in where]
        if not paths:
            raise ParameterError("where must name at least one file, found an empty list")
        base = _common_folder(paths)
    else:
        _path(where)
    kind, delimiter = _one_kind(paths)
    return Paths(kind, _check(paths), base, delimiter)


def _common_folder(paths: Sequence[Path]) -> Path | None:
    """Return the folder below which several files are; one by itself is below none."""
    if len(paths) < 2 or len({path.is_absolute() for path in paths}) > 1:
        return None
    return Path(os.path.commonpath([path.parent for path in paths]))


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


def _expand(path: Path) -> tuple[list[Path], Path | None]:
    """Return the files of a folder or pattern by name, hidden ones left out, and their folder."""
    if path.is_dir():
        return sorted(_inside(path)), path
    if path.exists() or not any(letter in str(path) for letter in "*?["):
        return [path], None
    base = Path(path.anchor) if path.is_absolute() else Path()
    pattern = path.relative_to(path.anchor)
    found = [item for item in base.glob(str(pattern)) if not item.name.startswith(HIDDEN)]
    if not found:
        raise DataError(f"{path}: no file matches this pattern")
    for part in pattern.parts[:-1]:
        if any(letter in part for letter in "*?["):
            break
        base /= part
    return sorted(found), base


def _inside(folder: Path) -> list[Path]:
    """Return the files in a folder, and in folders such as ``year=2020`` inside it."""
    items = [item for item in folder.iterdir() if not item.name.startswith(HIDDEN)]
    folders = sorted(item for item in items if item.is_dir())
    other = next((item.name for item in folders if not _HIVE.fullmatch(item.name)), None)
    if other is not None:
        raise DataError(
            f"{folder}: holds the folder {other!r} beside files; name the files by a pattern "
            f"such as {str(folder / '**' / '*.parquet')!r}"
        )
    if not items:
        raise DataError(f"{folder}: the folder holds no files")
    files = [item for item in items if not item.is_dir()]
    return files + [path for inner in folders for path in _inside(inner)]


def _kind(path: Path) -> tuple[str, str | None]:
    """Return the kind of a file, and what separates its values where its name says so."""
    name = path.name.lower()
    for ending, kind in BINARY.items():
        if name.endswith(ending):
            return kind, None
    for packed in PACKED:
        name = name.removesuffix(packed)
    for ending, delimiter in TEXT.items():
        if name.endswith(ending):
            return CSV, delimiter
    raise DataError(
        f"{path}: unknown kind of file; its name must end in {', '.join([*TEXT, *BINARY])}; "
        f"behind those of text may stand {', '.join(PACKED)}"
    )


def _one_kind(paths: Sequence[Path]) -> tuple[str, str | None]:
    kinds = [_kind(path) for path in paths]
    for path, kind in zip(paths, kinds, strict=True):
        if kind != kinds[0]:
            raise DataError(
                f"{path}: a {_described(kind)} file beside {paths[0].name}, which is "
                f"{_described(kinds[0])}; all files must be of one kind: name those of one kind "
                "by a pattern"
            )
    return kinds[0]


def _described(kind: tuple[str, str | None]) -> str:
    return kind[0] if kind[1] is None else "tab-separated"


def _check(paths: Sequence[Path]) -> tuple[Path, ...]:
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        if not path.stat().st_size:
            raise DataError(f"{path}: the file is empty")
    return tuple(paths)


def _of_dataset(dataset: Any) -> Paths:
    """Return the files of an Arrow data set, whose format is told by it and not by names."""
    kind = DATASETS.get(type(getattr(dataset, "format", None)).__name__)
    wrong = None
    if not hasattr(dataset, "files"):
        wrong = f"a {type(dataset).__name__} has no files; give a pyarrow Table, or their paths"
    elif type(dataset.filesystem).__name__ != "LocalFileSystem":
        wrong = "the files of a pyarrow Dataset must be local ones"
    # A filter of a data set is kept here only, and takes no part in the list of its files.
    elif (getattr(dataset, "_scan_options", None) or {}).get("filter") is not None:
        wrong = (
            "the pyarrow Dataset carries a filter, which open_rows does not apply: write the "
            "filtered rows to a file, or open the data set without it and use .where(mask)"
        )
    elif kind is None:
        wrong = f"a pyarrow Dataset of {type(dataset.format).__name__} is not read"
    if kind is None or wrong is not None:
        raise ParameterError(str(wrong))
    if not dataset.files:
        raise DataError("the pyarrow Dataset has no files")
    delimiter = dataset.format.parse_options.delimiter if kind == CSV else None
    paths = _check([Path(name) for name in dataset.files])
    # The schema of CSV files may have names that were made up for them.
    schema = dataset.schema if kind != CSV else getattr(dataset.partitioning, "schema", ())
    base = None
    if type(dataset.partitioning).__name__ == "HivePartitioning":
        base = Path(os.path.commonpath([path.parent for path in paths]))
        while "=" in base.name:  # of files that have some of the columns' values in common
            base = base.parent
    return Paths(kind, paths, base, delimiter, tuple(getattr(schema, "names", ())))
