"""RNNELMClassifier: a random layer of clusters, and a ridge readout of one-hot labels."""

from __future__ import annotations

from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from densernn.cluster import Cluster
from densernn.errors import DataError, MergeError, ParameterError
from densernn.estimators.base import RNNELM
from densernn.estimators.given import as_source
from densernn.estimators.state import unchanged_by_errors
from densernn.estimators.targets import ClassTargets, ClassWeights, LabelTargets
from densernn.estimators.trained import Float64Array
from densernn.folds import ClassCounts
from densernn.sources.rows import RowSource


class RNNELMClassifier(ClassifierMixin, RNNELM):  # type: ignore[misc]
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
        ``"sparse"``: each cluster hears ``fan_in`` inputs.  ``"dense"``: it hears all, with
        weights from U[0, 1] and a bias input, as published.
    fan_in : int, default=16
        Inputs that a cluster hears with sparse weights.  Of pixels, if their number is a square,
        they come from a random rectangle of the image (its rows one after the other in the
        columns of ``X``); of anything else, from everywhere.
    preparation : {"auto", "unit", "split"}, transformer or None, default="auto"
        How input becomes nonnegative.  ``"unit"``: :class:`UnitScaler`, with one range for all
        columns if they look like pixels.  ``"split"``: :class:`SplitScaler`.  ``"auto"``:
        ``"unit"`` for pixels (64 columns or more that share floor and range) and for dense
        weights, else ``"split"``.  A transformer is cloned and fitted on the training rows;
        None leaves the input alone, which must then not be negative.
    input_scale : "auto" or float, default="auto"
        Sparse: a cluster's pre-activation is the weighted mean of what it hears, times this;
        0.1 after ``"unit"``, 0.02 after ``"split"``.  Dense: the largest pre-activation over
        the training rows; 0.1, as published.
    alpha : "auto", float, or iterable of float, default="auto"
        Ridge penalty, 1/kappa in the paper.  Several, or ``"auto"``: chosen by generalised
        cross-validation from the moments, without another pass over the rows.
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
    coef_, intercept_ : ndarray of shape (n_hidden, n_targets) and (n_targets,)
        Readout; after an update solved at first use.
    alpha_ : float
        Penalty in use; ``alpha_scores_`` holds the score of each that was tried.
    stack_ : Stack
        Fitted preparation and frozen layer.
    moments_ : Moments
        What was learned from the rows.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    RNNELMRegressor, ClusterFeatures

    Notes
    -----
    Time: one look at the rows, then L^2 multiply-adds per row, and L^3 / 3 per penalty.
    Memory: 16 L^2 bytes and chunks of rows; ``X`` is not copied.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RNNELMClassifier(n_hidden=200, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    class_weight_: Float64Array | None

    def __init__(
        self,
        n_hidden: int = 1000,
        *,
        cluster: Cluster | None = None,
        weights: str = "sparse",
        fan_in: int = 16,
        preparation: Any = "auto",
        input_scale: float | str = "auto",
        alpha: Any = "auto",
        class_weight: Any = None,
        dtype: str = "auto",
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_hidden = n_hidden
        self.cluster = cluster
        self.weights = weights
        self.fan_in = fan_in
        self.preparation = preparation
        self.input_scale = input_scale
        self.alpha = alpha
        self.class_weight = class_weight
        self.dtype = dtype
        self.memory_limit = memory_limit
        self.engine = engine
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(
        self, X: Any, y: Any = None, classes: ArrayLike | None = None, sample_weight: Any = None
    ) -> Self:
        """Add rows to the model.

        The first call learns the preparation of input and draws the network; the readout is
        solved when it is next used.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array of shape (n_classes,), optional
            All classes; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            ``classes`` is missing or differs, or ``class_weight`` is "balanced".
        DataError
            A label is not among the classes.
        """
        if isinstance(self.class_weight, str):
            raise ParameterError(
                "class_weight='balanced' needs all rows at once, which partial_fit does not see: "
                "give a dict of weights instead"
            )
        known = self.classes_ if hasattr(self, "stack_") else None
        if known is not None:
            self._require_moments()
        if known is None and classes is None:
            raise ParameterError("classes must be given in the first call of partial_fit")
        with unchanged_by_errors(self):
            if known is not None and classes is not None and not self._accepts(classes):
                raise ParameterError(
                    f"classes={np.unique(np.asarray(classes)).tolist()} differ from those of the "
                    f"first call: {known.tolist()}"
                )
            return self._update(X, y, classes, sample_weight)

    def _accepts(self, classes: ArrayLike) -> bool:
        """Take new classes into a model that has no rows yet; else compare."""
        wanted = np.unique(np.asarray(classes))
        if not self.moments_.weight and isinstance(self.targets_, ClassTargets):
            self._set_classes(wanted)
            self.moments_ = self._phase().zero().moments
        return bool(np.array_equal(wanted, self.classes_))

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each row; for multilabel, 0 and 1 per label.

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            For a Dask array or data frame an array, or a series, that is computed when it is
            asked for, block by block.
        """
        return self._answer(X, "predict")

    def predict_proba(self, X: Any) -> Any:
        """Estimate class probabilities.

        The readout's outputs are least-squares estimates of the probabilities of the classes
        given the row, which may leave [0, 1]; returned are the probability vectors nearest to
        them.  They order classes as the outputs do, are often exactly 0 or 1, and are not
        calibrated: wrap the model in ``CalibratedClassifierCV`` where that matters.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows add up to 1; for multilabel, independent probabilities of the labels.
        """
        return self._answer(X, "predict_proba")

    def decision_function(self, X: Any) -> Any:
        """Return the outputs of the readout.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, how much the second's output exceeds the first's.
        """
        return self._answer(X, "decision_function")

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of rows whose label is predicted; for multilabel, all their labels.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; a source brings its own targets and weights.
        """
        source = as_source(X, y, sample_weight)
        if source is None:
            return float(super().score(X, y, sample_weight))
        labels, predicted, weight = self._beside_targets(source)
        return float(accuracy_score(labels, predicted, sample_weight=weight))

    def _validate(self, X: Any, y: Any, *, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        rows, labels = validate_data(self, X, y, dtype="numeric", multi_output=True, reset=reset)
        check_classification_targets(labels)
        kind = type_of_target(labels, input_name="y")
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            raise DataError(
                f"y is {kind}: give labels of shape (n_samples,), or a multilabel indicator of 0 "
                "and 1"
            )
        if kind != "multilabel-indicator":
            labels = column_or_1d(labels, warn=True)
        known = None if reset else self.targets_
        expected = known.n_targets if isinstance(known, LabelTargets) else 1
        given = labels.shape[1] if labels.ndim == 2 else 1
        if known is not None and given != expected:
            raise DataError(
                f"y has {given} label columns, and this model was trained with {expected}"
            )
        return rows, labels

    _labelled = True

    def _check_targets(self, source: RowSource, *, reset: bool) -> None:
        known = None if reset else self.targets_
        expected = known.n_targets if isinstance(known, LabelTargets) else 1
        given = source.n_targets or 1
        if known is not None and given != expected:
            raise DataError(
                f"the source has {given} label columns, and this model was trained with {expected}"
            )

    def _learn_targets(
        self, source: RowSource, seen: ClassCounts, classes: ArrayLike | None = None
    ) -> None:
        if source.n_targets is not None and source.n_targets > 1:
            self.targets_: Any = LabelTargets(source.n_targets)
            self.classes_ = self.targets_.classes
            self.class_weight_ = None
            self.__dict__.pop("class_counts_", None)
            if self.class_weight is not None:
                raise ParameterError("class_weight is not defined for a multilabel indicator")
            return
        self._set_classes(seen.classes if classes is None else np.unique(np.asarray(classes)))
        if isinstance(self.class_weight, str):
            counts = seen.counts
            share = counts.sum() / np.count_nonzero(counts)
            self.class_weight_ = np.divide(
                share, counts, out=np.ones_like(counts), where=counts > 0
            )

    def _set_classes(self, classes: NDArray[Any]) -> None:
        self.classes_ = classes
        self.targets_ = ClassTargets(classes)
        self.class_counts_ = ClassCounts.zero(classes)
        self.class_weight_ = None
        if isinstance(self.class_weight, dict):
            strange = [label for label in self.class_weight if label not in classes.tolist()]
            if strange:
                raise ParameterError(
                    f"class_weight names {strange}, which are not among the classes "
                    f"{classes.tolist()}"
                )
            weights = [float(self.class_weight.get(label, 1.0)) for label in classes.tolist()]
            if min(weights) < 0:
                raise ParameterError(f"class_weight must not be negative: {self.class_weight}")
            self.class_weight_ = np.asarray(weights)
        elif self.class_weight not in (None, "balanced"):
            raise ParameterError(
                f"class_weight must be a dict, 'balanced' or None: it is {self.class_weight!r}"
            )

    def _weigh(self) -> ClassWeights | None:
        known = getattr(self, "class_weight_", None)
        return None if known is None else ClassWeights(self.targets_, known)

    def _count(self, classes: ClassCounts, sign: int) -> None:
        if not isinstance(self.targets_, ClassTargets):
            return
        counts = self.class_counts_
        self.class_counts_ = counts.merge(classes) if sign > 0 else counts.subtract(classes)

    def _decay_counts(self, factor: float) -> None:
        if isinstance(self.targets_, ClassTargets):
            self.class_counts_ = self.class_counts_.decayed(factor)

    def _empty(self) -> None:
        if isinstance(self.targets_, ClassTargets):
            self.class_counts_ = ClassCounts.zero(self.classes_)

    def _unite(self, other: Self) -> None:
        if isinstance(self.targets_, ClassTargets) and isinstance(other.targets_, ClassTargets):
            mine, theirs = self.classes_, other.classes_
            both = np.union1d(mine, theirs)
            joined = [
                model.moments_
                if np.array_equal(both, model.classes_)
                else model.moments_.place_targets(both.size, np.searchsorted(both, model.classes_))
                for model in (self, other)
            ]
            counts = self.class_counts_.merge(other.class_counts_)
            if self.class_weight_ is not None:
                weights = np.ones(both.size)
                for model in (other, self):
                    if model.class_weight_ is not None:
                        weights[np.searchsorted(both, model.classes_)] = model.class_weight_
                self.class_weight_ = weights
            self.moments_ = joined[0].merge(joined[1])
            self.classes_, self.targets_ = both, ClassTargets(both)
            self.class_counts_ = ClassCounts.zero(both).merge(counts)
            return
        if type(self.targets_) is not type(other.targets_):
            raise MergeError("cannot merge a multilabel model and one of classes")
        super()._unite(other)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
