"""The handwritten digits that scikit-learn carries: small, and always there."""

from __future__ import annotations

import numpy as np

from densernn.datasets.bunch import Dataset


def load_digits() -> Dataset:
    """Load scikit-learn's bundled digits: 1,797 images of 8 x 8 pixels.

    Nothing is downloaded. A quarter of the rows is held out by one shuffle with the fixed seed
    0, stratified, so that both parts have the same share of each digit: the split is the same
    at every call.

    Returns
    -------
    Dataset
        1,347 training and 450 test rows of 64 pixels, float64 holding 0, 1, ..., 16, and
        labels 0 to 9.

    Notes
    -----
    Source: the test part of "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, as in :func:`sklearn.datasets.load_digits`. Cost: some milliseconds.

    Examples
    --------
    >>> from densernn.datasets import load_digits
    >>> digits = load_digits()
    >>> digits
    <Dataset digits: 1,347 training and 450 test rows of 64 features>
    >>> digits.X_train.min(), digits.X_train.max()
    (np.float64(0.0), np.float64(16.0))
    """
    # Imported here because importing densernn must stay fast.
    from sklearn import datasets  # noqa: PLC0415
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    source = datasets.load_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        source.data, source.target, test_size=0.25, random_state=0, stratify=source.target
    )
    return Dataset(
        "digits",
        X_train,
        np.asarray(y_train, dtype=np.int64),
        X_test,
        np.asarray(y_test, dtype=np.int64),
        feature_names=tuple(source.feature_names),
        target_names=tuple(str(digit) for digit in source.target_names),
    )
