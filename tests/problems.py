"""Problems to learn, and Hypothesis strategies for clusters, rows and ways to cut them up."""

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from densernn.weights import SparseWeights

# ----------------------------------------------------------------------------- tables


def classification(n_rows=300, n_columns=5, n_classes=3, seed=0, dtype=np.float64):
    """Rows in noisy rings around the origin, whose radius tells the class: nothing linear."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_rows)
    X = rng.normal(size=(n_rows, n_columns))
    X *= (1.0 + y + 0.2 * rng.normal(size=n_rows))[:, None] / np.linalg.norm(X, axis=1)[:, None]
    return (X * 10.0 + 3.0).astype(dtype), y


def regression(n_rows=300, n_columns=4, n_outputs=None, noise=0.1, seed=0):
    """Smooth functions of the columns, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    directions = rng.normal(size=(n_columns, n_outputs or 1))
    y = np.sin(X @ directions) + 0.5 * X[:, :1] ** 2 + 5.0
    y += noise * rng.normal(size=y.shape)
    return X, y if n_outputs else y[:, 0]


def linear(n_rows=60, n_features=8, n_targets=2, noise=0.5, seed=0, decay=1.0):
    """Features whose spread falls by ``decay`` from one to the next, targets linear in them."""
    rng = np.random.default_rng(seed)
    H = rng.normal(size=(n_rows, n_features)) * decay ** np.arange(n_features) + 2.0
    T = H @ rng.normal(size=(n_features, n_targets)) - 1.0
    return H, T + noise * rng.normal(size=T.shape)


def pieces(n_rows, n_pieces, seed=0):
    """Row numbers in random order, cut at random places into pieces that are not empty."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.choice(np.arange(1, n_rows), n_pieces - 1, replace=False))
    return np.split(rng.permutation(n_rows), cuts)


# ----------------------------------------------------------------------------- strategies


def log_uniform(low, high):
    """Floats between powers of ten, all sizes alike."""
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


@st.composite
def clusters(draw):
    """Parameters of one cluster, over all that the conditions allow."""
    plus = draw(log_uniform(-9, 6))
    over = draw(st.just(0.0) | log_uniform(-12, 4))
    return {
        "n": draw(st.integers(2, 50) | st.integers(2, 1_000_000)),
        "p": draw(st.sampled_from([0.0, 1.0, 0.05]) | st.floats(0, 1) | log_uniform(-12, -1)),
        "r": plus * draw(log_uniform(-9, 6)),
        "lambda_plus": plus,
        "lambda_minus": plus * (1.0 + over),
    }


def inputs(cluster):
    """Inputs of all sizes that matter beside the cluster's rates."""
    scale = max(cluster["lambda_minus"], cluster["r"])
    return st.just(0.0) | log_uniform(-15, 9).map(lambda x: x * scale)


@st.composite
def tables(draw, max_rows=12, max_columns=4, least=1):
    """Rows of moderate numbers, among them repeated ones and far-off columns."""
    shape = draw(st.tuples(st.integers(least, max_rows), st.integers(1, max_columns)))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape) if draw(st.booleans()) else rng.integers(-2, 3, shape) * 1.0
    return X + draw(st.sampled_from([0.0, 0.0, 1e3])) * rng.normal(size=shape[1])


@st.composite
def ways_to_cut(draw, n_rows):
    """An order of the rows, and cuts, some of them empty pieces."""
    order = draw(st.permutations(range(n_rows)))
    cuts = sorted(draw(st.lists(st.integers(0, n_rows), max_size=5)))
    return [np.asarray(part, dtype=int) for part in np.split(np.asarray(order, int), cuts)]


def merged(folds, draw_index):
    """Merge folds two at a time, in a tree that ``draw_index(how many)`` grows."""
    folds = list(folds)
    while len(folds) > 1:
        first = folds.pop(draw_index(len(folds)))
        second = folds.pop(draw_index(len(folds)))
        folds.append(first.merge(second))
    return folds[0]


# ----------------------------------------------------------------------------- layers


def ragged_weights(fan_ins, n_inputs, seed=0, dtype=np.float64):
    """Sparse weights with another fan-in for every cluster, 0 included."""
    rng = np.random.default_rng(seed)
    chosen = [np.sort(rng.choice(n_inputs, fan_in, replace=False)) for fan_in in fan_ins]
    starts = np.concatenate([[0], np.cumsum(fan_ins)]).astype(np.int64)
    inputs = np.concatenate(chosen).astype(np.int32) if starts[-1] else np.empty(0, np.int32)
    return SparseWeights(n_inputs, starts, inputs, rng.random(starts[-1]).astype(dtype))


# ----------------------------------------------------------------------------- networks


def random_network(n_cells, fan_out=None, seed=0, activity=0.5, own=False):
    """Rates and matrices of a network with excitation, inhibition and triggers, by name.

    Each cell reaches ``fan_out`` others (by default all), and itself only with ``own``; matrices
    are sparse if there is a fan-out.
    """
    rng = np.random.default_rng(seed)
    spikes = rng.dirichlet(np.ones(4), n_cells).T
    chains = rng.dirichlet(np.ones(3), n_cells).T

    def matrix(sums):
        if fan_out is None:
            values = rng.random((n_cells, n_cells)) * (1.0 - (not own) * np.eye(n_cells))
            return values * (sums / values.sum(axis=1))[:, None]
        columns = np.arange(n_cells)[:, None] + 1 + rng.integers(0, n_cells - 1, (n_cells, fan_out))
        values = rng.random((n_cells, fan_out))
        values *= (sums / values.sum(axis=1))[:, None]
        rows = np.repeat(np.arange(n_cells), fan_out)
        entries = (values.ravel(), (rows, columns.ravel() % n_cells))
        return sparse.csr_array(entries, shape=(n_cells, n_cells))

    return {
        "lambda_plus": activity * rng.uniform(0.5, 1.0, n_cells),
        "lambda_minus": rng.uniform(0.0, 0.5, n_cells),
        "r": 10.0 ** rng.uniform(-0.5, 0.5, n_cells),
        "p_plus": matrix(spikes[0]),
        "p_minus": matrix(spikes[1]),
        "p": matrix(spikes[2]),
        "d": spikes[3],
        "Q": matrix(chains[0]),
        "pi": matrix(chains[1]),
    }
