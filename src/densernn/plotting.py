"""Figures of autoencoders: images above what is rebuilt of them, and how the cost fell.

Needs matplotlib, which ``pip install 'densernn[plot]'`` brings; it is imported when a figure is
drawn.  Nothing here shows a figure or changes matplotlib's settings: use ``figure.savefig`` or
``matplotlib.pyplot.show``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn.errors import DataError, ParameterError
from densernn.estimators import RNNAutoencoder

Float64Array = NDArray[np.float64]

GAP = 1
"""Pixels between images."""


def plot_reconstructions(
    autoencoder: RNNAutoencoder,
    X: ArrayLike,
    *,
    n_images: int = 10,
    image_shape: tuple[int, int] | None = None,
    ax: Any = None,
) -> Any:
    """Draw images in an upper row, and below each what is rebuilt from its code.

    Parameters
    ----------
    autoencoder : fitted RNNAutoencoder
    X : array of shape (n_samples, n_features)
        Images, one a row, pixels row by row; the first ``n_images`` are drawn.
    n_images : int, default=10
        How many; all of X if it has fewer.
    image_shape : (height, width), optional
        By default a square.
    ax : matplotlib Axes, optional
        Where to draw; one in a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        The rows are no images of that shape.
    ImportError
        matplotlib is not installed.

    Notes
    -----
    All images share one scale of greys, from the smallest to the largest original value, larger
    values dark; what is rebuilt beyond it is drawn as its end.
    """
    rows = np.asarray(X)[: _positive("n_images", n_images)]
    rebuilt = autoencoder.inverse_transform(autoencoder.transform(rows))
    height, width = _shape(rows.shape[1], image_shape)
    low, high = float(rows.min()), float(rows.max())
    strips = [_strip(images, height, width) for images in (rows, rebuilt)]
    gap = np.full((2 * GAP, strips[0].shape[1]), np.nan)
    ax = ax if ax is not None else _new_axes(0.75 * len(rows), 1.6 * height / width)
    ax.imshow(np.vstack([strips[0], gap, strips[1]]), cmap="gray_r", vmin=low, vmax=high)
    ax.set_xticks([])
    ax.set_yticks([height / 2, height * 1.5 + 2 * GAP], ["original", "rebuilt"])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_cost(autoencoder: RNNAutoencoder, ax: Any = None) -> Any:
    """Draw the cost before the first iteration and after each, on a logarithmic scale.

    Parameters
    ----------
    autoencoder : fitted RNNAutoencoder
    ax : matplotlib Axes, optional
        Where to draw; one in a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    """
    ax = ax if ax is not None else _new_axes(5.0, 3.2)
    cost = autoencoder.cost_
    ax.plot(np.arange(cost.size), cost, color="black", linewidth=1.2)
    if (cost > 0).all():
        ax.set_yscale("log")
    ax.set_xlabel("iteration")
    ax.set_ylabel("squared error")
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def figure_3(X: ArrayLike, *, n_hidden: int = 50, n_images: int = 10, **options: Any) -> Any:
    """Draw Figure 3: the autoencoder with only spiking cells, its cost and what it rebuilds.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Square images to learn from, such as MNIST's; the first ``n_images`` are drawn.
    n_hidden : int, default=50
        Clusters in the code; the paper does not say how many.
    n_images : int, default=10
    **options
        More for :class:`RNNAutoencoder`, such as ``max_iter`` and ``random_state``.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Notes
    -----
    Time and memory are those of the fit; see :class:`RNNAutoencoder`.
    """
    model = _fit(X, n_hidden, "spiking", options)
    figure = _pyplot().figure(figsize=(7.5, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(1.5, 1))
    plot_cost(model, ax=upper)
    plot_reconstructions(model, X, n_images=n_images, ax=lower)
    figure.suptitle(_title(model, X, "only spiking cells, (16) and (17)"))
    return figure


def figure_4(X: ArrayLike, *, n_hidden: int = 500, n_images: int = 10, **options: Any) -> Any:
    """Draw Figure 4: random encoder weights, and a decoder by (19) alone.

    Parameters, errors and cost are those of :func:`figure_3`.

    Returns
    -------
    matplotlib Figure
    """
    return _images(X, n_hidden, "ridge", n_images, options, "(19) alone")


def figure_5(X: ArrayLike, *, n_hidden: int = 50, n_images: int = 10, **options: Any) -> Any:
    """Draw Figure 5: both layers learned, by (20), in the form that descends, and (19).

    Parameters, errors and cost are those of :func:`figure_3`.

    Returns
    -------
    matplotlib Figure
    """
    return _images(X, n_hidden, "rnn-elm", n_images, options, "(19) and (20)")


def figure_6(X: ArrayLike, *, n_hidden: int = 500, n_images: int = 10, **options: Any) -> Any:
    """Draw Figure 6: as Figure 5, with ten times as many clusters.

    Parameters, errors and cost are those of :func:`figure_3`.

    Returns
    -------
    matplotlib Figure
    """
    return figure_5(X, n_hidden=n_hidden, n_images=n_images, **options)


def _fit(X: ArrayLike, n_hidden: int, method: str, options: dict[str, Any]) -> RNNAutoencoder:
    _pyplot()  # so that a missing package is told before the fit, not after
    return RNNAutoencoder(n_hidden, method=method, **options).fit(X)


def _images(
    X: ArrayLike, n_hidden: int, method: str, n_images: int, options: dict[str, Any], how: str
) -> Any:
    """Fit, and draw reconstructions in a figure of their own."""
    model = _fit(X, n_hidden, method, options)
    figure = _pyplot().figure(figsize=(7.5, 2.1), layout="constrained")
    plot_reconstructions(model, X, n_images=n_images, ax=figure.subplots())
    figure.suptitle(_title(model, X, how))
    return figure


def _title(model: RNNAutoencoder, X: ArrayLike, how: str) -> str:
    """Return structure, method, and the error of rebuilt rows whose values lie in [0, 1]."""
    structure = f"{model.n_features_in_}-{model.n_hidden}"
    return f"{structure} via {how}: mean squared error {-model.score(X):.4f}"


def _strip(images: NDArray[Any], height: int, width: int) -> Float64Array:
    """Put images side by side, with gaps that are not drawn."""
    strip = np.full((height, len(images) * (width + GAP) - GAP), np.nan)
    for number, image in enumerate(images):
        left = number * (width + GAP)
        strip[:, left : left + width] = image.reshape(height, width)
    return strip


def _shape(n_pixels: int, wanted: tuple[int, int] | None) -> tuple[int, int]:
    side = math.isqrt(n_pixels)
    height, width = (side, side) if wanted is None else wanted
    if height * width != n_pixels:
        raise DataError(
            f"rows of {n_pixels} columns are no images of {height} x {width} pixels: give "
            "image_shape=(height, width)"
        )
    return height, width


def _positive(name: str, value: int) -> int:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ParameterError(f"{name} must be a whole number from 1 on: it is {value!r}")
    return int(value)


def _new_axes(width: float, height: float) -> Any:
    return _pyplot().figure(figsize=(width, height), layout="constrained").subplots()


def _pyplot() -> Any:
    """Import matplotlib, or say how to get it."""
    try:
        from matplotlib import pyplot  # noqa: PLC0415 - optional, and slow to load
    except ImportError as error:
        raise ImportError(
            "figures need matplotlib, which is not installed: pip install 'densernn[plot]'"
        ) from error
    return pyplot
