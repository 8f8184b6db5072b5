"""Readouts of a forest: penalty and calibration, chosen on rows kept aside, and solved weights."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from densernn._threads import one_blas_thread, run_each
from densernn.errors import DataError
from densernn.forest.boxes import BoxTree
from densernn.forest.choice import simplest_alpha
from densernn.forest.evaluation import HeldOut, held_out_outputs
from densernn.forest.forest_map import ForestMap
from densernn.forest.moments import ForestMoments, TreeMoments
from densernn.forest.ridge import solve_tree
from densernn.forest.solution import ForestSolution, ValuesInRange, output_limits

FloatArray = NDArray[np.float64]


class Judges(Protocol):
    """Rows by which a penalty is chosen."""

    @property
    def targets(self) -> FloatArray:
        """Targets, of shape (n_rows, n_targets)."""

    @property
    def weight(self) -> FloatArray:
        """Weights."""

    @property
    def block(self) -> NDArray[np.intp]:
        """Blocks of neighbouring rows."""


@dataclass(frozen=True, eq=False)
class OpenReadout:
    """A readout whose penalty and calibration are still to be chosen.

    Parameters
    ----------
    forest : ForestMap
    finish : callable
        Probabilities or values from mean outputs; see ``solution.py``.
    alphas : ndarray of shape (n_alphas,), float64
        Penalties to choose from.
    held_out : HeldOut
        Rows kept aside from the structure, to choose by.
    scores : dict of float to float
        Mean loss of every penalty where one was chosen before.
    """

    forest: ForestMap
    finish: Any
    alphas: FloatArray
    held_out: HeldOut
    scores: dict[float, float] = field(default_factory=dict)

    def decided(self, moments: ForestMoments) -> ForestReadout:
        """Return the readout of the choice, given the moments of all rows.

        The share of the rows kept aside is taken out of a copy of the sums to choose by them;
        after that they count like all others.
        """
        forest, rows = self.forest, self.held_out
        limits = output_limits(self.finish, moments.n_targets)
        outputs = held_out_outputs(
            forest.trees, forest.coefficients, moments.trees, self.alphas, rows, limits
        )
        found = ForestReadout.chosen(forest, self.finish, self.alphas, outputs, rows)
        return replace(found, scores=self.scores or found.scores)


@dataclass(eq=False, repr=False)
class ForestReadout:
    """Ridge readouts of all regions, which are solved when they are first used.

    Updates keep penalty and calibration, so that sums alone decide what a model answers.

    Parameters
    ----------
    forest : ForestMap
    finish : callable
        Probabilities or values from mean outputs, calibrated.
    alpha : float
        Penalty, as a share of the mean eigenvalue of a region's products.
    scores : dict of float to float
        Mean loss of every penalty that was tried.
    seconds : float
        That solving took; 0 before.
    """

    forest: ForestMap
    finish: Any
    alpha: float
    scores: dict[float, float] = field(default_factory=dict)
    seconds: float = 0.0
    _solved: ForestSolution | None = None
    _lock: Any = field(default_factory=threading.Lock)

    @classmethod
    def chosen(
        cls, forest: ForestMap, finish: Any, alphas: FloatArray, outputs: FloatArray, rows: Judges
    ) -> ForestReadout:
        """Return the readout of the simplest penalty, calibrated.

        Parameters
        ----------
        forest : ForestMap
        finish : callable
            Not calibrated yet.
        alphas : ndarray of shape (n_alphas,), float64
        outputs : ndarray of shape (n_alphas, n_rows, n_targets), float64
            Mean outputs for rows that taught them nothing.
        rows : HeldOut or Trials
            Targets, weights and blocks of these rows.
        """
        targets, weight = rows.targets, rows.weight
        finished = [finish.fit(one, targets, weight) for one in outputs]
        losses = np.stack(
            [f.losses(one, targets) for f, one in zip(finished, outputs, strict=True)]
        )
        best = simplest_alpha(losses, weight, rows.block, alphas)
        means = losses @ weight / weight.sum()
        scores = dict(zip(alphas.tolist(), means.tolist(), strict=True))
        return cls(forest, finished[best], float(alphas[best]), scores)

    def decided(self, moments: ForestMoments) -> ForestReadout:
        """Return this: all has been chosen."""
        return self

    def renewed(self, alpha: Any) -> ForestReadout:
        """Return the readout to be solved anew, with a penalty that is given or was chosen."""
        penalty = float(alpha) if isinstance(alpha, Real) else self.alpha
        return replace(self, alpha=penalty, seconds=0.0, _solved=None, _lock=threading.Lock())

    def regrouped(
        self,
        targets: Any,
        places: NDArray[np.intp],
        other: ForestReadout,
        theirs: NDArray[np.intp],
    ) -> ForestReadout:
        """Return the same for other classes; see :meth:`Calibration.regrouped`."""
        return replace(self, finish=self.finish.regrouped(places, other.finish, theirs))

    def solve(self, moments: ForestMoments | None) -> tuple[ForestSolution, dict[float, float]]:
        """Return weights of all regions, and the mean loss of every penalty tried.

        The first call solves, from its moments; later ones return what that found.
        """
        with self._lock:
            if self._solved is None:
                if moments is None:
                    raise TypeError("a readout that is not solved yet needs moments")
                start = time.perf_counter()
                self._solved = self._solve(moments)
                self.seconds = time.perf_counter() - start
            return self._solved, self.scores

    def _solve(self, moments: ForestMoments) -> ForestSolution:
        alphas = np.array([self.alpha])

        def solution(tree: BoxTree, sums: TreeMoments) -> tuple[FloatArray, FloatArray]:
            return solve_tree(tree, sums, alphas)

        with one_blas_thread():
            solved = run_each(solution, self.forest.trees, moments.trees)
        finish, limits = self.finish, output_limits(self.finish, moments.n_targets)
        if isinstance(finish, ValuesInRange):
            limits = np.stack([moments.least, moments.most])
            finish = finish.moved(moments.least, moments.most, self.forest.origin)
        return ForestSolution(
            weights=tuple(weights[0] for weights, _ in solved),
            means=tuple(means for _, means in solved),
            limits=limits,
            alpha=self.alpha,
            finish=finish,
        )

    def check(self, trees: tuple[BoxTree, ...]) -> None:
        """Raise DataError where this, as from a damaged file, does not fit the trees."""
        own = self.forest.trees
        if len(own) != len(trees) or not all(
            np.array_equal(mine.starts, given.starts)
            for mine, given in zip(own, trees, strict=True)
        ):
            raise DataError("the readout of this forest is of other trees: its file is damaged")
        if self._solved is not None:
            self._solved.check(trees)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
