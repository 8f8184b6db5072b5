"""Plots of clusters, spikes, autoencoders and images, and the paper's figures.

They need matplotlib (``pip install 'densernn[plot]'``), which is imported when a figure is drawn.
Figures are returned, not shown: use ``figure.savefig`` or ``matplotlib.pyplot.show``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densernn._pyplot import pyplot
from densernn.cluster import Cluster
from densernn.errors import DataError, ParameterError
from densernn.estimators import RNNAutoencoder
from densernn.gnetwork import RandomNeuralNetwork, Simulation
from densernn.image_plots import plot_errors, plot_filters

__all__ = [
    "figure_2",
    "figure_3",
    "figure_4",
    "figure_5",
    "figure_6",
    "plot_cost",
    "plot_errors",
    "plot_filters",
    "plot_raster",
    "plot_reconstructions",
    "plot_zeta",
]

Float64Array = NDArray[np.float64]

GAP = 1
"""Pixels between images."""

PANELS = {
    "a": (0.001, 0.005),
    "b": (0.1, 0.05),
    "c": (1.0, 0.1),
    "d": (10.0, 0.5),
}
"""r, and lambda+ = lambda-, of Figure 2.  The paper's text lacks those of (b) and (c), which are
chosen between the others."""


def plot_reconstructions(
    autoencoder: RNNAutoencoder,
    X: ArrayLike,
    *,
    n_images: int = 10,
    image_shape: tuple[int, int] | None = None,
    ax: Any = None,
) -> Any:
    """Plot images in an upper row, and their reconstructions below.

    Parameters
    ----------
    autoencoder : fitted RNNAutoencoder
    X : array of shape (n_samples, n_features)
        Flattened images; the first ``n_images`` are drawn.
    n_images : int, default=10
        Maximum number of images.
    image_shape : (height, width), optional
        Shape of an image, by default square.
    ax : matplotlib Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        The number of columns is not that of the image shape.
    ImportError
        matplotlib is not installed.

    Notes
    -----
    All images share one grey scale from the smallest (white) to the largest (black) original
    value, at which reconstructions are clipped.
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
    """Plot the cost before the first iteration and after each, on a logarithmic scale.

    Parameters
    ----------
    autoencoder : fitted RNNAutoencoder
    ax : matplotlib Axes, optional
        Axes to draw on; by default those of a new figure.

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
    return _finished(ax, "iteration", "squared error")


def plot_zeta(
    cluster: Cluster,
    x_max: float,
    *,
    seen: Sequence[tuple[float, float, float, float]] = (),
    ax: Any = None,
) -> Any:
    """Plot zeta against x, with results of simulations.

    Parameters
    ----------
    cluster : Cluster
        Cluster with scalar parameters.
    x_max : float
        Upper end of the x axis, above 0.
    seen : sequence of (x, q, low, high)
        Results of simulations: inputs, fractions of time excited, and their intervals.
    ax : matplotlib Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        ``cluster`` has arrays, or ``x_max`` is not above 0.
    ImportError
        matplotlib is not installed.
    """
    if cluster.n_clusters is not None or not 0 < x_max < math.inf:
        raise ParameterError(f"plot_zeta needs one cluster and x_max > 0: x_max is {x_max}")
    ax = ax if ax is not None else _new_axes(4.6, 3.2)
    x = np.linspace(0, x_max, 400)
    ax.plot(x, cluster.zeta(x), color="black", linewidth=1.2, label="\u03b6(x)")
    if len(seen):
        at, q, low, high = np.array(seen, np.float64).T
        style = {"fmt": "o", "markersize": 4, "capsize": 3, "color": "tab:red"}
        ax.errorbar(at, q, yerr=[q - low, high - q], label="simulated", **style)
        ax.legend(frameon=False)
    ax.set_ylim(bottom=0)
    return _finished(ax, "x", "\u03b6(x)")


def figure_2(
    *, x_max: float = 1.0, simulated: Sequence[float] = (), random_state: int | None = 0
) -> Any:
    """Plot Figure 2: zeta of clusters of 20 cells with p = 0.05, for four sets of rates.

    Parameters
    ----------
    x_max : float, default=1.0
        Upper end of the x axis.
    simulated : sequence of float, optional
        Inputs at which each cluster is also simulated, with 99 % intervals; each takes some
        seconds.
    random_state : int, optional
        Seed of the simulations.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Notes
    -----
    The rates of panels (a) and (d) are those of the paper.  Those of (b) and (c) are not given in
    its text; they are chosen so that curves become flatter from panel to panel: r = 0.1 with
    lambda = 0.05, and r = 1 with lambda = 0.1.
    """
    figure = pyplot().figure(figsize=(7.5, 5.4), layout="constrained")
    for ax, (name, (r, rate)) in zip(figure.subplots(2, 2).flat, PANELS.items(), strict=True):
        seen = []
        for x in simulated:
            network = RandomNeuralNetwork.dense_cluster(20, 0.05, r, rate, rate, x=x)
            seen.append((x, *network.simulate(random_state=random_state).pooled()))
        plot_zeta(Cluster(20, 0.05, r, rate, rate), x_max, seen=seen, ax=ax)
        chosen = ", chosen" if name in "bc" else ""
        title = f"({name}{chosen}) r = {r:g}, \u03bb\u207a = \u03bb\u207b = {rate:g}"
        ax.set_title(title, fontsize=10)
        ax.set_ylim(0, 1)
    return figure


def plot_raster(seen: Simulation, *, ax: Any = None) -> Any:
    """Plot the spikes recorded by a simulation, with a row for each cell.

    Parameters
    ----------
    seen : Simulation
        Simulation with ``n_spikes`` above 0.
    ax : matplotlib Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        No spikes were recorded.
    ImportError
        matplotlib is not installed.

    Notes
    -----
    Triggered cells fire at the same time as the cell that started the chain.
    """
    times, cells = seen.spikes
    if not len(times):
        raise ParameterError("there are no spikes to draw: simulate with n_spikes above 0")
    n_cells = seen.q.size
    ax = ax if ax is not None else _new_axes(7.5, 1.2 + 0.14 * min(n_cells, 40))
    rows = [times[cells == cell] for cell in range(n_cells)]
    ax.eventplot(rows, colors="black", linewidths=0.7, linelengths=0.8)
    ax.set_ylim(-0.7, n_cells - 0.3)
    ax.yaxis.get_major_locator().set_params(integer=True)
    return _finished(ax, "time", "cell")


def figure_3(X: ArrayLike, *, n_hidden: int = 50, n_images: int = 10, **options: Any) -> Any:
    """Plot Figure 3: the autoencoder with only spiking cells, its cost and reconstructions.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Square training images, such as those of MNIST; the first ``n_images`` are drawn.
    n_hidden : int, default=50
        Number of clusters of the code, which the paper does not state.
    n_images : int, default=10
    **options
        Further parameters of :class:`RNNAutoencoder`, such as ``max_iter``.

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
    figure = pyplot().figure(figsize=(7.5, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(1.5, 1))
    plot_cost(model, ax=upper)
    plot_reconstructions(model, X, n_images=n_images, ax=lower)
    figure.suptitle(_title(model, X, "only spiking cells, (16) and (17)"))
    return figure


def figure_4(X: ArrayLike, *, n_hidden: int = 500, n_images: int = 10, **options: Any) -> Any:
    """Plot Figure 4: random encoder weights, and a decoder by (19) alone.

    Parameters, errors and cost are those of :func:`figure_3`.

    Returns
    -------
    matplotlib Figure
    """
    return _images(X, n_hidden, "ridge", n_images, options, "(19) alone")


def figure_5(X: ArrayLike, *, n_hidden: int = 50, n_images: int = 10, **options: Any) -> Any:
    """Plot Figure 5: both layers learned, by the descending form of (20) and by (19).

    Parameters, errors and cost are those of :func:`figure_3`.

    Returns
    -------
    matplotlib Figure
    """
    return _images(X, n_hidden, "rnn-elm", n_images, options, "(19) and (20)")


def figure_6(X: ArrayLike, *, n_hidden: int = 500, n_images: int = 10, **options: Any) -> Any:
    """Plot Figure 6: as Figure 5, with ten times as many clusters.

    Parameters, errors and cost are those of :func:`figure_3`.

    Returns
    -------
    matplotlib Figure
    """
    return figure_5(X, n_hidden=n_hidden, n_images=n_images, **options)


def _fit(X: ArrayLike, n_hidden: int, method: str, options: dict[str, Any]) -> RNNAutoencoder:
    pyplot()  # raises before the fit, not after it, if matplotlib is missing
    return RNNAutoencoder(n_hidden, method=method, **options).fit(X)


def _images(
    X: ArrayLike, n_hidden: int, method: str, n_images: int, options: dict[str, Any], how: str
) -> Any:
    """Fit an autoencoder and return a figure of its reconstructions."""
    model = _fit(X, n_hidden, method, options)
    figure = pyplot().figure(figsize=(7.5, 2.1), layout="constrained")
    plot_reconstructions(model, X, n_images=n_images, ax=figure.subplots())
    figure.suptitle(_title(model, X, how))
    return figure


def _title(model: RNNAutoencoder, X: ArrayLike, how: str) -> str:
    """Return structure, method, and the reconstruction error of rows scaled to [0, 1]."""
    structure = f"{model.n_features_in_}-{model.n_hidden}"
    return f"{structure} via {how}: mean squared error {-model.score(X):.4f}"


def _strip(images: NDArray[Any], height: int, width: int) -> Float64Array:
    """Return images side by side, with gaps of NaN, which are not drawn."""
    padded = np.pad(
        images.reshape(-1, height, width).astype(np.float64),
        ((0, 0), (0, 0), (0, GAP)),
        constant_values=np.nan,
    )
    return np.hstack(list(padded))[:, :-GAP]


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


def _finished(ax: Any, xlabel: str, ylabel: str) -> Any:
    """Set the labels and the common style of axes, and return them."""
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _new_axes(width: float, height: float) -> Any:
    return pyplot().figure(figsize=(width, height), layout="constrained").subplots()
