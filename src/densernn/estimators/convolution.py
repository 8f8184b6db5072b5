"""ConvolutionalClusters: a layer of clusters with shared filters as a transformer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from densernn.cluster import Cluster
from densernn.errors import DataError, ParameterError
from densernn.estimators.image_spec import IMAGE_CLUSTER, N_SAMPLED
from densernn.estimators.network_spec import generator
from densernn.estimators.state import store_params, unchanged_by_errors
from densernn.estimators.transformer import FeatureTransformer
from densernn.estimators.validation import as_source
from densernn.images.filters import Stage, learn_layer
from densernn.images.layer import places_of
from densernn.images.stages import as_images, overlapping, tiles
from densernn.layers import FeatureMap, prepare
from densernn.preparation import UnitScaler
from densernn.sources.arrays import ArraySource
from densernn.stats import Extrema


class ConvolutionalClusters(FeatureTransformer):
    """Spiking clusters that share filters over an image: a layer for a Pipeline, which stacks.

    A filter connects the clusters at all places to their patch of the image: positive weights
    inhibit, negative ones excite.  Filters are learned without labels: patches are scaled, or
    whitened, and clustered by direction.  Activations are averaged over windows.

    Parameters
    ----------
    n_filters : int, default=16
    filter_size : int, default=5
        Side of a filter, in pixels.
    padding : int, default=0
        Silent pixels around an image.
    pool : int, default=2
        Side of the windows, which lie side by side; 1 for none.
    n_windows : int, default=None
        Windows a side that overlap, each of two fifths of it, in the place of ``pool``.
    whiten : bool, default=False
        Whether the inputs of a patch are decorrelated before filters are learned (ZCA), as behind
        another such layer, or scaled one by one, as for pixels.
    gain : float, default=0.1
        Standard deviation of inhibition less excitation, in units of ``lambda_plus``.
    image_shape : sequence of int, default=None
        Height and width of the images that flat rows hold in C order, and channels if there are
        several.  None: those of an array of images, or of square images of one channel.
    cluster : Cluster, default=None
        None stands for ``Cluster(n=100, p=0.5, r=1e-5)``.
    dtype : {"float32", "float64"}, default="float32"
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    feature_map_ : FeatureMap
        Scaling of pixels to [0, 1], and the layer.
    image_shape_ : tuple of int
        Height, width and channels of the input.
    out_shape_ : tuple of int
        Windows down, windows across, and filters: ``image_shape`` of a layer behind this one.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    RNNImageClassifier : Two such layers and a readout, for rows of any number.

    Notes
    -----
    ``fit`` learns from 4,000 images, spread evenly over ``X``.  Cost of an image: 2 filter_size^2
    channels n_filters multiply-adds for each place.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> images = load_digits().images[:100]
    >>> layer = ConvolutionalClusters(4, 3, padding=1, random_state=0).fit(images)
    >>> layer.out_shape_, layer.transform(images).shape
    ((4, 4, 4), (100, 64))
    """

    def __init__(
        self,
        n_filters: int = 16,
        filter_size: int = 5,
        *,
        padding: int = 0,
        pool: int = 2,
        n_windows: int | None = None,
        whiten: bool = False,
        gain: float = 0.1,
        image_shape: Sequence[int] | None = None,
        cluster: Cluster | None = None,
        dtype: str = "float32",
        random_state: Any = None,
    ) -> None:
        store_params(self, locals())

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the range of the pixels, and filters.

        Parameters
        ----------
        X : array of shape (n_samples, height, width[, channels]) or (n_samples, n_pixels)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ParameterError, DataError
            Parameters or images cannot be used; the text says which, and why.
        """
        with unchanged_by_errors(self):
            source = as_source(self, X, reset=True)
            if not isinstance(source, ArraySource):
                raise DataError(
                    "ConvolutionalClusters learns from an array: fit it on some of the rows, or "
                    "take RNNImageClassifier, whose layers learn from rows that stream"
                )
            stage = self._stage()
            rows = source.X[:: max(1, len(source.X) // N_SAMPLED)][:N_SAMPLED]
            scaler = UnitScaler(shared=True).fit_statistics(Extrema.of(source.X))
            pixels = prepare(scaler, np.ascontiguousarray(rows), np.dtype(self.dtype))
            cluster = copy.copy(IMAGE_CLUSTER if self.cluster is None else self.cluster)
            images = as_images(pixels, self.image_shape_)
            layer = learn_layer(images, stage, cluster, generator(self.random_state))
            self.feature_map_, self.out_shape_ = FeatureMap(scaler, (layer,)), layer.out_shape
        return self

    def _stage(self) -> Stage:
        """Return what the layer is to be, once the shape of the images is known."""
        for name, least in (("n_filters", 1), ("filter_size", 1), ("padding", 0), ("pool", 1)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < least:
                raise ParameterError(
                    f"{name} must be a whole number from {least} on: it is {value!r}"
                )
        if self.dtype not in ("float32", "float64"):
            raise ParameterError(f"dtype must be 'float32' or 'float64': it is {self.dtype!r}")
        if not (isinstance(self.gain, (int, float)) and 0 < self.gain < np.inf):
            raise ParameterError(f"gain must be a number above 0: it is {self.gain!r}")
        n_lines, n_across = places_of(self.image_shape_, self.filter_size, self.padding)
        if min(n_lines, n_across) < 1:
            raise ParameterError(
                f"filter_size={self.filter_size} with padding={self.padding} does not fit into "
                f"images of {self.image_shape_}"
            )
        if self.n_windows is None:
            windows = tiles(n_lines, self.pool), tiles(n_across, self.pool)
        else:
            windows = overlapping(n_lines, self.n_windows), overlapping(n_across, self.n_windows)
        return Stage(
            self.n_filters, self.filter_size, self.padding, *windows, self.whiten, self.gain
        )
