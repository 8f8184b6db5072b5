"""HIGGS-like rows: generated, in the columns of HIGGS, as many as are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densernn._progress import Progress
from densernn.datasets.collisions import BLOCK, N_COLUMNS, draw_block
from densernn.datasets.higgs import PUBLISHED_NAMES
from densernn.datasets.higgs_files import SUFFIXES, writing
from densernn.errors import DataError, ParameterError

ROW_GROUP = 131_072


def make_higgs_like(n_rows: int, *, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Generate rows in the columns of HIGGS: 21 measured quantities and 7 masses.

    A lepton, four jets and missing energy are drawn without regard to the class; the masses are
    those of their sums, by the kinematics of particles without mass.  Whether a row is signal
    is then drawn with odds that resonances in four of the masses raise or lower.  So no single
    column tells much, and linear models do poorly.

    Parameters
    ----------
    n_rows : int
        How many, from 1 on.
    seed : int, default=0
        Of all random numbers, from 0 on.

    Returns
    -------
    X : ndarray of shape (n_rows, 28)
        Features, float32, in the order of HIGGS.
    y : ndarray of shape (n_rows,)
        1 for signal, about 53 % of the rows, and 0 for background; int64.

    Raises
    ------
    ParameterError
        A number is no whole number or lies outside its range.

    Notes
    -----
    These are no physics: they stand in for HIGGS where its size and shape matter, and accuracy on
    them says nothing about HIGGS.  Rows are drawn in blocks, each of which depends on the seed
    and its own number alone, so the first rows are the same whatever ``n_rows``.  On another
    processor or with another version of NumPy the last digits may differ.  Cost: about 1.3
    microseconds a row, and 60 MB beside the result.

    How hard they are: with 60,000 training rows, logistic regression is right for 58 %, an
    :class:`~densernn.RNNELMClassifier` of 1,000 clusters for 71 %, and the odds themselves for
    73 %.

    Examples
    --------
    >>> from densernn.datasets import make_higgs_like
    >>> X, y = make_higgs_like(1000)
    >>> X.shape, X.dtype, y.dtype
    ((1000, 28), dtype('float32'), dtype('int64'))
    >>> bool((make_higgs_like(10)[0] == X[:10]).all())
    True
    """
    _check(n_rows, seed)
    X, y = np.empty((n_rows, N_COLUMNS), np.float32), np.empty(n_rows, np.int64)
    for start, columns, labels in _blocks(n_rows, seed):
        X[start : start + labels.size] = columns.T
        y[start : start + labels.size] = labels
    return X, y


def write_higgs_like(
    path: str | PathLike[str] | Sequence[str | PathLike[str]],
    n_rows: int,
    *,
    seed: int = 0,
    row_group: int = ROW_GROUP,
    verbose: int = 0,
) -> None:
    """Write the rows of :func:`make_higgs_like` to a file, in bounded memory.

    Parameters
    ----------
    path : str or path-like, or a sequence of them
        Where to; the suffix decides the format.  ``.parquet``: float32 columns under their names,
        behind ``class_label``, int8.  ``.csv`` or ``.csv.gz``: as UCI publishes HIGGS, without a
        header, the label first, each number with the digits that float32 needs.  All formats
        hold the same numbers, and several files are written from one generation.
    n_rows : int
        How many, from 1 on.
    seed : int, default=0
        Of all random numbers, from 0 on.
    row_group : int, default=131072
        Rows of each row group of a Parquet file but the last.
    verbose : int, default=0
        Whether a terminal shows a progress bar.

    Raises
    ------
    ParameterError
        A number is no whole number or lies outside its range.
    DataError
        An ending is none of these, the name is that of the published file, or there is no such
        folder.
    OSError
        The disk fails.

    Notes
    -----
    A file gets its name when it is complete; of an interrupted one nothing is left.  Memory: 60 MB,
    and four row groups.  For 11,000,000 rows a Parquet file takes 1.1 GB and a ``.csv.gz`` 1.4 GB.
    """
    _check(n_rows, seed)
    _check_whole("row_group", row_group, 1)
    given = [path] if isinstance(path, (str, PathLike)) else path
    targets = [_target(Path(one)) for one in given]
    with ExitStack() as stack:
        writers = [stack.enter_context(writing(target, row_group)) for target in targets]
        bar = stack.enter_context(Progress("rows", n_rows, bool(verbose)))
        for _, columns, labels in _blocks(n_rows, seed):
            for write in writers:
                write(columns, labels)
            bar.advance(labels.size)


def _blocks(n_rows: int, seed: int) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int8]]]:
    """Give the number of the first row, the columns and the labels of each block, cut to size."""
    for block, start in enumerate(range(0, n_rows, BLOCK)):
        columns, labels = draw_block(seed, block)
        kept = min(BLOCK, n_rows - start)
        yield start, columns[:, :kept], labels[:kept]


def _check(n_rows: int, seed: int) -> None:
    _check_whole("n_rows", n_rows, 1)
    _check_whole("seed", seed, 0)


def _check_whole(name: str, value: int, least: int) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ParameterError(f"{name} must be a whole number from {least} on: it is {value!r}")


def _target(path: Path) -> Path:
    """Return the path, if a file can and may be written there."""
    if not path.name.endswith(SUFFIXES):
        raise DataError(f"{path}: its name must end with one of {', '.join(SUFFIXES)}")
    if path.name in PUBLISHED_NAMES:
        raise DataError(
            f"{path}: generated rows must not bear the name of the published file: name it "
            "HIGGS-like.csv.gz or so"
        )
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give the name of a file")
    if not path.resolve().parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}")
    return path
