"""Plots of image models: their filters, and the images that they take for something else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn._pyplot import pyplot
from densernn.errors import DataError
from densernn.estimators import ConvolutionalClusters, RNNImageClassifier
from densernn.estimators.image_rows import layout_of
from densernn.images.layer import ConvolutionalLayer

COLUMNS = 8
"""Filters, or images, in a row of a figure."""


def plot_filters(model: RNNImageClassifier | ConvolutionalClusters, *, channel: int = 0) -> Any:
    """Plot the filters next to the pixels: what inhibits is red, what excites is blue.

    Parameters
    ----------
    model : fitted RNNImageClassifier or ConvolutionalClusters
    channel : int, default=0
        Channel of the images whose weights are drawn.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    DataError
        There is no such channel.
    """
    layer: ConvolutionalLayer = model.feature_map_.layers[0]  # type: ignore[assignment]
    n_channels = layer.shape[2]
    if not 0 <= channel < n_channels:
        raise DataError(f"channel must be below {n_channels}: it is {channel}")
    signed = layer.weights[:-1].reshape(layer.size, layer.size, n_channels, -1)[:, :, channel]
    figure, axes = _grid(layer.n_filters, 0.9)
    for f, ax in enumerate(axes):
        most = float(np.abs(signed[..., f]).max()) or 1.0
        ax.imshow(signed[..., f], cmap="RdBu_r", vmin=-most, vmax=most)
    return figure


def plot_errors(
    model: RNNImageClassifier, X: ArrayLike, y: ArrayLike, *, n_images: int = 40
) -> Any:
    """Plot images that are taken for another class, those that the model is surest of first.

    Above each stand its class, and what it was taken for.

    Parameters
    ----------
    model : fitted RNNImageClassifier
    X : array of images, or of flat rows
    y : array of shape (n_samples,)
        Classes.
    n_images : int, default=40
        Images at most.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    DataError
        All images are told right.
    """
    rows, labels = np.asarray(X), np.asarray(y)
    P = model.predict_proba(rows)
    said: NDArray[Any] = model.classes_[P.argmax(axis=1)]
    wrong = np.flatnonzero(said != labels)
    if not wrong.size:
        raise DataError("all images are told right: there is no error to draw")
    wrong = wrong[np.argsort(-P[wrong].max(axis=1), kind="stable")][:n_images]
    figure, axes = _grid(len(wrong), 1.1)
    for number, ax in zip(wrong, axes, strict=True):
        image = layout_of(model).images(rows[number][None])[0]
        shown = image if image.shape[2] in (3, 4) else image[..., 0]
        ax.imshow(shown, cmap="gray_r")
        ax.set_title(f"{labels[number]}: {said[number]}", fontsize=8)
    return figure


def _grid(n: int, side: float) -> tuple[Any, list[Any]]:
    """Return a figure with room for n small images, and their axes."""
    n_rows = -(-n // COLUMNS)
    size = side * min(n, COLUMNS), 1.1 * side * n_rows
    figure = pyplot().figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, min(n, COLUMNS), squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    return figure, list(axes[:n])
