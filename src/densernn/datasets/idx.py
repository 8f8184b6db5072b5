"""MNIST: handwritten digits, and the IDX format that they are published in."""

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

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SIDE = 28
URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def _file(name: str, md5: str) -> RemoteFile:
    plain = name.removesuffix(".gz")
    return RemoteFile((name, plain, plain.replace("-idx", ".idx")), URL + name, f"md5:{md5}")


# The sums are those that torchvision checks.
FILES = (
    _file("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    _file("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
    _file("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
    _file("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
)


def load_mnist(path: str | PathLike[str] | None = None, *, download: bool = True) -> Dataset:
    """Load the MNIST digits: 60,000 training and 10,000 test images of 28 x 28 pixels.

    Parameters
    ----------
    path : str or path-like, optional
        The folder with the four IDX files, packed with gzip or not. By default they are
        looked for in ``$DENSERNN_DATA``, in its folder ``mnist``, and in the cache.
    download : bool, default=True
        Whether to download (11 MB) into the cache what is in none of these places.

    Returns
    -------
    Dataset
        The publisher's split: rows of 784 pixels, uint8 from 0 to 255, row by row of the
        image, and labels 0 to 9.

    Raises
    ------
    DatasetNotFoundError
        If a file is neither there nor to be downloaded.
    DataError
        If a file is truncated, damaged, of another format, or does not fit its partner.

    Notes
    -----
    Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten
    digits". A download must have the md5 sum that torchvision checks. A file on disk must hold
    what its header announces, images of 28 x 28 bytes and one label for each; how many is its
    own affair, so that excerpts and the data sets published in MNIST's place (Fashion-MNIST,
    say) can be read from a folder of their own. Cost: about half a second and 55 MB.
    """
    train_images, train_labels, test_images, test_labels = find(
        "mnist", FILES, path, download_missing=download
    )
    X_train, y_train = _read_pair(train_images, train_labels)
    X_test, y_test = _read_pair(test_images, test_labels)
    names, digits = pixel_names("pixel", SIDE), tuple(map(str, range(10)))
    return Dataset("mnist", X_train, y_train, X_test, y_test, names, digits)


def read_idx(path: Path) -> NDArray[Any]:
    """Read an array from an IDX file, plain or gzip.

    Two zero bytes, a byte for the type, a byte for the number of dimensions, each dimension
    as a big-endian uint32, then the values, big-endian, the last index running fastest.

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
        If the file is truncated, damaged, too long, or of another format.
    """
    with reading(path) as stream:
        magic = read_exactly(stream, 4, path, "IDX magic number")
        if magic[:2] != b"\0\0" or magic[2] not in DTYPES:
            raise DataError(
                f"{path}: not an IDX file: expected the magic number 0000, one of "
                f"{', '.join(f'{code:02x}' for code in DTYPES)}, and the number of dimensions, "
                f"found {magic.hex()}"
            )
        header = read_exactly(stream, 4 * magic[3], path, "IDX dimensions")
        shape = tuple(np.frombuffer(header, ">u4").tolist())
        return read_values(stream, shape, np.dtype(DTYPES[magic[2]]), path)


def _read_pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    X = expect(images, read_idx(images), np.uint8, (None, SIDE, SIDE))
    y = expect(labels, read_idx(labels), np.uint8, (len(X),))
    return X.reshape(len(X), SIDE * SIDE), to_labels(labels, y, range(10))
