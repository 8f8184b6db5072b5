"""Figures: what is drawn where, and what is said where it cannot be."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from densernn import Cluster, RandomNeuralNetwork, RNNAutoencoder, RNNImageClassifier, plotting
from densernn.errors import DataError, ParameterError

X = load_digits().data[:60]


matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is optional")
matplotlib.use("agg")


@pytest.fixture(autouse=True)
def closed():
    """Close figures after each test."""
    from matplotlib import pyplot

    yield
    pyplot.close("all")


def model(**options):
    return RNNAutoencoder(4, max_iter=3, tol=0, random_state=0, **options).fit(X)


def test_originals_stand_above_what_is_rebuilt():
    autoencoder = model()
    ax = plotting.plot_reconstructions(autoencoder, X, n_images=3)
    image = ax.images[0].get_array()
    assert image.shape == (8 + 2 + 8, 3 * 8 + 2)
    np.testing.assert_array_equal(image[:8, 9:17], X[1].reshape(8, 8))
    rebuilt = autoencoder.inverse_transform(autoencoder.transform(X[:3]))
    np.testing.assert_array_equal(image[10:, 18:], rebuilt[2].reshape(8, 8))
    assert image.mask[8:10].all()
    assert ax.images[0].get_clim() == (0.0, X[:3].max())


def test_images_of_any_shape_and_fewer_than_asked_for():
    ax = plotting.plot_reconstructions(model(), X[:2], image_shape=(4, 16))
    assert ax.images[0].get_array().shape == (4 + 2 + 4, 2 * 16 + 1)


def test_the_cost_is_drawn_on_the_axes_given():
    from matplotlib.figure import Figure

    autoencoder, own = model(), Figure().subplots()
    assert plotting.plot_cost(autoencoder, ax=own) is own
    np.testing.assert_array_equal(own.lines[0].get_ydata(), autoencoder.cost_)
    assert own.get_yscale() == "log"


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_figures_of_the_paper(number, tmp_path):
    draw = getattr(plotting, f"figure_{number}")
    figure = draw(X, n_hidden=5, n_images=4, random_state=0, max_iter=3, tol=0)
    assert len(figure.axes) == (2 if number == 3 else 1)
    assert "64-5" in figure.get_suptitle()
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_figure_2_has_four_panels_of_zeta():
    figure = plotting.figure_2(x_max=0.5)
    assert len(figure.axes) == 4
    for ax, name in zip(figure.axes, "abcd", strict=True):
        assert ax.get_title().startswith(f"({name}")
        assert ("chosen" in ax.get_title()) == (name in "bc")
        x, zeta = ax.lines[0].get_data()
        assert (x[0], x[-1]) == (0.0, 0.5)
        assert (np.diff(zeta) < 0).all()
    first = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_array_equal(first, Cluster().zeta(np.linspace(0, 0.5, 400)))


def test_simulated_points_stand_on_zeta_with_their_intervals():
    ax = plotting.plot_zeta(Cluster(), 0.2, seen=[(0.1, 0.05, 0.04, 0.07)])
    points, (lower, upper), _ = ax.containers[0]
    assert points.get_xydata().tolist() == [[0.1, 0.05]]
    assert (lower.get_ydata(), upper.get_ydata()) == ([0.04], [0.07])
    with pytest.raises(ParameterError, match="one cluster"):
        plotting.plot_zeta(Cluster(n=[2, 3]), 1.0)


def test_a_raster_has_a_row_for_each_cell():
    network = RandomNeuralNetwork.dense_cluster(4, 0.5, 1.0, 0.5, 0.5)
    seen = network.simulate(50, n_runs=2, random_state=0, n_spikes=100)
    ax = plotting.plot_raster(seen)
    assert len(ax.collections) == 4
    drawn = np.concatenate([row.get_positions() for row in ax.collections])
    np.testing.assert_array_equal(np.sort(drawn), seen.spikes.times)
    with pytest.raises(ParameterError, match="n_spikes above 0"):
        plotting.plot_raster(network.simulate(50, n_runs=2, random_state=0))


def test_rows_that_are_no_images_are_refused():
    with pytest.raises(DataError, match="no images of 5 x 8 pixels"):
        plotting.plot_reconstructions(model(), X, image_shape=(5, 8))
    with pytest.raises(ParameterError, match="n_images"):
        plotting.plot_reconstructions(model(), X, n_images=0)


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    autoencoder = model()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (plotting.plot_cost, lambda a: plotting.figure_5(X)):
        with pytest.raises(ImportError, match=r"pip install 'densernn\[plot\]'"):
            draw(autoencoder)


def test_filters_are_drawn_with_their_signs():
    images = load_digits().images[:300]
    found = RNNImageClassifier((10, 8), random_state=0).fit(images, load_digits().target[:300])
    figure = plotting.plot_filters(found)
    assert len(figure.axes) == 16
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(shown) == 10
    weights = found.feature_map_.layers[0].weights
    np.testing.assert_array_equal(shown[3].ravel(), weights[:-1, 3])
    with pytest.raises(DataError, match="channel must be below 1: it is 2"):
        plotting.plot_filters(found, channel=2)


def test_errors_are_drawn_with_what_was_said():
    digits = load_digits()
    found = RNNImageClassifier((3, 4), random_state=0).fit(digits.images[:300], digits.target[:300])
    wrong = np.flatnonzero(found.predict(digits.images) != digits.target)
    assert len(wrong) > 12
    figure = plotting.plot_errors(found, digits.images, digits.target, n_images=12)
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert len(titles) == 12
    assert all(title[0] != title[-1] for title in titles)
    right = np.setdiff1d(np.arange(300), wrong)
    with pytest.raises(DataError, match="all images are told right"):
        plotting.plot_errors(found, digits.images[right], digits.target[right])
