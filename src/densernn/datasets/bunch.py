"""Dataset: a training part, a test part and their names, as the loaders return them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split into a training and a test part.

    Parameters
    ----------
    name : str
        The data set's name.
    X_train, X_test : ndarray of shape (n_train, n_features), (n_test, n_features)
        The rows, in C order; for small NORB of shape (n, 2, 96, 96). The dtype
        is the loader's.
    y_train, y_test : ndarray of shape (n_train,), (n_test,)
        The labels, int64.
    feature_names : tuple of str
        One name for each column of ``X.reshape(len(X), -1)``.
    target_names : tuple of str or None
        The names of the classes, in the order of the labels.
    info_train, info_test : ndarray or None
        What else is known of each row; only small NORB has it.
    info_names : tuple of str
        The names of the columns of the info arrays.
    sources : dict of str to slice, or None
        Where a row comes from several sources, such as two cameras: the name of each and the
        columns of ``X.reshape(len(X), -1)`` that are its own, in order and without gaps.
    """

    name: str
    X_train: NDArray[Any]
    y_train: NDArray[np.int64]
    X_test: NDArray[Any]
    y_test: NDArray[np.int64]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...] | None = None
    info_train: NDArray[np.int32] | None = None
    info_test: NDArray[np.int32] | None = None
    info_names: tuple[str, ...] = ()
    sources: dict[str, slice] | None = None

    def __repr__(self) -> str:
        return (
            f"<Dataset {self.name}: {len(self.X_train):,} training and {len(self.X_test):,} test "
            f"rows of {len(self.feature_names):,} features>"
        )


def hold_out_quarter(
    name: str,
    X: NDArray[Any],
    y: NDArray[np.int64],
    feature_names: tuple[str, ...],
    target_names: tuple[str, ...],
    **more: Any,
) -> Dataset:
    """Return a data set that comes whole with a quarter of its rows, stratified, for testing.

    The seed is fixed, so that the split is the same at every call.
    """
    # Imported here because importing densernn must stay fast.
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, random_state=0, stratify=y
    )
    return Dataset(name, X_train, y_train, X_test, y_test, feature_names, target_names, **more)


def pixel_names(prefix: str, side: int) -> tuple[str, ...]:
    """Return a name for each pixel of a square image, row by row."""
    return tuple(f"{prefix}_{row}_{column}" for row in range(side) for column in range(side))
