"""File source: rows of files and Arrow tables, whatever their format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, product
from typing import Any

import numpy as np

from densernn.errors import DataError
from densernn.sources.badrows import drop_bad_rows
from densernn.sources.categories import Vocabulary
from densernn.sources.choice import Options, names_by_place, refuse_many_categories
from densernn.sources.encoding import BLOCK_BYTES, TableEncoder, count_texts, decode
from densernn.sources.formats.base import Batches, Stored
from densernn.sources.formats.find import find_stored
from densernn.sources.formats.named import NamedRows
from densernn.sources.numerals import (
    INFINITE,
    MISSING,
    is_text,
    refuse_strange_numbers,
    share_of_text,
)
from densernn.sources.readahead import read_ahead
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import DIGEST_ROWS, Chunk, digests
from densernn.sources.schemas import choose_columns, refuse_text
from densernn.sources.selection import Selectable, passed_on

READ_AHEAD = 2
"""Blocks that wait or are being read while the consumer computes."""
PEEK_BATCHES = 4
"""Batches by which CSV columns are taken for text or numbers, more where values are missing."""
FEW = 0.05
"""Share of a feature's values, or of its different ones, up to which texts are mistakes."""


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
        Its rows, or bytes where their number is only known after a pass.
    """

    stored: Stored
    number: int
    row: int
    size: int


@dataclass(eq=False, repr=False)
class FileSource(Selectable):
    """Rows of files, which are opened for each pass and read ahead in a thread.

    Holds no open file and no thread between passes, so it can be pickled and sent elsewhere.

    Parameters
    ----------
    options : Options
        What was asked for.
    groups : tuple of RowGroup
        Where the rows are.
    plain : TableEncoder
        Which columns are used, and their dtypes, with no categories but those that were given.
    held_bytes : int
        Memory that reading takes beside the blocks.
    known : TableEncoder, optional
        What is to become of the columns, where that was learned already.
    whole : bool, default=True
        Whether these are all rows, and no part, which may be empty.
    """

    options: Options
    groups: tuple[RowGroup, ...]
    plain: TableEncoder
    held_bytes: int
    known: TableEncoder | None = None
    whole: bool = True
    n_columns = passed_on("_layout.n_columns")
    feature_names = passed_on("_layout.feature_names")

    def __post_init__(self) -> None:
        self.choice = choice = self.plain.choice
        stored = self.groups[0].stored
        self.title, self.is_text = stored.title, stored.is_text
        self.n_rows = None
        if not (self.is_text or self.options.skip):
            self.n_rows = sum(group.size for group in self.groups)
        self.n_targets = len(choice.targets) * choice.many if choice.targets else None
        self.weighted = choice.weight is not None

    @cached_property
    def encoding(self) -> TableEncoder:
        """What becomes of the columns; learned when it is first needed, by reading the files."""
        return self.known or self._learn()

    @property
    def _layout(self) -> TableEncoder:
        """What says which columns X has, without reading where that can be said."""
        plain = self.plain
        learns = plain.one_hot and (plain.unlearned or self.is_text)
        return self.encoding if learns else plain

    @property
    def _refuses_text(self) -> bool:
        """Whether there is text that nobody said is a category, which chunks do not hold."""
        return self.plain.one_hot and bool({*self.plain.unlearned} - self.choice.categorical.keys())

    @property
    def buffer_bytes(self) -> int:  # type: ignore[override]
        """Memory that reading takes, about: the blocks that are read ahead, and one given."""
        blocks = (READ_AHEAD + 2) * max(BLOCK_BYTES, self._layout.row_bytes)
        return blocks + self.held_bytes

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        begin = skipped = 0
        if self.n_rows is not None:  # else which row is which is only known when they are read
            while skipped < len(self.groups) and begin + self.groups[skipped].size <= first:
                begin += self.groups[skipped].size
                skipped += 1
        with closing(read_ahead(self._blocks(self.groups[skipped:]), READ_AHEAD)) as ahead:
            for chunk in rechunk(ahead, n_rows, skip=first - begin, start=first):
                lost = chunk.skipped
                if not len(chunk.X) and self.whole and not begin:
                    seen = f" that can be used; {lost.count} were skipped" if lost.count else ""
                    raise DataError("; ".join([f"{self.title}: no rows{seen}", *lost.places[:1]]))
                if len(chunk.X) or lost.count:
                    yield chunk

    def _blocks(self, groups: Sequence[RowGroup]) -> Iterator[Block]:
        encoding, skip = self.encoding, self.options.skip
        for start, batches in self._batches(groups, encoding.choice.used, encoding.block_rows):
            row = start.row
            with start.stored.places() as place, closing(batches):
                for batch, malformed in batches:
                    decoded = decode(batch, encoding)
                    yield drop_bad_rows(batch, decoded, malformed, encoding, place, row, skip=skip)
                    row += batch.num_rows + len(malformed)
        yield Block(np.empty((0, encoding.n_columns), encoding.dtype))  # if no file has a row

    @staticmethod
    def _batches(
        groups: Sequence[RowGroup], columns: Sequence[str], n_rows: int = 1 << 16
    ) -> Iterator[tuple[RowGroup, Batches]]:
        """Yield for each file its first row group and the batches of all."""
        for several in by_file(group for group in groups if group.size):
            numbers = range(several[0].number, several[-1].number + 1)
            yield several[0], several[0].stored.batches(numbers, columns, n_rows)

    def parts(self, most: int) -> Sequence[FileSource]:
        """Cut between files and row groups, so that parts are of about equal size."""
        groups = [group for group in self.groups if group.size]
        total = sum(group.size for group in groups)
        count = min(most, len(groups))
        if count < 2:
            return [self]
        parts: list[list[RowGroup]] = [[] for _ in range(count)]
        before = 0
        for group in groups:  # to the part in which its middle is
            parts[(before + group.size // 2) * count // total].append(group)
            before += group.size
        known = None if self._refuses_text else self.encoding
        return [
            replace(self, groups=tuple(part), known=known, whole=False) for part in parts if part
        ]

    def open_same(self, where: Any) -> FileSource:
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
        options, choice = self.options, self.choice
        encoding = self.plain if self._refuses_text else self.encoding
        first: Any = self.groups[0].stored
        first = getattr(first, "stored", first)  # without the columns of folders
        kind = options.target_type
        if kind == "auto" and encoding.label is not None:
            kind = "text" if encoding.text_target else "number"
        asked = replace(
            options,
            targets=choice.targets or None,
            columns=choice.features,
            weight=choice.weight,
            categorical=(),
            names=None if options.header else first.names,
            target_type=kind,
        )
        known = None if self._refuses_text else encoding
        return open_files(where, asked, like=True, known=known)

    def coded(self, known: TableEncoder | None = None) -> FileSource:
        """Return the same rows as models take them; see :class:`TableEncoder`.

        Parameters
        ----------
        known : TableEncoder, optional
            Of other rows, whose features these are to have, by name.
        """
        if known is None and not self.plain.one_hot:
            return self
        if known is not None and not self.options.header and self.options.names is None:
            return self._named_like(known).coded(known)
        choice = self.choice
        options = replace(
            self.options,
            targets=choice.targets or None,
            columns=self.options.columns if known is None else known.choice.features,
            weight=choice.weight,
            categorical=tuple(choice.categorical.items()) if known is None else (),
        )
        stored = [groups[0].stored for groups in by_file(self.groups)]
        infos = [one.info() for one in stored]
        plain = choose_columns(stored, infos, options, known, like=True, one_hot=False)
        if self.plain.label is not None and self.is_text:
            plain = replace(plain, text_target=self._label_is_text())
        own = None if known is None else plain
        return replace(self, options=options, plain=plain, known=own)

    def _named_like(self, known: TableEncoder) -> FileSource:
        """Return the rows of files without names, named by place as those of another source."""
        all_asked = self.options.columns is None
        names = names_by_place(self.title, self.choice, known.choice, all_asked=all_asked)
        named = {id(group.stored): NamedRows(group.stored, names) for group in self.groups}
        return replace(
            self,
            options=replace(self.options, header=True, columns=None, drop=()),
            groups=tuple(replace(group, stored=named[id(group.stored)]) for group in self.groups),
            plain=replace(self.plain, choice=self.choice.renamed(names)),
        )

    def identity(self) -> dict[str, str]:
        """Return names, sizes and times of last change of the files, and what is read of them.

        Costs no pass over the rows, unless categories have to be learned first; of a table in
        memory, a digest of the values.
        """
        choice, options = self.choice, self.options
        skip = "skipped" if options.skip else "refused"
        found = {
            "columns": ", ".join(self.feature_names),
            "target": ", ".join(choice.targets) + (" (list)" if choice.many else ""),
            "weight": choice.weight or "",
            "categorical": "" if self.plain.one_hot else str(choice.categorical),
            "options": f"{options.written}, bad rows {skip}, target type {options.target_type}",
        }
        if not hasattr(self.groups[0].stored, "path"):
            return found | digests(chunk.arrays for chunk in self.chunks(DIGEST_ROWS))
        for number, groups in enumerate(by_file(self.groups), 1):
            path, first, last = groups[0].stored.path, groups[0].number, groups[-1].number
            stat = path.stat()
            found[f"file {number}"] = (
                f"{path.name}, row groups {first} to {last}, {stat.st_size} bytes, last changed at "
                f"{stat.st_mtime_ns} ns"
            )
        return found

    def _learn(self) -> TableEncoder:
        """Learn categories, and what is text in CSV files, from the files."""
        plain = self.plain
        said = self.choice.categorical.keys()
        unknown = list(plain.unlearned)
        if plain.one_hot:
            refuse_text(self.title, set(unknown) - said)
        elif self.is_text:
            unknown += self._text_features()
        found = {name: Vocabulary() for name in unknown}
        for _, batches in self._batches(self.groups if unknown else (), unknown):
            for (batch, _), name in product(batches, unknown):
                found[name].add(count_texts(batch.column(name), plain.missing_words))
        learned = {name: vocabulary.known() for name, vocabulary in found.items()}
        for name, known in learned.items():
            if plain.one_hot:
                refuse_many_categories(known, name, self.title)
            elif name not in said:
                place = f"{self.title}, column {name!r}"
                refuse_strange_numbers(place, known, self.options.decimal)
        return replace(
            plain,
            categories=plain.categories | learned,
            unlearned=(),
            text_target=self._label_is_text(),
        )

    def _text_features(self) -> list[str]:
        """Return the features of CSV files that are text, by their first values."""
        names = [name for name in self.choice.features if name not in self.choice.categorical]
        cells: dict[str, Counter[str]] = {name: Counter() for name in names}
        words = self.plain.missing_words
        for _, batches in self._batches(self.groups if names else (), names):
            for number, (batch, _) in enumerate(batches, 1):
                for name in names:
                    # A column that lacks its first values does not make others be held.
                    if number <= PEEK_BATCHES or not cells[name]:
                        cells[name].update(dict(count_texts(batch.column(name), words)))
                if all(cells.values()) and not number % PEEK_BATCHES:
                    break
            if all(cells.values()):
                break
        decimal = self.options.decimal
        return [name for name, some in cells.items() if share_of_text(some, decimal) > FEW]

    def _label_is_text(self) -> bool:
        """Whether a single target is text; of CSV files by the first rows that have it."""
        label = self.plain.label
        if label is None or self.options.target_type != "auto" or not self.is_text:
            return self.plain.text_target
        for _, batches in self._batches(self.groups, [label]):
            cells: set[str] = set()
            for number, (batch, _) in enumerate(batches, 1):
                texts = dict(count_texts(batch.column(0), MISSING))
                cells |= {c for c in texts if c.lower() not in INFINITE}
                if cells and not number % PEEK_BATCHES:
                    break
            if cells:
                return is_text(cells, self.options.decimal)
        return False

    def __repr__(self) -> str:
        rows = "" if self.n_rows is None else f"{self.n_rows:,} rows, "
        targets = ", ".join(map(repr, self.choice.targets))
        target = f", target {targets}" if targets else ""
        return f"<FileSource {self.title}: {rows}{len(self.choice.features)} features{target}>"


def by_file(groups: Iterable[RowGroup]) -> list[list[RowGroup]]:
    """Return row groups file by file."""
    return [list(some) for _, some in groupby(groups, key=lambda group: id(group.stored))]


def open_files(
    where: Any, options: Options, *, like: bool = False, known: TableEncoder | None = None
) -> FileSource:
    """Open files or a table, of which only headers and metadata are read.

    Parameters
    ----------
    where : path, folder, pattern, list of paths, pyarrow.Table or Dataset
    options : Options
        What was asked for.
    like : bool, optional
        Whether another source was opened with these options: then the target may lack.
    known : TableEncoder, optional
        What becomes of the features, where that was learned from other rows.

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
    plain = choose_columns(stored, infos, options, known, like=like)
    groups, held = [], 0
    for one, info in zip(stored, infos, strict=True):
        held = max(held, info.column_bytes)
        row = 0
        for number, length in enumerate(info.lengths or ()):
            groups.append(RowGroup(*one.narrow(number), row, length))
            row += length
        if not info.lengths:  # one group at least
            groups.append(RowGroup(one, 0, 0, one.path.stat().st_size if one.is_text else 0))
    held = len(plain.choice.used) * held + stored[0].held_bytes
    done = None if known is None else plain
    return FileSource(options, tuple(groups), plain, held, done)
