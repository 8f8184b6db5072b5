"""Scores of predictions on test rows, and what the simplest model would have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

SCORES = ("accuracy", "log_loss", "roc_auc", "r2", "mae")
"""Names of scores, in the order in which they are shown."""


def scores(model: Any, task: str, X: NDArray[Any], y: NDArray[Any]) -> dict[str, float]:
    """Return the scores of a trained model on test rows.

    Returns
    -------
    dict
        Classification: accuracy, log loss, and the area under the ROC curve of two classes; of
        classes that no test row has, and of test rows of a class that the model does not know,
        neither of the last two.  Regression: R2 and the mean absolute error.
    """
    if task == "regression":
        return _of_values(y, model.predict(X))
    probabilities = model.predict_proba(X)
    return _of_classes(y, probabilities, model.classes_)


def baselines(task: str, known: NDArray[Any], y: NDArray[Any]) -> dict[str, float]:
    """Return the scores of the training rows' mean, or of their shares of classes."""
    if task == "regression":
        found = _of_values(y, np.full(len(y), known.mean()))
    else:
        classes, counts = np.unique(known, return_counts=True)
        shares = np.tile(counts / counts.sum(), (len(y), 1))
        found = _of_classes(y, shares, classes)
    return {f"baseline_{name}": value for name, value in found.items() if name != "roc_auc"}


def _of_values(y: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    return {
        "r2": float(metrics.r2_score(y, predicted)),
        "mae": float(metrics.mean_absolute_error(y, predicted)),
    }


def _of_classes(
    y: NDArray[Any], probabilities: NDArray[Any], classes: NDArray[Any]
) -> dict[str, float]:
    predicted = classes[np.argmax(probabilities, axis=1)]
    found = {"accuracy": float(metrics.accuracy_score(y, predicted))}
    if len(classes) > 1 and np.isin(y, classes).all():
        found["log_loss"] = float(metrics.log_loss(y, probabilities, labels=classes))
        if len(classes) == 2 and len(np.unique(y)) == 2:
            found["roc_auc"] = float(metrics.roc_auc_score(y == classes[1], probabilities[:, 1]))
    return found
