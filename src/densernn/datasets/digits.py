"""Digits: the small handwritten digits that scikit-learn carries."""

from __future__ import annotations

import numpy as np

from densernn.datasets.bunch import Dataset, hold_out_quarter


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

    source = datasets.load_digits()
    y = np.asarray(source.target, dtype=np.int64)
    names = tuple(str(digit) for digit in source.target_names)
    return hold_out_quarter("digits", source.data, y, tuple(source.feature_names), names)
