"""Tables for the benchmark: the same matrices for all models, with a fixed test part.

Text becomes a column for each of its levels but rare ones, which share one; missing values become
medians of the training rows, beside a column that tells where they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder
from table_sources import LABELS, VALUES, Source

LABEL_SETS, VALUE_SETS = tuple(LABELS), tuple(VALUES)

TEST_SHARE = 0.3

N_BLOCKS = 4
"""Blocks of training rows in order of time: each but the first is predicted by those before."""


@dataclass(frozen=True)
class TableSet:
    """A table, split and as numbers.

    Parameters
    ----------
    name : str
    labelled : bool
        Whether targets are numbers of classes.
    ordered : bool
        Whether rows are in order of time.
    n_text : int
        Columns of text there were.
    X_train, X_test : ndarray of shape (n_rows, n_columns), float64
    y_train, y_test : ndarray of shape (n_rows,)
    """

    name: str
    labelled: bool
    ordered: bool
    n_text: int
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load_set(name: str) -> TableSet:
    """Load a table by its name."""
    labelled = name in LABELS
    source: Source = (LABELS if labelled else VALUES)[name]()
    train, test = _split(source, labelled)
    encoder = _encoder(source.frame)
    X_train = np.ascontiguousarray(encoder.fit_transform(source.frame.iloc[train]), np.float64)
    return TableSet(
        name,
        labelled,
        name.startswith("flights"),
        len(_text(source.frame)),
        X_train,
        source.target[train],
        np.ascontiguousarray(encoder.transform(source.frame.iloc[test]), np.float64),
        source.target[test],
    )


def load_folds(
    name: str, n_folds: int, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield X and y to train and to judge by, made of the training rows alone.

    Rows in order of time are judged by those before them.
    """
    data = load_set(name)
    n_rows = len(data.y_train)
    if data.ordered:
        edges = np.arange(N_BLOCKS + 1) * n_rows // N_BLOCKS
        parts = [(np.arange(a), np.arange(a, b)) for a, b in pairwise(edges[1:])]
    else:
        fold = np.random.default_rng(seed).permutation(n_rows) % n_folds
        parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
    for train, judge in parts[:n_folds]:
        yield data.X_train[train], data.y_train[train], data.X_train[judge], data.y_train[judge]


def _split(source: Source, labelled: bool) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(source.target))
    if source.n_train is not None:
        return rows[: source.n_train], rows[source.n_train :]
    strata = source.target if labelled else None
    train, test = train_test_split(rows, test_size=TEST_SHARE, random_state=0, stratify=strata)
    return train, test


def _text(frame: pd.DataFrame) -> list[str]:
    return [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]


def _encoder(frame: pd.DataFrame) -> ColumnTransformer:
    text = _text(frame)
    numbers = [c for c in frame.columns if c not in text]
    levels = OneHotEncoder(
        min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    return ColumnTransformer(
        [("numbers", SimpleImputer(strategy="median", add_indicator=True), numbers)]
        + ([("text", levels, text)] if text else [])
    )
