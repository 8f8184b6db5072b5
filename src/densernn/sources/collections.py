"""Rows that lie in Dask arrays and data frames, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.delayed import Delayed
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Chunk, RowSource


@dataclass(frozen=True, eq=False)
class CollectionSource(RowSource):
    """Rows in blocks that Dask computes when they are needed, and lets go after that.

    Parameters
    ----------
    blocks : tuple of (X, y, weight)
        Each a Dask Delayed of an array or data frame; y and weight None where there are none.
    numbers : tuple of int
        Numbers of the blocks in the whole, for messages.
    columns : int
        Columns of X.
    names : tuple of str or None
        Names of the columns.
    targets : int or None
        As ``n_targets`` of a source.
    token : str
        Tells the collections from others.
    """

    blocks: tuple[tuple[Any, Any, Any], ...]
    numbers: tuple[int, ...]
    columns: int
    names: tuple[str, ...] | None
    targets: int | None
    token: str
    spread = True

    @property
    def n_columns(self) -> int:
        """Columns of X."""
        return self.columns

    @property
    def n_rows(self) -> int | None:
        """Return None: a pass tells."""
        return None

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """Names of the columns of X."""
        return self.names

    @property
    def n_targets(self) -> int | None:
        """Columns of y where it has two axes, 0 where it has one, None where there is no y."""
        return self.targets

    @property
    def weighted(self) -> bool:  # type: ignore[override]
        """Whether rows bring weights of their own."""
        return self.blocks[0][2] is not None

    def chunks(self, n_rows: int, first: int = 0) -> Iterator[Chunk]:
        """Compute block after block, and give their rows here."""
        return rechunk(self._computed(), n_rows, skip=first, start=first)

    def _computed(self) -> Iterator[Block]:
        for block, number in zip(self.blocks, self.numbers, strict=True):
            X, y, weight = dask.compute(*block)
            yield Block(*to_arrays(X, y, weight, number, self.names))

    def parts(self, most: int) -> list[CollectionSource]:
        """Cut into contiguous groups of blocks."""
        count = min(most, len(self.blocks))
        edges = [len(self.blocks) * part // count for part in range(count + 1)]
        rest = (self.columns, self.names, self.targets, self.token)
        return [
            CollectionSource(self.blocks[a:b], self.numbers[a:b], *rest) for a, b in pairwise(edges)
        ]

    def identity(self) -> dict[str, str]:
        """Return Dask's name for what is computed."""
        return {"Dask collection": self.token, "number of blocks": str(len(self.blocks))}


def from_collections(X: Any, y: Any = None, weight: Any = None) -> CollectionSource:
    """Return the rows of Dask collections.

    Parameters
    ----------
    X : dask array of shape (n_rows, n_columns), or dask data frame
    y, weight : dask array, series or data frame, or array in memory, optional
        Cut into blocks as ``X`` is, or of known lengths, so that they can be.

    Raises
    ------
    DataError
        Shapes or blocks do not go together.
    """
    if isinstance(X, Delayed) or getattr(X, "ndim", None) != 2:
        raise DataError(
            f"X must be a Dask array or data frame of two axes, rows and columns: it is {X!r}"
        )
    frame = hasattr(X, "to_dask_array")
    if frame:
        _refuse_words(X)
    blocks = _blocks(X, X, "X")
    beside = [
        [None] * len(blocks) if other is None else _blocks(other, X, name)
        for name, other in (("y", y), ("sample_weight", weight))
    ]
    targets = None if y is None else (int(y.shape[1]) if y.ndim == 2 else 0)
    return CollectionSource(
        tuple(zip(blocks, *beside, strict=True)),
        tuple(range(len(blocks))),
        int(X.shape[1]),
        _names(X.columns) if frame else None,
        targets,
        tokenize(X, y, weight),
    )


def _refuse_words(X: Any) -> None:
    """Refuse columns that hold no numbers, before anything is computed."""
    words = [name for name, kind in X.dtypes.items() if not _is_number(kind)]
    if words:
        raise DataError(
            f"X: {len(words)} columns hold no numbers ({', '.join(map(repr, words[:5]))}): encode "
            "or drop them"
        )


def _is_number(kind: Any) -> bool:
    """Tell dtypes of numbers, and of true and false, from others."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype  # noqa: PLC0415

    return bool(is_numeric_dtype(kind) or is_bool_dtype(kind))


def _names(columns: Any) -> tuple[str, ...] | None:
    """Return names as scikit-learn takes them: all text, or none."""
    text = [isinstance(name, str) for name in columns]
    if any(text) and not all(text):
        raise DataError("column names must be all text or all not: rename them")
    return tuple(columns) if all(text) else None


def _blocks(part: Any, X: Any, name: str) -> list[Any]:
    """Return the blocks of a collection, which must be cut as ``X`` is."""
    if hasattr(part, "to_dask_array"):
        found = list(part.to_delayed())
        wanted = X.npartitions if hasattr(X, "to_dask_array") else X.numblocks[0]
        divisions = hasattr(X, "divisions") and part.known_divisions and X.known_divisions
        if len(found) != wanted or (divisions and part.divisions != X.divisions):
            raise DataError(
                f"{name} has {len(found)} partitions and X has {wanted}, or they divide elsewhere: "
                "take both from one data frame"
            )
        return found
    array = part if hasattr(part, "to_delayed") else da.from_array(_plain(np.asarray(part)))
    if hasattr(X, "to_dask_array"):
        if array.numblocks[0] != X.npartitions:
            raise DataError(
                f"{name} is an array of {array.numblocks[0]} blocks and X a data frame of "
                f"{X.npartitions} partitions: take both from one data frame"
            )
        rows = array.chunks[0]
    else:
        rows = X.chunks[0]
        if array.shape[0] != X.shape[0] and not np.isnan([array.shape[0], X.shape[0]]).any():
            raise DataError(f"{name} has {array.shape[0]} rows and X has {X.shape[0]}")
        if array.numblocks[0] != len(rows) and np.isnan([*rows, *array.chunks[0]]).any():
            raise DataError(
                f"{name} and X have blocks of unknown lengths, and not as many: call "
                "compute_chunk_sizes() on both"
            )
    known = not np.isnan([*rows, *array.chunks[0]]).any()
    whole = dict.fromkeys(range(1, array.ndim), -1)
    array = array.rechunk({0: rows, **whole} if known else whole)
    return list(array.to_delayed().ravel())


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return text as such: Dask does not cut arrays of objects."""
    return array.astype(np.str_) if array.dtype == object else array


def to_arrays(
    X: Any, y: Any, weight: Any, number: int, names: Sequence[str] | None
) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[np.float64] | None]:
    """Return a computed block as arrays, all of whose values can be used.

    Raises
    ------
    DataError
        Naming block, row within it and column of what is no finite number.
    """
    place = f"block {number} of X"
    rows = _finite(_as_numbers(X), place, names)
    targets = None if y is None else _targets(np.asarray(y), number)
    weights = None if weight is None else np.asarray(weight, np.float64)
    if weights is not None and not (fine := (weights >= 0) & np.isfinite(weights)).all():
        row = int(np.argmin(fine))
        found = f"block {number} of sample_weight, row {row}: {weights[row]}"
        raise DataError(f"{found} must be finite and not negative")
    for name, part in (("y", targets), ("sample_weight", weights)):
        if part is not None and len(part) != len(rows):
            raise DataError(f"{place} has {len(rows)} rows, and that of {name} has {len(part)}")
    return rows, targets, weights


def _finite(rows: NDArray[Any], place: str, names: Sequence[str] | None = None) -> NDArray[Any]:
    """Return rows, all of which must be finite numbers."""
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{place}: holds {rows.dtype}, not numbers: encode or drop such columns")
    if rows.dtype.kind == "f" and not (finite := np.isfinite(rows)).all():
        row, column = np.argwhere(~finite)[0]
        named = repr(names[column]) if names is not None else str(column)
        raise DataError(
            f"{place}, row {row}, column {named}: {rows[row, column]} is not finite: impute it, or "
            "drop the row or the column"
        )
    return rows


def _as_numbers(X: Any) -> NDArray[Any]:
    """Return a block as an array; of a frame of numbers of whatever kind, with NaN for missing."""
    if not hasattr(X, "dtypes"):
        return np.asarray(X)
    if all(_is_number(kind) for kind in X.dtypes):
        plain = all(isinstance(kind, np.dtype) and kind.kind != "b" for kind in X.dtypes)
        return np.asarray(X) if plain else X.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(X, dtype=object)


def _targets(y: NDArray[Any], number: int) -> NDArray[Any]:
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.argwhere(~np.isfinite(y))[0][0])
        raise DataError(f"block {number} of y, row {row}: the target is not finite: drop the row")
    if y.dtype == object:
        if not all(isinstance(value, str) for value in y.ravel().tolist()):
            raise DataError(f"block {number} of y: must hold numbers or text, and holds both")
        return y.astype(np.str_)
    return y


def map_rows(
    X: Any, model: Any, method: str, n_outputs: int | None, dtype: Any, names: Any = None
) -> Any:
    """Ask a model about each block of rows, when that is computed.

    Parameters
    ----------
    X : dask array or data frame
    model : estimator
        Sent to workers once.
    method : str
        Name of its method, which takes an array or data frame of rows and gives an array.
    n_outputs : int or None
        Columns that come out; None for one axis.
    dtype : dtype
        Of what comes out.
    names : sequence, optional
        Names of the columns, where ``X`` is a data frame.

    Returns
    -------
    dask array, or series or data frame with the index of ``X``
    """
    sent = dask.delayed(model, traverse=False)
    if hasattr(X, "to_dask_array"):
        import pandas as pd  # noqa: PLC0415 - Dask's data frames bring it

        empty = X._meta.index[:0]
        meta: Any = (
            pd.Series(np.empty(0, dtype), index=empty)
            if n_outputs is None
            else pd.DataFrame(np.empty((0, n_outputs), dtype), index=empty, columns=names)
        )
        columns = None if n_outputs is None else list(names)
        return X.map_partitions(_ask_of_frame, sent, method, columns, dtype, meta=meta)
    if X.ndim != 2:
        raise DataError(f"X must have two axes, rows and columns: it has {X.ndim}")
    whole = X.rechunk({1: -1})
    shape: dict[str, Any] = (
        {"drop_axis": 1} if n_outputs is None else {"chunks": (whole.chunks[0], (n_outputs,))}
    )
    meta = np.empty((0,) if n_outputs is None else (0, 0), dtype)
    return whole.map_blocks(
        _ask_of_array, sent, method, n_outputs, np.dtype(dtype), dtype=dtype, meta=meta, **shape
    )


def _ask_of_array(rows: Any, model: Any, method: str, n_outputs: int | None, kind: Any) -> Any:
    _finite(_as_numbers(rows), "a block of X")
    if len(rows):
        return getattr(model, method)(rows)
    return np.empty((0,) if n_outputs is None else (0, n_outputs), kind)


def _ask_of_frame(
    rows: Any, model: Any, method: str, columns: Sequence[Any] | None, kind: Any
) -> Any:
    import pandas as pd  # noqa: PLC0415

    n_outputs = None if columns is None else len(columns)
    found = _ask_of_array(rows, model, method, n_outputs, kind)
    if columns is None:
        return pd.Series(found, index=rows.index)
    return pd.DataFrame(found, index=rows.index, columns=columns)
