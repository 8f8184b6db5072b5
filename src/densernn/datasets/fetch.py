"""Where a data set's files are: a given path, ``$DENSERNN_DATA``, the cache, the network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from densernn.datasets.download import Check, download
from densernn.errors import DataError, DatasetNotFoundError

VARIABLE = "DENSERNN_DATA"


@dataclass(frozen=True)
class RemoteFile:
    """A file that its publisher offers.

    Parameters
    ----------
    names : tuple of str
        Names it may have on disk, as glob patterns, the preferred first; the first one is
        the publisher's.
    url : str
        Where it is published.
    check : callable
        What a download must pass.
    """

    names: tuple[str, ...]
    url: str
    check: Check


@dataclass(frozen=True)
class Place:
    """A folder to look in, and why."""

    folder: Path
    origin: str

    def __str__(self) -> str:
        absent = "" if self.folder.is_dir() else "; no such folder"
        return f"{self.folder} ({self.origin}{absent})"


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
    if path is not None:
        return _find_at(dataset, files, Path(path).expanduser())
    places = _places(dataset)
    found = [_first(file, places) for file in files]
    missing = [file for file, hit in zip(files, found, strict=True) if hit is None]
    outcome = "not tried, as download=False"
    if missing and download_missing:
        try:
            for file in missing:
                download(file.url, cache_folder(dataset) / file.names[0], file.check)
        except OSError as error:
            outcome = f"{file.url} failed: {error}"
        else:
            return find(dataset, files, None, download_missing=False)
    if missing:
        raise _not_found(dataset, missing, places, outcome)
    return [hit for hit in found if hit is not None]


def _places(dataset: str) -> list[Place]:
    cache = [Place(cache_folder(dataset), "the cache")]
    root = os.environ.get(VARIABLE)
    return (_inside(Path(root).expanduser(), dataset, VARIABLE) if root else []) + cache


def _inside(root: Path, dataset: str, origin: str) -> list[Place]:
    return [Place(root, origin), Place(root / dataset, origin)]


def _find_at(dataset: str, files: Sequence[RemoteFile], path: Path) -> list[Path]:
    if not path.exists():
        raise DatasetNotFoundError(f"{dataset}: the path {path} does not exist")
    if path.is_file():
        if len(files) > 1:
            names = ", ".join(file.names[0] for file in files)
            raise DatasetNotFoundError(
                f"{dataset}: the path {path} is one file; give the folder that holds {names}"
            )
        return [path]
    places = _inside(path, dataset, "the given path")
    found = [_first(file, places) for file in files]
    missing = [file for file, hit in zip(files, found, strict=True) if hit is None]
    if missing:
        raise _not_found(dataset, missing, places, "not tried, as a path was given", path)
    return [hit for hit in found if hit is not None]


def _first(file: RemoteFile, places: Sequence[Place]) -> Path | None:
    for place in places:
        for name in file.names:
            hits = sorted(hit for hit in place.folder.glob(name) if hit.is_file())
            if len(hits) > 1:
                listed = ", ".join(hit.name for hit in hits)
                raise DataError(f"{place.folder}: several files fit: {listed}; give one as path")
            if hits:
                return hits[0]
    return None


def _not_found(
    dataset: str,
    missing: Sequence[RemoteFile],
    places: Sequence[Place],
    outcome: str,
    folder: Path | None = None,
) -> DatasetNotFoundError:
    wanted = "\n".join(f"  {' or '.join(file.names)}" for file in missing)
    looked = "\n".join(f"  {place}" for place in places)
    if folder is None and not os.environ.get(VARIABLE):
        looked += f"\n  ({VARIABLE} is not set)"
    names = ", ".join(file.names[0] for file in missing)
    return DatasetNotFoundError(
        f"{dataset}: not found:\n{wanted}\nLooked in:\n{looked}\nDownload: {outcome}\n"
        f"Put {names} in {folder or cache_folder(dataset)} or set {VARIABLE} to the folder that "
        "has them."
    )
