"""Binary arrays: announced numbers of bytes and values, and the shape that a file must have."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from densernn._packed import BLOCK
from densernn.errors import DataError


def read_exactly(stream: BinaryIO, size: int, path: Path, what: str) -> bytearray:
    """Read ``size`` bytes, or say how many there were.

    Bytes are read block by block, so that a damaged header that promises more than memory
    holds fails on the short file and not on the allocation.

    Parameters
    ----------
    stream : BinaryIO
        Where to read.
    size : int
        How many bytes there must be.
    path : Path
        The file, for the error's text.
    what : str
        What the bytes are, for the error's text.

    Returns
    -------
    bytearray
        The bytes, writable.

    Raises
    ------
    DataError
        If the stream ends earlier.
    """
    content = bytearray()
    while len(content) < size:
        block = stream.read(min(BLOCK, size - len(content)))
        if not block:
            raise DataError(
                f"{path}: truncated: expected {size:,} bytes of {what}, found {len(content):,}"
            )
        content += block
    return content


def read_values(
    stream: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any], path: Path
) -> NDArray[Any]:
    """Read the values that a header announced, up to the end of the file.

    Parameters
    ----------
    stream : BinaryIO
        Where to read, behind the header.
    shape : tuple of int
        The shape announced; the last index runs fastest.
    dtype : dtype
        The type announced, in the file's byte order.
    path : Path
        The file, for the error's text.

    Returns
    -------
    ndarray
        The values, writable, in the machine's own byte order.

    Raises
    ------
    DataError
        If there are more or fewer bytes, or no array can have this shape.
    """
    size = math.prod(shape) * dtype.itemsize
    content = read_exactly(stream, size, path, f"values of shape {shape}")
    if stream.read(1):
        raise DataError(f"{path}: more bytes than its header announces; is it another file?")
    try:
        values = np.frombuffer(content, dtype).reshape(shape)
    except ValueError as error:  # too many or, beside a zero, too large dimensions
        raise DataError(f"{path}: no array can have the shape {shape} of its header") from error
    return values.astype(dtype.newbyteorder("="), copy=False)


def expect(
    path: Path, matrix: NDArray[Any], dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """Return an array read from a file if its dtype and shape are these, None being any length.

    Raises
    ------
    DataError
        They are not, or there are no rows.
    """
    alike = matrix.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, matrix.shape, strict=True)
    )
    if matrix.dtype != dtype or not alike:
        wanted = " x ".join("n" if length is None else str(length) for length in shape)
        raise DataError(
            f"{path}: expected {wanted} values of type {np.dtype(dtype)}, found shape "
            f"{matrix.shape} and type {matrix.dtype}"
        )
    if not len(matrix):
        raise DataError(f"{path}: no rows")
    return matrix
