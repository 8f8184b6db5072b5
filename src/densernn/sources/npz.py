"""Read features and target from an NPZ archive of NumPy arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources.columns import as_target, check_column, choose, float_for, refuse_not_finite


def read_npz(
    path: Path, target: str | None, columns: Sequence[str] | None
) -> tuple[tuple[str, ...], NDArray[Any], NDArray[Any] | None]:
    """Return feature names, features and target; see :func:`densernn.sources.tables.read_table`."""
    arrays = _load(path, target)
    X = arrays["X"]
    if X.ndim != 2 or X.dtype.kind not in "biuf" or not X.size:
        raise DataError(
            f"{path}: X must be a matrix of numbers with at least one row and one column, "
            f"found shape {X.shape} and dtype {X.dtype}"
        )
    default = np.array([f"x{j}" for j in range(X.shape[1])])
    names = tuple(map(str, arrays.get("feature_names", default).ravel().tolist()))
    if len(names) != X.shape[1]:
        raise DataError(f"{path}: {len(names)} feature_names for {X.shape[1]} columns of X")
    features = choose(path, names, None, columns)
    if features != names:
        position = {name: j for j, name in enumerate(names)}
        X = X[:, [position[name] for name in features]]
    X = np.ascontiguousarray(X, dtype=float_for([X.dtype.type]))
    refuse_not_finite(path, X, features)
    y = arrays.get(target or "y")
    if y is None:
        return features, X, None
    if y.shape != (len(X),):
        raise DataError(f"{path}: {target or 'y'} must have shape ({len(X)},), found {y.shape}")
    return features, X, as_target(path, target or "y", y)


def _load(path: Path, target: str | None) -> dict[str, NDArray[Any]]:
    # What numpy and zipfile raise on damaged archives, and on pickles, which are not loaded.
    damage = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
    try:
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path}: not an NPZ archive, or a truncated one")
        with np.load(path, allow_pickle=False) as archive:
            for name in ["X"] if target is None else ["X", target]:
                check_column(path, name, archive.files, "array")
            wanted = {"X", "feature_names", target or "y"} & set(archive.files)
            return {name: archive[name] for name in wanted}
    except damage as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable NPZ archive ({error})") from error
