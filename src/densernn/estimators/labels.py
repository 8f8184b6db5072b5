"""LabelLearner: what all classifiers share, from classes to probabilities and scores."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from densernn.errors import ParameterError
from densernn.estimators.base import Learner
from densernn.estimators.state import unchanged_by_errors
from densernn.estimators.targets import ClassTargets, make_targets
from densernn.estimators.trained import Float64Array
from densernn.phases import ReadoutPass
from densernn.stats import ClassCounts


class LabelLearner(ClassifierMixin, Learner):  # type: ignore[misc]
    """The base of classifiers."""

    class_weight: Any
    _labelled = True

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, sorted; numbers of the columns for a multilabel indicator."""
        classes: NDArray[Any] = self.targets_.classes
        return classes

    @property
    def class_weight_(self) -> Float64Array | None:
        """Factor on the weights of the rows of each class."""
        factors: Float64Array | None = self.targets_.class_weight
        return factors

    @property
    def class_counts_(self) -> ClassCounts:
        """Total weight of the rows of each class; a multilabel model has none."""
        if not isinstance(self.targets_, ClassTargets):
            raise AttributeError("class_counts_ belongs to models of one label a row")
        return self.learned_.counts

    def partial_fit(
        self, X: Any, y: Any = None, classes: ArrayLike | None = None, sample_weight: Any = None
    ) -> Self:
        """Add rows to the model.

        The first call learns the frozen part from its own rows (the preparation of input and the
        network, or the structure of a forest); the readout is solved when it is next used.

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
        first = not hasattr(self, "feature_map_")
        if first and classes is None:
            raise ParameterError("classes must be given in the first call of partial_fit")
        with unchanged_by_errors(self):
            if not first and classes is not None:
                self._accept_classes(np.unique(np.asarray(classes)))
            return self._update(X, y, classes, sample_weight)

    def _accept_classes(self, wanted: NDArray[Any]) -> None:
        """Take new classes into a model that has no rows yet; else compare."""
        self._require_moments()
        known = self.classes_
        if not self.moments_.weight and isinstance(self.targets_, ClassTargets):
            before = self.targets_
            self.targets_ = make_targets(True, 0, ClassCounts.zero(), wanted, self.class_weight)
            self.learned_ = ReadoutPass(self.feature_map_, self.targets_).zero()
            self._renew_readout(before)
        elif not np.array_equal(wanted, known):
            raise ParameterError(
                f"classes={wanted.tolist()} differ from those of the first call: {known.tolist()}"
            )

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
        return self._predict(X, "predict")

    def predict_proba(self, X: Any) -> Any:
        """Estimate class probabilities.

        The readout's outputs are least-squares estimates of the probabilities of the classes
        given the row, which may leave [0, 1].  A calibration of a few numbers a class makes
        probabilities of them, the largest for the class of the largest output, and none exactly 0
        or 1: it is learned in ``fit``, or in the first ``partial_fit``, from outputs for rows that
        these had no part in, and updates keep it (docs/decisions/0022).

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows add up to 1; for multilabel, independent probabilities of the labels.
        """
        return self._predict(X, "predict_proba")

    def decision_function(self, X: Any) -> Any:
        """Return the outputs of the readout.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, how much the second's output exceeds the first's.
        """
        return self._predict(X, "decision_function")

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of rows whose label is predicted; for multilabel, all their labels.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; a source brings its own targets and weights.
        """
        return self._score(accuracy_score, X, y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
