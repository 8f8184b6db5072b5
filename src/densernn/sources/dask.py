"""Source of the rows of Dask arrays and data frames, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.delayed import Delayed
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.categories import Vocabulary
from densernn.sources.choice import Options
from densernn.sources.encoding import TableEncoder, count_texts
from densernn.sources.filesource import open_files
from densernn.sources.frames import as_table, encode_table
from densernn.sources.numerals import MISSING
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Arrays, Chunk, RowSource


@dataclass(eq=False)
class CollectionSource(RowSource):
    """Rows in blocks that Dask computes when they are needed and releases afterwards.

    Parameters
    ----------
    blocks : tuple of (X, y, weight)
        Each a Dask Delayed of an array or data frame; y and weight None where there are none.
    numbers : sequence of int
        Indices of the blocks in the whole collection, for messages.
    token : str
        Dask's name for what is computed.
    encoding : TableEncoder, optional
        Of data frames that hold more than numbers.
    n_columns, n_targets, feature_names
        See :class:`densernn.sources.rows.RowSource`.
    """

    blocks: tuple[tuple[Any, Any, Any], ...]
    numbers: Sequence[int]
    token: str
    n_columns: int
    encoding: TableEncoder | None = None
    n_targets: int | None = None
    feature_names: tuple[str, ...] | None = None
    n_rows = None  # only a pass can tell
    is_distributed = True

    def __post_init__(self) -> None:
        self.weighted = self.blocks[0][2] is not None

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Compute block after block, and yield their rows here."""
        return rechunk(self._computed(), n_rows, skip=first, start=first)

    def _computed(self) -> Iterator[Block]:
        for block, number in zip(self.blocks, self.numbers, strict=True):
            X, y, weight = dask.compute(*block)
            yield Block(*to_arrays(X, y, weight, number, self.feature_names, self.encoding))

    def parts(self, most: int) -> list[CollectionSource]:
        """Return contiguous groups of blocks."""
        count = min(most, len(self.blocks))
        edges = [len(self.blocks) * part // count for part in range(count + 1)]
        return [
            replace(self, blocks=self.blocks[a:b], numbers=self.numbers[a:b])
            for a, b in pairwise(edges)
        ]

    def identity(self) -> dict[str, str]:
        """Return Dask's name for what is computed, and the number of blocks."""
        return {"Dask collection": self.token, "number of blocks": str(len(self.blocks))}


def from_collections(
    X: Any,
    y: Any = None,
    weight: Any = None,
    known: TableEncoder | None = None,
    categorical: Sequence[Any] | None = None,
) -> CollectionSource:
    """Return the rows of Dask collections.

    Parameters
    ----------
    X : dask array of shape (n_rows, n_columns), or dask data frame
    y, weight : dask array, series or data frame, or array in memory, optional
        With the blocks of ``X``, or of known lengths, so that they can be rechunked.
    known : TableEncoder, optional
        What becomes of the columns of a data frame, where that was learned from other rows.
    categorical : sequence of str or int, optional
        Columns of a data frame that are categories though their dtype does not say so.

    Raises
    ------
    DataError
        Shapes or blocks do not match, or columns are missing or of no use.
    """
    if isinstance(X, Delayed) or getattr(X, "ndim", None) != 2:
        raise DataError(
            f"X must be a Dask array or data frame of two axes, rows and columns: it is {X!r}"
        )
    frame = hasattr(X, "to_dask_array")
    if categorical is not None and not frame:
        raise DataError("categorical is for data frames: a Dask array holds numbers alone")
    encoding = _frame_encoder(X, known, categorical) if frame else None
    names = tuple(name for name in X.columns if isinstance(name, str)) if frame else ()
    if names and len(names) < X.shape[1]:
        raise DataError("column names must be all text or all not: rename them")
    count = X.npartitions if frame else X.numblocks[0]
    named = (("X", X), ("y", y), ("sample_weight", weight))
    parts = [[None] * count if p is None else _blocks(p, X, count, name) for name, p in named]
    n_targets = None if y is None else int(y.shape[1]) if y.ndim == 2 else 0
    blocks, token = tuple(zip(*parts, strict=True)), tokenize(X, y, weight)
    n_columns = int(X.shape[1])
    return CollectionSource(
        blocks, range(count), token, n_columns, encoding, n_targets, names or None
    )


def _frame_encoder(
    X: Any, known: TableEncoder | None, categorical: Sequence[Any] | None
) -> TableEncoder | None:
    """Return what becomes of the columns of a data frame; None where all are numbers.

    Categories are learned in a pass over the columns that hold any.
    """
    if known is not None:
        return known
    if categorical is None and all(map(_is_number, X.dtypes)):
        return None
    sample = as_table(X._meta_nonempty)
    options = Options(categorical=tuple((column, None) for column in categorical or ()))
    plain = open_files(sample, options).coded()
    encoder, unknown = plain.plain, list(plain.plain.unlearned)
    if not unknown:
        return encoder
    counted = [dask.delayed(_counted)(block, unknown) for block in X[unknown].to_delayed()]
    vocabularies = {name: Vocabulary() for name in unknown}
    for found in dask.compute(*counted):
        for name, vocabulary in found.items():
            vocabularies[name].merge(vocabulary)
    categories = {name: vocabulary.known() for name, vocabulary in vocabularies.items()}
    return replace(encoder, categories=categories, unlearned=(), dtype=np.float64)


def _counted(block: Any, names: Sequence[str]) -> dict[str, Vocabulary]:
    """Return the categories of some columns of a block."""
    table = as_table(block)
    found = {name: Vocabulary() for name in names}
    for name, vocabulary in found.items():
        for part in table.column(name).chunks:
            vocabulary.add(count_texts(part, MISSING))
    return found


def _is_number(kind: Any) -> bool:
    """Whether a dtype is one of numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype  # noqa: PLC0415

    return bool(is_numeric_dtype(kind) and not is_bool_dtype(kind))


def _blocks(part: Any, X: Any, count: int, name: str) -> list[Any]:
    """Return the blocks of a collection, which must be the ``count`` ones of ``X``.

    Their lengths, where they are not known yet, are compared when they are computed.
    """
    matches = True
    if hasattr(part, "to_dask_array"):
        # Not optimised on its own: parts of one frame that is read from files would be cut apart.
        found = list(part.to_delayed(optimize_graph=False))
        if hasattr(X, "divisions") and part.known_divisions and X.known_divisions:
            matches = part.divisions == X.divisions
    else:
        array = part if hasattr(part, "to_delayed") else da.from_array(_plain(np.asarray(part)))
        whole: dict[int, Any] = dict.fromkeys(range(1, array.ndim), -1)
        rows = (np.nan,) if hasattr(X, "to_dask_array") else X.chunks[0]
        if not np.isnan([*rows, *array.chunks[0]]).any():
            if array.shape[0] != sum(rows):
                raise DataError(f"{name} has {array.shape[0]} rows and X has {sum(rows)}")
            whole[0] = rows
        found = list(array.rechunk(whole).to_delayed(optimize_graph=False).ravel())
    if len(found) != count or not matches:
        raise DataError(
            f"{name} has {len(found)} blocks and X has {count}, or they divide elsewhere: take "
            "both from one data frame, or call compute_chunk_sizes() on arrays"
        )
    return found


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return text as such: Dask does not divide arrays of objects."""
    return array.astype(np.str_) if array.dtype == object else array


def to_arrays(
    X: Any,
    y: Any,
    weight: Any,
    number: int,
    names: Sequence[str] | None,
    encoding: TableEncoder | None = None,
) -> Arrays:
    """Return a computed block as arrays, all of whose values can be used.

    Raises
    ------
    DataError
        Naming block, row within it and column of a value that is no finite number.
    """
    block = f"block {number} of"
    rows = to_rows(X, f"{block} X", names, encoding)
    targets = weights = None
    if y is not None:
        targets = np.asarray(y)
        if targets.dtype == object and not all(isinstance(v, str) for v in targets.flat):
            raise DataError(f"{block} y: must hold numbers or text, and holds both")
        targets = _plain(targets)
        good = np.isfinite(targets) if targets.dtype.kind == "f" else np.True_
        _refuse_bad(f"{block} y", targets, good, "not finite: drop the row")
    if weight is not None:
        weights = np.asarray(weight, np.float64)
        good = np.isfinite(weights) & (weights >= 0)
        _refuse_bad(f"{block} sample_weight", weights, good, "negative or not finite: correct it")
    for name, part in (("y", targets), ("sample_weight", weights)):
        if part is not None and len(part) != len(rows):
            raise DataError(f"{block} X has {len(rows)} rows, and that of {name} has {len(part)}")
    return rows, targets, weights


def to_rows(
    X: Any,
    place: str,
    names: Sequence[str] | None = None,
    encoding: TableEncoder | None = None,
) -> NDArray[Any]:
    """Return a computed block of features as an array of numbers, NaN where one is missing."""
    if hasattr(X, "dtypes") and encoding is not None:
        return encode_table(as_table(X), encoding)
    rows = np.asarray(X)
    if hasattr(X, "dtypes") and all(map(_is_number, X.dtypes)):
        plain = all(isinstance(kind, np.dtype) for kind in X.dtypes)
        rows = rows if plain else X.to_numpy(dtype=np.float64, na_value=np.nan)
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{place}: holds {rows.dtype}, not numbers: encode or drop such columns")
    _refuse_bad(place, rows, ~np.isinf(rows), "not finite: correct it", names)
    return rows


def _refuse_bad(
    place: str, values: NDArray[Any], good: Any, what: str, names: Sequence[str] | None = None
) -> None:
    """Raise a :class:`DataError` that names the first value that is no good."""
    if good.all():
        return
    at = tuple(np.argwhere(~good)[0].tolist())
    column = "".join(f", column {j if names is None else repr(names[j])}" for j in at[1:])
    raise DataError(f"{place}, row {at[0]}{column}: {values[at]} is {what}")
