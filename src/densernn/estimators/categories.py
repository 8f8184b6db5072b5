"""Categories of a training: learned from a sample of the categorical features and targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from densernn.category_encoder import CategoryEncoder
from densernn.engine import Passes
from densernn.errors import DataError
from densernn.estimators.targets import encode_sample, make_targets
from densernn.sources.encoded import encoded
from densernn.summaries import TablePass

SAMPLE_BYTES = 64 * 2**20
"""Memory for the sample."""


def learn_categories(model: Any, passes: Passes, labels: bool, classes: Any) -> None:
    """Learn what becomes of categories, if there are any, in a pass over the rows.

    From then on, the passes go over rows with numbers in the place of categories.

    Parameters
    ----------
    model : estimator
        Gets ``category_encoder_``.
    passes : Passes
    labels : bool
        Whether labels are to be counted.
    classes : array or None
        All classes, where they are given.
    """
    source = passes.source
    sizes = () if source.encoding is None else source.encoding.n_categories
    columns = tuple(j for j, size in enumerate(sizes) if size)
    if not columns:
        return
    n_targets = source.n_targets or 0
    n_sampled = SAMPLE_BYTES // (8 * (len(columns) + n_targets + 4))
    found = passes.run(TablePass(len(sizes), labels, n_sampled, columns), "categories")
    if not found.sample.weight:
        raise DataError("every row weighs 0: there is nothing to learn from")
    class_weight = getattr(model, "class_weight", None)
    targets = make_targets(model._labelled, n_targets, found.classes, classes, class_weight)
    rows = found.sample.rows()
    codes = np.asarray(rows.X, np.float64)
    model.category_encoder_ = CategoryEncoder.learn(codes, *encode_sample(targets, rows), sizes)
    passes.source = encoded(source, model.category_encoder_)
