"""ForestReadout: ridge readouts of all regions, with a penalty chosen on rows kept aside."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._threads import one_blas_thread, run_blocks
from densernn.forest.choice import simplest_alpha
from densernn.forest.evaluation import HeldOut, held_out_outputs
from densernn.forest.forest_map import ForestMap
from densernn.forest.moments import ForestMoments
from densernn.forest.ridge import solve_tree
from densernn.forest.solution import ForestSolution, ValuesInRange

FloatArray = NDArray[np.float64]


@dataclass(eq=False, repr=False)
class ForestReadout:
    """Readouts of a forest that are solved when they are first used.

    The penalty and the calibration of probabilities are chosen once, on rows kept aside from the
    structure: their share is taken out of the sums, and then counts like that of all others.
    Updates keep both, so that sums alone decide what a model answers.

    Parameters
    ----------
    forest : ForestMap
    finish : callable
        Probabilities or values from mean outputs; see ``solution.py``.
    alphas : ndarray of shape (n_alphas,), float64
        Penalties to choose from.
    held_out : HeldOut or None
        Rows to choose by; None once a single penalty is left.
    seconds : float
        That solving took; 0 before.
    """

    forest: ForestMap
    finish: Any
    alphas: FloatArray
    held_out: HeldOut | None = None
    seconds: float = 0.0
    _solved: tuple[ForestSolution, dict[float, float]] | None = None
    _lock: Any = field(default_factory=threading.Lock)

    def renewed(self, alpha: Any) -> ForestReadout:
        """Return the readout to be solved anew, with the penalty that was chosen or is given."""
        alphas = self.alphas if isinstance(alpha, str) else np.atleast_1d(np.asarray(alpha, float))
        if len(alphas) > 1 and self.held_out is None:
            alphas = self.alphas
        return replace(self, alphas=alphas, seconds=0.0, _solved=None, _lock=threading.Lock())

    def solve(self, moments: ForestMoments | None) -> tuple[ForestSolution, dict[float, float]]:
        """Return weights of all regions, and the mean loss of every penalty tried.

        The first call solves, from its moments; later ones return what that found.
        """
        with self._lock:
            if self._solved is None:
                if moments is None:
                    raise TypeError("a readout that is not solved yet needs moments")
                start = time.perf_counter()
                scores = {} if self.held_out is None else self._choose(moments, self.held_out)
                self._solved = self._solve(moments), scores
                self.seconds = time.perf_counter() - start
            return self._solved

    def _choose(self, moments: ForestMoments, rows: HeldOut) -> dict[float, float]:
        """Choose penalty and calibration, and let the rows kept aside go."""
        forest = self.forest
        outputs = held_out_outputs(
            forest.trees, forest.coefficients, moments.trees, self.alphas, rows
        )
        finished = [self.finish.fit(one, rows.targets, rows.weight) for one in outputs]
        losses = np.stack(
            [f.losses(one, rows.targets) for f, one in zip(finished, outputs, strict=True)]
        )
        chosen = simplest_alpha(losses, rows.weight, self.alphas)
        means = losses @ rows.weight / rows.weight.sum()
        scores = dict(zip(self.alphas.tolist(), means.tolist(), strict=True))
        self.finish, self.alphas = finished[chosen], self.alphas[[chosen]]
        self.held_out = None
        return scores

    def _solve(self, moments: ForestMoments) -> ForestSolution:
        def part(start: int, stop: int) -> list[tuple[FloatArray, FloatArray]]:
            pairs = zip(self.forest.trees[start:stop], moments.trees[start:stop], strict=True)
            return [solve_tree(tree, sums, self.alphas) for tree, sums in pairs]

        with one_blas_thread():
            solved = [one for block in run_blocks(part, len(moments.trees)) for one in block]
        finish, origin = self.finish, self.forest.origin
        if isinstance(finish, ValuesInRange):
            finish = ValuesInRange(moments.least + origin, moments.most + origin)
        return ForestSolution(
            weights=tuple(weights[0] for weights, _ in solved),
            means=tuple(means for _, means in solved),
            alpha=float(self.alphas[0]),
            finish=finish,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        if self._solved is not None:
            self._solved[0].check(self.forest.trees)
