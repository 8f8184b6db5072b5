"""Filters of convolutional clusters, learned without labels: directions of whitened patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from densernn.cluster import Cluster
from densernn.images.kernels import gather_patches
from densernn.images.layer import ConvolutionalLayer, IntArray, places_of

Float64Array = NDArray[np.float64]

N_PATCHES = 20_000
"""Patches from which filters are learned."""

KEPT = 0.7
"""Share of the patches that teach directions: those with the largest norms."""

ROUNDS = 5
"""Of k-means: directions hardly move after them."""

FLOOR = 0.1
"""Share of the mean variance that is added to all: what is below is mostly noise."""


@dataclass(frozen=True)
class Stage:
    """What a layer of convolutional clusters is to be.

    Parameters
    ----------
    n_filters : int
    size, padding : int
        Side of a filter, and silent pixels around an image.
    lines, places : ndarray of shape (2, n_windows)
        Windows over the places of filters: see :class:`ConvolutionalLayer`.
    whiten : bool
        Whether inputs of a patch are decorrelated before filters are learned, by ZCA; or else
        scaled one by one.
    gain : float
        Standard deviation of inhibition less excitation over patches, in units of lambda_plus.
    threshold : float
        Inhibition of all places beside, in such standard deviations.
    """

    n_filters: int
    size: int
    padding: int
    lines: IntArray
    places: IntArray
    whiten: bool
    gain: float
    threshold: float = 0.0


def draw_patches(
    images: NDArray[Any], stage: Stage, n_patches: int, rng: np.random.Generator
) -> Float64Array:
    """Return patches of images, each from one place of one image, drawn evenly.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width, n_channels)
    stage : Stage
        Its size and padding.
    n_patches : int
    rng : Generator

    Returns
    -------
    ndarray of shape (n_patches, size * size * n_channels)
    """
    n_lines, n_across = places_of(images.shape[1:], stage.size, stage.padding)
    length = stage.size**2 * images.shape[3]
    found = np.empty((n_patches, length))
    chosen = np.sort(rng.integers(len(images) * n_lines * n_across, size=n_patches))
    image, place = np.divmod(chosen, n_lines * n_across)
    room = np.empty((1, n_lines, n_across, length + 1), images.dtype)
    for b in np.unique(image):
        gather_patches(images[b : b + 1], stage.size, stage.padding, room)
        own = image == b
        found[own] = room.reshape(-1, length + 1)[place[own], :-1]
    return found


def learn_directions(rows: Float64Array, n: int, rng: np.random.Generator) -> Float64Array:
    """Return n unit vectors by spherical k-means: each is the mean direction of its rows.

    Rows of small norm are left out; a direction without rows begins anew at one of them.

    Returns
    -------
    ndarray of shape (n, n_columns)
    """
    norms = np.linalg.norm(rows, axis=1)
    enough = np.maximum(np.quantile(norms, 1.0 - KEPT), np.finfo(float).tiny)
    units = rows[norms >= enough] / norms[norms >= enough, None]
    found = units[rng.choice(len(units), n, replace=len(units) < n)]
    for _ in range(ROUNDS):
        nearest = (units @ found.T).argmax(axis=1)
        sums = np.zeros_like(found)
        np.add.at(sums, nearest, units)
        lengths = np.linalg.norm(sums, axis=1)
        alone = lengths < 1e-9
        sums[alone] = units[rng.integers(len(units), size=int(alone.sum()))]
        found = sums / np.where(alone, 1.0, lengths)[:, None]
    return cast("Float64Array", found)


def learn_layer(
    images: NDArray[Any], stage: Stage, cluster: Cluster, rng: np.random.Generator
) -> ConvolutionalLayer:
    r"""Return a layer whose filters are the main directions of whitened patches.

    With the patches' mean m, W = C M, where the rows of C are directions in the whitened space
    and M whitens (ZCA: :math:`M = U (\Lambda + f)^{-1/2} U'` of the covariance
    :math:`U \Lambda U'`), every :math:`u_f = (p - m)'w_f` scaled to unit variance, a cluster gets

    .. math:: x - e = g \lambda^+ (u_f + t),

    Excitation is the same for all filters: as much as the most negative weight of an input needs
    for inhibitory ones not to be negative.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width, n_channels)
        In the dtype of the layer.
    stage : Stage
    cluster : Cluster
        Its parameters are single numbers.
    rng : Generator
    """
    patches = draw_patches(images, stage, N_PATCHES, rng)
    mean = patches.mean(axis=0)
    patches -= mean
    whitener = _whitener(patches, stage.whiten)
    filters = learn_directions(patches @ whitener, stage.n_filters, rng) @ whitener
    deviation = np.linalg.norm(patches @ filters.T, axis=0) / np.sqrt(len(patches))
    filters /= np.maximum(deviation, np.finfo(float).tiny)[:, None]
    with_offset = np.column_stack([filters, stage.threshold - filters @ mean])
    signed = stage.gain * float(cast("float", cluster.lambda_plus)) * with_offset.T
    weights = np.ascontiguousarray(signed, images.dtype)
    return ConvolutionalLayer(
        images.shape[1:],
        weights,
        np.maximum(-weights.min(axis=1), 0),
        stage.size,
        stage.padding,
        stage.lines,
        stage.places,
        cluster,
    )


def _whitener(patches: Float64Array, whiten: bool) -> Float64Array:
    """Return a symmetric matrix that makes centred patches white, or scales their columns."""
    if not whiten:
        variances = np.square(patches).mean(axis=0)
        return np.diag(1.0 / np.sqrt(variances + FLOOR * variances.mean() + np.finfo(float).tiny))
    values, vectors = linalg.eigh(patches.T @ patches / len(patches))
    values = np.maximum(values, 0.0) + FLOOR * values.mean() + np.finfo(float).tiny
    return cast("Float64Array", (vectors / np.sqrt(values)) @ vectors.T)
