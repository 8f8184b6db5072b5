"""Selections: some of the rows of any source, by a mask or a range."""

from __future__ import annotations

import hashlib
import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn._renamed import renamed
from densernn.errors import DataError, ParameterError
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Chunk, RowSource, cut_arrays


def passed_on(path: str) -> Any:
    """Return a property whose value stands at a path of attributes, such as ``source.n_rows``."""
    return property(attrgetter(path))


class Selectable(RowSource):
    """A source that makes sources of some of its rows."""

    like = renamed("like", "open_same")

    def where(self, keep: ArrayLike) -> SelectedSource:
        """Return the rows at which a mask is True; see :class:`SelectedSource`."""
        return SelectedSource(self, np.asarray(keep))

    def rows(self, start: int, stop: int | None = None) -> RowRange:
        """Return rows ``start`` to before ``stop``, or to the end; see :class:`RowRange`."""
        return RowRange(self, start, stop)

    def head(self, n_rows: int) -> RowRange:
        """Return the first ``n_rows`` rows, or all if there are fewer."""
        return self.rows(0, n_rows)

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Yield the rows in order, ``n_rows`` at a time.

        Parameters
        ----------
        n_rows : int
            Rows of every chunk but the last.
        first : int, optional
            Number of the first row.

        Yields
        ------
        Chunk
            Of a part all of whose rows were skipped: one chunk without rows that reports it.

        Raises
        ------
        DataError
            If there are no rows, a file is damaged, or a row cannot be used and is not to be
            skipped. The text names the file and the place.
        """
        if n_rows < 1 or first < 0:
            found = f"{n_rows} and {first}"
            raise ParameterError(f"n_rows must be at least 1 and first at least 0, found {found}")
        return self._chunks(n_rows, first)

    @abstractmethod
    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        """Yield the rows, once the numbers are known to be right."""


class DerivedSource(Selectable):
    """Rows of another source, which has the same columns."""

    source: RowSource
    n_columns = passed_on("source.n_columns")
    n_targets = passed_on("source.n_targets")
    feature_names = passed_on("source.feature_names")
    encoding = passed_on("source.encoding")
    weighted = passed_on("source.weighted")
    buffer_bytes = passed_on("source.buffer_bytes")

    def open_same(self, where: Any) -> Any:
        """Open other files, whole, as those of the source were opened.

        Parameters
        ----------
        where
            See :meth:`densernn.sources.filesource.FileSource.open_same`.

        Raises
        ------
        ParameterError
            If the source is not of files or Arrow tables.
        """
        if not hasattr(self.source, "open_same"):
            kind = type(self.source).__name__
            raise ParameterError(f"open_same is for rows of files or tables, found those of {kind}")
        return self.source.open_same(where)


class _SomeRows(DerivedSource):
    """Some of the rows of another source, which its parts have too."""

    def parts(self, most: int) -> Sequence[RowSource]:
        """Cut as the source is, where its parts know their lengths; else there is one part."""
        found: list[RowSource] = []
        stop = 0
        for part in self.source.parts(most):
            if part.n_rows is None:
                return [self]
            start, stop = stop, stop + part.n_rows
            found.extend(self._within(part, start, stop))
        return found or [self]

    @abstractmethod
    def _within(self, part: RowSource, start: int, stop: int) -> list[Any]:
        """Return those of the rows, if any, that rows ``start`` to ``stop`` of the source have."""


@dataclass(eq=False)
class SelectedSource(_SomeRows):
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
    more chunk. Rows that the source skipped are reported even where the mask drops their
    neighbours.
    """

    source: RowSource
    keep: NDArray[np.bool_]

    def __post_init__(self) -> None:
        keep, total = self.keep, self.source.n_rows
        if keep.dtype != bool or keep.ndim != 1 or total not in (None, len(keep)):
            rows = "row" if total is None else f"of the {total} rows"
            found = f"shape {keep.shape} and dtype {keep.dtype}"
            raise ParameterError(f"keep must be a mask with a bool for each {rows}, found {found}")
        if not keep.any():
            raise ParameterError("keep must keep at least one row; all its entries are False")
        self.n_rows = int(np.count_nonzero(self.keep))

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        begin = np.flatnonzero(self.keep)[first : first + 1]
        if not begin.size:
            return
        with closing(self._blocks(n_rows, int(begin[0]))) as blocks:
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

    def _within(self, part: RowSource, start: int, stop: int) -> list[SelectedSource]:
        mask = self.keep[start:stop]
        return [SelectedSource(part, mask)] if mask.any() else []

    def identity(self) -> dict[str, str]:
        """Return the source's identity and a digest of the mask."""
        digest = hashlib.blake2b(np.packbits(self.keep).tobytes(), digest_size=8).hexdigest()
        return self.source.identity() | {"rows kept": f"{self.n_rows}, {digest}"}


@dataclass(eq=False)
class RowRange(_SomeRows):
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
            found = f"start {self.start} and stop {self.stop}"
            raise ParameterError(f"a range of rows needs 0 <= start < stop, found {found}")
        total = self.source.n_rows
        if total is not None and self.start >= total:
            raise ParameterError(f"start must be less than the {total} rows, found {self.start}")
        self.n_rows = total if total is None else min(self.stop or total, total) - self.start

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        left = (self.stop or sys.maxsize) - self.start - first
        chunk = None
        for chunk in self.source.chunks(n_rows, self.start + first) if left > 0 else ():
            arrays = cut_arrays(chunk.arrays, slice(left))
            yield Chunk(*arrays, chunk.start - self.start, chunk.skipped)
            left -= len(arrays[0])
            if not left:  # what lies behind is not read
                return
        if chunk is None and not first:
            raise DataError(f"there are no rows from number {self.start} on")

    def _within(self, part: RowSource, start: int, stop: int) -> list[RowRange]:
        first, last = max(self.start, start), min(self.stop or stop, stop)
        return [RowRange(part, first - start, last - start)] if first < last else []

    def identity(self) -> dict[str, str]:
        """Return the source's identity and the range."""
        stop = "the end" if self.stop is None else str(self.stop)
        return self.source.identity() | {"range of rows": f"{self.start} to {stop}"}
