"""Finder of a data set's files: in a given path, ``$DENSERNN_DATA``, the cache, the network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

from densernn.datasets.download import RemoteFile, download
from densernn.errors import DataError, DatasetNotFoundError

VARIABLE = "DENSERNN_DATA"


def cache_folder(dataset: str) -> Path:
    """Return the folder that downloads of a data set go to.

    Parameters
    ----------
    dataset : str
        The data set's name.

    Returns
    -------
    Path
        ``$XDG_CACHE_HOME/densernn/<dataset>``, or ``~/.cache/densernn/<dataset>`` where the
        variable is unset or relative (which its specification says to ignore).
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "densernn" / dataset


def find(
    dataset: str,
    files: Sequence[RemoteFile],
    path: str | PathLike[str] | None,
    *,
    download_missing: bool,
) -> list[Path]:
    """Find the files of a data set, downloading what is missing.

    Parameters
    ----------
    dataset : str
        The data set's name, which is also the name of its folder.
    files : sequence of RemoteFile
        The files.
    path : str, path-like or None
        Where they are: their folder or, for a data set of one file, that file. Nothing else
        is looked at then. None looks in ``$DENSERNN_DATA`` and in its folder of the data
        set's name, then in the cache.
    download_missing : bool
        Whether to download into the cache what is in none of these places.

    Returns
    -------
    list of Path
        The files, in the order of ``files``.

    Raises
    ------
    DatasetNotFoundError
        If a file is neither there nor to be downloaded.
    DataError
        If several files of a folder fit equally, or a download is not what it should be.
    """
    given = None if path is None else Path(path).expanduser()
    if given is not None and given.is_file():
        return _only(dataset, files, given)
    places = _places(dataset, given)
    found = [_first(file, places) for file in files]
    missing = [file for file, hit in zip(files, found, strict=True) if hit is None]
    if not missing:
        return [hit for hit in found if hit is not None]
    cache = cache_folder(dataset)
    names = ", ".join(file.names[0] for file in missing)
    outcome = "not tried, as " + ("download=False" if given is None else "a path was given")
    if given is None and download_missing:
        try:
            for file in missing:
                outcome = f"{file.url} failed"
                download(file, cache)
        except OSError as error:
            outcome += f": {error}"
        else:
            return find(dataset, files, None, download_missing=False)
    raise DatasetNotFoundError(
        f"{dataset}: not found:{_lines(' or '.join(file.names) for file in missing)}\n"
        f"Looked in:{_lines(_describe(places))}\nDownload: {outcome}\n"
        f"Put {names} in {given or cache} or set {VARIABLE} to the folder that has them."
    )


def _only(dataset: str, files: Sequence[RemoteFile], given: Path) -> list[Path]:
    """Return the one file that was given, if one is enough."""
    if len(files) > 1:
        names = ", ".join(file.names[0] for file in files)
        raise DatasetNotFoundError(
            f"{dataset}: the path {given} is one file; give the folder that holds {names}"
        )
    return [given]


def _places(dataset: str, given: Path | None) -> dict[Path, str]:
    """Return the folders to look in, each with where it comes from."""
    if given is not None:
        if not given.exists():
            raise DatasetNotFoundError(f"{dataset}: the path {given} does not exist")
        return {given: "the given path", given / dataset: "the given path"}
    cache = {cache_folder(dataset): "the cache"}
    root = os.environ.get(VARIABLE)
    if not root:
        return cache
    folder = Path(root).expanduser()
    return {folder: VARIABLE, folder / dataset: VARIABLE, **cache}


def _first(file: RemoteFile, places: Iterable[Path]) -> Path | None:
    for folder in places:
        for name in file.names:
            hits = sorted(hit for hit in folder.glob(name) if hit.is_file())
            if len(hits) > 1:
                listed = ", ".join(hit.name for hit in hits)
                raise DataError(f"{folder}: several files fit: {listed}; give one as path")
            if hits:
                return hits[0]
    return None


def _describe(places: Mapping[Path, str]) -> Iterator[str]:
    for folder, origin in places.items():
        yield f"{folder} ({origin}{'' if folder.is_dir() else '; no such folder'})"
    if "the cache" in places.values() and not os.environ.get(VARIABLE):
        yield f"({VARIABLE} is not set)"


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"\n  {text}" for text in texts)
