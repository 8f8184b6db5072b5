"""RNNELMClassifier: a random layer of clusters, and a ridge readout of one-hot labels."""

from __future__ import annotations

from os import PathLike
from typing import Any

from densernn.cluster import Cluster
from densernn.estimators.network_classifier import NetworkClassifier
from densernn.estimators.state import store_params


class RNNELMClassifier(NetworkClassifier):
    """Random Neural Network extreme learning machine for classification.

    Input is made nonnegative, passes a random layer of spiking clusters (11), and a ridge
    readout (24) of one-hot labels is solved from moments (25), (26).

    Parameters
    ----------
    n_hidden : int, default=1000
        Clusters in the random layer: L.  Accuracy grows with it, as do memory, 16 L^2 bytes,
        and time, L^2 multiply-adds per row.
    cluster : Cluster, default=None
        Parameters of the spiking clusters; None stands for ``Cluster()``.
    weights : {"sparse", "dense"}, default="sparse"
        ``"sparse"``: each cluster is connected to ``fan_in`` inputs.  ``"dense"``: to all,
        with weights from U[0, 1] and a bias input, as published.
    fan_in : int, default=16
        Inputs of a cluster with sparse weights.  Of pixels, if their number is a square,
        they come from a random rectangle of the image (its rows one after the other in the
        columns of ``X``); of anything else, from everywhere.
    preparation : {"auto", "unit", "split"}, transformer or None, default="auto"
        How input becomes nonnegative.  ``"unit"``: :class:`UnitScaler`, with one range for all
        columns if they look like pixels.  ``"split"``: :class:`SplitScaler`.  ``"auto"``:
        ``"unit"`` for pixels (64 columns or more that share floor and range) and for dense
        weights, else ``"split"``.  A transformer is cloned and fitted on the training rows;
        None leaves the input alone, which must then not be negative.
    categorical : sequence of str or int, default=None
        Columns that are categories, by name or number, beside those whose dtype says so: text,
        bool, category.  Not for a source of rows, which is opened with its own.
    input_scale : "auto" or float, default="auto"
        Sparse: a cluster's pre-activation is the weighted mean of its inputs, times this;
        0.1 after ``"unit"``, 0.02 after ``"split"``.  Dense: the largest pre-activation over
        the training rows; 0.1, as published.
    alpha : "auto", float, or iterable of float, default="auto"
        Ridge penalty, 1/kappa in the paper.  Several, or ``"auto"``: chosen by generalised
        cross-validation from the moments, without another pass over the rows.
    readout : {"ridge", "logistic"}, default="ridge"
        How the readout is found.  ``"logistic"``: by log loss, from the ridge readout on and near
        it, in some 3 to 8 more passes over the rows (docs/decisions/0023); after updates it
        is that of ridge, until :meth:`polish` is called.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, times ``sample_weight``; ``"balanced"`` weighs classes inversely
        to their total weight in ``fit``.
    dtype : {"auto", "float32", "float64"}, default="auto"
        Of products; totals and solves are always float64.  ``"auto"``: float32 for large
        problems with sparse weights, over pixels, or over tables that take long, where
        activations are rotated for it (docs/decisions/0013); else float64.
    memory_limit : int or str, default=None
        Bytes, or text such as ``"4 GB"``, for moments, factorisation, chunks of rows and the
        reading of files together; None gives chunks 96 MiB.
    engine : {"auto", "local", "dask"}, default="auto"
        Where ``fit``, ``partial_fit`` and ``forget`` pass over rows.  ``"auto"``: on Dask for
        Dask collections, and for sources of rows while a Dask client is active; else here.
    checkpoint : path, default=None
        A folder in which ``fit`` keeps what it has done, now and then: killed at any moment, the
        same call goes on from there, and gives the same model to the last bit.  It stays
        when ``fit`` is done; delete it then.  Parameters must stay as they were, ``memory_limit``
        among them, which decides how rows are cut.  On Dask, whole passes are kept.
    random_state : int, RandomState or None, default=None
        Of the random weights.
    verbose : int, default=0
        Above 0, a progress bar on a terminal.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels; numbers of the columns for a multilabel indicator.
    readout_coef_, readout_intercept_ : ndarray of shape (n_hidden, n_targets) and (n_targets,)
        Weights of the hidden clusters; after an update solved at first use.
    alpha_ : float
        Penalty in use; ``alpha_scores_`` holds the score of each that was tried.
    n_iter_ : int
        Passes that a logistic readout took; 0 for that of ridge.
    feature_map_ : FeatureMap
        Fitted preparation and frozen layer.
    learned_ : LearnedState
        All that was learned from the rows: ``moments_`` and ``class_counts_``.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    RNNELMRegressor, ClusterFeatures

    Notes
    -----
    Time: one pass for a summary of the columns, then L^2 multiply-adds per row, and L^3 / 3 per
    penalty.
    Memory: 16 L^2 bytes and chunks of rows; ``X`` is not copied.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RNNELMClassifier(n_hidden=200, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        n_hidden: int = 1000,
        *,
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
