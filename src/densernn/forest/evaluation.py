"""Evaluation of forests on rows that taught them nothing: losses for each row and penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densernn._threads import one_blas_thread, run_each
from densernn.forest.boxes import BoxTree
from densernn.forest.moments import TreeMoments
from densernn.forest.products import add_outputs, add_rows
from densernn.forest.ridge import solve_tree
from densernn.forest.sampled import SampledRows

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows kept aside from the structure of a forest.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns), float32
    targets : ndarray of shape (n_rows, n_targets), float64
    weight : ndarray of shape (n_rows,), float64
    block : ndarray of shape (n_rows,), intp
        Of neighbouring rows.
    """

    scores: NDArray[np.float32]
    targets: FloatArray
    weight: FloatArray
    block: NDArray[np.intp]


def sum_rows(
    tree: BoxTree, coefficients: NDArray[np.float32], rows: SampledRows | HeldOut
) -> TreeMoments:
    """Return the moments of rows alone."""
    root = np.empty(0) if (rows.weight == 1.0).all() else np.sqrt(rows.weight)
    moments = TreeMoments.zero(tree, rows.targets.shape[1])
    add_rows(rows.scores, rows.targets, root, tree, coefficients, moments.second, moments.cross)
    return moments


def tree_outputs(
    tree: BoxTree,
    coefficients: NDArray[np.float32],
    moments: TreeMoments,
    alphas: FloatArray,
    scores: NDArray[np.float32],
    limits: FloatArray,
) -> FloatArray:
    """Return outputs of one tree for each penalty, of shape (n_alphas, n_rows, n_targets)."""
    weights, means = solve_tree(tree, moments, alphas)
    found = np.zeros((len(alphas), len(scores), means.shape[1]))
    gate = np.ones(len(scores))
    add_outputs(
        scores, gate, tree.routing, tree.clusters, coefficients, weights, means, limits, found
    )
    return found


@dataclass(frozen=True, eq=False)
class Taught:
    """Trees with their sums over some rows.

    Parameters
    ----------
    trees : tuple of BoxTree
    coefficients : ndarray of shape (4,), float32
        Of zeta.
    moments : list of TreeMoments
    """

    trees: tuple[BoxTree, ...]
    coefficients: NDArray[np.float32]
    moments: list[TreeMoments]

    @classmethod
    def by(
        cls, trees: tuple[BoxTree, ...], coefficients: NDArray[np.float32], rows: SampledRows
    ) -> Taught:
        """Return trees with the sums over rows."""
        with one_blas_thread():
            moments = run_each(lambda tree: sum_rows(tree, coefficients, rows), trees)
        return cls(trees, coefficients, moments)

    def outputs(
        self, alphas: FloatArray, scores: NDArray[np.float32], limits: FloatArray
    ) -> FloatArray:
        """Return outputs of each tree: (n_trees, n_alphas, n_rows, n_targets)."""

        def outputs(tree: BoxTree, sums: TreeMoments) -> FloatArray:
            return tree_outputs(tree, self.coefficients, sums, alphas, scores, limits)

        with one_blas_thread():
            return np.stack(run_each(outputs, self.trees, self.moments))


def held_out_outputs(
    trees: tuple[BoxTree, ...],
    coefficients: NDArray[np.float32],
    moments: tuple[TreeMoments, ...],
    alphas: FloatArray,
    rows: HeldOut,
    limits: FloatArray,
) -> FloatArray:
    """Return mean outputs for rows kept aside, whose share is first taken out of the moments.

    Shape (n_alphas, n_rows, n_targets).
    """

    def outputs(tree: BoxTree, whole: TreeMoments) -> FloatArray:
        own = sum_rows(tree, coefficients, rows)  # gone when this returns: sums are large
        np.subtract(whole.second, own.second, out=own.second)
        np.subtract(whole.cross, own.cross, out=own.cross)
        return tree_outputs(tree, coefficients, own, alphas, rows.scores, limits)

    with one_blas_thread():
        # Kept apart until all are there: sums must not depend on which thread made which.
        found = run_each(outputs, trees, moments)
    return np.asarray(sum(found)) / len(trees)
