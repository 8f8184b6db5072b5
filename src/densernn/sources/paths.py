"""Paths: the files that a path, a folder, a pattern or a list of paths stands for."""

from __future__ import annotations

import os
import re
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

from densernn.errors import DataError, ParameterError

HIDDEN = (".", "_")
"""How names of files begin that other programs leave beside the data, such as ``_SUCCESS``."""
WILD = re.compile(r"[*?\[]")
NULL = "__HIVE_DEFAULT_PARTITION__"
"""The name of a folder's value that is missing."""

Folders: TypeAlias = "dict[str, str | None]"
"""Columns that the names of a file's folders stand for, as in ``year=2020/``: their values."""


def find_files(where: Any) -> tuple[list[Path], list[Folders]]:
    """Return the files that something stands for, in order, which must be there and not empty.

    Parameters
    ----------
    where : path, folder, pattern, list of paths, or pyarrow.dataset.Dataset

    Returns
    -------
    paths : list of Path
    folders : list of dict
        What the names of folders give for each, in the folder, below the part of the pattern
        that is fixed, or below the folder that all files of the list have in common.

    Raises
    ------
    DataError
        If a file is missing or empty, or there are none.
    ParameterError
        If ``where`` is nothing of all this.
    """
    if hasattr(where, "get_fragments"):
        paths, folders = _of_dataset(where)
    else:
        paths, base = _expand(where)
        folders = []
        for path in paths:
            parts = path.absolute().relative_to(base.absolute()).parent.parts
            pairs = [unquote(part).split("=", 1) for part in parts if "=" in part]
            folders.append({name: None if value == NULL else value for name, value in pairs})
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        if not path.stat().st_size:
            raise DataError(f"{path}: the file is empty")
    return paths, folders


def local_path(item: Any) -> Path:
    """Return a path with ``~`` replaced by the home folder; refuse the address of another place.

    Raises
    ------
    DataError
        If it begins as an address does, such as ``https://``.
    ParameterError
        If it is no path.
    """
    if not isinstance(item, str | PathLike):
        raise ParameterError(
            "where must be a path, a list of paths, a pattern, a pyarrow Table or Dataset, or a "
            f"source of rows, found {type(item).__name__}"
        )
    text = fsdecode(item)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise DataError(f"{text}: only files on this machine are read; fetch it first")
    # Unlike Path.expanduser, which raises where nobody of that name has a home folder.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def _expand(where: Any) -> tuple[list[Path], Path]:
    """Return files, of folders and patterns by name and without hidden ones, and their folder."""
    if isinstance(where, list | tuple):
        if not where:
            raise ParameterError("where must name at least one file, found an empty list")
        paths = [local_path(item) for item in where]
        return paths, Path(os.path.commonpath([path.absolute().parent for path in paths]))
    path = local_path(where)
    if path.is_dir():
        return sorted(_inside(path)), path
    if path.exists() or not WILD.search(str(path)):
        return [path], path.parent
    base, *parts = Path(path.anchor), *path.relative_to(path.anchor).parts
    while not WILD.search(parts[0]):
        base /= parts.pop(0)
    found = sorted(base.glob("/".join(parts)))
    found = [p for p in found if not any(map(_is_hidden, p.relative_to(base).parts))]
    if not found:
        raise DataError(f"{path}: no file matches this pattern")
    return found, base


def _is_hidden(name: str) -> bool:
    return name.startswith(HIDDEN)


def _inside(folder: Path) -> list[Path]:
    """Return the files in a folder, and in folders such as ``year=2020`` inside it."""
    files: list[Path] = []
    for item in sorted(folder.iterdir()):
        if _is_hidden(item.name):
            continue
        if item.is_dir() and "=" not in item.name:
            raise DataError(
                f"{folder}: holds the folder {item.name!r} beside files; name the files by a "
                f"pattern, such as {str(folder / '**' / '*')!r} and their suffix"
            )
        files += _inside(item) if item.is_dir() else [item]
    if not files:
        raise DataError(f"{folder}: the folder holds no files")
    return files


def _of_dataset(dataset: Any) -> tuple[list[Path], list[Folders]]:
    """Return the files of a data set of Arrow's, and the columns that it adds to each."""
    from pyarrow.dataset import get_partition_keys  # noqa: PLC0415

    if type(getattr(dataset, "filesystem", None)).__name__ != "LocalFileSystem":
        what = f"a {type(dataset).__name__} is not of files on this machine"
        raise ParameterError(f"where: {what}; give a pyarrow Table, or paths of files")
    try:
        fragments = list(dataset.get_fragments())
    except ValueError as error:
        advice = "open it without, and use .where(mask)"
        raise ParameterError(f"the pyarrow Dataset carries a filter; {advice} ({error})") from error
    if not fragments:
        raise DataError("the pyarrow Dataset has no files")
    keys = [get_partition_keys(fragment.partition_expression) for fragment in fragments]
    folders = [{k: None if v is None else str(v) for k, v in some.items()} for some in keys]
    return [Path(fragment.path) for fragment in fragments], folders
