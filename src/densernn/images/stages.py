"""Stages of an image model: filters and windows by the size of its images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from densernn.cluster import Cluster, FloatArray
from densernn.errors import ParameterError
from densernn.images.filters import Stage, learn_layer
from densernn.images.layer import ConvolutionalLayer, IntArray, places_of

Shape = tuple[int, int, int]

LARGE = 12
"""Side from which on filters have 5 x 5 pixels, and the first stage is halved."""

N_WINDOWS = 3
"""Windows a side of the last stage."""

GAINS = 0.1, 0.06
"""Of the first and the last stage, in units of lambda_plus; halves and doubles are as good."""


def tiles(n: int, side: int) -> IntArray:
    """Return the first place of each window of ``side`` places side by side, and its end."""
    starts = np.arange(0, n, side)
    return np.stack([starts, np.minimum(starts + side, n)])


def overlapping(n: int, n_windows: int) -> IntArray:
    """Return windows of two fifths of n places each, spread evenly, of which none is twice."""
    width = -(-2 * n // 5)
    starts = np.unique(np.round(np.linspace(0, n - width, n_windows)).astype(np.intp))
    return np.stack([starts, starts + width])


def image_shape(chosen: Any, n_columns: int, given: tuple[int, ...] | None) -> Shape:
    """Return height, width and channels of the images that rows hold.

    Parameters
    ----------
    chosen : sequence of int, or None
        What was asked for: height and width, and channels if there are several.
    n_columns : int
        Columns of a row.
    given : tuple of int or None
        Axes that the array of images had behind the first.

    Raises
    ------
    ParameterError
        They contradict each other, or nothing says it.
    """
    if chosen is None and given is None:
        side = math.isqrt(n_columns)
        if side * side != n_columns:
            raise ParameterError(
                f"rows of {n_columns} pixels are no square images: give image_shape=(height, "
                "width) or (height, width, channels)"
            )
        given = side, side
    shape: Any = given if chosen is None else chosen
    sizes = [int(n) for n in shape] if _are_sizes(shape) else []
    if len(sizes) not in (2, 3) or min(sizes) < 1:
        raise ParameterError(
            f"image_shape must be (height, width) or (height, width, channels): it is {shape!r}"
        )
    if math.prod(sizes) != n_columns or (given is not None and math.prod(given) != n_columns):
        raise ParameterError(
            f"image_shape={tuple(sizes)} are {math.prod(sizes)} pixels, and rows have {n_columns}"
        )
    height, width, channels = (*sizes, 1)[:3]
    return height, width, channels


def _are_sizes(shape: Any) -> bool:
    whole = (int, np.integer)
    return isinstance(shape, (tuple, list)) and all(isinstance(n, whole) for n in shape)


def first_stage(shape: Shape, n_filters: int) -> Stage:
    """Return the stage next to the pixels; its outputs are an image of half the side if large."""
    if min(shape[:2]) < 3:
        raise ParameterError(f"images must have 3 x 3 pixels at least: they are {shape[:2]}")
    size, pool = (5, 2) if min(shape[:2]) >= LARGE else (3, 1)
    n_lines, n_across = places_of(shape, size, size // 2)
    windows = tiles(n_lines, pool), tiles(n_across, pool)
    return Stage(n_filters, size, size // 2, *windows, whiten=False, gain=GAINS[0])


def last_stage(shape: Shape, n_filters: int, size: int) -> Stage:
    """Return the stage next to the readout, with up to nine overlapping windows."""
    padding = 0 if size == 5 else size // 2
    n_lines, n_across = places_of(shape, size, padding)
    windows = overlapping(n_lines, N_WINDOWS), overlapping(n_across, N_WINDOWS)
    return Stage(n_filters, size, padding, *windows, whiten=True, gain=GAINS[1])


def learn_stages(
    columns: FloatArray,
    shape: Shape,
    n_filters: tuple[int, int],
    cluster: Cluster,
    rng: np.random.Generator,
) -> tuple[tuple[ConvolutionalLayer, ConvolutionalLayer], FloatArray]:
    """Return two layers, and the activations of the second.

    Parameters
    ----------
    columns : ndarray of shape (n_pixels, n_images)
        Prepared pixels of some images, by columns.
    shape : tuple of int
        Of an image.
    n_filters : tuple of int
        Of each stage.
    cluster : Cluster
    rng : Generator
    """
    first = learn_layer(as_images(columns, shape), first_stage(shape, n_filters[0]), cluster, rng)
    hidden = activations(first, columns)
    stage = last_stage(first.out_shape, n_filters[1], first.size)
    last = learn_layer(as_images(hidden, first.out_shape), stage, cluster, rng)
    return (first, last), activations(last, hidden)


def as_images(columns: FloatArray, shape: Shape) -> FloatArray:
    """Return images of shape (n_images, height, width, n_channels) from columns of pixels."""
    return np.ascontiguousarray(columns.T).reshape(-1, *shape)


def activations(layer: ConvolutionalLayer, columns: FloatArray) -> FloatArray:
    """Return the outputs of a layer, of shape (n_clusters, n_images)."""
    out = np.empty((layer.n_clusters, columns.shape[1]), layer.dtype)
    layer.forward(columns, out)
    return out
