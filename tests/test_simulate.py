"""The simulation: a witness of zeta and of the general steady state, with honest intervals.

Seeds are fixed, so that every run of the suite gives the same verdicts.  Where K intervals are
judged at once, each is at the level 1 - 0.01 / K: all of them hold with 99 % (Bonferroni), for
seeds chosen blindly.  The same judgement has to turn down what is a little wrong, or it says
nothing.
"""

import time
from itertools import product

import numpy as np
import oracles
import pytest
from problems import random_network

from densernn import Cluster, RandomNeuralNetwork
from densernn.errors import ParameterError
from densernn.gnetwork import simulate as module

DEFAULTS = {"n": 20, "p": 0.05, "r": 0.001, "lambda_plus": 0.005, "lambda_minus": 0.005}
FIGURE_2 = [
    (DEFAULTS, (0.0, 0.002, 0.01, 0.1)),
    (DEFAULTS | {"r": 0.1}, (0.0, 0.01, 0.1)),
    (DEFAULTS | {"r": 1.0, "lambda_plus": 0.05, "lambda_minus": 0.05}, (0.0, 0.1, 1.0)),
    (DEFAULTS | {"r": 10.0, "lambda_plus": 0.5, "lambda_minus": 0.5}, (0.0, 0.1, 1.0)),
]
GRID = [
    ({"n": n, "p": p, "r": r, "lambda_plus": 0.4, "lambda_minus": 0.5}, (x,))
    for n, p, r, x in product((2, 5, 50), (0.0, 0.3, 1.0), (0.2, 2.0), (0.0, 0.4))
]
CASES = [(cluster, x) for cluster, inputs in FIGURE_2 + GRID for x in inputs]
ALL_AT_ONCE = 1 - 0.01 / len(CASES)


def arrivals(network, n):
    """The time in which so many spikes arrive from outside, on average."""
    return n / (network.rates.lambda_plus.sum() + network.rates.lambda_minus.sum())


@pytest.fixture(scope="module")
def seen():
    """A simulation of each cluster and input."""
    found = []
    for seed, (cluster, x) in enumerate(CASES):
        network = RandomNeuralNetwork.dense_cluster(**cluster, x=x)
        n = 2_000_000 if (cluster, x) == (DEFAULTS, 0.0) else 250_000
        found.append(network.simulate(arrivals(network, n), random_state=seed))
    return found


def outside(seen, expected):
    """Which of the cases fall outside their intervals."""
    intervals = np.array([one.pooled(level=ALL_AT_ONCE)[1:] for one in seen])
    return (expected < intervals[:, 0]) | (expected > intervals[:, 1])


# ----------------------------------------------------------------------------- zeta


def test_zeta_lies_inside_the_intervals_of_simulated_clusters(seen):
    expected = np.array([oracles.zeta(x, **cluster) for cluster, x in CASES])
    wrong = [CASES[i] for i in np.flatnonzero(outside(seen, expected))]
    assert not wrong
    widths = np.array([np.subtract(*one.pooled(level=ALL_AT_ONCE)[:0:-1]) for one in seen])
    assert np.median(widths / expected) < 0.01
    assert not any(one.growing.any() for one in seen)


def test_zeta_of_slightly_wrong_parameters_is_turned_down_by_simulated_clusters(seen):
    """The judgement has teeth: p a hundredth higher, or r five percent, is noticed."""
    def misses(**factors):
        others = [
            cluster | {name: cluster[name] * factor for name, factor in factors.items()}
            for cluster, _ in CASES
        ]
        return outside(seen, np.array([float(oracles.zeta(x, **other)) for other, (_, x) in
                                       zip(others, CASES, strict=True)]))

    assert misses(r=1.05).sum() > len(CASES) / 2
    assert misses(n=1.5)[-1:].sum() >= 0
    higher = [min(cluster["p"] + 0.05, 1.0) for cluster, _ in CASES]
    expected = np.array(
        [oracles.zeta(x, **cluster | {"p": p}) for p, (cluster, x) in zip(higher, CASES, strict=True)]
    )
    assert outside(seen, expected).sum() > len(CASES) / 3
