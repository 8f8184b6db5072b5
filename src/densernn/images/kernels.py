"""Numba kernels of images: patches as rows, and activations of clusters averaged over windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from densernn._kernels import exact, reordering
from densernn._signed_kernels import signed_zeta_tile


@exact
def gather_patches(images: Any, size: Any, padding: Any, out: Any) -> None:
    """Write all patches of images as rows of ``out``, with an input that is always active behind.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width, n_channels)
    size : int
        Side of a patch.
    padding : int
        Silent pixels around an image.
    out : ndarray of shape (n_images, n_lines, n_places, size * size * n_channels + 1)
        Lines and places of patches, from top left.
    """
    n_images, height, width, n_channels = images.shape
    room = np.zeros((height + 2 * padding, (width + 2 * padding) * n_channels), images.dtype)
    edge, length = padding * n_channels, size * n_channels
    for b in range(n_images):
        for i in range(height):
            line = images[b, i].reshape(width * n_channels)
            room[padding + i, edge : edge + line.size] = line
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                patch = out[b, i, j]
                for k in range(size):
                    start = j * n_channels
                    patch[k * length : (k + 1) * length] = room[i + k, start : start + length]
                patch[size * length] = 1


@reordering
def pooled_zeta(more: Any, excitation: Any, lines: Any, places: Any, rates: Any, out: Any) -> None:
    """Write the mean activations of clusters over windows of an image.

    Parameters
    ----------
    more : ndarray of shape (n_images, n_lines, n_places, n_filters)
        Inhibition less excitation of the cluster of each filter at each place.
    excitation : ndarray of shape (n_images, n_lines, n_places)
        The same for all filters.
    lines, places : ndarray of shape (2, n_windows)
        First line, or place, of each window, and the one behind its last; both increase.
    rates : ndarray of shape (5,)
        See :meth:`Cluster.signed_rates`.
    out : ndarray of shape (n_images, n_windows of lines, n_windows of places, n_filters)
    """
    n_filters = out.shape[3]
    scratch, one = np.empty(n_filters, more.dtype), more.dtype.type(1)
    for b in range(more.shape[0]):
        out[b] = 0
        for i in range(more.shape[1]):
            for j in range(more.shape[2]):
                unit = one / (rates[3] + excitation[b, i, j])
                signed_zeta_tile(
                    more[b, i, j], unit, scratch, rates[0], rates[1], rates[2], rates[4]
                )
                for u in range(lines.shape[1]):
                    if lines[0, u] <= i < lines[1, u]:
                        for v in range(places.shape[1]):
                            if places[0, v] <= j < places[1, v]:
                                window = out[b, u, v]
                                for f in range(n_filters):
                                    window[f] += scratch[f]
        for u in range(lines.shape[1]):
            for v in range(places.shape[1]):
                area = (lines[1, u] - lines[0, u]) * (places[1, v] - places[0, v])
                share = more.dtype.type(1.0 / area)
                window = out[b, u, v]
                for f in range(n_filters):
                    window[f] *= share
