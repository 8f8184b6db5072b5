"""Encoded source: rows of any source with numbers in the place of categories."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from densernn.category_encoder import CategoryEncoder
from densernn.errors import UnknownCategoryWarning, user_level
from densernn.sources.encoding import TableEncoder
from densernn.sources.filesource import FileSource
from densernn.sources.rows import Chunk, RowSource
from densernn.sources.selection import DerivedSource, passed_on


@dataclass(eq=False)
class EncodedSource(DerivedSource):
    """Rows of a source, encoded chunk by chunk.

    Parameters
    ----------
    source : RowSource
    encoder : CategoryEncoder
    """

    source: RowSource
    encoder: CategoryEncoder
    n_columns = passed_on("encoder.n_outputs")
    n_rows = passed_on("source.n_rows")
    is_distributed = passed_on("source.is_distributed")
    feature_names = None  # those of the source are names of features before

    def _chunks(self, n_rows: int, first: int) -> Iterator[Chunk]:
        counts: dict[int, int] = {}
        for chunk in self.source.chunks(n_rows, first):
            for j, count in self.encoder.unknown(chunk.X).items():
                counts[j] = counts.get(j, 0) + count
            yield replace(chunk, X=self.encoder.forward(chunk.X))
        warn_of_unknown(counts, self.source.feature_names)

    def parts(self, most: int) -> list[EncodedSource]:
        """Cut into at most so many sources."""
        return [EncodedSource(part, self.encoder) for part in self.source.parts(most)]

    def identity(self) -> dict[str, str]:
        """Return the source's identity: the encoder is learned from these rows."""
        return self.source.identity()


def warn_of_unknown(counts: dict[int, int], names: Sequence[str] | None) -> None:
    """Warn of categories that training did not know, if there were any."""
    if not counts:
        return
    shown = [f"{j if names is None else names[j]!r} ({n} rows)" for j, n in counts.items()]
    warnings.warn(
        f"categories that were not there in training count as rare ones: in column "
        f"{', '.join(shown[:5])}{', ...' if len(shown) > 5 else ''}",
        UnknownCategoryWarning,
        stacklevel=user_level(),
    )


def coded(source: RowSource, known: TableEncoder | None = None) -> RowSource:
    """Return the rows of a source as models take them, with a column for each feature.

    Sources that are not of files or tables have numbers alone, and stay as they are.

    Parameters
    ----------
    source : RowSource
    known : TableEncoder, optional
        Of other rows, whose features these are to have, by name.
    """
    if isinstance(source, FileSource):
        return source.coded(known)
    if isinstance(source, DerivedSource):
        derived: Any = replace(source, source=coded(source.source, known))  # type: ignore[type-var]
        return cast("RowSource", derived)
    return source


def encoded(source: RowSource, encoder: Any) -> RowSource:
    """Return the rows of a source with numbers in the place of categories, if there are any."""
    return source if encoder is None else EncodedSource(source, encoder)
