"""Scores of predictions on test rows, and what the simplest model would have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from densernn.estimators.trained import Trained
from densernn.sources.arrays import ArraySource

SCORES = ("accuracy", "log_loss", "roc_auc", "r2", "mae")
"""Names of scores, in the order in which they are shown."""


def scores(model: Any, task: str, rows: ArraySource) -> dict[str, float]:
    """Return the scores of a trained model on test rows.

    Returns
    -------
    dict
        Classification: accuracy, log loss, and the area under the ROC curve of two classes; of
        classes that no test row has, and of test rows of a class that the model does not know,
        neither of the last two.  Regression: R2 and the mean absolute error.
    """
    X = rows if isinstance(model, Trained) else rows.X
    if task == "regression":
        return _of_values(rows, model.predict(X))
    return _of_classes(rows, model.predict_proba(X), model.classes_)


def baselines(task: str, known: ArraySource, rows: ArraySource) -> dict[str, float]:
    """Return the scores of the training rows' mean, or of their shares of classes."""
    y: Any = known.y
    if task == "regression":
        found = _of_values(rows, np.full(rows.n_rows, np.average(y, weights=known.weight)))
    else:
        classes, codes = np.unique(y, return_inverse=True)
        counts = np.bincount(codes, known.weight)
        found = _of_classes(rows, np.tile(counts / counts.sum(), (rows.n_rows, 1)), classes)
    return {f"baseline_{name}": value for name, value in found.items() if name != "roc_auc"}


def _of_values(rows: ArraySource, predicted: NDArray[Any]) -> dict[str, float]:
    known = {"y_true": rows.y, "y_pred": predicted, "sample_weight": rows.weight}
    return {
        "r2": float(metrics.r2_score(**known)),
        "mae": float(metrics.mean_absolute_error(**known)),
    }


def _of_classes(
    rows: ArraySource, probabilities: NDArray[Any], classes: NDArray[Any]
) -> dict[str, float]:
    y: Any = rows.y
    weight = {"sample_weight": rows.weight}
    predicted = classes[np.argmax(probabilities, axis=1)]
    found = {"accuracy": float(metrics.accuracy_score(y, predicted, **weight))}
    if len(classes) > 1 and np.isin(y, classes).all():
        found["log_loss"] = float(metrics.log_loss(y, probabilities, labels=classes, **weight))
        if len(classes) == 2 and len(np.unique(y)) == 2:
            second = y == classes[1]
            found["roc_auc"] = float(metrics.roc_auc_score(second, probabilities[:, 1], **weight))
    return found
