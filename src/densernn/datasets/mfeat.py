"""Multiple Features: handwritten digits described by six kinds of measurement."""

from __future__ import annotations

import warnings
from itertools import pairwise
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densernn._packed import reading
from densernn.datasets.binary import expect
from densernn.datasets.bunch import Dataset, hold_out_quarter
from densernn.datasets.download import RemoteFile
from densernn.datasets.fetch import find
from densernn.errors import DataError, DatasetNotFoundError

N_ROWS = 2000
N_CLASSES = 10
TARGET = "target"
WIDTHS = {
    "factors": 216,
    "fourier": 76,
    "karhunen": 64,
    "morphological": 6,
    "pixel": 240,
    "zernike": 47,
}
"""Columns of each source; its file is named by the first three letters."""

FEATURE_NAMES = tuple(f"{source}_{j}" for source, width in WIDTHS.items() for j in range(width))
URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/mfeat/"
FILES = tuple(RemoteFile((f"mfeat-{source[:3]}",), f"{URL}mfeat-{source[:3]}") for source in WIDTHS)
# No publisher is known for the sources in one table: it is looked for and never downloaded.
TABLE = RemoteFile(("mfeat.csv.gz", "mfeat.csv"), "")


def load_mfeat(path: str | PathLike[str] | None = None, *, download: bool = True) -> Dataset:
    """Load Multiple Features: 2,000 handwritten digits, 649 features from six sources.

    Parameters
    ----------
    path : str or path-like, optional
        The folder with UCI's six files, ``mfeat-fac``, ``-fou``, ``-kar``, ``-mor``, ``-pix``
        and ``-zer``, or with one table ``mfeat.csv`` (packed with gzip or not) of all sources,
        or that table. The table has a header with the columns ``factors_0`` ...
        ``factors_215``, ``fourier_0`` and so on, and ``target``; where both are there it is
        taken. By default they are looked for in ``$DENSERNN_DATA``, in its folder ``mfeat``,
        and in the cache.
    download : bool, default=True
        Whether to download UCI's files, some megabytes, into the cache if there are neither.

    Returns
    -------
    Dataset
        A quarter of the rows is held out by one shuffle with the fixed seed 0, stratified: 1,500
        training and 500 test rows, the same at every call. Features as float64, labels 0 to 9.
        ``sources`` has the columns of ``factors`` (216 profile correlations), ``fourier`` (76
        coefficients of the shape), ``karhunen`` (64), ``morphological`` (6), ``pixel`` (240
        averages of 2 x 3 pixels) and ``zernike`` (47 moments).

    Raises
    ------
    DatasetNotFoundError
        If the files are neither there nor to be downloaded.
    DataError
        If a file is damaged, or has not its rows and columns, or not 200 rows of each digit.

    Notes
    -----
    Source: R. Duin, "Multiple Features", UCI Machine Learning Repository. Its files hold 200
    rows of each digit, in order, without labels. No checksum of them is known here: what guards
    a download is that each file must hold 2,000 rows of its number of columns. If it does not,
    delete it from the cache. Cost: about a second and 40 MB.
    """
    try:
        [table] = find("mfeat", [TABLE], path, download_missing=False)
    except DatasetNotFoundError:
        X, y = _read_published(find("mfeat", FILES, path, download_missing=download))
    else:
        X, y = _read_whole(table)
    edges = np.cumsum([0, *WIDTHS.values()]).tolist()
    sources = dict(zip(WIDTHS, (slice(*ends) for ends in pairwise(edges)), strict=True))
    digits = tuple(map(str, range(N_CLASSES)))
    return hold_out_quarter("mfeat", X, y, FEATURE_NAMES, digits, sources=sources)


def _read_whole(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read all sources and the labels from one table."""
    from densernn.sources.load import read_table  # noqa: PLC0415 - imports Arrow

    table = read_table(path, target=TARGET, columns=FEATURE_NAMES)
    labels, counts = np.unique(np.asarray(table.y), return_counts=True)
    if labels.tolist() != list(range(N_CLASSES)) or (counts != N_ROWS // N_CLASSES).any():
        raise DataError(
            f"{path}: expected {N_ROWS // N_CLASSES} rows of each digit 0 to 9, found "
            f"{counts.tolist()} of {labels.tolist()}"
        )
    return table.X, np.asarray(table.y, np.int64)


def _read_published(paths: list[Path]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read UCI's files, one for each source, whose rows go by digit."""
    parts = [_read_text(path, width) for path, width in zip(paths, WIDTHS.values(), strict=True)]
    return np.hstack(parts), np.repeat(np.arange(N_CLASSES), N_ROWS // N_CLASSES)


def _read_text(path: Path, width: int) -> NDArray[np.float64]:
    """Return numbers that have blanks between them."""
    with reading(path) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of an empty file, which is refused below
        try:
            values = np.loadtxt(stream, np.float64, ndmin=2)
        except ValueError as error:
            raise DataError(f"{path}: {error}; is it another file?") from error
    expect(path, values, np.float64, (N_ROWS, width))
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise DataError(f"{path}, row {row + 1}: a number is not finite; fetch the file again")
    return values
