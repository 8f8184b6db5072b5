"""Choice of a forest's structure and penalty by proper scores on rows that taught it nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densernn.forest.plan import Plan, Step
from densernn.forest.trials import Trial, Trials

FloatArray = NDArray[np.float64]

CLOSE = 0.25
"""Standard errors by which losses of penalties may differ and count as equal."""

DEAREST = 300.0
"""Clusters of a region, as a root mean square over rows, above which no plan goes on."""

WORTHWHILE = 0.05
"""Share of its loss that the best plan saves, beside the worst one that was tried of the same kind,
for plans of twice as many clusters to be tried: they take four times as long."""


def choose_plan(trials: Trials, first: Plan, steps: Sequence[Step], alphas: FloatArray) -> Trial:
    """Return the trial of the best plan.

    Parameters
    ----------
    trials : Trials
    first : Plan
        Where the search begins.
    steps : sequence of Step
        One for each number that is free.  From the best plan so far, each direction is followed
        up to the first value that does not lower the loss; of all these plans one stays that is
        close to the best.
    alphas : ndarray
        Penalties to try with each.
    """
    best = trials.run(first, alphas)
    for step in steps:
        tried = [best]
        for values in step.directions:
            tried += _along(trials, best, step.name, values, alphas, _dearest(tried))
        if step.cheapest:
            tried.sort(key=lambda trial: trial.clusters)
        best = first_of_best(tried, step.close)
    return best


def _dearest(tried: Sequence[Trial]) -> float:
    """Return how many clusters a region may have: more where they have been seen to matter."""
    losses = [float(trial.means.min()) for trial in tried]
    saved = max(losses) - min(losses)
    return DEAREST * (2.0 if saved > WORTHWHILE * max(losses) else 1.0)


def _along(
    trials: Trials,
    start: Trial,
    name: str,
    values: Sequence[float],
    alphas: FloatArray,
    dearest: float,
) -> list[Trial]:
    """Return the trials of one direction, up to the first that does not lower the loss."""
    found, last = [], start
    for value in values:
        plan = replace(last.plan, **{name: value})
        if last.clusters * plan.leaves / last.plan.leaves > dearest:
            break
        trial = trials.run(plan, alphas, last.best_alpha)
        found.append(trial)
        if trial.means.min() > last.means.min():
            break
        last = trial
    return found


def first_of_best(trials: Sequence[Trial], close: float) -> Trial:
    """Return the first trial whose loss is close to the least."""
    least = min(trials, key=lambda trial: float(trial.means.min()))
    for trial in trials:
        gap, error = gap_and_error(trial.best, least.best, least.weight, least.block)
        if gap <= close * error:
            return trial
    return least


def gap_and_error(
    first: FloatArray, second: FloatArray, weight: FloatArray, block: NDArray[np.intp]
) -> tuple[float, float]:
    """Return the mean of the difference of losses of the same rows, and its standard error.

    Rows of a block may be alike, as those of one day are: they count as one observation.
    """
    share = weight / weight.sum()
    difference = first - second
    gap = float(share @ difference)
    of_blocks = np.bincount(block, share * (difference - gap))
    return gap, float(np.sqrt(np.square(of_blocks).sum()))


def simplest_alpha(
    losses: FloatArray, weight: FloatArray, block: NDArray[np.intp], alphas: FloatArray
) -> int:
    """Return the place of the largest penalty that is as good as the best one.

    As good is a mean loss within a quarter of a standard error of the difference.
    """
    best = int(np.argmin(losses @ weight))
    for k in np.argsort(-alphas):
        gap, error = gap_and_error(losses[k], losses[best], weight, block)
        if gap <= CLOSE * error:
            return int(k)
    return best
