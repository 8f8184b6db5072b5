"""Rows of Parquet, Feather and NPY files and of Arrow tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from densernn.errors import DataError
from densernn.sources.categories import as_named
from densernn.sources.choice import Choice, Options, refuse_many_categories, resolve
from densernn.sources.columns import float_for, refuse_other_columns
from densernn.sources.encoding import Encoding, as_text, decode, distinct, slices
from densernn.sources.faults import fault_of_category, fault_of_weight, sift
from densernn.sources.filesource import FileSource, empty_block, stat_files
from densernn.sources.rechunk import Block
from densernn.sources.stored import Stored

if TYPE_CHECKING:
    import pyarrow as pa

DIGEST_ROWS = 8192


@dataclass(frozen=True)
class Piece:
    """Consecutive units of what is stored in one place.

    Parameters
    ----------
    stored : Stored
    first : int
        Number of the first unit.
    row : int
        Number of its first row.
    lengths : tuple of int
        Rows of each unit.
    """

    stored: Stored
    first: int
    row: int
    lengths: tuple[int, ...]

    @property
    def units(self) -> range:
        """Numbers of the units."""
        return range(self.first, self.first + len(self.lengths))

    def cut(self, start: int, stop: int) -> Piece:
        """Return some of the units, counted from the first one of these."""
        units = self.units[start:stop]
        row = self.row + sum(self.lengths[:start])
        return Piece(*self.stored.narrow(units), row, self.lengths[start:stop])


@dataclass(frozen=True, eq=False, repr=False)
class ArrowSource(FileSource):
    """Rows that are stored as Arrow's batches or can be read as such.

    Parameters
    ----------
    options, choice, known, whole
        See :class:`densernn.sources.filesource.FileSource`.
    pieces : tuple of Piece
        Where the rows are.
    plain : Encoding
        Dtypes, without the categories.
    held : int
        Memory that decoding takes beside the blocks.
    """

    pieces: tuple[Piece, ...]
    plain: Encoding
    held: int

    @property
    def dtype(self) -> type[np.float32 | np.float64]:
        """Float32 if no feature of any file loses by it, else float64."""
        return self.plain.dtype

    @property
    def n_rows(self) -> int | None:
        """Rows there are, of the metadata; None if rows may be passed over."""
        return None if self.options.skip else self._stored_rows

    @property
    def buffer_bytes(self) -> int:  # type: ignore[override]
        """Memory that reading takes, about."""
        return super().buffer_bytes + self.held

    @property
    def _stored_rows(self) -> int:
        return sum(sum(piece.lengths) for piece in self.pieces)

    @property
    def _title(self) -> str:
        return self.pieces[0].stored.title

    def parts(self, most: int) -> Sequence[FileSource]:
        """Cut between row groups, or record batches, so that parts are of about equal length."""
        units = [
            (p, u)
            for p, piece in enumerate(self.pieces)
            for u, length in enumerate(piece.lengths)
            if length
        ]
        lengths = np.array([self.pieces[p].lengths[u] for p, u in units], dtype=np.int64)
        total, count = int(lengths.sum()), min(most, len(units))
        if count < 2:
            return [self]
        middle = np.cumsum(lengths) - (lengths + 1) // 2
        part_of = np.minimum(middle * count // total, count - 1).tolist()
        known = self.encoding
        parts = []
        for _, group in groupby(zip(part_of, units, strict=True), key=lambda item: item[0]):
            pieces = []
            for p, several in groupby((unit for _, unit in group), key=lambda unit: unit[0]):
                numbers = [u for _, u in several]
                pieces.append(self.pieces[p].cut(numbers[0], numbers[-1] + 1))
            parts.append(replace(self, pieces=tuple(pieces), known=known, whole=False))
        return parts

    def _blocks(self, first: int) -> tuple[int, Iterator[Block]]:
        if self.options.skip:  # which rows count is only known when they are read
            return 0, self._read(self.pieces)
        begin, pieces = 0, []
        for piece in self.pieces:
            unread = 0
            while unread < len(piece.lengths) and begin + piece.lengths[unread] <= first:
                begin += piece.lengths[unread]
                unread += 1
            pieces.append(piece.cut(unread, len(piece.lengths)))
            if unread < len(piece.lengths):
                # Later pieces cannot be left out, even if this one's remaining units are short.
                pieces += self.pieces[len(pieces) :]
                break
        return begin, self._read(pieces, begun=begin > 0)

    def _read(self, pieces: Sequence[Piece], *, begun: bool = False) -> Iterator[Block]:
        encoding, options = self.encoding, self.options
        for piece in pieces:
            row = piece.row
            for batch in self._batches(piece, encoding.choice.used, encoding.block_rows):
                for start, rows in slices(batch, encoding.block_rows):
                    place = _Places(piece.stored.title, row + start, rows, encoding)
                    yield sift(decode(rows, encoding), place, skip=options.skip)
                row += batch.num_rows
        if not begun and not any(sum(piece.lengths) for piece in pieces):
            yield empty_block(encoding)

    @staticmethod
    def _batches(piece: Piece, columns: Sequence[str], n_rows: int) -> Iterator[pa.RecordBatch]:
        if sum(piece.lengths):
            yield from piece.stored.batches(piece.units, columns, n_rows)

    def _learn(self) -> Encoding:
        categories = {name: known for name, known in self.choice.categorical.items() if known}
        unknown = [name for name in self.choice.categorical if name not in categories]
        found: dict[str, set[str]] = {name: set() for name in unknown}
        for piece in self.pieces if unknown else ():
            for batch in self._batches(piece, unknown, 1 << 16):
                for name in unknown:
                    found[name] |= distinct(batch.column(name))
                    refuse_many_categories(found[name], name, piece.stored.title)
        learned = {name: as_named(values) for name, values in found.items()}
        return replace(self.plain, categories=categories | learned)

    def _stored(self) -> dict[str, str]:
        paths = [getattr(piece.stored, "path", None) for piece in self.pieces]
        if None in paths:
            return {"number of rows": str(self._stored_rows), "values": self._digest()}
        units = "; ".join(
            f"{Path(piece.stored.title).name} {piece.first} to {piece.first + len(piece.lengths)}"
            for piece in self.pieces
        )
        found = stat_files(tuple(path for path in paths if path is not None))
        return found | {"row groups or batches": units}

    def _digest(self) -> str:
        digest = hashlib.blake2b(digest_size=8)
        for chunk in self.chunks(DIGEST_ROWS):
            digest.update(np.ascontiguousarray(chunk.X).tobytes())
            for extra in (chunk.y, chunk.weight):
                digest.update(repr(None if extra is None else extra.tolist()).encode())
        return digest.hexdigest()


def open_arrow(
    stored: Sequence[Stored],
    options: Options,
    *,
    target_may_lack: bool = False,
) -> ArrowSource:
    """Look at schemas and metadata, and check that all files can be read alike.

    Parameters
    ----------
    stored : sequence of Stored
        At least one.
    options : Options
        What was asked for.
    target_may_lack : bool, optional
        Whether files without the target are accepted.

    Returns
    -------
    ArrowSource

    Raises
    ------
    DataError
        If columns are missing, differ between files, or are of a type that is of no use.
    """
    surveys = [one.survey() for one in stored]
    schemas = [survey.schema for survey in surveys]
    names = tuple(schemas[0].names)
    choice = resolve(stored[0].title, names, options, target_may_lack=target_may_lack)
    for one, schema in zip(stored, schemas, strict=True):
        refuse_other_columns(one.title, tuple(schema.names), stored[0].title, names)
        _refuse_types(one.title, schema, choice)
    kinds = [
        schema.field(name).type.to_pandas_dtype()
        for schema in schemas
        for name in choice.features
        if name not in choice.categorical
    ]
    plain = Encoding(
        choice, {}, float_for(kinds), *_target_type(stored, schemas, choice, options.target_type)
    )
    pieces = tuple(
        Piece(one, 0, 0, survey.lengths) for one, survey in zip(stored, surveys, strict=True)
    )
    held = len(choice.used) * max(survey.column_bytes for survey in surveys)
    return ArrowSource(options, choice, None, True, pieces, plain, held)


@dataclass(frozen=True, eq=False)
class _Places:
    """Says where a row of a batch stands and what is wrong with it."""

    title: str
    row: int
    batch: pa.RecordBatch
    encoding: Encoding

    def __call__(self, i: int) -> str:
        return f"{self.title}, row {self.row + i + 1}, {self._fault(i)}"

    def _fault(self, i: int) -> str | None:
        choice, categories = self.encoding.choice, self.encoding.categories
        for name in choice.features:
            cell = self.batch.column(name)[i]
            if name in categories:
                text = as_text(self.batch.column(name).slice(i, 1))[0].as_py()
                fault = fault_of_category(text, categories[name], name)
            else:
                fault = _fault_of_number(cell.as_py(), name)
            if fault:
                return fault
        for name in choice.targets:
            cell = self.batch.column(name)[i].as_py()
            if cell is None or (isinstance(cell, float) and not np.isfinite(cell)):
                lack = cell is None or np.isnan(cell)
                return f"column {name!r}: the target is {'missing' if lack else cell}: drop the row"
        assert choice.weight is not None
        weight = self.batch.column(choice.weight)[i].as_py()
        return fault_of_weight(weight, choice.weight, weight)


def _fault_of_number(cell: Any, name: str) -> str | None:
    if cell is not None and np.isfinite(cell):
        return None
    what = "missing value" if cell is None or np.isnan(cell) else f"{cell} is not finite"
    return f"column {name!r}: {what}: impute it, or drop the row or the column"


def _refuse_types(title: str, schema: pa.Schema, choice: Choice) -> None:
    """Raise a :class:`DataError` on columns of types that are of no use, before any is read."""
    weight = () if choice.weight is None else (choice.weight,)
    for name in (*choice.features, *weight, *(choice.targets if choice.many else ())):
        kind = schema.field(name).type
        if is_number(kind):
            continue
        value = _value_type(kind)
        if name in choice.categorical and (_is_text(value) or is_number(value)):
            continue
        todo = "turn it into numbers or drop it"
        if name in choice.features:
            todo = f"one-hot encode it (open_rows(..., categorical=[{name!r}]) does so), {todo}"
        raise DataError(f"{title}, column {name!r}: holds {kind}, not numbers; {todo}")


def _value_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    from pyarrow import types  # noqa: PLC0415

    return kind.value_type if types.is_dictionary(kind) else kind


def is_number(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of numbers or bools."""
    from pyarrow import types  # noqa: PLC0415

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _is_text(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of text."""
    from pyarrow import types  # noqa: PLC0415

    view = getattr(types, "is_string_view", None)  # not in the oldest Arrow that is supported
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or (view is not None and view(kind))
    )


def _target_type(
    stored: Sequence[Stored], schemas: Sequence[pa.Schema], choice: Choice, wanted: str
) -> tuple[bool, np.dtype[Any] | None]:
    """Return whether the target is text, and else the dtype that holds those of all files."""
    if choice.many or not choice.targets:
        return False, None
    name = choice.targets[0]
    kinds = [_value_type(schema.field(name).type) for schema in schemas]
    for one, kind in zip(stored, kinds, strict=True):
        if not (is_number(kind) or _is_text(kind)):
            raise DataError(
                f"{one.title}: the target {name!r} must hold numbers or text, found {kind}"
            )
        if wanted == "number" and not is_number(kind):
            raise DataError(f"{one.title}: the target {name!r} must hold numbers, found {kind}")
        if wanted == "auto" and is_number(kind) != is_number(kinds[0]):
            raise DataError(
                f"{one.title}: the target {name!r} holds {kind}, in {stored[0].title} {kinds[0]}; "
                "all files must have numbers or all text"
            )
    if wanted == "text" or not is_number(kinds[0]):
        return True, None
    return False, np.result_type(*(np.dtype(kind.to_pandas_dtype()) for kind in kinds))
