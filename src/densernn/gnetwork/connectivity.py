"""Rates of the paper's networks: the cluster M(n), and the layer of Figure 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from densernn.errors import ParameterError
from densernn.gnetwork.rates import Float64Array, Matrix, Rates, as_vector, checked_rates


def cluster_rates(
    n: int, p: float, r: float, lambda_plus: float, lambda_minus: float, x: float
) -> Rates:
    """Return M(n): see :meth:`RandomNeuralNetwork.dense_cluster`."""
    excite, trigger = _all_to_all(n, p)
    if not x >= 0:
        raise ParameterError(f"a cluster needs x >= 0: x is {x}")
    each = np.ones(excite.shape[0])
    matrices = {"p_plus": excite, "Q": excite, "p": trigger, "pi": trigger}
    return checked_rates(lambda_plus * each, (lambda_minus + x) * each, r * each, matrices)


def layer_rates(
    weights: Matrix,
    inputs: ArrayLike,
    cluster: Any,
    offset: ArrayLike | None,
    excitatory: Matrix | None,
) -> Rates:
    """Return the network of Figure 1: see :meth:`RandomNeuralNetwork.from_layer`."""
    W = _as_weights("weights", weights)
    n_inputs, n_clusters = W.shape
    E = _as_weights("excitatory", sparse.csr_array(W.shape) if excitatory is None else excitatory)
    if E.shape != W.shape:
        raise ParameterError(
            f"excitatory must have the shape of weights, {W.shape}: it has {E.shape}"
        )
    q = np.asarray(inputs, np.float64)
    if q.shape != (n_inputs,) or not ((q >= 0) & (q <= 1)).all():
        raise ParameterError(
            f"inputs must be {n_inputs} probabilities in [0, 1], as many as weights has rows"
        )
    n, p, r, plus, minus = (
        as_vector(f"{name} of clusters", getattr(cluster, name), n_clusters)
        for name in ("n", "p", "r", "lambda_plus", "lambda_minus")
    )
    x = as_vector("offset", 0.0 if offset is None else offset, n_clusters)
    counts = n.astype(np.int64)
    exits = (W + E) @ counts  # (5)
    # An input without weights has no effect, and only needs a positive firing rate.
    exit_rates = np.where(exits > 0, exits, 1.0)
    share, cells = sparse.diags_array(1 / exit_rates), np.repeat(np.arange(n_clusters), counts)
    from_clusters = sparse.csr_array((counts.sum(), n_inputs + counts.sum()))

    def from_inputs(rates: Any) -> Any:
        sent = sparse.csr_array(share @ rates[:, cells])
        to_all = sparse.hstack([sparse.csr_array((n_inputs, n_inputs)), sent])
        return sparse.vstack([to_all, from_clusters])

    blocks = [_all_to_all(int(m), float(share)) for m, share in zip(counts, p, strict=True)]
    excite, trigger = (_after_inputs(n_inputs, part) for part in zip(*blocks, strict=True))
    return checked_rates(
        np.concatenate([q * exit_rates, np.repeat(plus, counts)]),
        np.concatenate([np.zeros(n_inputs), np.repeat(minus + x, counts)]),
        np.concatenate([exit_rates, np.repeat(r, counts)]),
        {
            "p_plus": from_inputs(E) + excite,
            "p_minus": from_inputs(W),
            "p": trigger,
            "Q": excite,
            "pi": trigger,
        },
    )


def weight_rates(
    w_plus: Matrix,
    w_minus: Matrix,
    lambda_plus: ArrayLike,
    lambda_minus: ArrayLike,
    r: ArrayLike | None,
    triggers: dict[str, Matrix],
) -> Rates:
    """Return the network of weights: see :meth:`RandomNeuralNetwork.from_weights`."""
    excite, inhibit = _as_sparse("w_plus", w_plus), _as_sparse("w_minus", w_minus)
    size = excite.shape[0]
    if not excite.shape == inhibit.shape == (size, size):
        raise ParameterError(
            f"w_plus and w_minus must be square and alike: they are {excite.shape} and "
            f"{inhibit.shape}"
        )
    if r is None:
        if triggers.get("p") is not None:
            raise ParameterError(
                "from_weights needs r if cells trigger others: weights are only the rates of "
                "excitatory and inhibitory spikes"
            )
        r = _firing_rates(excite, inhibit)
    rates = as_vector("r", r, size)
    if not (rates > 0).all():
        raise ParameterError(f"from_weights needs r > 0: of cell {np.argmin(rates > 0)}, it is not")
    share = sparse.diags_array(1 / rates)
    matrices = {"p_plus": share @ excite, "p_minus": share @ inhibit, **triggers}
    return checked_rates(lambda_plus, lambda_minus, rates, matrices)


def _as_weights(name: str, values: Matrix) -> Any:
    """Return a sparse matrix of rates, which must not be negative."""
    W = _as_sparse(name, values)
    if not (W.data >= 0).all():
        raise ParameterError(f"{name} must not be negative: their least is {W.data.min()}")
    return W


def _as_sparse(name: str, values: Matrix) -> Any:
    array = values if sparse.issparse(values) else np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise ParameterError(f"{name} must be real numbers in two dimensions")
    return sparse.csr_array(array, dtype=np.float64)


def _firing_rates(excite: Any, inhibit: Any) -> Float64Array:
    """Return the sum of the weights of each cell, its firing rate if no spike is lost."""
    rates = np.asarray(excite.sum(axis=1) + inhibit.sum(axis=1), np.float64)
    if not (rates > 0).all():
        raise ParameterError(
            f"cell {np.argmin(rates > 0)} has no weights to fire along: give r, at which it fires "
            "out of the network"
        )
    return rates


def _all_to_all(n: int, p: float) -> tuple[Any, Any]:
    """Return the matrices (1 - p)/n and p/n from each cell to each other one."""
    if not (2 <= n < np.inf and n == np.floor(n)):
        raise ParameterError(f"a cluster needs whole n >= 2: n is {n}")
    if not 0 <= p <= 1:
        raise ParameterError(f"a cluster needs 0 <= p <= 1: p is {p}")
    others = np.ones((int(n), int(n))) - np.eye(int(n))
    return sparse.csr_array(others * ((1 - p) / n)), sparse.csr_array(others * (p / n))


def _after_inputs(n_inputs: int, blocks: Any) -> Any:
    """Return a block-diagonal matrix, after rows and columns of zeros for the inputs."""
    return sparse.block_diag([sparse.csr_array((n_inputs, n_inputs)), *blocks], format="csr")
