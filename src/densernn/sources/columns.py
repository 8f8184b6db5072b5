"""What the readers of all kinds of table share: which columns, which dtype, which refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def choose(
    path: Path | str,
    names: tuple[str, ...],
    target: str | None,
    columns: Sequence[str] | None,
    others: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the feature columns; raise on a column that is there twice or not at all.

    Parameters
    ----------
    path : Path or str
        The file, for the error's text.
    names : tuple of str
        All its columns.
    target : str or None
        The column that is no feature.
    columns : sequence of str or None
        The features asked for; None for all but the target and the others.
    others : collection of str, optional
        More columns that are no features unless asked for.

    Returns
    -------
    tuple of str
        The features, in the order asked for, else in the file's.

    Raises
    ------
    DataError
        If a name is there twice, a wanted column is missing, none is left, or one of the
        features has no name.
    """
    refuse_twice(path, names)
    if target is not None:
        check_column(path, target, names, "target column")
    if columns is not None:
        present = set(names)
        missing = [name for name in columns if name not in present]
        if missing:
            some = ", ".join(map(repr, missing[:10])) + (", ..." if len(missing) > 10 else "")
            raise DataError(
                f"{path}: {len(missing)} of {len(columns)} needed columns are missing: {some}"
            )
        return tuple(columns)
    features = tuple(name for name in names if name != target and name not in others)
    if not features:
        raise DataError(f"{path}: no feature columns; are the values separated by commas?")
    if "" in features:
        raise DataError(
            f"{path}: column {names.index('') + 1} has no name; if it numbers the rows (pandas "
            "writes such an index unless told index=False), drop it, else name it"
        )
    return features


def refuse_twice(path: Path | str, names: Sequence[str]) -> None:
    """Raise a :class:`DataError` that lists the names that are there more than once."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}: duplicate column names: {', '.join(map(repr, twice))}")


def check_column(path: Path | str, wanted: str, names: Sequence[str], what: str) -> None:
    """Raise a :class:`DataError` that lists the nearest names if ``wanted`` is none of them."""
    if wanted in names:
        return
    alike = sorted(names, key=lambda n: -SequenceMatcher(None, n.lower(), wanted.lower()).ratio())
    raise DataError(
        f"{path}: no {what} {wanted!r}; nearest of {len(names)}: "
        + (", ".join(map(repr, alike[:5])) or "none")
        + ("; are the values separated by commas?" if len(names) == 1 else "")
    )


def refuse_other_columns(
    title: str, names: tuple[str, ...], other: str, wanted: tuple[str, ...]
) -> None:
    """Raise a :class:`DataError` that tells in which columns two files differ."""
    here, there = set(names), set(wanted)
    missing = [name for name in wanted if name not in here]
    surplus = [name for name in names if name not in there]
    if missing or surplus:
        said = [
            f"{what} {', '.join(map(repr, some[:5]))}" + (", ..." if len(some) > 5 else "")
            for what, some in (("lacks", missing), ("has besides", surplus))
            if some
        ]
        raise DataError(
            f"{title}: columns differ from those of {other}: {' and '.join(said)}; files that are "
            "read together must have the same columns"
        )


def to_matrix(
    table: pa.Table, names: Sequence[str], dtype: type[np.float32 | np.float64]
) -> NDArray[Any]:
    """Copy columns into a matrix, batch by batch, so that only one copy is made.

    Parameters
    ----------
    table : pyarrow.Table
        Numeric columns.
    names : sequence of str
        The columns, in the matrix's order.
    dtype : type
        The matrix's dtype; integers that it cannot hold exactly are rounded.

    Returns
    -------
    ndarray of shape (rows, columns)
        In C order. Nulls come out as NaN.
    """
    import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)

    kind = pa.from_numpy_dtype(dtype)
    matrix = np.empty((table.num_rows, len(names)), dtype)
    start = 0
    for batch in table.select(list(names)).to_batches():
        stop = start + batch.num_rows
        for j, column in enumerate(batch.columns):
            matrix[start:stop, j] = column.cast(kind, safe=False).to_numpy(zero_copy_only=False)
        start = stop
    return matrix


def float_for(kinds: Sequence[Any]) -> type[np.float32 | np.float64]:
    """Return float32 if it holds every value of these dtypes, else float64."""
    return np.float32 if all(np.can_cast(kind, np.float32) for kind in kinds) else np.float64


def refuse_not_finite(path: Path, X: NDArray[Any], features: Sequence[str]) -> None:
    """Raise a :class:`DataError` at the first value (column by column) that is not finite."""
    if not len(X):
        raise DataError(f"{path}: no rows")
    for j, name in enumerate(features):
        bad = np.flatnonzero(~np.isfinite(X[:, j]))
        if bad.size:
            what = "missing value" if np.isnan(X[bad[0], j]) else f"{X[bad[0], j]} is not finite"
            raise DataError(
                f"{path}, row {bad[0] + 1}, column {name!r}: {what}: impute it, or drop the row "
                "or the column"
            )


def as_target(path: Path, target: str, y: NDArray[Any]) -> NDArray[Any]:
    """Return the target as numbers, bools or strings; refuse what is neither, or not finite."""
    if y.dtype.kind in "OU" and all(isinstance(value, str) for value in y.tolist()):
        return y.astype(np.str_)
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: the target {target!r} must hold numbers or text, found dtype {y.dtype}"
        )
    bad = np.flatnonzero(~np.isfinite(y))
    if bad.size:
        raise DataError(
            f"{path}, row {bad[0] + 1}, column {target!r}: the target is {y[bad[0]]}: drop the row"
        )
    return y
