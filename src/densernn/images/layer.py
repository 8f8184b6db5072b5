"""ConvolutionalLayer: clusters that share filters, at all places of an image, and their means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn._threads import one_blas_thread, run_blocks
from densernn.cluster import Cluster, FloatArray
from densernn.errors import DataError
from densernn.images.kernels import gather_patches, pooled_zeta

BLOCK = 16
"""Images that become rows, and back columns, at once."""

IntArray = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ConvolutionalLayer:
    r"""A layer of clusters with shared filters: means of zeta(x, e) over windows of an image.

    The cluster of filter f at place s of an image is inhibited by the cells of its patch at the
    rate :math:`x = \sum_i z_{s+i} w^-_{if}` and excited at :math:`e = \sum_i z_{s+i} w^+_i`, which
    is the same for all filters; one more input is always active.

    Parameters
    ----------
    shape : tuple of int
        Height, width and channels of an image, whose pixels are the inputs, in C order.
    weights : ndarray of shape (size * size * channels + 1, n_filters)
        Inhibitory weights less excitatory ones, :math:`w^-_{if} - w^+_i`; those of the input that
        is always active last.
    excitation : ndarray of shape (size * size * channels + 1,)
        Excitatory weights :math:`w^+_i`.  Neither these nor inhibitory ones are negative.
    size : int
        Side of a filter.
    padding : int
        Silent pixels around an image.
    lines, places : ndarray of shape (2, n_windows)
        First line (or place in a line) of each window, and the one behind its last.
    cluster : Cluster
        Its parameters are single numbers.

    Notes
    -----
    Outputs of an image are in C order of window of lines, window of places and filter, so that
    they are an image for another layer; those of an image are the same bits whatever the images
    beside it.  Cost of an image: 2 (size^2 channels + 1) n_filters
    multiply-adds for each place.  Memory: that of one image's patches for each thread.
    """

    shape: tuple[int, int, int]
    weights: FloatArray
    excitation: FloatArray
    size: int
    padding: int
    lines: IntArray
    places: IntArray
    cluster: Cluster

    @property
    def n_inputs(self) -> int:
        """Number of input columns."""
        height, width, channels = self.shape
        return height * width * channels

    @property
    def n_filters(self) -> int:
        """Number of filters."""
        return int(self.weights.shape[1])

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Windows down, windows across, and filters: an image for another layer."""
        return self.lines.shape[1], self.places.shape[1], self.n_filters

    @property
    def n_clusters(self) -> int:
        """Number of output columns."""
        down, across, n_filters = self.out_shape
        return down * across * n_filters

    @property
    def dtype(self) -> np.dtype[Any]:
        """Working dtype."""
        return self.weights.dtype

    @property
    def n_places(self) -> tuple[int, int]:
        """Lines of places where a filter fits, and places in a line."""
        return places_of(self.shape, self.size, self.padding)

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        """Write the means for inputs ``z`` of shape (n_inputs, n_images) into ``out``.

        Both are C-ordered arrays of the layer's dtype, ``out`` of shape (n_clusters, n_images).
        """
        # Kernels do not check bounds, and layers may come from a file.
        if len(z) != self.n_inputs or out.shape != (self.n_clusters, z.shape[1]):
            raise DataError(
                f"a layer for images of {self.shape} got {len(z)} columns, and room for "
                f"{len(out)} of {self.n_clusters}"
            )
        rates = self.cluster.signed_rates(self.dtype)[:, 0].copy()

        def part(start: int, stop: int) -> None:
            # Room is made once: threads that map memory for every image wait for each other.
            patches = np.empty((1, *self.n_places, len(self.weights)), self.dtype)
            more = np.empty((1, *self.n_places, self.n_filters), self.dtype)
            excitation = np.empty((1, *self.n_places), self.dtype)
            rows, products = (a.reshape(-1, a.shape[3]) for a in (patches, more))
            for first in range(start, stop, BLOCK):
                block = slice(first, min(first + BLOCK, stop))
                few = np.ascontiguousarray(z[:, block])
                images = np.ascontiguousarray(few.T).reshape(-1, 1, *self.shape)
                found = np.empty((len(images), *self.out_shape), self.dtype)
                for image, means in zip(images, found, strict=True):
                    gather_patches(image, self.size, self.padding, patches)
                    # A product for each image: its rounding depends on nothing beside.  NumPy's
                    # lets other threads run, SciPy's BLAS does not.
                    np.matmul(rows, self.weights, out=products)
                    np.matmul(rows, self.excitation, out=excitation.reshape(-1))
                    pooled_zeta(more, excitation, self.lines, self.places, rates, means[None])
                out[:, block] = found.reshape(len(found), -1).T

        with one_blas_thread():
            run_blocks(part, z.shape[1])

    def astype(self, dtype: Any) -> ConvolutionalLayer:
        """Return the same layer in another float dtype."""
        weights = np.ascontiguousarray(self.weights, dtype)
        return replace(self, weights=weights, excitation=self.excitation.astype(dtype))

    def contents(self) -> dict[str, Any]:
        """Return the parameters that determine the activations, by name."""
        return {
            "filters": (self.weights, self.excitation),
            "windows": (self.shape, self.size, self.padding, self.lines, self.places),
            "cluster": self.cluster.coefficients(),
        }


def places_of(shape: tuple[int, int, int], size: int, padding: int) -> tuple[int, int]:
    """Return the lines of places where a filter fits into an image, and the places in a line."""
    height, width, _ = shape
    return height + 2 * padding - size + 1, width + 2 * padding - size + 1
