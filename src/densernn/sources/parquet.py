"""Read features and target from a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.columns import as_target, choose, float_for, refuse_not_finite, to_matrix

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(
    path: Path, target: str | None, columns: Sequence[str] | None
) -> tuple[tuple[str, ...], NDArray[Any], NDArray[Any] | None]:
    """Return feature names, features and target; see :func:`densernn.sources.tables.read_table`."""
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            features = choose(path, tuple(file.schema_arrow.names), target, columns)
            # The schema comes first: a column of words is refused before anything is read.
            _refuse_words(path, file.schema_arrow, features)
            table = file.read(columns=[*features] if target is None else [*features, target])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({error})") from error
    kinds = [table.schema.field(name).type.to_pandas_dtype() for name in features]
    X = to_matrix(table, features, float_for(kinds))
    refuse_not_finite(path, X, features)
    y = None if target is None else _target(path, target, table.column(target))
    return features, X, y


def _target(path: Path, target: str, column: pa.ChunkedArray) -> NDArray[Any]:
    from pyarrow import types  # noqa: PLC0415

    if types.is_dictionary(column.type):  # what pandas calls a categorical
        column = column.cast(column.type.value_type)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0]) + 1
        raise DataError(
            f"{path}, row {row}, column {target!r}: the target is missing: drop the row"
        )
    return as_target(path, target, column.to_numpy())


def _refuse_words(path: Path, schema: pa.Schema, features: Sequence[str]) -> None:
    from pyarrow import types  # noqa: PLC0415

    for name in features:
        kind = schema.field(name).type
        if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
            continue
        raise DataError(
            f"{path}, column {name!r}: holds {kind}, not numbers; one-hot encode it, turn it "
            "into numbers or drop it"
        )
