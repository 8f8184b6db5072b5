"""File source: rows of files and Arrow tables, whatever their format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, islice, product
from pathlib import Path
from typing import Any

import numpy as np

from densernn.errors import DataError
from densernn.sources.badrows import drop_bad_rows
from densernn.sources.categories import as_named
from densernn.sources.choice import Choice, Options, refuse_many_categories
from densernn.sources.encoding import BLOCK_BYTES, TableEncoder, decode, distinct
from densernn.sources.formats.base import Batches, FileInfo, Stored
from densernn.sources.formats.find import find_stored
from densernn.sources.numerals import INFINITE, is_text
from densernn.sources.readahead import read_ahead
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Chunk
from densernn.sources.schemas import choose_columns
from densernn.sources.selection import Selectable, check_chunk

READ_AHEAD = 2
"""Blocks that wait or are being read while the consumer computes."""
DIGEST_ROWS = 8192
PEEK_BATCHES = 4
"""Batches by which a CSV target is taken for text or numbers, more where it is missing."""


@dataclass(frozen=True)
class RowGroup:
    """Rows of a file that can be reached without reading what stands before them.

    Parameters
    ----------
    stored : Stored
        The file.
    number : int
        Which row group of it.
    row : int
        Number of its first row in the file.
    size : int
        Its rows, or bytes where only a pass can tell how many there are.
    """

    stored: Stored
    number: int
    row: int
    size: int


@dataclass(frozen=True, eq=False, repr=False)
class FileSource(Selectable):
    """Rows of files, which are opened for each pass and read ahead in a thread.

    Holds no open file and no thread between passes, so it can be pickled and sent elsewhere.

    Parameters
    ----------
    options : Options
        What was asked for.
    groups : tuple of RowGroup
        Where the rows are.
    counted : bool
        Whether their sizes are numbers of rows.
    plain : TableEncoder
        Which columns are used, and their dtypes, without the categories.
    known : TableEncoder or None
        What is to become of the columns, where that was learned already.
    whole : bool
        Whether these are all rows, and no part, which may be empty.
    held_bytes : int
        Memory that reading takes beside the blocks.
    """

    options: Options
    groups: tuple[RowGroup, ...]
    counted: bool
    plain: TableEncoder
    known: TableEncoder | None
    whole: bool
    held_bytes: int

    @property
    def choice(self) -> Choice:
        """The columns that are used."""
        return self.plain.choice

    @cached_property
    def encoding(self) -> TableEncoder:
        """What becomes of the columns; learned when it is first needed, by reading the files."""
        return self.known or self._learn()

    @property
    def n_rows(self) -> int | None:
        """Rows there are; None where only a pass can tell, as of CSV, or rows may be skipped."""
        known = self.counted and not self.options.skip
        return sum(group.size for group in self.groups) if known else None

    @property
    def weighted(self) -> bool:  # type: ignore[override]
        """Whether rows bring weights of their own."""
        return self.choice.weight is not None

    @property
    def n_columns(self) -> int:
        """Columns of X, after one-hot encoding."""
        return self._layout.n_columns

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of X, ``column=category`` for those that are one-hot encoded."""
        return self._layout.feature_names

    @property
    def n_targets(self) -> int | None:
        """Columns of y where it has two axes, 0 where it has one, None where there is no y."""
        if not self.choice.targets:
            return None
        return len(self.choice.targets) if self.choice.many else 0

    @property
    def buffer_bytes(self) -> int:  # type: ignore[override]
        """Memory that reading takes, about: the blocks that are read ahead, and one given."""
        blocks = (READ_AHEAD + 2) * max(BLOCK_BYTES, self._layout.row_bytes)
        return blocks + self.held_bytes

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Yield the rows in order, ``n_rows`` at a time, read ahead by a thread.

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
        check_chunk(n_rows, first)
        return self._chunks(n_rows, first)

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        begin, groups = self._from_row(first)
        with closing(read_ahead(self._blocks(groups), READ_AHEAD)) as ahead:
            for chunk in rechunk(ahead, n_rows, skip=first - begin, start=first):
                if not len(chunk.X) and self.whole and not begin:
                    lost = chunk.skipped
                    seen = f" that can be used; {lost.count} were passed over" if lost.count else ""
                    raise DataError(
                        f"{self._title}: no rows{seen}" + "".join(f"; {p}" for p in lost.places[:1])
                    )
                if len(chunk.X) or chunk.skipped.count:
                    yield chunk

    def _from_row(self, first: int) -> tuple[int, Sequence[RowGroup]]:
        """Return the row groups from that on which has a row, and the number of their first."""
        if self.n_rows is None:  # which row is which is only known when they are read
            return 0, self.groups
        begin = 0
        for i, group in enumerate(self.groups):
            if begin + group.size > first:
                return begin, self.groups[i:]
            begin += group.size
        return begin, ()

    def _blocks(self, groups: Sequence[RowGroup]) -> Iterator[Block]:
        encoding, skip = self.encoding, self.options.skip
        for start, batches in self._batches(groups, encoding.choice.used, encoding.block_rows):
            row = start.row
            with start.stored.places() as place, closing(batches):
                for batch, malformed in batches:
                    decoded = decode(batch, encoding)
                    yield drop_bad_rows(batch, decoded, malformed, encoding, place, row, skip=skip)
                    row += batch.num_rows + len(malformed)
        # At the end, so that there is one where no file has a row.
        yield empty_block(encoding)

    @staticmethod
    def _batches(
        groups: Sequence[RowGroup], columns: Sequence[str], n_rows: int = 1 << 16
    ) -> Iterator[tuple[RowGroup, Batches]]:
        """Yield for each file its first row group and the batches of all."""
        for _, several in groupby(groups, key=lambda group: id(group.stored)):
            some = [group for group in several if group.size]
            if some:
                numbers = range(some[0].number, some[-1].number + 1)
                yield some[0], some[0].stored.batches(numbers, columns, n_rows)

    def parts(self, most: int) -> Sequence[FileSource]:
        """Cut between files and row groups, so that parts are of about equal size."""
        groups = [group for group in self.groups if group.size]
        sizes = np.array([group.size for group in groups], dtype=np.int64)
        count = min(most, len(groups))
        if count < 2:
            return [self]
        middle = np.cumsum(sizes) - (sizes + 1) // 2
        part_of = np.minimum(middle * count // int(sizes.sum()), count - 1).tolist()
        known = self.encoding
        cut = groupby(zip(groups, part_of, strict=True), key=lambda pair: pair[1])
        return [
            replace(self, groups=tuple(group for group, _ in pairs), known=known, whole=False)
            for _, pairs in cut
        ]

    def like(self, where: Any) -> FileSource:
        """Open other files with the same columns, categories and options.

        Parameters
        ----------
        where : path, folder, pattern, list of paths, pyarrow.Table or Dataset
            Where the rows are. They may lack the target, as rows to predict do, and the weight.

        Returns
        -------
        FileSource
            With the same columns of X; ``n_targets`` is None where there is no target.
        """
        options, choice, encoding = self.options, self.choice, self.encoding
        kind = options.target_type
        if kind == "auto" and choice.targets and not choice.many:
            kind = "text" if encoding.text_target else "number"
        asked = replace(
            options,
            targets=choice.targets or None,
            columns=choice.features,
            weight=choice.weight,
            categorical=tuple(encoding.categories.items()),
            names=None if options.header else choice.names,
            target_type=kind,
        )
        return open_files(where, asked, like=True)

    def identity(self) -> dict[str, str]:
        """Return names, sizes and times of last change of the files, and what is read of them.

        Costs no pass over the rows, unless categories have to be learned first.
        """
        choice, options = self.choice, self.options
        skip = "skipped" if options.skip else "refused"
        asked = {
            "columns": ", ".join(self.feature_names),
            "target": ", ".join(choice.targets) + (" (list)" if choice.many else ""),
            "weight": choice.weight or "",
            "options": f"{options.written}, bad rows {skip}, target type {options.target_type}",
        }
        return self._stored() | asked

    def _stored(self) -> dict[str, str]:
        """Return what identifies the stored rows."""
        files = [list(some) for _, some in groupby(self.groups, key=lambda group: id(group.stored))]
        if not hasattr(self.groups[0].stored, "path"):
            n_rows = sum(group.size for group in self.groups)
            return {"number of rows": str(n_rows), "values": self._digest()}
        found = stat_files([some[0].stored.path for some in files])
        if self.counted:
            found["row groups or batches"] = "; ".join(
                f"{some[0].stored.path.name} {some[0].number} to {some[-1].number + 1}"
                for some in files
            )
        return found

    def _digest(self) -> str:
        digest = hashlib.blake2b(digest_size=8)
        for chunk in self.chunks(DIGEST_ROWS):
            digest.update(np.ascontiguousarray(chunk.X).tobytes())
            for extra in (chunk.y, chunk.weight):
                digest.update(repr(None if extra is None else extra.tolist()).encode())
        return digest.hexdigest()

    def _learn(self) -> TableEncoder:
        """Learn categories, and whether a CSV target is text, from the files."""
        categories = {name: known for name, known in self.choice.categorical.items() if known}
        unknown = [name for name in self.choice.categorical if name not in categories]
        found: dict[str, set[str]] = {name: set() for name in unknown}
        for start, batches in self._batches(self.groups if unknown else (), unknown):
            for (batch, _), name in product(batches, unknown):
                found[name] |= distinct(batch.column(name))
                refuse_many_categories(found[name], name, start.stored.title)
        learned = {name: as_named(values) for name, values in found.items()}
        text = self.plain.text_target
        if self.groups[0].stored.is_text and self.options.target_type == "auto":
            text = self._is_text_target()
        return replace(self.plain, categories=categories | learned, text_target=text)

    def _is_text_target(self) -> bool:
        """Whether a single CSV target is text, by the first rows that have it."""
        label = self.plain.label
        for _, batches in self._batches(self.groups, [] if label is None else [label]):
            cells: set[str] = set()
            while label is not None and (several := list(islice(batches, PEEK_BATCHES))):
                cells = cells.union(*(distinct(batch.column(0)) for batch, _ in several))
                cells = {cell for cell in cells if cell.lower() not in INFINITE}
                if cells:
                    return is_text(cells, self.options.decimal)
        return False

    @property
    def _layout(self) -> TableEncoder:
        """The encoding as far as it says which columns X has, without reading where possible."""
        known = {name: known for name, known in self.choice.categorical.items() if known}
        if len(known) < len(self.choice.categorical):
            return self.encoding
        return replace(self.plain, categories=known)

    @property
    def _title(self) -> str:
        return self.groups[0].stored.title

    def __repr__(self) -> str:
        parts = [f"{len(self.choice.features)} features"]
        if self.n_rows is not None:
            parts.insert(0, f"{self.n_rows:,} rows")
        if self.choice.targets:
            parts.append(f"target {', '.join(map(repr, self.choice.targets))}")
        return f"<{type(self).__name__} {self._title}: {', '.join(parts)}>"


def open_files(where: Any, options: Options, *, like: bool = False) -> FileSource:
    """Open files or a table, of which only headers and metadata are read.

    Parameters
    ----------
    where : path, folder, pattern, list of paths, pyarrow.Table or Dataset
    options : Options
        What was asked for.
    like : bool, optional
        Whether another source was opened with these options: then the target may lack.

    Returns
    -------
    FileSource

    Raises
    ------
    DataError
        If columns are missing, differ between files, or are of a type that is of no use.
    """
    stored, options = find_stored(where, options, like=like)
    infos = [one.info() for one in stored]
    plain = choose_columns(stored, infos, options, like=like)
    groups = [group for one, info in zip(stored, infos, strict=True) for group in cut(one, info)]
    held = len(plain.choice.used) * max(info.column_bytes for info in infos)
    counted, held = infos[0].lengths is not None, held + stored[0].held_bytes
    return FileSource(options, tuple(groups), counted, plain, None, True, held)


def cut(stored: Stored, info: FileInfo) -> Iterator[RowGroup]:
    """Yield the row groups of a file, one at least."""
    lengths = info.lengths
    if not lengths:
        yield RowGroup(stored, 0, 0, stored.path.stat().st_size if lengths is None else 0)
    row = 0
    for number, length in enumerate(lengths or ()):
        yield RowGroup(*stored.narrow(number), row, length)
        row += length


def empty_block(encoding: TableEncoder) -> Block:
    """Return a block without rows."""
    targets = len(encoding.choice.targets)
    y = np.empty((0, targets) if encoding.choice.many else 0) if targets else None
    weight = None if encoding.choice.weight is None else np.empty(0)
    return Block(np.empty((0, encoding.n_columns), encoding.dtype), y, weight)


def stat_files(paths: Sequence[Path]) -> dict[str, str]:
    """Return number, sizes and times of last change of files, by base name."""
    found = {"number of files": str(len(paths))}
    for path in paths:
        name, number = path.name, 1
        while f"size of {name}" in found:
            number += 1
            name = f"{path.name} ({number})"
        stat = path.stat()
        found[f"size of {name}"] = str(stat.st_size)
        found[f"time of last change of {name}"] = str(stat.st_mtime_ns)
    return found
