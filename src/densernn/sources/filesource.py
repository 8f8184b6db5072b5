"""What sources of rows from files have in common, however the files are written."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from densernn.errors import DataError
from densernn.sources.choice import Choice, Options
from densernn.sources.encoding import BLOCK_BYTES, Encoding
from densernn.sources.readahead import read_ahead
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Chunk
from densernn.sources.selection import Selectable, check_chunk

READ_AHEAD = 2
"""Blocks that wait or are being read while the consumer computes."""


@dataclass(frozen=True, eq=False, repr=False)
class FileSource(Selectable):
    """Rows of files, which are opened for each pass and read ahead in a thread.

    Holds no open file and no thread between passes, so it can be pickled and sent elsewhere.

    Parameters
    ----------
    options : Options
        What was asked for.
    choice : Choice
        The columns that are used.
    known : Encoding or None
        What is to become of them, where that was learned already.
    whole : bool
        Whether these are all rows, and no part, which may be empty.
    """

    options: Options
    choice: Choice
    known: Encoding | None
    whole: bool

    @cached_property
    def encoding(self) -> Encoding:
        """What becomes of the columns; learned when it is first needed, by reading the files."""
        return self.known or self._learn()

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
        return (READ_AHEAD + 2) * max(BLOCK_BYTES, self._layout.row_bytes)

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Give the rows in order, ``n_rows`` at a time, read ahead by a thread.

        Parameters
        ----------
        n_rows : int
            Rows of every chunk but the last.
        first : int, optional
            Number of the first row to give.

        Yields
        ------
        Chunk
            Of a part all of whose rows were passed over: one chunk without rows that tells so.

        Raises
        ------
        DataError
            If there are no rows, a file is damaged, or a row cannot be used and is not to be
            passed over. The text names the file and the place.
        """
        check_chunk(n_rows, first)
        return self._chunks(n_rows, first)

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        begin, blocks = self._blocks(first)
        with closing(read_ahead(blocks, READ_AHEAD)) as ahead:
            for chunk in rechunk(ahead, n_rows, skip=first - begin, start=first):
                if not len(chunk.X) and self.whole:
                    lost = chunk.skipped
                    seen = f" that can be used; {lost.count} were passed over" if lost.count else ""
                    raise DataError(
                        f"{self._title}: no rows{seen}" + "".join(f"; {p}" for p in lost.places[:1])
                    )
                if len(chunk.X) or chunk.skipped.count:
                    yield chunk

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
        from densernn.sources.open import open_like  # noqa: PLC0415  (it opens what this is)

        return open_like(where, self.options, self.choice, self.encoding)

    def identity(self) -> dict[str, str]:
        """Return names, sizes and times of last change of the files, and what is read of them.

        Costs no pass over the rows, unless categories have to be learned first.
        """
        choice, options = self.choice, self.options
        asked = {
            "columns": ", ".join(self.feature_names),
            "target": ", ".join(choice.targets) + (" (list)" if choice.many else ""),
            "weight": choice.weight or "",
            "options": f"delimiter {options.delimiter!r}, bad rows "
            f"{'skipped' if options.skip else 'refused'}, target type {options.target_type}",
        }
        return self._stored() | asked

    @property
    def _layout(self) -> Encoding:
        """The encoding as far as it says which columns X has, without reading where possible."""
        known = {name: known for name, known in self.choice.categorical.items() if known}
        if len(known) < len(self.choice.categorical):
            return self.encoding
        return Encoding(self.choice, known, self.dtype)

    def __repr__(self) -> str:
        choice = self.choice
        parts = [f"{len(choice.features)} features"]
        if self.n_rows is not None:
            parts.insert(0, f"{self.n_rows:,} rows")
        if choice.targets:
            parts.append(f"target {', '.join(map(repr, choice.targets))}")
        return f"<{type(self).__name__} {self._title}: {', '.join(parts)}>"

    @property
    @abstractmethod
    def dtype(self) -> type[np.float32 | np.float64]:
        """Dtype of X."""

    @property
    @abstractmethod
    def _title(self) -> str:
        """What messages call the source as a whole."""

    @abstractmethod
    def _learn(self) -> Encoding:
        """Learn categories and kind of target from the files."""

    @abstractmethod
    def _blocks(self, first: int) -> tuple[int, Iterator[Block]]:
        """Return blocks of rows, at least one, and the number of their first row, if not 0."""

    @abstractmethod
    def _stored(self) -> dict[str, str]:
        """Tell what identifies the stored rows."""


def empty_block(encoding: Encoding) -> Block:
    """Return a block without rows."""
    targets = len(encoding.choice.targets)
    y = np.empty((0, targets) if encoding.choice.many else 0) if targets else None
    weight = None if encoding.choice.weight is None else np.empty(0)
    return Block(np.empty((0, encoding.n_columns), encoding.dtype), y, weight)


def stat_files(paths: tuple[Path, ...]) -> dict[str, str]:
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
