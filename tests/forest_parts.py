"""Parts of a forest on a few rows: sampled rows, a grown tree and its boxes."""

import numpy as np

from densernn import Cluster
from densernn.forest.activations import activations, route
from densernn.forest.bins import ColumnBins
from densernn.forest.growth import grow_tree
from densernn.forest.making import make_boxes
from densernn.forest.sampled import SampledRows
from densernn.stats.distinct import hash_rows

CLUSTER = Cluster()
COEFFICIENTS = CLUSTER.coefficients(np.float32)[:, 0].copy()
NONE = np.empty((0, 0))


def rows_of(n_rows=300, n_columns=4, seed=0, n_targets=0):
    """Sampled rows of two classes, or of several values."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns)).round(1)
    bins = ColumnBins.of(X, np.ones(n_rows))
    signal = X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=n_rows)
    targets = np.column_stack([signal <= 0, signal > 0]).astype(float)
    if n_targets:
        targets = signal[:, None] * np.arange(1, n_targets + 1)
    keys, place = hash_rows(X), np.arange(float(n_rows))
    weight = rng.integers(1, 4, n_rows).astype(float)
    return X, bins, SampledRows.of(bins, X, targets, weight, keys, place, labelled=not n_targets)


def grown(rows, least=6.0, seed=3):
    """A tree on the rows."""
    codes = np.ascontiguousarray(rows.codes)
    return grow_tree(codes, rows.labels, rows.tree_values, rows.tree_weight, 0.5, least, seed)


def boxes_of(rows, bins, tree, region=150.0, least=6.0, scale=0.02):
    """The boxes of a tree."""
    return make_boxes(tree, bins, rows.scores, rows.weight, region, least, scale)


def activations_of(boxes, z):
    """Activations of the clusters in the region of a row."""
    scores = np.atleast_2d(z).astype(np.float32)
    region = route(scores, *boxes.routing)[0]
    m = boxes.sizes[region]
    out, scratch = np.empty((m, 1)), np.empty(m + scores.shape[1], np.float32)
    first = np.zeros(1, np.intp)
    activations(scores, first, region, boxes.clusters, COEFFICIENTS, scratch, out)
    return out[:, 0]
