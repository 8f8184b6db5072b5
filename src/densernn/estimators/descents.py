"""Iterative methods of RNNAutoencoder: their passes, and the loop around them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._progress import Progress
from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.checkpoint import Checkpoint
from densernn.errors import ConvergenceWarning, InterruptedWarning, user_level
from densernn.reconstruction import CodePass, LinearPass, SpikingPass
from densernn.solvers.descent import Descent, Point, Problem
from densernn.solvers.multiplicative import Terms

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class RowProblem:
    """A problem whose cost and terms are measured by passes over the rows."""

    passes: Passes
    preparation: Any
    cluster: Cluster
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class SpikingProblem(RowProblem):
    """(13) with (16) and (17): W1 and W2 both move, and one pass gives cost and next terms."""

    def measure(self, weights: tuple[Float64Array, ...]) -> Point:
        """Pass over the rows."""
        encoder, decoder = (W.astype(self.dtype, copy=False) for W in weights)
        phase = SpikingPass(self.preparation, self.cluster, encoder, decoder)
        terms = self.passes.run(phase)
        return Point(weights, terms.cost, terms)

    def terms(self, point: Point) -> Sequence[Terms]:
        """Return what the measuring pass found."""
        return point.found.encoder, point.found.decoder


@dataclass(frozen=True)
class LinearProblem(RowProblem):
    """(18): W1 moves by (20), W2 is solved for by (19); one pass for each."""

    alpha: float
    variant: str

    def measure(self, weights: tuple[Float64Array, ...]) -> Point:
        """Pass over the rows for the best decoder, which the point keeps, and its cost."""
        encoder = weights[0].astype(self.dtype, copy=False)
        phase = CodePass(self.preparation, self.cluster, encoder)
        moments = self.passes.run(phase)
        decoder, cost = moments.decode(self.alpha)
        return Point(weights, cost, decoder)

    def terms(self, point: Point) -> Sequence[Terms]:
        """Pass over the rows for the terms of (20)."""
        encoder = point.weights[0].astype(self.dtype, copy=False)
        decoder = point.found.astype(self.dtype, copy=False)
        phase = LinearPass(self.preparation, self.cluster, encoder, decoder, self.variant)
        return (self.passes.run(phase),)


def descend(
    problem: Problem,
    weights: tuple[Float64Array, ...],
    *,
    max_iter: int,
    tol: float,
    max_exponent: float,
    damped: bool,
    verbose: bool,
    checkpoint: Checkpoint | None = None,
) -> Descent:
    """Iterate until the cost settles.

    Returns
    -------
    Descent
        Of all iterations that were done; also after Ctrl-C, once there is a first cost.

    Warns
    -----
    ConvergenceWarning
        ``tol`` was not met in ``max_iter`` iterations.
    InterruptedWarning
        Ctrl-C ended the iterations.
    """
    descent: Descent | None = None if checkpoint is None else checkpoint.load_state("descent")
    if descent is None:
        descent = Descent.start(problem, weights)
    try:
        with Progress("iterations", max_iter, verbose) as progress:
            while len(descent.exponents) < max_iter and not descent.settled(tol):
                descent = descent.advance(problem, max_exponent, damped=damped)
                progress.reach(len(descent.exponents))
                if checkpoint is not None:
                    checkpoint.save_state("descent", descent)
    except KeyboardInterrupt:
        warnings.warn(
            f"RNNAutoencoder was interrupted after {len(descent.exponents)} of {max_iter} "
            f"iterations: it is fitted with the weights of the last, at cost {descent.costs[-1]:g}",
            InterruptedWarning,
            stacklevel=user_level(),
        )
        return descent
    if tol > 0 and not descent.settled(tol):
        warnings.warn(
            f"RNNAutoencoder stopped after {max_iter} iterations, before one lowered the cost by "
            f"less than tol={tol:g} of it: raise max_iter or tol, or set tol=0 if stopping early "
            "is meant",
            ConvergenceWarning,
            stacklevel=user_level(),
        )
    return descent
