"""RNNForestClassifier and RNNForestRegressor: forests of spiking clusters with ridge readouts."""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from densernn.cluster import Cluster
from densernn.errors import DataError
from densernn.estimators.base import Learner
from densernn.estimators.forest_spec import ForestSpec
from densernn.estimators.labels import LabelLearner
from densernn.estimators.state import store_params
from densernn.estimators.values import ValueLearner
from densernn.forest.forest_map import ForestMap
from densernn.forest.importances import draw_rows, total_effects


class RNNForest(Learner):
    """What both forests share: the numbers that were chosen."""

    feature_map_: ForestMap
    _spec: ClassVar[type[Any]] = ForestSpec

    @property
    def n_trees_(self) -> int:
        """Number of trees."""
        return len(self.feature_map_.trees)

    @property
    def region_size_(self) -> float:
        """Rows of a region at most."""
        return self.feature_map_.structure.region_size

    @property
    def min_samples_leaf_(self) -> float:
        """Rows of a box at least."""
        return self.feature_map_.structure.min_leaf

    @property
    def input_scale_(self) -> float:
        """Pre-activation of a cluster at one standard deviation from its box."""
        return self.feature_map_.structure.scale

    @property
    def alpha_(self) -> float:
        """Penalty in use, also of a model that has no rows yet."""
        check_is_fitted(self, "feature_map_")
        return float(self._readout.alpha)

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        r"""Importance of each feature to the outputs, of shape (n_features_in_,); the sum is 1.

        512 rows are drawn, every column independently from the values of the training rows.
        With :math:`x'_j` the row x whose value of column j is that of another row,

        .. math::

            I_j \propto \sum_q \frac{\mathrm{mean}\,(f_q(x) - f_q(x'_j))^2}{v_q},

        in which q are the outputs, and :math:`v_q` is 1 for probabilities, the variance of the
        output for values.  This is Sobol's total effect: interactions count for all columns in
        them.  The draws are the same every time; all is 0 where no output varies.

        It describes the model, not the data: columns that a bad model uses have some, too, and
        of columns that go together the forest may use any.  What the score of rows owes to
        a column is :func:`sklearn.inspection.permutation_importance`.

        Cost: predictions for 512 rows a feature, at each access.
        """
        check_is_fitted(self, "feature_map_")
        solution, forest = self._solution(), self.feature_map_
        rows = draw_rows(forest.bins)
        found = total_effects(lambda X: forest.outputs(X, solution), rows, not self._labelled)
        encoder = self.category_encoder_
        if encoder is None:
            return found
        return np.bincount(encoder.origins(), found).astype(np.float64)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # The state may come from a file, and kernels do not check bounds.
        if "feature_map_" in state:
            trees, n_columns = self.feature_map_.trees, self.feature_map_.bins.n_columns
            encoder = getattr(self, "category_encoder_", None)
            said = self.n_features_in_ if encoder is None else encoder.n_outputs
            if said != n_columns:
                raise DataError(
                    f"a forest of {n_columns} columns says it has {said}: its file is damaged"
                )
            self._readout.check(trees)
            if self.learned_.moments is not None:
                self.learned_.moments.check(trees)


class RNNForestClassifier(RNNForest, LabelLearner):
    """Forest of spiking clusters for classification of tables.

    Trees divide the rows into regions and boxes within them.  Each box is a cluster that is
    silenced by the distance of a row from the box, and each region has a ridge readout (24) of
    the clusters inside, solved from moments (25), (26).  Probabilities are calibrated on rows
    that did not shape the trees.

    Parameters
    ----------
    n_trees : "auto" or int, default="auto"
        ``"auto"``: 32 up to 5,000 rows, 24 up to 50,000, else 16; fewer where memory asks for it.
    region_size : "auto" or float, default="auto"
        Rows of a region at most.  Large regions suit noisy targets, small ones exact targets.
    min_samples_leaf : "auto" or float, default="auto"
        Rows of a box at least.
    input_scale : "auto" or float, default="auto"
        Pre-activation of a cluster at a distance of one standard deviation, within the region,
        from its box: large values make walls hard.
    alpha : "auto", float, or iterable of float, default="auto"
        Ridge penalty of each region, as a share of the mean eigenvalue of its matrix of
        products.  ``"auto"`` or several: chosen on rows kept aside.
    cluster : Cluster, default=None
        Parameters of the spiking clusters; None stands for ``Cluster()``.
    categorical : sequence of str or int, default=None
        Columns that are categories, by name or number, beside those whose dtype says so: text,
        bool, category.  Not for a source of rows, which is opened with its own.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, times ``sample_weight``; ``"balanced"`` weighs classes inversely
        to their total weight in ``fit``.
    memory_limit : int or str, default=None
        Bytes, or text such as ``"4 GB"``, for the sample of rows, sums, chunks of rows and the
        reading of files together.  None: 768 MiB for the sample, then 512 MiB for sums.
    engine : {"auto", "local", "dask"}, default="auto"
        As in :class:`RNNELMClassifier`.
    checkpoint : path, default=None
        As in :class:`RNNELMClassifier`.
    random_state : int, RandomState or None, default=None
        Of the trees.
    verbose : int, default=0
        Above 0, a progress bar on a terminal.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels; numbers of the columns for a multilabel indicator.
    n_trees_, region_size_, min_samples_leaf_, input_scale_, alpha_ : int or float
        What was chosen, or given; ``alpha_scores_`` holds the mean log loss of each penalty that
        was tried.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of each feature in what moves the outputs, columns being drawn independently.
    feature_map_ : ForestMap
        Column bins and trees.
    learned_ : LearnedState
        All that was learned from the rows: ``moments_`` and ``class_counts_``.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    RNNForestRegressor, RNNELMClassifier

    Notes
    -----
    The structure (bins, trees, and everything ``"auto"``) is learned from a sample of different
    rows, all of them where memory allows; the readout from all rows.  Updates keep the structure,
    the penalty and the calibration.

    Where a table has 500 rows or more, rows kept aside are blocks of neighbouring rows, so that
    rows in order of time do not tell of their neighbours.

    Time: for each row and tree, m^2 / 2 multiply-adds, m the clusters of its region, up to about
    300; the choice costs about as much as some ten trees on 30,000 rows.  Memory: 4 m^2 bytes a
    region for each tree.

    Outputs of each tree stay within the range of the targets, and fade to the mean of the region
    for rows far outside the training ranges.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RNNForestClassifier(n_trees=4, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        n_trees: int | str = "auto",
        *,
        region_size: float | str = "auto",
        min_samples_leaf: float | str = "auto",
        input_scale: float | str = "auto",
        alpha: Any = "auto",
        cluster: Cluster | None = None,
        categorical: Any = None,
        class_weight: Any = None,
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())


class RNNForestRegressor(RNNForest, ValueLearner):
    r"""Forest of spiking clusters for regression on tables.

    As :class:`RNNForestClassifier`, with values for targets: predictions are means over trees,
    within the range of the values that the model was trained on.

    Parameters
    ----------
    n_trees, region_size, min_samples_leaf, input_scale, alpha, cluster, categorical, \
memory_limit, engine, checkpoint, random_state, verbose
        As in :class:`RNNForestClassifier`.

    Attributes
    ----------
    n_trees_, region_size_, min_samples_leaf_, input_scale_, alpha_, alpha_scores_, \
feature_importances_, feature_map_, learned_, moments_, n_features_in_, feature_names_in_
        As in :class:`RNNForestClassifier`; scores are mean squared errors in units of the squared
        ranges of the values.

    See Also
    --------
    RNNForestClassifier, RNNELMRegressor

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RNNForestRegressor(n_trees=4, random_state=0).fit(X[:300], y[:300])
    >>> bool(model.score(X[300:], y[300:]) > 0.4)
    True
    """

    def __init__(
        self,
        n_trees: int | str = "auto",
        *,
        region_size: float | str = "auto",
        min_samples_leaf: float | str = "auto",
        input_scale: float | str = "auto",
        alpha: Any = "auto",
        cluster: Cluster | None = None,
        categorical: Any = None,
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())
