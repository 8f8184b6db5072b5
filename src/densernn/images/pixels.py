"""Pixels of images in rows: their order, and their preparation for the first layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn.cluster import FloatArray
from densernn.layers import prepare
from densernn.preparation import UnitScaler, as_chunk
from densernn.row_standardizer import standardize

SPREAD = 3.0
"""Standard deviations from the mean to 0 and to 1, in images that are standardised."""

BLOCK = 256
"""Images that are standardised at once."""


@dataclass(frozen=True)
class Layout:
    """How rows hold images: one of several views behind another, each in C order.

    Parameters
    ----------
    shape : tuple of int
        Height, width, and channels of all views together.
    n_views : int
        Images that a row holds, such as those of two cameras.
    """

    shape: tuple[int, int, int]
    n_views: int = 1

    def images(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return images of shape (n_images, height, width, channels) of rows."""
        if self.n_views == 1:
            return rows.reshape(-1, *self.shape)
        height, width, channels = self.shape
        apart = rows.reshape(-1, self.n_views, height, width, channels // self.n_views)
        return apart.transpose(0, 2, 3, 1, 4).reshape(-1, *self.shape)

    def rows(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return images as rows."""
        height, width, channels = self.shape
        apart = images.reshape(-1, height, width, self.n_views, channels // self.n_views)
        return apart.transpose(0, 3, 1, 2, 4).reshape(len(images), -1)


@dataclass(frozen=True, eq=False)
class PixelPreparation:
    """Pixels from 0 to 1 by columns, as images of height, width and channel in C order.

    Parameters
    ----------
    layout : Layout
    scaler : UnitScaler or None
        By the range of the training images; None: each channel of an image is standardised by its
        own mean and deviation, of which three fit to either side.

    Notes
    -----
    A missing pixel, NaN, becomes 0.
    """

    layout: Layout
    scaler: UnitScaler | None

    def prepare_columns(self, X: NDArray[Any], dtype: Any, first_row: int = 0) -> FloatArray:
        """Return the pixels of rows by columns, of shape (n_pixels, n_rows)."""
        rows = self.layout.rows(self._standardized(X, dtype)) if self.scaler is None else X
        values = prepare(self.scaler, rows, dtype, first_row)
        if self.layout.n_views == 1:
            return values
        order = self.layout.images(np.arange(len(values))[None]).ravel()
        ordered: FloatArray = values[order]
        return ordered

    def _standardized(self, X: NDArray[Any], dtype: Any) -> FloatArray:
        """Return images of which each channel has mean 0.5, and deviation 1/6."""
        images = self.layout.images(as_chunk(X))
        out: FloatArray = np.empty(images.shape, dtype)
        for first in range(0, len(images), BLOCK):
            block = slice(first, first + BLOCK)
            channels = np.moveaxis(images[block], 3, 1)
            flat = channels.reshape(-1, channels.shape[2] * channels.shape[3])
            lacks = np.isnan(flat)
            if lacks.any():  # what is missing takes no part in means and deviations
                flat = np.where(lacks, _means(flat, lacks), flat)
            scores = np.empty(flat.shape, dtype)
            standardize(flat, scores)
            scores = np.clip(scores / (2 * SPREAD) + 0.5, 0.0, 1.0)
            scores[lacks] = np.nan
            out[block] = np.moveaxis(scores.reshape(channels.shape), 1, 3)
        return out


def _means(rows: NDArray[Any], lacks: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the mean of each row without what it lacks, as a column."""
    counts = np.maximum((~lacks).sum(axis=1, keepdims=True), 1)
    return np.asarray(np.where(lacks, 0.0, rows).sum(axis=1, keepdims=True) / counts)
