"""Stored rows: the interface that every file format implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from densernn.errors import DataError

GROUP_ROWS = 1 << 16
"""Rows of a row group of what has no row groups of its own."""

Malformed = tuple[int, str]
"""A row that could not be cut into fields: good rows of the batch before it, and the reason."""

Batches: TypeAlias = "Generator[tuple[pa.RecordBatch, Sequence[Malformed]], None, None]"


@dataclass(frozen=True)
class FileInfo:
    """What is known of a file before its rows are read.

    Parameters
    ----------
    schema : pyarrow.Schema
        Names and types of its columns.
    lengths : tuple of int, or None
        Rows of each row group, the stretches that can be reached without reading what stands
        before them; None where they are only known after a pass.
    column_bytes : int
        Memory that is held of a column while batches of it are made, about.
    index : tuple of str, or None
        Columns that are no features unless asked for; by default the index that pandas noted.
    target : str or None
        The column that is the target where none is asked for.
    """

    schema: pa.Schema
    lengths: tuple[int, ...] | None
    column_bytes: int = 0
    index: tuple[str, ...] | None = None
    target: str | None = None

    @property
    def unasked(self) -> Sequence[Any]:
        """Columns that are no features unless asked for."""
        noted: dict[str, Any] = {}
        with suppress(ValueError):  # of what another program has written there
            noted = self.schema.pandas_metadata or {}
        return noted.get("index_columns", ()) if self.index is None else self.index


class Stored(ABC):
    """Rows in one file, or in memory."""

    path: Path
    is_text = False
    """Whether columns are binary cells of text, to be parsed, else typed values."""
    held_bytes = 0
    """Memory that reading takes beside what is held of columns."""

    @property
    def title(self) -> str:
        """What messages call it."""
        return str(self.path)

    @abstractmethod
    def info(self) -> FileInfo:
        """Return what is in it, without reading rows where possible."""

    @abstractmethod
    def batches(self, groups: range, columns: Sequence[str], n_rows: int) -> Batches:
        """Yield some columns of the rows of consecutive row groups, ``n_rows`` at most at a time.

        With each batch come the rows that stood in it, or right before it, and were malformed.
        """

    def narrow(self, group: int) -> tuple[Stored, int]:
        """Return what has a row group, and its number there."""
        return self, group

    @contextmanager
    def places(self) -> Iterator[Callable[[int], str]]:
        """Yield what names the places of rows, by numbers from 0 in increasing order."""
        yield lambda row: f"{self.title}, row {row + 1}"


@dataclass(frozen=True)
class WrappedRows(Stored):
    """Rows of a file, seen in another way.

    Parameters
    ----------
    stored : Stored
        The file.
    """

    stored: Stored

    def __post_init__(self) -> None:
        for name in ("path", "is_text", "held_bytes", "places"):
            object.__setattr__(self, name, getattr(self.stored, name))


def equal_groups(n_rows: int) -> tuple[int, ...]:
    """Return the lengths of row groups of equal size."""
    return tuple(min(GROUP_ROWS, n_rows - start) for start in range(0, n_rows, GROUP_ROWS))


@contextmanager
def format_errors(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a reader raises on a damaged file into a :class:`DataError` that names it."""
    try:
        yield
    except DataError:
        raise
    # Not only what the libraries document: on damaged headers they raise what they stumble on.
    except Exception as error:
        raise DataError(f"{path}: not a readable {kind} file ({error})") from error
