"""ImageMap: a feature map of images, whose outputs may be means over shifted images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.images.pixels import Layout
from densernn.layers import FeatureMap

Float64Array = NDArray[np.float64]

ONE_PIXEL = Layout((1, 1, 1))
"""A layout for the map's default, which its base class makes necessary."""


@dataclass(frozen=True, eq=False)
class ImageMap(FeatureMap):
    """A feature map of images.

    Parameters
    ----------
    preparation, layers, rotation, n_prepared
        As in :class:`FeatureMap`.
    layout : Layout
        Of the images that rows hold.
    shift : int
        Outputs are means over an image, and over it shifted by 1 to so many pixels up, down, left
        and right; 0 for the image alone.
    """

    layout: Layout = ONE_PIXEL
    shift: int = 0

    def outputs(self, X: NDArray[Any], solution: Any, first_row: int = 0) -> Float64Array:
        """Return the outputs of a readout for rows, of shape (n_rows, n_targets)."""
        found = super().outputs(X, solution, first_row)
        if not self.shift:
            return found
        images = self.layout.images(X)
        n_moves = 1 + 4 * self.shift
        for size in range(1, self.shift + 1):
            for down, across in ((size, 0), (-size, 0), (0, size), (0, -size)):
                moved = self.layout.rows(shifted(images, down, across))
                found += super().outputs(moved, solution, first_row)
        return found / n_moves


def shifted(images: NDArray[Any], down: int, across: int) -> NDArray[Any]:
    """Return images moved by whole pixels; those from outside are the nearest ones inside.

    Examples
    --------
    >>> shifted(np.arange(3).reshape(1, 1, 3, 1), 0, 1).ravel()
    array([0, 0, 1])
    """
    _, height, width, _ = images.shape
    lines = np.clip(np.arange(height) - down, 0, height - 1)
    places = np.clip(np.arange(width) - across, 0, width - 1)
    return images[:, lines[:, None], places]
