"""Trials of plans: losses on rows that taught a forest nothing, for each penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from densernn.forest.bins import ColumnBins
from densernn.forest.evaluation import Taught
from densernn.forest.plan import Plan
from densernn.forest.sampled import SampledRows, blocks_of
from densernn.forest.solution import output_limits
from densernn.forest.structure import draw_trees

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """Losses of a plan.

    Parameters
    ----------
    plan : Plan
    alphas : ndarray of shape (n_alphas,), float64
        Penalties that were tried.
    losses : ndarray of shape (n_alphas, n_rows), float64
        Of the rows it was tried on, for each penalty.
    weight : ndarray of shape (n_rows,), float64
    block : ndarray of shape (n_rows,), intp
        Of neighbouring rows.
    clusters : float
        Of the region of a row, root mean square: the cost of a row goes with its square.
    """

    plan: Plan
    alphas: FloatArray
    losses: FloatArray
    weight: FloatArray
    block: NDArray[np.intp]
    clusters: float

    @property
    def means(self) -> FloatArray:
        """Mean loss for each penalty."""
        return cast("FloatArray", self.losses @ self.weight / self.weight.sum())

    @property
    def scores(self) -> dict[float, float]:
        """Mean loss of each penalty."""
        return dict(zip(self.alphas.tolist(), self.means.tolist(), strict=True))

    @property
    def best_alpha(self) -> float:
        """Penalty whose mean loss is least."""
        return float(self.alphas[int(np.argmin(self.means))])

    @property
    def best(self) -> FloatArray:
        """Losses of rows with the penalty whose mean loss is least."""
        found: FloatArray = self.losses[int(np.argmin(self.means))]
        return found


@dataclass(frozen=True, eq=False)
class Trials:
    """What plans are tried on.

    Parameters
    ----------
    bins : ColumnBins
    coefficients : ndarray of shape (4,), float32
        Of zeta.
    finish : callable
        Probabilities, or values, and their losses.
    splits : tuple of (SampledRows, SampledRows)
        Rows that teach, and rows that judge.
    n_trees : int
        Trees of a trial.
    total_trees : int
        Trees for which losses are extrapolated.
    seed : int
    """

    bins: ColumnBins
    coefficients: NDArray[np.float32]
    finish: Any
    splits: tuple[tuple[SampledRows, SampledRows], ...]
    n_trees: int
    total_trees: int
    seed: int

    @property
    def weight(self) -> FloatArray:
        """Weights of the rows that judge."""
        return np.concatenate([valid.weight for _, valid in self.splits])

    @property
    def block(self) -> NDArray[np.intp]:
        """Blocks of the rows that judge."""
        position = np.concatenate([valid.position for _, valid in self.splits])
        return blocks_of(position, self.weight)

    @property
    def targets(self) -> FloatArray:
        """Targets of the rows that judge."""
        return np.concatenate([valid.targets for _, valid in self.splits])

    def outputs(self, plan: Plan, alphas: FloatArray, n_trees: int) -> FloatArray:
        """Return outputs of each tree for each penalty, for the rows that judge."""
        return self._judged(self._taught(plan, n_trees), alphas)

    def run(self, plan: Plan, alphas: FloatArray, near: float | None = None) -> Trial:
        """Return the losses of a plan.

        Parameters
        ----------
        plan : Plan
        alphas : ndarray
            Increasing.
        near : float, optional
            One of ``alphas``: it and its neighbours are tried, and on until one is the best.
        """
        taught = self._taught(plan, self.n_trees)
        place = 0 if near is None else int(np.searchsorted(alphas, near))
        low, high = (0, len(alphas)) if near is None else (max(place - 1, 0), place + 2)
        outputs = self._judged(taught, alphas[low:high])
        while True:
            trial = self._trial(plan, alphas[low:high], outputs, taught)
            best = trial.best_alpha
            if best == alphas[low] and low:
                low -= 1
                outputs = np.hstack([self._judged(taught, alphas[low : low + 1]), outputs])
            elif best == alphas[min(high, len(alphas)) - 1] and high < len(alphas):
                high += 1
                outputs = np.hstack([outputs, self._judged(taught, alphas[high - 1 : high])])
            else:
                return trial

    def _taught(self, plan: Plan, n_trees: int) -> list[Taught]:
        """Return trees and their sums over the rows that teach, for every split."""
        seeds = self.seed + np.arange(n_trees)
        found = []
        for train, _ in self.splits:
            structure = plan.structure(1.0, float(train.weight.sum()))
            trees = draw_trees(structure, self.bins, train, seeds)
            found.append(Taught.by(trees, self.coefficients, train))
        return found

    def _judged(self, taught: list[Taught], alphas: FloatArray) -> FloatArray:
        limits = output_limits(self.finish, self.targets.shape[1])
        pairs = zip(taught, self.splits, strict=True)
        outputs = [own.outputs(alphas, valid.scores, limits) for own, (_, valid) in pairs]
        return np.concatenate(outputs, axis=2)

    def _trial(
        self, plan: Plan, alphas: FloatArray, outputs: FloatArray, taught: list[Taught]
    ) -> Trial:
        r"""Return the losses of a plan, extrapolated to all trees.

        The squared error of the mean of T trees is :math:`E_1 - (E_1 - E_k)(1 - 1/T)/(1 - 1/k)`,
        from that of single trees and of the k trees of a trial.  Losses of rows are those of the
        trial, lowered by the same factor: a log loss itself has no such law.
        """
        targets, weight = self.targets, self.weight
        mean = outputs.mean(axis=0)
        rough = int(np.argmin(_losses(self.finish, mean, targets) @ weight))
        finish = self.finish.fit(mean[rough], targets, weight)
        joint = _squared_errors(mean, targets, weight)
        single = np.mean([_squared_errors(one, targets, weight) for one in outputs], axis=0)
        share = (1.0 - 1.0 / self.total_trees) / (1.0 - 1.0 / self.n_trees)
        factor = (single - share * (single - joint)) / np.where(joint > 0, joint, 1.0)
        losses = _losses(finish, mean, targets) * factor[:, None]
        square = np.mean([tree.mean_square_size for own in taught for tree in own.trees])
        return Trial(plan, alphas, losses, weight, self.block, float(square) ** 0.5)


def _squared_errors(outputs: FloatArray, targets: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the mean squared error of outputs for each penalty."""
    return cast("FloatArray", np.square(outputs - targets).sum(axis=2) @ weight / weight.sum())


def _losses(finish: Any, outputs: FloatArray, targets: FloatArray) -> FloatArray:
    """Return the losses of rows for outputs of each penalty."""
    return np.stack([finish.losses(of_one, targets) for of_one in outputs])
