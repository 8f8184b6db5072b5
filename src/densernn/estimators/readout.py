"""The readout: solved at its first use from the moments, then kept."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from densernn.estimators.state import moments_wanted
from densernn.folds import Moments
from densernn.solvers import RidgeSolution, RidgeSystem, choose_alpha


class Readout:
    """A ridge readout that is solved when it is first asked for.

    It is an object of its own so that ``predict`` changes no attribute of the estimator, and
    several threads may predict at once: the first one solves, the others wait.

    Parameters
    ----------
    moments : Moments
        What to solve from.
    alpha : float, "auto", or iterable of float
        As in the estimators.
    working_dtype : numpy float dtype
        In which the products behind the moments were computed.
    negligible : float
        Mean squared error that counts as none when a penalty is chosen.
    intercept : bool, default=True
        Whether there is an unpenalised intercept: encoders have none.
    n_leading : int, default=0
        Features at the front that are main directions, each of its own scale.
    """

    intercept, n_leading = True, 0  # of readouts from files that do not tell

    def __init__(
        self,
        moments: Moments,
        alpha: float | str | Iterable[float],
        working_dtype: Any,
        negligible: float,
        intercept: bool = True,
        n_leading: int = 0,
    ) -> None:
        self.moments = moments
        self.alpha = alpha
        self.working_dtype = np.dtype(working_dtype).name
        self.negligible = negligible
        self.intercept = intercept
        self.n_leading = n_leading
        self._solved: tuple[RidgeSolution, dict[float, float]] | None = None
        self.seconds = 0.0
        self._lock = threading.Lock()

    def _get(self) -> tuple[RidgeSolution, dict[float, float]]:
        with self._lock:
            if self._solved is None:
                start = time.perf_counter()
                system = RidgeSystem(
                    self.moments,
                    self.working_dtype,
                    self.intercept,
                    self.negligible,
                    self.n_leading,
                )
                self._solved = choose_alpha(system, self.alpha)
                self.seconds = time.perf_counter() - start
            return self._solved

    @property
    def solution(self) -> RidgeSolution:
        """Weights, intercept and penalty."""
        return self._get()[0]

    @property
    def scores(self) -> dict[float, float]:
        """Generalised cross-validation score of every penalty that was tried."""
        return self._get()[1]

    def alone(self) -> Readout:
        """Return the same readout, solved, without the moments that it came of."""
        solved = copy.copy(self)
        solved._lock = threading.Lock()
        solved.__dict__.pop("moments", None)
        return solved

    def __getstate__(self) -> dict[str, Any]:
        # In a file, the estimator beside this holds the moments and gives them back.
        left_out = ("_lock",) if moments_wanted() is None else ("_lock", "moments")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
