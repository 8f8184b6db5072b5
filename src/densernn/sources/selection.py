"""Selections: some of the rows of any source, by a mask or a range."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn.errors import DataError, ParameterError
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Chunk, RowSource, cut_arrays


class Selectable(RowSource):
    """A source that makes sources of some of its rows."""

    def where(self, keep: ArrayLike) -> SelectedSource:
        """Return the rows at which a mask is True; see :class:`SelectedSource`."""
        return SelectedSource(self, np.asarray(keep))

    def rows(self, start: int, stop: int | None = None) -> RowRange:
        """Return rows ``start`` to before ``stop``, or to the end; see :class:`RowRange`."""
        return RowRange(self, start, stop)

    def head(self, n_rows: int) -> RowRange:
        """Return the first ``n_rows`` rows, or all if there are fewer."""
        return self.rows(0, n_rows)


class DerivedSource(Selectable):
    """Rows of another source, which has the same columns."""

    source: RowSource

    @property
    def weighted(self) -> bool:  # type: ignore[override]
        """Whether rows bring weights of their own."""
        return self.source.weighted

    @property
    def buffer_bytes(self) -> int:  # type: ignore[override]
        """Memory that reading the source takes, about."""
        return self.source.buffer_bytes

    @property
    def n_columns(self) -> int:
        """Columns of X."""
        return self.source.n_columns

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """Names of the columns of X, if they have any."""
        return self.source.feature_names

    @property
    def n_targets(self) -> int | None:
        """Columns of y where it has two axes, 0 where it has one, None where there is no y."""
        return self.source.n_targets

    def like(self, where: Any) -> RowSource:
        """Open other files, whole, as those of the source were opened.

        Parameters
        ----------
        where
            See :meth:`densernn.sources.filesource.FileSource.like`.

        Raises
        ------
        ParameterError
            If the source is not of files or Arrow tables.
        """
        if not hasattr(self.source, "like"):
            kind = type(self.source).__name__
            raise ParameterError(
                f"like is for rows of files or Arrow tables, found those of {kind}"
            )
        source: RowSource = self.source.like(where)
        return source

    def _by_parts(self, most: int) -> Iterator[tuple[RowSource, int, int]]:
        """Yield parts of the source with their first and last rows, if all lengths are known."""
        stop = 0
        parts = self.source.parts(most)
        if all(part.n_rows is not None for part in parts):
            for part in parts:
                start, stop = stop, stop + (part.n_rows or 0)
                yield part, start, stop


@dataclass(frozen=True, eq=False)
class SelectedSource(DerivedSource):
    """The rows of a source at which a mask is True, numbered from 0.

    Parameters
    ----------
    source : RowSource
        Where they come from.
    keep : ndarray of bool, of shape (n_rows,)
        One entry for every row of the source.

    Raises
    ------
    ParameterError
        If the mask is none, keeps nothing, or its length is not the source's number of rows.
        Where that number is not known beforehand, :meth:`chunks` raises a DataError at the
        first row too many or at the end.

    Notes
    -----
    A pass reads the source from the first row kept to its end, and takes the memory of one
    more chunk. Rows that the source passed over are told of even where the mask drops their
    neighbours.
    """

    source: RowSource
    keep: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.keep.ndim != 1 or self.keep.dtype != bool:
            raise ParameterError(
                "keep must be a one-dimensional mask of bools, found shape "
                f"{self.keep.shape} and dtype {self.keep.dtype}"
            )
        if not self.keep.any():
            raise ParameterError("keep must keep at least one row; all its entries are False")
        if self.source.n_rows not in (None, len(self.keep)):
            raise ParameterError(
                f"keep must have an entry for each of the {self.source.n_rows} rows, "
                f"found {len(self.keep)}"
            )

    @property
    def n_rows(self) -> int:
        """Rows that are kept."""
        return int(np.count_nonzero(self.keep))

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Give the rows kept, ``n_rows`` at a time."""
        check_chunk(n_rows, first)
        if first >= self.n_rows:
            return iter(())
        begin = int(np.flatnonzero(self.keep)[first])
        return self._chunks(n_rows, first, begin)

    def _chunks(self, n_rows: int, first: int, begin: int) -> Iterator[Chunk]:
        with closing(self._blocks(n_rows, begin)) as blocks:
            for chunk in rechunk(blocks, n_rows, start=first):
                if len(chunk.X) or chunk.skipped.count:
                    yield chunk

    def _blocks(self, n_rows: int, begin: int) -> Any:
        seen, length = begin, len(self.keep)
        for chunk in self.source.chunks(n_rows, begin):
            mask = self.keep[seen : seen + len(chunk.X)]
            seen += len(chunk.X)
            if seen > length:
                break
            bad = np.zeros(chunk.skipped.count, np.intp)
            yield Block(*cut_arrays(chunk.arrays, mask), bad, chunk.skipped.places)
        if seen != length:
            found = "more rows" if seen > length else f"only {seen} rows"
            raise DataError(f"the mask of rows to keep has {length} entries, but there are {found}")

    def parts(self, most: int) -> Sequence[RowSource]:
        """Cut as the source is, where its parts know their lengths; else there is one part."""
        parts = [(part, self.keep[a:b]) for part, a, b in self._by_parts(most)]
        return [SelectedSource(part, mask) for part, mask in parts if mask.any()] or [self]

    def identity(self) -> dict[str, str]:
        """Return the source's identity and a digest of the mask."""
        digest = hashlib.blake2b(np.packbits(self.keep).tobytes(), digest_size=8).hexdigest()
        return self.source.identity() | {"rows kept": f"{self.n_rows}, {digest}"}


@dataclass(frozen=True, eq=False)
class RowRange(DerivedSource):
    """Consecutive rows of a source, numbered from 0.

    Parameters
    ----------
    source : RowSource
        Where they come from.
    start : int
        The first one.
    stop : int, optional
        The one behind the last one; None for all. Beyond the end is the end.

    Raises
    ------
    ParameterError
        If the range is empty.

    Notes
    -----
    Where the number of rows is not known beforehand, and there are none in the range,
    :meth:`chunks` raises a DataError.
    """

    source: RowSource
    start: int
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise ParameterError(
                "a range of rows needs 0 <= start < stop, found start "
                f"{self.start} and stop {self.stop}"
            )
        total = self.source.n_rows
        if total is not None and self.start >= total:
            raise ParameterError(f"start must be less than the {total} rows, found {self.start}")

    @property
    def n_rows(self) -> int | None:
        """Rows there are; None where only a pass over the source can tell."""
        total = self.source.n_rows
        if total is None:
            return None
        return (total if self.stop is None else min(self.stop, total)) - self.start

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Give the rows of the range, ``n_rows`` at a time; what lies behind it is not read."""
        check_chunk(n_rows, first)
        return self._chunks(n_rows, first)

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        left = None if self.stop is None else self.stop - self.start - first
        if left is not None and left <= 0:
            return
        chunk = None
        for chunk in self.source.chunks(n_rows, self.start + first):
            arrays = cut_arrays(chunk.arrays, slice(0, left))
            yield Chunk(*arrays, chunk.start - self.start, chunk.skipped)
            if left is not None:
                left -= len(arrays[0])
                if not left:
                    return
        if chunk is None and not first:
            raise DataError(f"there are no rows from number {self.start} on")

    def parts(self, most: int) -> Sequence[RowSource]:
        """Cut as the source is, where its parts know their lengths; else there is one part."""
        return [
            RowRange(part, max(self.start - a, 0), min(b, self.stop or b) - a)
            for part, a, b in self._by_parts(most)
            if max(self.start, a) < min(b, self.stop or b)
        ] or [self]

    def identity(self) -> dict[str, str]:
        """Return the source's identity and the range."""
        stop = "the end" if self.stop is None else str(self.stop)
        return self.source.identity() | {"range of rows": f"{self.start} to {stop}"}


def check_chunk(n_rows: int, first: int) -> None:
    """Raise a :class:`ParameterError` on a chunk of no rows or a negative first row."""
    if n_rows < 1:
        raise ParameterError(f"n_rows must be at least 1, found {n_rows}")
    if first < 0:
        raise ParameterError(f"first must be at least 0, found {first}")
