"""Augmentation: moved copies of images, drawn by what an image holds, as part of any pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from densernn._threads import run_blocks
from densernn.errors import DataError, ParameterError
from densernn.images.pixels import Layout
from densernn.images.warp import warp
from densernn.phases import Phase
from densernn.sources.rows import Chunk
from densernn.stats.distinct import hash_rows

Statistic = TypeVar("Statistic")

Augment = Callable[[NDArray[Any], NDArray[np.uint64]], NDArray[Any]]

SIZES = ("shift", "rotate", "scale", "shear", "elastic")
"""Parameters that move pixels."""


@dataclass(frozen=True)
class Augmentation:
    """Random small movements of an image, which change what it shows as little as another hand.

    Parameters
    ----------
    n_copies : int, default=4
        Moved copies of each image, which are learned beside it.
    shift : float, default=0.05
        Largest shift down and across, as a share of the height and the width.
    rotate : float, default=12.0
        Largest rotation, in degrees.
    scale, shear : float, default=0.1
        Largest relative change of height and of width, and largest shear.
    elastic : float, default=0.025
        Standard deviation of a smooth field of displacements, as a share of height and width.
    n_knots : int, default=8
        Knots a side of that field, a cubic B-spline: fewer are smoother.

    Notes
    -----
    Every movement is drawn by a hash of the pixels and the number of the copy, so that copies are
    the same whatever the order of the images, the chunks, the workers, or a resumption, and
    ``forget`` takes away what was added.  Pixels are interpolated linearly; those outside an
    image count as the nearest ones inside.

    Examples
    --------
    >>> image = np.zeros((1, 8, 8, 1)); image[0, 2:6, 3:5] = 1.0
    >>> moved = Augmentation(shift=0.25)(image, np.array([7], np.uint64))
    >>> moved.shape, bool((moved != image).any())
    ((1, 8, 8, 1), True)
    """

    n_copies: int = 4
    shift: float = 0.05
    rotate: float = 12.0
    scale: float = 0.1
    shear: float = 0.1
    elastic: float = 0.025
    n_knots: int = 8

    def __post_init__(self) -> None:
        for name in SIZES:
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0.0 <= value < np.inf):
                raise ParameterError(f"{name} must be a number from 0 on: it is {value!r}")
        for name in ("shift", "scale", "elastic"):
            if getattr(self, name) >= 1:
                raise ParameterError(
                    f"{name} must be below 1, a share of the side: it is {getattr(self, name)!r}"
                )
        for name, fewest in (("n_copies", 1), ("n_knots", 4)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < fewest:
                raise ParameterError(
                    f"{name} must be a whole number from {fewest} on: it is {value!r}"
                )

    def __call__(self, images: NDArray[Any], seeds: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Return a moved copy of each image.

        Parameters
        ----------
        images : ndarray of shape (n_images, height, width, n_channels)
        seeds : ndarray of shape (n_images,), uint64

        Returns
        -------
        ndarray of the same shape, float32
        """
        pixels = np.ascontiguousarray(images, np.float32)
        out = np.empty_like(pixels)
        angle = np.deg2rad(self.rotate)
        sizes = np.array([self.shift, angle, self.scale, self.shear, self.elastic])

        def part(start: int, stop: int) -> None:
            block = slice(start, stop)
            warp(pixels[block], seeds[block], sizes, self.n_knots, out[block])

        run_blocks(part, len(pixels), at_least=64)
        return out


@dataclass(frozen=True, eq=False)
class AugmentedPass(Phase[Statistic]):
    """A pass that gets moved copies of its rows, too.

    Parameters
    ----------
    phase : Phase
    augment : callable
        Returns a copy of images from images and seeds; see :class:`Augmentation`.
    layout : Layout
        Of the images that rows hold.
    """

    phase: Phase[Statistic]
    augment: Augment
    layout: Layout

    @property
    def row_bytes(self) -> int:
        """Memory for a row of a chunk, and for a copy of it."""
        return self.phase.row_bytes + 16 * int(np.prod(self.layout.shape))

    @property
    def most_rows(self) -> int:
        """Rows of a chunk at most."""
        return self.phase.most_rows

    def zero(self) -> Statistic:
        """Return the statistic of no rows."""
        return self.phase.zero()

    def merge(self, first: Statistic, second: Statistic) -> Statistic:
        """Return the statistic of the rows of both."""
        return self.phase.merge(first, second)

    def add(self, state: Statistic, chunk: Chunk) -> Statistic:
        """Add the rows of a chunk, and then each copy of them."""
        state = self.phase.add(state, chunk)
        images, keys = self.layout.images(chunk.X), None
        for number in range(1, getattr(self.augment, "n_copies", 1) + 1):
            copy = replace(chunk, copy=number)
            if self.phase.needs_rows(copy):
                keys = hash_rows(chunk.X) if keys is None else keys
                found = np.asarray(self.augment(images, keys + np.uint64(number)))
                if found.shape != images.shape:
                    raise DataError(
                        f"augment must return images of shape {images.shape}: it returned "
                        f"{found.shape}"
                    )
                copy = replace(copy, X=self.layout.rows(found))
            state = self.phase.add(state, copy)
        return state


def augmentation(chosen: Any) -> Augment | None:
    """Return how images are augmented, from what a user may choose.

    Raises
    ------
    ParameterError
        It is neither None, a truth value, nor callable.
    """
    if chosen is None or chosen is False:
        return None
    if chosen is True:
        return Augmentation()
    if not callable(chosen):
        raise ParameterError(f"augment must be True, None or a callable: it is {chosen!r}")
    found: Augment = chosen
    return found
