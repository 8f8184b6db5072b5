"""RNNImageClassifier: two layers of clusters with shared filters, and a readout."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from densernn.cluster import Cluster
from densernn.estimators.image_spec import ImageSpec
from densernn.estimators.network_classifier import NetworkClassifier
from densernn.estimators.state import store_params


class RNNImageClassifier(NetworkClassifier):
    """Classifier of small images: convolutional clusters without gradients, and a readout.

    Two layers of spiking clusters share filters over all places of an image: positive weights of
    a filter inhibit its clusters, negative ones excite them.  Filters are directions of whitened
    patches, learned without labels from a sample of the images; activations are averaged over
    windows.  A ridge readout (24) of one-hot labels is solved from moments (25), (26), and from it
    a logistic one is found.

    Parameters
    ----------
    n_filters : sequence of two int, default=(16, 512)
        Filters of both stages.  Accuracy grows with the second, as do memory, 16 L^2 bytes for the
        L = 9 times as many features, and time, L^2 multiply-adds per image.
    image_shape : sequence of int, default=None
        Height and width of the images that flat rows hold in C order, and channels if there are
        several.  None: those of an array of images, or of square images of one channel.
    n_views : int, default=1
        Images of one shape that a row holds one behind another, such as those of two cameras;
        they become channels.  Arrays then have the shape (n_samples, n_views, height, width) or
        (n_samples, n_views, height, width, channels).
    standardize : bool, default=False
        Whether each channel of an image is scaled by its own mean and deviation, as is good for
        photographs whose light differs, or all pixels by the range of the training images.
    augment : bool, Augmentation or callable, default=None
        Whether moved copies of the images are learned, too: True stands for
        :class:`Augmentation` ``()``, four of each.  A callable gets images, of shape (n_images,
        height, width, channels) as they came, and a uint64 seed for each, and returns an array of
        the same shape; what it draws must depend on these alone; ``n_copies``, an
        attribute of it, says how often it is called, once by default.
    test_shift : int, default=None
        Predictions are by the mean output for an image, and for it shifted by 1 to so many pixels
        in four directions, each of which takes as long; 0: for the image alone.  None stands for
        1 with ``augment`` and 12 pixels a side or more, else 0.
    cluster : Cluster, default=None
        Parameters of the spiking clusters; None stands for ``Cluster(n=100, p=0.5, r=1e-5)``.
    alpha : "auto", float, or iterable of float, default="auto"
        Ridge penalty; see :class:`RNNELMClassifier`.
    readout : {"ridge", "logistic"}, default="logistic"
        How the readout is found.  ``"logistic"``: by log loss, from the ridge readout on and near
        it, in some 3 to 8 more passes over the rows (docs/decisions/0023); after updates it
        is that of ridge, until :meth:`polish` is called.
    class_weight, memory_limit, engine, checkpoint, random_state, verbose
        As in :class:`RNNELMClassifier`.
    dtype : {"auto", "float32", "float64"}, default="auto"
        Of activations and products; ``"auto"`` is float32.

    Attributes
    ----------
    classes_, readout_coef_, readout_intercept_, alpha_, alpha_scores_, feature_map_, learned_, \
moments_, n_features_in_, feature_names_in_
        As in :class:`RNNELMClassifier`; ``feature_map_.layers`` are the two stages.
    image_shape_ : tuple of int
        Height, width, and channels of all views together.

    See Also
    --------
    ConvolutionalClusters, RNNELMClassifier

    Notes
    -----
    ``X`` may have the shape (n_samples, height, width) or (n_samples, height, width, channels), or
    flat rows, as sources of rows have.  Pixels are scaled to [0, 1] by their common
    range, or as ``standardize`` says.

    Filters and scales are learned from 4,000 different images, chosen by their content, so that
    they are the same from any order of the rows; updates keep them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> images, y = load_digits().images, load_digits().target
    >>> model = RNNImageClassifier((8, 32), random_state=0).fit(images[:1000], y[:1000])
    >>> bool(model.score(images[1000:], y[1000:]) > 0.95)
    True
    """

    _spec = ImageSpec

    def __init__(
        self,
        n_filters: Sequence[int] = (16, 512),
        *,
        image_shape: Sequence[int] | None = None,
        n_views: int = 1,
        standardize: bool = False,
        augment: Any = None,
        test_shift: int | None = None,
        cluster: Cluster | None = None,
        alpha: Any = "auto",
        readout: str = "logistic",
        class_weight: Any = None,
        dtype: str = "auto",
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())
