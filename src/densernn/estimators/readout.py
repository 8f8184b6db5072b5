"""Ridge readout: solved from moments at its first use, then kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.estimators.judged import JudgedRows
from densernn.estimators.targets import ClassTargets
from densernn.intervals import Intervals
from densernn.solvers import RidgeSolution, RidgeSystem, choose_alpha, system_of
from densernn.solvers.alpha import System
from densernn.solvers.logistic import Link, LogisticSums, best_scale, solve_logistic
from densernn.stats import Moments

USUAL_SCALE, USUAL_CURVATURE = 4.0, 0.1
"""Of scores where no row was judged."""


@dataclass(eq=False, repr=False)
class Readout:
    """A ridge readout that is solved when it is first used.

    It is an object of its own so that ``predict`` changes no attribute of the estimator, and
    several threads may predict at once: the first one solves, the others wait.

    Parameters
    ----------
    alpha : float, "auto", or iterable of float
        As in the estimators.
    working_dtype : str
        Name of the dtype in which the products behind the moments were computed.
    negligible : float
        Mean squared error that counts as none when a penalty is chosen.
    intercept : bool, default=True
        Whether there is an unpenalised intercept: encoders have none.
    n_leading : int, default=0
        Features at the front that are main directions, each of its own scale.
    judged : JudgedRows, optional
        Rows to calibrate by, which are let go when that is done.
    calibration : ClassProbabilities, LabelProbabilities or Intervals, optional
        Of outputs, where judged rows have been used already: updates keep it.
    link : Softmax or Sigmoid, optional
        From scores to probabilities, where the readout is to be a logistic one.
    scale : float
        From ridge outputs to scores.
    curvature : float
        Mean of p (1 - p) of these scores.
    seconds : float
        That solving took; 0 before.
    n_iter : int
        Passes of a logistic readout; 0 for one of ridge, as after an update.
    """

    alpha: float | str | Iterable[float]
    working_dtype: str
    negligible: float
    intercept: bool = True
    n_leading: int = 0
    judged: JudgedRows | None = None
    calibration: Any = None
    link: Link | None = None
    scale: float = USUAL_SCALE
    curvature: float = USUAL_CURVATURE
    seconds: float = 0.0
    n_iter: int = 0
    _solved: tuple[RidgeSolution, dict[float, float]] | None = None
    _lock: Any = field(default_factory=threading.Lock)

    def decided(self, moments: Moments) -> Readout:
        """Return this: a penalty is chosen anew by every solution."""
        return self

    def renewed(self, alpha: Any) -> Readout:
        """Return the readout to be solved anew."""
        with self._lock:
            return replace(
                self, alpha=alpha, seconds=0.0, n_iter=0, _solved=None, _lock=threading.Lock()
            )

    def regrouped(
        self,
        targets: ClassTargets,
        places: NDArray[np.intp],
        other: Readout,
        theirs: NDArray[np.intp],
    ) -> Readout:
        """Return the same for other classes; see :meth:`Calibration.regrouped`."""
        calibration, judged = self.calibration, self.judged
        if calibration is not None:
            calibration = calibration.regrouped(places, other.calibration or calibration, theirs)
        return replace(
            self,
            calibration=calibration,
            judged=None if judged is None else replace(judged, targets=targets),
        )

    def solve(self, moments: Moments | None) -> tuple[RidgeSolution, dict[float, float]]:
        """Return weights, intercept and penalty, and the score of every penalty tried.

        The first call solves, from its moments; later ones return what that found.
        """
        with self._lock:
            if self._solved is None:
                if moments is None:
                    raise TypeError("a readout that is not solved yet needs moments")
                start = time.perf_counter()
                system = system_of(
                    moments, self.working_dtype, self.negligible, self.n_leading, self.intercept
                )
                solution, scores = choose_alpha(system, self.alpha)
                if self.judged is not None:
                    self._calibrate(self.judged, system, solution)
                    self.judged = None
                calibration, bounds = self.calibration, None
                if isinstance(calibration, Intervals):
                    own = slice(moments.n_features, None)
                    mean, deviation = moments.means[own], np.sqrt(moments.variances[own])
                    bounds = calibration.bounds(mean, deviation)
                self._solved = replace(solution, calibration=calibration, bounds=bounds), scores
                self.seconds = time.perf_counter() - start
            return self._solved

    def _calibrate(self, judged: JudgedRows, system: System, solution: RidgeSolution) -> None:
        found = judged.left_out(system, solution)
        self.calibration = None if found is None else judged.fitted(found)
        if found is not None and self.link is not None:
            self.scale, self.curvature = best_scale(self.link, *found)

    def polished(
        self,
        moments: Moments,
        evaluate: Callable[[NDArray[np.float64], NDArray[np.float64]], LogisticSums],
    ) -> Readout:
        """Return the readout of least log loss near this one; see :func:`solve_logistic`."""
        if self.link is None:
            raise TypeError("a readout without a link has no log loss")
        ridge, scores = self.solve(moments)
        start = time.perf_counter()
        system = RidgeSystem(moments, self.working_dtype, n_leading=self.n_leading)
        solution, n_iter = solve_logistic(
            system, ridge, self.link, self.scale, self.curvature, evaluate
        )
        seconds = self.seconds + time.perf_counter() - start
        solved = solution, scores
        return replace(self, n_iter=n_iter, seconds=seconds, _solved=solved, _lock=threading.Lock())

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.pop("moments", None)  # of version 0.3, whose readouts held them themselves
        self.__dict__.update(state)
        self._lock = threading.Lock()
