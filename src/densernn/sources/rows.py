"""Row source: the interface of what yields the same chunks of rows in each pass."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SHOWN = 5
"""Places of skipped rows that are kept for messages."""
DIGEST_ROWS = 8192
"""Rows that are digested at once."""

Arrays: TypeAlias = tuple[NDArray[Any], NDArray[Any] | None, NDArray[np.float64] | None]
"""X, y and weights of some rows."""


def cut_arrays(arrays: Arrays, rows: Any) -> Arrays:
    """Return some rows, by a slice or a mask."""
    X, y, weight = arrays
    return X[rows], None if y is None else y[rows], None if weight is None else weight[rows]


@dataclass(frozen=True)
class Skipped:
    """Rows that could not be used and were skipped, as had been asked for.

    Parameters
    ----------
    count : int
        How many.
    places : tuple of str
        Where the first of them stand and what is wrong there, for messages.
    """

    count: int = 0
    places: tuple[str, ...] = ()

    def merge(self, other: Skipped) -> Skipped:
        """Return what both have, the places of this one first."""
        places = (self.places + other.places)[:SHOWN]
        return Skipped(self.count + other.count, places)


NOTHING = Skipped()


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a source.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        As they come, of any real dtype; finite.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        Labels or values, not yet encoded.
    weight : ndarray of shape (n_rows,) or None
        Weights; None where every row weighs 1.
    start : int
        Number of the first row within the source.
    skipped : Skipped
        Rows that stood before the last of these, or behind it at the end of the source, and
        were skipped.
    copy : int
        Number of an augmented copy of the rows; 0 for the rows themselves.
    """

    X: NDArray[Any]
    y: NDArray[Any] | None
    weight: NDArray[np.float64] | None
    start: int
    skipped: Skipped = NOTHING
    copy: int = 0

    @property
    def arrays(self) -> Arrays:
        """The rows."""
        return self.X, self.y, self.weight


class RowSource(ABC):
    """Rows that can be gone through any number of times, in bounded memory.

    Every pass gives the same rows in the same order, whatever the size of the chunks that are
    asked for.

    Sources of files and of Arrow tables have besides: ``open_same(other)``, which opens other
    files with the same columns and categories; ``where(mask)``, the rows at which a mask is True;
    ``rows(start, stop)``, consecutive rows; and ``head(n_rows)``, the first ones.
    """

    n_columns: int
    """Columns of X."""

    n_rows: int | None
    """Number of rows; None where it is only known after a pass."""

    n_targets: int | None
    """Columns of y where it has two axes, 0 where it has one, None where there is no y."""

    feature_names: tuple[str, ...] | None = None
    """Names of the columns of X; None where they have none."""

    encoding: Any = None
    """TableEncoder of the features; None where all are numbers of arrays."""

    weighted: bool = False
    """Whether rows bring weights of their own."""

    is_distributed: bool = False
    """Whether rows lie on a cluster, so that passes had better run there."""

    buffer_bytes: int = 0
    """Memory that reading takes beside the chunk that is given, about."""

    @abstractmethod
    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Yield the rows in order, from number ``first`` on.

        Every chunk but the last has exactly ``n_rows`` rows, however the rows are stored.
        """

    @abstractmethod
    def parts(self, most: int) -> Sequence[RowSource]:
        """Cut into at most so many sources, which one after the other have the same rows.

        Depends on how the rows are stored and on nothing else.  Rows are numbered from 0 in
        each.
        """

    @abstractmethod
    def identity(self) -> dict[str, str]:
        """Tell what would make it other rows, by names for messages: equal values, equal rows."""


def digests(pieces: Iterable[Arrays]) -> dict[str, str]:
    """Return digests of all values of some rows, which come in pieces."""
    found: dict[str, Any] = {}
    for piece in pieces:
        for name, array in zip(("values of X", "targets", "weights"), piece, strict=True):
            if array is None:
                continue
            digest = found.setdefault(name, hashlib.blake2b(digest_size=8))
            # Text does not depend on the width that NumPy gives it.
            text = array.dtype.kind in "OU"
            digest.update(repr((array.dtype.kind, array.tolist() if text else None)).encode())
            digest.update(b"" if text else np.ascontiguousarray(array))
    return {name: digest.hexdigest() for name, digest in found.items()}
