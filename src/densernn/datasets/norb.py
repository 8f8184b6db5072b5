"""Small NORB: stereo pairs of toys, and the binary matrix format that they are published in."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._packed import reading
from densernn.datasets.binary import expect, read_exactly, read_values
from densernn.datasets.bunch import Dataset, pixel_names
from densernn.datasets.download import RemoteFile
from densernn.datasets.fetch import find
from densernn.datasets.headerless import to_labels
from densernn.errors import DataError

DTYPES = {
    0x1E3D4C51: "<f4",
    0x1E3D4C53: "<f8",
    0x1E3D4C54: "<i4",
    0x1E3D4C55: "u1",
    0x1E3D4C56: "<i2",
}
PACKED = 0x1E3D4C52
MAX_DIMENSIONS = 8
SIDE = 96
TARGET_NAMES = ("animal", "human", "airplane", "truck", "car")
INFO_NAMES = ("instance", "elevation", "azimuth", "lighting")
URL = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"


def read_matrix(path: Path) -> NDArray[Any]:
    """Read an array from a file in NORB's binary matrix format, plain or gzip.

    All little-endian: an int32 magic number for the type, an int32 number of dimensions, an
    int32 for each dimension, but at least three of them (those beyond the number of dimensions
    mean nothing), then the values, the last index running fastest.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray
        The array, in the machine's own byte order.

    Raises
    ------
    DataError
        If the file is truncated, damaged, too long, of another format, or a packed matrix.
    """
    with reading(path) as stream:
        start = np.frombuffer(read_exactly(stream, 8, path, "header"), "<i4")
        magic, ndim = int(start[0]), int(start[1])
        if magic == PACKED:
            raise DataError(f"{path}: packed matrices (magic number {magic:#x}) are not supported")
        if magic not in DTYPES or not 0 <= ndim <= MAX_DIMENSIONS:
            raise DataError(
                f"{path}: not a NORB matrix: expected a magic number from {min(DTYPES):#x} to "
                f"{max(DTYPES):#x} and 0 to {MAX_DIMENSIONS} dimensions, found "
                f"{magic & 0xFFFFFFFF:#x} and {ndim}"
            )
        dimensions = np.frombuffer(read_exactly(stream, 4 * max(ndim, 3), path, "header"), "<i4")
        shape = tuple(dimensions[:ndim].tolist())
        if min(shape, default=0) < 0:
            raise DataError(f"{path}: not a NORB matrix: negative dimension in {shape}")
        return read_values(stream, shape, np.dtype(DTYPES[magic]), path)


def _file(stem: str, md5: str) -> RemoteFile:
    name = f"smallnorb-5x{stem}.mat"
    return RemoteFile((f"{name}.gz", name), f"{URL}{name}.gz", f"md5:{md5}", limit=400_000_000)


# Not published, but found alike by several projects that took the files.
FILES = (
    _file("46789x9x18x6x2x96x96-training-dat", "66054832f9accfe74a0f4c36a75bc0a2"),
    _file("46789x9x18x6x2x96x96-training-cat", "23c8b86101fbf0904a000b43d3ed2fd9"),
    _file("46789x9x18x6x2x96x96-training-info", "51dee1210a742582ff607dfd94e332e3"),
    _file("01235x9x18x6x2x96x96-testing-dat", "e4ad715691ed5a3a5f138751a4ceb071"),
    _file("01235x9x18x6x2x96x96-testing-cat", "5aa791cd7e6016cf957ce9bdb93b8603"),
    _file("01235x9x18x6x2x96x96-testing-info", "a9454f3864d7fd4bb3ea7fc3eb84924e"),
)


def load_norb(path: str | PathLike[str] | None = None, *, download: bool = True) -> Dataset:
    """Load small NORB: 24,300 training and 24,300 test stereo pairs of 50 toys, 5 classes.

    Parameters
    ----------
    path : str or path-like, optional
        The folder with the six ``.mat`` files (dat, cat and info; training and testing), packed
        with gzip or not. By default they are looked for in ``$DENSERNN_DATA``, in its folder
        ``norb``, and in the cache.
    download : bool, default=True
        Whether to download into the cache what is in none of these places.

    Returns
    -------
    Dataset
        The publisher's split, by toy: ``X_train`` and ``X_test`` of shape (n, 2, 96, 96), uint8:
        the images a and b of the two cameras; labels 0 to 4; ``info_train`` and ``info_test``
        of shape (n, 4), int32, with the toy's instance, elevation, azimuth and lighting;
        ``sources`` has the columns of either camera, ``a`` and ``b``.

    Raises
    ------
    DatasetNotFoundError
        If a file is neither there nor to be downloaded.
    DataError
        If a file is truncated, damaged, of another format, or does not fit its partners.

    Notes
    -----
    Source: Y. LeCun, F. J. Huang and L. Bottou, "Learning methods for generic object recognition
    with invariance to pose and lighting", 2004. No checksum is published: a download must have
    the md5 sum that several projects found; a file on disk must hold exactly what its header
    announces, and gzip's own checksum must be right. How many rows there are is its own affair,
    so that excerpts can be read. Cost: 900 MB.
    """
    paths = find("norb", FILES, path, download_missing=download)
    X_train, y_train, info_train = _read_part(*paths[:3])
    X_test, y_test, info_test = _read_part(*paths[3:])
    names = (*pixel_names("a", SIDE), *pixel_names("b", SIDE))
    return Dataset(
        "norb",
        *(X_train, y_train, X_test, y_test),
        feature_names=names,
        target_names=TARGET_NAMES,
        info_train=info_train,
        info_test=info_test,
        info_names=INFO_NAMES,
        sources={"a": slice(0, SIDE * SIDE), "b": slice(SIDE * SIDE, 2 * SIDE * SIDE)},
    )


def _read_part(
    dat: Path, cat: Path, info: Path
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32]]:
    """Read images, labels and what else is known of the rows."""
    X = expect(dat, read_matrix(dat), np.uint8, (None, 2, SIDE, SIDE))
    y = expect(cat, read_matrix(cat), np.int32, (len(X),))
    about = expect(info, read_matrix(info), np.int32, (len(X), len(INFO_NAMES)))
    return X, to_labels(cat, y, range(len(TARGET_NAMES))), about
