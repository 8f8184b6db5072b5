"""DenseRNNClassifier and DenseRNNRegressor: encoders before the random layer."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from densernn.cluster import Cluster
from densernn.estimators.classifier import RNNELMClassifier
from densernn.estimators.deep_spec import DeepSpec
from densernn.estimators.regressor import RNNELMRegressor
from densernn.estimators.state import store_params


class DenseRNNClassifier(RNNELMClassifier):
    r"""Deep classifier of dense Random Neural Networks: encoders, a random layer, a readout.

    Input is made nonnegative and passes encoder layers of spiking clusters, each learned as one
    half of an autoencoder with a random code (21)-(23); then a random layer (11), and a ridge
    readout (24) of one-hot labels.  No gradients, no epochs: each encoder layer takes one pass
    over the rows (three with ``weights="dense"``), and so does the readout.

    Parameters
    ----------
    encoder_sizes : sequence of int, default=(500,)
        Units of the random code of each encoder layer.  A signed encoder has twice as many
        clusters, for the positive and the negative parts of its weights.
    n_hidden : int, default=5000
        Clusters in the random layer.
    encoder : {"ridge", "fista", "nonnegative-fista"} or solver, default="ridge"
        How encoder weights are found: by (23), (22) or (21); or a
        :class:`~densernn.solvers.RidgeSolver` or :class:`~densernn.solvers.FistaSolver`.
        ``"ridge"`` was the most accurate on every training part it was tried on.
    encoder_alpha : float or "auto", default="auto"
        Penalty of a named encoder, on the sum of squared errors (1/kappa in (23), the weight of
        the L1 norm in (21) and (22)).  ``"auto"`` goes with the data's size; see the solvers.
    views : sequence of column selections, or None, default=None
        For each view of a row (a camera, a kind of measurement) its columns: a slice, column
        numbers, a mask, or names.  Each view has preparation and encoders of its own; the
        random layer is connected to all.  None wires all columns together.
    replicas : int or sequence of int, default=1
        Independently seeded encoders of a layer, over all views: one total for all layers, or
        one for each.  1 stands for one encoder per view.  From a layer to the next, growth
        connects several encoders to the same one below, and shrinkage connects each to several
        neighbours, within a view.
    random_hidden : bool, default=True
        Whether there is a random layer; without it the readout is connected to the last encoders.
    sources : deprecated
        Old name of ``views``; goes in version 0.6.
    cluster, weights, fan_in, preparation, categorical, input_scale, alpha, readout, \
class_weight, dtype, memory_limit, engine, checkpoint, random_state, verbose
        As in :class:`RNNELMClassifier`.  ``weights="dense"`` builds the encoders as published,
        too: codes of U[0, 1] weights scaled by their range and standardised in each row, bias
        inputs, and layers scaled by their largest pre-activation over the training rows.
        ``"sparse"`` draws codes like the random layer, and takes ranges from moments.
        ``preparation="auto"`` splits tables, or views, of 64 columns or more at their means
        alone.

    Attributes
    ----------
    classes_, readout_coef_, readout_intercept_, alpha_, alpha_scores_, feature_map_, learned_, \
moments_, n_features_in_, feature_names_in_
        As in :class:`RNNELMClassifier`; ``feature_map_.layers`` are the encoders, then the random
        layer.

    See Also
    --------
    DenseRNNRegressor, RNNELMClassifier
    densernn.paper : The published Classifier-1 to Classifier-5 as configurations.

    Notes
    -----
    ``fit`` learns all; ``partial_fit``, ``merge`` and ``forget`` change the readout on frozen
    encoders, which the first call of ``partial_fit`` learns from its own rows.  To learn them
    from more rows, ``fit`` first, then :meth:`fresh`.

    Memory beside that of the random layer: for all encoders of a layer together, while they are
    learned, 8 (size + prepared inputs)^2 bytes each.  Time of a pass: as many multiply-adds per
    row.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = DenseRNNClassifier((50,), 300, random_state=0).fit(X[:1000], y[:1000])
    >>> bool(model.score(X[1000:], y[1000:]) > 0.9)
    True
    """

    _spec = DeepSpec

    def __init__(
        self,
        encoder_sizes: Sequence[int] = (500,),
        n_hidden: int = 5000,
        *,
        encoder: Any = "ridge",
        encoder_alpha: float | str = "auto",
        views: Any = None,
        replicas: int | Sequence[int] = 1,
        random_hidden: bool = True,
        sources: Any = "deprecated",
        cluster: Cluster | None = None,
        weights: str = "sparse",
        fan_in: int = 16,
        preparation: Any = "auto",
        categorical: Any = None,
        input_scale: float | str = "auto",
        alpha: Any = "auto",
        readout: str = "ridge",
        class_weight: Any = None,
        dtype: str = "auto",
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())


class DenseRNNRegressor(RNNELMRegressor):
    r"""Deep regressor of dense Random Neural Networks: encoders, a random layer, a readout.

    Parameters
    ----------
    encoder_sizes, n_hidden, encoder, encoder_alpha, views, replicas, random_hidden, cluster, \
weights, fan_in, preparation, categorical, input_scale, alpha, dtype, memory_limit, engine, \
checkpoint, random_state, verbose
        As in :class:`DenseRNNClassifier`.

    Attributes
    ----------
    readout_coef_, readout_intercept_, alpha_, alpha_scores_, feature_map_, learned_, moments_, \
n_features_in_, feature_names_in_
        As in :class:`DenseRNNClassifier`.

    See Also
    --------
    DenseRNNClassifier, RNNELMRegressor

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DenseRNNRegressor((10,), 100, random_state=0).fit(X[:300], y[:300])
    >>> bool(model.score(X[300:], y[300:]) > 0.3)
    True
    """

    _spec = DeepSpec

    def __init__(
        self,
        encoder_sizes: Sequence[int] = (500,),
        n_hidden: int = 5000,
        *,
        encoder: Any = "ridge",
        encoder_alpha: float | str = "auto",
        views: Any = None,
        replicas: int | Sequence[int] = 1,
        random_hidden: bool = True,
        sources: Any = "deprecated",
        cluster: Cluster | None = None,
        weights: str = "sparse",
        fan_in: int = 16,
        preparation: Any = "auto",
        categorical: Any = None,
        input_scale: float | str = "auto",
        alpha: Any = "auto",
        dtype: str = "auto",
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())
