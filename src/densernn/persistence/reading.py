"""Loading of model files: an audit of the whole file, then the model."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import IO, Any

import skops.io

from densernn.errors import ModelFileError
from densernn.persistence.header import damaged, not_ours, read_header
from densernn.persistence.trusted import TRUSTED, untrusted_types, with_current_names


def load(path: str | PathLike[str]) -> Any:
    """Load a model that :func:`save` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator
        Of the class that was saved.  On the same machine and with the same versions it
        predicts the same, to the last bit.

    Raises
    ------
    ModelFileError
        The file is damaged, truncated, foreign, of a newer format, or holds types or functions
        that are not trusted, which the text names; none of them has been imported or run.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    Trusted are densernn's own types, by name, and what skops trusts: NumPy arrays, plain
    Python values, and scikit-learn's estimators.  Every byte that is used has passed the
    archive's checksum.  That a file can do no harm does not make it the model you want: take
    files from where you trust the predictions, too.

    Examples
    --------
    >>> import tempfile
    >>> from densernn import RNNELMRegressor, save
    >>> model = RNNELMRegressor(n_hidden=5, random_state=0).fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, folder + "/line.skops")
    ...     load(folder + "/line.skops")
    RNNELMRegressor(n_hidden=5, random_state=0)
    """
    path = Path(path)
    with path.open("rb") as file:
        header = read_header(path, file)
        current = _guard(path, with_current_names, file)
        strange = _guard(path, untrusted_types, current)
        if strange:
            raise ModelFileError(
                f"{path}: holds types or functions that are not trusted, so nothing was loaded: "
                f"{', '.join(strange)}"
            )
        if header is None:
            raise not_ours(path)
        model = _guard(path, READERS[header["format"]], current)
    if type(model).__name__ != header.get("class"):
        raise ModelFileError(
            f"{path}: damaged: holds a {type(model).__name__}, announced as {header.get('class')}"
        )
    return model


def _read_1(file: IO[bytes]) -> Any:
    return skops.io.load(file, trusted=list(TRUSTED))


READERS: dict[int, Callable[[IO[bytes]], Any]] = {1: _read_1}
"""Readers by format; old ones are kept when a new format is written."""


def _guard(path: Path, read: Callable[[IO[bytes]], Any], file: IO[bytes]) -> Any:
    """Read from a file; whatever fails, the file is damaged, for its contents are unexpected."""
    try:
        return read(file)
    except MemoryError:
        raise
    except Exception as error:
        raise damaged(path, error) from error
