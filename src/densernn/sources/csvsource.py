"""Rows of CSV files.

Two readers, one meaning, as in :mod:`densernn.sources.csvtext`: Arrow's reads block by block,
and a block in which it finds a row that cannot be used is read again by Python's ``csv``, cell
by cell, which knows lines and columns.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from densernn.errors import DataError
from densernn.sources import csvblocks
from densernn.sources.categories import as_named
from densernn.sources.choice import Options, name_columns, refuse_many_categories, resolve
from densernn.sources.columns import choose, refuse_other_columns
from densernn.sources.csvblocks import TextBlock, text_blocks
from densernn.sources.csvcells import CellReader, clean, is_word
from densernn.sources.csvtext import INFINITE, UNUSABLE, read_header
from densernn.sources.encoding import Encoding, decode, distinct, slices
from densernn.sources.filesource import FileSource, empty_block, stat_files
from densernn.sources.headers import all_numbers, hint, refuse_data
from densernn.sources.rechunk import Block
from densernn.sources.rows import SHOWN

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CsvFile:
    """One CSV file: its columns, and the lines that its header takes."""

    path: Path
    names: tuple[str, ...]
    skip_lines: int

    def blocks(self, delimiter: str) -> Iterator[TextBlock]:
        """Give the text of its rows; a blank line is one if there is but one column."""
        return text_blocks(self.path, self.skip_lines, delimiter, blank=len(self.names) == 1)


@dataclass(frozen=True, eq=False, repr=False)
class CsvSource(FileSource):
    """Rows of CSV files, plain or gzip.

    Parameters
    ----------
    options, choice, known, whole
        See :class:`densernn.sources.filesource.FileSource`.
    files : tuple of CsvFile
        In order, with the same columns in any order.

    Notes
    -----
    Text around a row that cannot be used, some 64 kB, is read about ten times slower than other
    text.
    """

    files: tuple[CsvFile, ...]

    @property
    def dtype(self) -> type[np.float32 | np.float64]:
        """Float64."""
        return np.float64

    @property
    def n_rows(self) -> int | None:
        """None: only a pass can tell."""
        return None

    @property
    def buffer_bytes(self) -> int:  # type: ignore[override]
        """Memory that reading takes, about; a cell of two bytes makes a number of eight."""
        return super().buffer_bytes + 6 * csvblocks.BLOCK_BYTES

    @property
    def _title(self) -> str:
        return str(self.files[0].path)

    def parts(self, most: int) -> Sequence[FileSource]:
        """Cut between files, so that parts are of about equal size; one file is one part."""
        sizes = np.array([file.path.stat().st_size for file in self.files], dtype=np.int64)
        count = min(most, len(self.files))
        if count < 2:
            return [self]
        part_of = (np.cumsum(sizes) - (sizes + 1) // 2) * count // sizes.sum()
        groups = [
            tuple(file for file, part in zip(self.files, part_of, strict=True) if part == number)
            for number in range(count)
        ]
        known = self.encoding
        return [replace(self, files=g, known=known, whole=False) for g in groups if g]

    def _blocks(self, first: int) -> tuple[int, Iterator[Block]]:
        encoding = self.encoding
        blocks = chain.from_iterable(self._read(file, encoding) for file in self.files)
        # At the end, so that there is one where no file has a row.
        return 0, chain(blocks, [empty_block(encoding)])

    def _read(self, file: CsvFile, encoding: Encoding) -> Iterator[Block]:
        for block in file.blocks(self.options.delimiter):
            yield from self._read_block(block, file, encoding)

    def _read_block(
        self,
        block: TextBlock,
        file: CsvFile,
        encoding: Encoding,
        first: int = 0,
        *,
        divide: bool = True,
    ) -> Generator[Block, None, int]:
        """Give rows from ``first`` on; return how many rows there are, good and bad.

        Where Arrow fails, or there is a bad row, smaller blocks are tried, then single cells.
        """
        label = encoding.label
        text = {*encoding.categories} | (set() if label is None else {label})
        batch = self._fast(block, file, encoding.choice.used, text)
        if batch is not None and not _lacks_label(batch, encoding):
            for _, rows in slices(batch.slice(first), encoding.block_rows):
                decoded = decode(rows, encoding)
                if decoded.bad.any():
                    break
                first += rows.num_rows
                yield Block(decoded.X, decoded.y, decoded.weight)
            else:
                return int(batch.num_rows)
        if not divide:
            return (yield from self._slow(block, file, encoding, first))
        total = 0
        for part in block.cut(self.options.delimiter):
            before = max(0, first - total)
            total += yield from self._read_block(part, file, encoding, before, divide=False)
        return total

    def _fast(
        self, block: TextBlock, file: CsvFile, columns: Iterable[str], text: set[str]
    ) -> pa.RecordBatch | None:
        """Read a block by Arrow; None where it cannot."""
        import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)
        import pyarrow.compute as pc  # noqa: PLC0415
        import pyarrow.csv as arrow_csv  # noqa: PLC0415

        types = {name: pa.string() if name in text else pa.float64() for name in columns}
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(block.text),
                read_options=arrow_csv.ReadOptions(
                    column_names=list(file.names), use_threads=False, block_size=len(block.text) + 1
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.options.delimiter,
                    newlines_in_values=block.quoted,
                    ignore_empty_lines=not block.blank,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    null_values=[],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        for name in text & set(types):
            trimmed = pc.utf8_trim_whitespace(table.column(name))
            table = table.set_column(table.schema.get_field_index(name), name, trimmed)
        batches = table.combine_chunks().to_batches()
        return batches[0] if len(batches) == 1 else None

    def _slow(
        self, block: TextBlock, file: CsvFile, encoding: Encoding, first: int
    ) -> Generator[Block, None, int]:
        """Read a block cell by cell, from some row on; raise at a bad row, or leave out all."""
        delimiter, skip = self.options.delimiter, self.options.skip
        cells = CellReader(block, file.names, encoding, delimiter)
        bad: list[int] = []
        places: list[str] = []
        number = 0
        for number, (line, row) in enumerate(block.rows(delimiter), start=1):
            if number <= first:
                continue
            fault = cells.take(row, line)
            if fault is not None:
                place = f"{file.path}, line {line}{fault}"
                if not skip:
                    raise DataError(place)
                bad.append(len(cells))
                places += [place] if len(places) < SHOWN else []
            if len(cells) == encoding.block_rows:
                yield cells.give(bad, places)
                bad, places = [], []
        yield cells.give(bad, places)
        return number

    def _learn(self) -> Encoding:
        categories = {name: known for name, known in self.choice.categorical.items() if known}
        unknown = [name for name in self.choice.categorical if name not in categories]
        found: dict[str, set[str]] = {name: set() for name in unknown}
        for batch in self._texts(unknown) if unknown else ():
            for name in unknown:
                found[name] |= distinct(batch.column(name))
                refuse_many_categories(found[name], name, self._title)
        learned = {name: as_named(values) for name, values in found.items()}
        return Encoding(
            self.choice,
            categories | learned,
            np.float64,
            self._is_text_target(),
            unusable_labels=UNUSABLE if self.options.words_are_missing else frozenset({""}),
        )

    def _is_text_target(self) -> bool:
        """Whether the single target is text: as said, else as the first rows that have it."""
        if not self.choice.targets or self.choice.many:
            return False
        if self.options.target_type != "auto":
            return self.options.target_type == "text"
        for batch in self._texts([self.choice.targets[0]]):
            cells = [cell for cell in distinct(batch.column(0)) if cell.lower() not in INFINITE]
            if cells:
                return any(is_word(cell) for cell in cells)
        return False

    def _texts(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Give some columns as text, block by block, of rows with the right number of fields."""
        import pyarrow as pa  # noqa: PLC0415

        for file in self.files:
            places = [file.names.index(name) for name in columns]
            for block in file.blocks(self.options.delimiter):
                batch = self._fast(block, file, columns, set(columns))
                if batch is None:
                    rows = [
                        row
                        for _, row in block.rows(self.options.delimiter)
                        if len(row) == len(file.names)
                    ]
                    cells = [[clean(row[j]) for row in rows] for j in places]
                    arrays = [pa.array(column, pa.string()) for column in cells]
                    batch = pa.RecordBatch.from_arrays(arrays, names=columns)
                yield batch

    def _stored(self) -> dict[str, str]:
        return stat_files(tuple(file.path for file in self.files))


def open_csv(
    paths: Sequence[Path], options: Options, *, target_may_lack: bool = False
) -> CsvSource:
    """Look at the headers, and check that all files can be read alike.

    Parameters
    ----------
    paths : sequence of Path
        At least one.
    options : Options
        What was asked for.
    target_may_lack : bool, optional
        Whether files without the target are accepted.

    Returns
    -------
    CsvSource

    Raises
    ------
    DataError
        If columns are missing or differ between files.
    """
    files = []
    for path in paths:
        cells, lines = read_header(path, options.delimiter)
        if options.header:
            refuse_data(path, cells, options)
            files.append(CsvFile(path, cells, lines))
        else:
            names = name_columns(path, len(cells), options, target_may_lack=target_may_lack)
            files.append(CsvFile(path, names, 0))
    try:
        choice = resolve(paths[0], files[0].names, options, target_may_lack=target_may_lack)
    except DataError as error:
        if options.header and all_numbers(files[0].names):
            raise DataError(f"{error}; {hint(files[0].names)}") from error
        raise
    for file in files[1:]:
        refuse_other_columns(str(file.path), file.names, str(paths[0]), files[0].names)
        choose(file.path, file.names, None, choice.features)
    return CsvSource(options, choice, None, True, tuple(files))


def _lacks_label(batch: pa.RecordBatch, encoding: Encoding) -> bool:
    """Whether a target that is text is missing somewhere."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if encoding.label is None or not encoding.text_target:
        return False
    lower = pc.utf8_lower(batch.column(encoding.label))
    unusable = pa.array(sorted(encoding.unusable_labels), pa.string())
    return bool(pc.any(pc.is_in(lower, value_set=unusable)).as_py())
