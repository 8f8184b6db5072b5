"""General networks: their conditions, and q against the balance of all flows, state by state."""

import copy
import pickle
import time
import tracemalloc
import warnings

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import clusters, inputs, random_network
from scipy import sparse

from densernn import Cluster, RandomNeuralNetwork
from densernn.errors import ConvergenceWarning, ParameterError, SaturationError
from densernn.layers import ClusterLayer
from densernn.weights import DenseWeights

HALF = [[0.0, 0.5], [0.5, 0.0]]


def network_of(**changes):
    """Two cells that excite, inhibit and trigger one another."""
    values = {"lambda_plus": 0.2, "lambda_minus": 0.1, "r": 1.0}
    part = np.array([[0.0, 0.25], [0.25, 0.0]])
    matrices = dict.fromkeys(("p_plus", "p_minus", "p", "Q", "pi"), part)
    return RandomNeuralNetwork(**{**values, **matrices, **changes})


# ----------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lambda_plus": [0.1, -0.2]}, r"lambda_plus >= 0: lambda_plus of cell 1 is -0.2"),
        ({"lambda_minus": -1}, r"lambda_minus >= 0: lambda_minus of cell 0 is -1"),
        ({"r": [1.0, 0.0]}, r"r > 0: r of cell 1 is 0.0"),
        ({"r": [1.0, np.nan]}, r"finite r: r of cell 1 is nan"),
        ({"lambda_plus": np.inf}, "finite lambda_plus: lambda_plus of cell 0 is inf"),
        ({"r": [1.0, 1.0, 1.0]}, "of 2 cells needs as many values of r, not 3"),
        ({"r": "fast"}, "a number or a 1-D array for r"),
        ({"r": [[1.0, 1.0]]}, "a number or a 1-D array for r"),
        ({"p": [[0, 0.25, 0], [0.25, 0, 0]]}, r"shape \(2, 2\) for p: it has .* \(2, 3\)"),
        ({"Q": [["a", "b"]] * 2}, "real numbers of shape .* for Q"),
        ({"p_minus": [[0, 0.1], [-0.5, 0]]}, r"in p_minus: p_minus\[1, 0\] is -0.5"),
        ({"pi": [[0, np.nan], [0, 0]]}, r"in pi: pi\[0, 1\] is nan"),
        ({"p_plus": [[0, 0.25], [0.75, 0]]}, r"p_plus \+ .* <= 1: the sum of cell 1 is 1.25"),
        ({"d": [0.25, 0.5]}, r"p_plus \+ p_minus \+ p \+ d = 1: the sum of cell 1 is 1.25"),
        ({"d": 0.1}, "the sum of cell 0 is 0.85"),
        ({"d": -0.25}, "d >= 0: d of cell 0 is -0.25"),
        ({"Q": [[0, 0.25], [0.9, 0]]}, r"Q \+ pi <= 1: the sum of cell 1 is 1.15"),
        (
            {"p": HALF, "Q": [[0, 0.6], [0, 0]], "pi": None},
            r"Q \+ pi \(which is p, by default\) <= 1: the sum of cell 0 is 1.1",
        ),
    ],
)
def test_a_broken_condition_names_the_cell_and_the_sum(changes, said):
    with pytest.raises(ParameterError, match=said):
        network_of(**changes)


def test_a_network_has_at_least_one_cell():
    with pytest.raises(ParameterError, match="at least one cell"):
        RandomNeuralNetwork([], 0.0, 1.0)
    assert RandomNeuralNetwork(0.5, 0.0, 1.0).steady_state().q == [0.5]


def test_what_is_not_said_is_lost_or_as_the_paper_has_it():
    rates = network_of(pi=None).rates
    np.testing.assert_array_equal(rates.d, 0.25)
    np.testing.assert_array_equal(rates.pi.toarray(), rates.p.toarray())
    assert network_of(d=0.25 + 1e-12).n_cells == 2
    assert RandomNeuralNetwork(0.1, 0.1, [1.0, 2.0]).rates.pi.nnz == 0


def test_rates_are_copied_and_frozen_in_copies_too():
    r, p = np.ones(2), np.array(HALF)
    network = RandomNeuralNetwork(0.1, 0.1, r, p=p)
    r[:], p[:] = 5.0, 0.9
    for same in (network, copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert same.rates.r.tolist() == [1.0, 1.0]
        assert same.rates.p.toarray().tolist() == HALF
        for values in (same.rates.r, same.rates.p.data):
            with pytest.raises(ValueError, match="read-only"):
                values[0] = 2.0


# ----------------------------------------------------------------------------- constructors


def test_from_weights_is_from_probabilities():
    probabilities = random_network(5, seed=3)
    r = probabilities["r"]
    plus, minus = (r[:, None] * probabilities.pop(name) for name in ("p_plus", "p_minus"))
    outside = [probabilities.pop(name) for name in ("lambda_plus", "lambda_minus")]
    loss = probabilities.pop("d")
    found = RandomNeuralNetwork.from_weights(
        plus, sparse.csc_array(minus), *outside, **probabilities
    )
    expected = RandomNeuralNetwork(**random_network(5, seed=3))
    np.testing.assert_allclose(found.rates.d, loss, atol=1e-14)
    np.testing.assert_allclose(found.steady_state().q, expected.steady_state().q, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"w_plus": [[0, 1], [0, 0]]}, "cell 1 has no weights"),
        ({"p": HALF}, "needs r"),
        ({"r": [1.0, -1.0]}, "r > 0: of cell 1"),
        ({"r": 0.5}, "the sum of cell 0 is 2.0"),
        ({"w_plus": [[0, -1], [2, 0]], "r": 1.0}, r"p_plus\[0, 1\] is -1"),
        ({"w_minus": np.zeros((3, 3))}, r"square and alike: they are \(2, 2\) and \(3, 3\)"),
        ({"w_plus": [0, 1]}, "w_plus must be real numbers in two dimensions"),
        ({"r": [1.0, 2.0, 3.0]}, "of 2 cells needs as many values of r, not 3"),
    ],
)
def test_from_weights_refuses(arguments, said):
    usual = {"w_plus": [[0, 1], [1, 0]], "w_minus": np.zeros((2, 2))}
    with pytest.raises(ParameterError, match=said):
        RandomNeuralNetwork.from_weights(
            **{**usual, "lambda_plus": 0.1, "lambda_minus": 0.1, **arguments}
        )


def test_from_layer_agrees_with_a_layer_of_clusters_and_a_second_on_top():
    rng = np.random.default_rng(0)
    cluster = Cluster(
        n=[2, 3, 7, 20],
        p=[0.0, 0.3, 1.0, 0.05],
        r=0.2,
        lambda_plus=0.1,
        lambda_minus=[0.1, 0.2, 0.3, 0.4],
    )
    first = ClusterLayer(DenseWeights(rng.random((5, 4))), cluster, offset=rng.random(4))
    inputs = rng.random(5)
    found = RandomNeuralNetwork.from_layer(
        first.weights.matrix, inputs, cluster, offset=first.offset
    )
    assert found.n_cells == 5 + sum(cluster.n)
    q = found.steady_state().q
    hidden = np.empty((4, 1))
    first.forward(inputs[:, None], hidden)
    np.testing.assert_allclose(q[:5], inputs, rtol=1e-12)
    np.testing.assert_allclose(q[5:], np.repeat(hidden, cluster.n), rtol=1e-10)
    second = ClusterLayer(DenseWeights(rng.random((4, 2))), Cluster(n=3))
    out = np.empty((2, 1))
    second.forward(hidden, out)
    represented = RandomNeuralNetwork.from_layer(second.weights.matrix, hidden[:, 0], Cluster(n=3))
    np.testing.assert_allclose(represented.steady_state().q[4:], np.repeat(out, 3), rtol=1e-10)


def test_from_layer_agrees_with_clusters_that_are_excited_too():
    rng = np.random.default_rng(1)
    given = {"p": [0.0, 0.3, 0.9, 1.0], "r": 0.2, "lambda_plus": 0.1}
    cluster = Cluster(n=[2, 3, 9, 5], **given, lambda_minus=[0.1, 0.2, 0.3, 0.4])
    inhibit, excite, inputs = 0.5 * rng.random((6, 4)), 0.3 * rng.random((6, 4)), rng.random(6)
    excite[:, 3] *= 20  # which saturates the last cluster
    network = RandomNeuralNetwork.from_layer(inhibit, inputs, cluster, excitatory=excite)
    state = network.steady_state()
    expected = cluster.zeta(inputs @ inhibit, excitation=inputs @ excite)
    assert expected[3] == 1.0
    assert (expected[:3] < 0.95).all()
    np.testing.assert_allclose(state.q[6:], np.repeat(expected, cluster.n), rtol=1e-9)
    assert state.saturated.tolist() == [False] * (6 + 2 + 3 + 9) + [True] * 5
    np.testing.assert_allclose(network.rates.r[:6], (inhibit + excite) @ cluster.n)


def test_from_layer_fires_at_the_exit_rates_of_equation_5():
    weights = np.array([[0.1, 0.2], [0.0, 0.0]])
    cluster = Cluster(n=4)
    network = RandomNeuralNetwork.from_layer(sparse.csr_array(weights), [1.0, 0.5], cluster)
    rates = network.rates
    assert rates.r[0] == pytest.approx(4 * 0.3)
    assert rates.d[1] == 1.0
    np.testing.assert_allclose(rates.r[0] * rates.p_minus.toarray()[0, 2:], [0.1] * 4 + [0.2] * 4)
    state = network.steady_state()
    assert state.saturated.tolist() == [True] + [False] * 9
    assert state.q[2] == pytest.approx(cluster.zeta(0.1), rel=1e-12)


@pytest.mark.parametrize(
    ("weights", "inputs", "said"),
    [
        (np.ones((2, 3)), [0.1], "2 probabilities"),
        (np.ones((1, 3)), [1.1], "1 probabilities"),
        (np.ones((1, 3)), [np.nan], "1 probabilities"),
        (-np.ones((1, 3)), [0.5], "must not be negative: their least is -1"),
        (np.ones(3), [0.5], "weights must be real numbers in two dimensions"),
        (np.ones((1, 2)), [0.5], "as many values of p of clusters, not 3"),
    ],
)
def test_from_layer_refuses(weights, inputs, said):
    with pytest.raises(ParameterError, match=said):
        RandomNeuralNetwork.from_layer(weights, inputs, Cluster(p=[0.1, 0.2, 0.3]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": 1}, "whole n >= 2: n is 1"),
        ({"n": 2.5}, "whole n >= 2: n is 2.5"),
        ({"n": np.nan}, "whole n >= 2: n is nan"),
        ({"p": 1.5}, "0 <= p <= 1: p is 1.5"),
        ({"x": -0.1}, "x >= 0: x is -0.1"),
        ({"r": 0.0}, "r > 0"),
    ],
)
def test_dense_cluster_refuses(arguments, said):
    with pytest.raises(ParameterError, match=said):
        RandomNeuralNetwork.dense_cluster(**arguments)


# ----------------------------------------------------------------------------- the solution


@given(data=st.data(), cluster=clusters())
def test_steady_state_of_a_dense_cluster_is_zeta(data, cluster):
    cluster["n"] = min(cluster["n"], 30)
    x = data.draw(inputs(cluster))
    state = RandomNeuralNetwork.dense_cluster(**cluster, x=x).steady_state()
    expected = oracles.zeta(x, **cluster)
    # Next to 1, q is as ill-conditioned as the quadratic: an error of (1) is felt 1/(1-q) fold.
    near = 1e-12 / (1 - expected)
    assert state.residual <= 1e-12
    assert np.abs(state.q - expected).max() <= 3 * near * expected + 1e-12


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_steady_state_balances_all_flows_and_has_the_product_form(seed, own):
    values = random_network(2, seed=seed, activity=0.3, own=own)
    state = RandomNeuralNetwork(**values).steady_state()
    top = int(np.log(1e-11) / np.log(state.q.max()))
    balance = oracles.network_steady_state(values, min(top, 60))
    for k in [(0, 0), (1, 0), (0, 2), (3, 1)]:
        assert state.joint(k) == pytest.approx(balance[k], abs=1e-7)
    assert state.joint_excitation() == pytest.approx(balance[1:, 1:].sum(), abs=1e-7)
    counts = np.arange(len(balance))
    np.testing.assert_allclose(state.mean_state[0], counts @ balance.sum(axis=1), atol=1e-5)


def test_steady_state_of_three_cells_with_chains_of_triggers():
    values = random_network(3, seed=1, activity=0.1)
    state = RandomNeuralNetwork(**values).steady_state()
    balance = oracles.network_steady_state(values, 7)
    q = [1 - balance.sum(axis=tuple({0, 1, 2} - {cell}))[0] for cell in range(3)]
    np.testing.assert_allclose(state.q, q, atol=2e-6)


@pytest.mark.parametrize("activity", [0.05, 0.5, 5.0])
@pytest.mark.parametrize(("n_cells", "fan_out"), [(1, None), (10, None), (200, 20), (1000, 100)])
def test_steady_state_fulfils_equation_1(n_cells, fan_out, activity):
    values = random_network(n_cells, fan_out, activity=activity, own=n_cells == 1)
    state = RandomNeuralNetwork(**values).steady_state()
    r, q = values["r"], state.q
    # T by powers of the matrix, as (2) writes the sum over chains.
    step, T = (r * q) @ values["p"], np.zeros(n_cells)
    while step.max() > 1e-16:
        T += step
        step = (q * step) @ values["pi"]
    plus = values["lambda_plus"] + (r * q) @ values["p_plus"] + (q * T) @ values["Q"]
    minus = values["lambda_minus"] + (r * q) @ values["p_minus"] + T
    np.testing.assert_allclose(q, np.minimum(plus / (r + minus), 1), atol=1e-11)
    np.testing.assert_allclose(state.lambda_plus, plus, rtol=1e-10)
    np.testing.assert_allclose(state.lambda_minus, minus, rtol=1e-10)
    np.testing.assert_array_equal(state.saturated, plus >= (r + minus) * (1 - 1e-9))


def test_steady_state_of_classic_networks():
    """Feed-forward, and a loop that gives back all but little: closed forms."""
    chain = RandomNeuralNetwork([0.4, 0.0], 0.0, [1.0, 0.5], p_plus=[[0, 0.5], [0, 0]])
    np.testing.assert_allclose(chain.steady_state().q, [0.4, 0.4], rtol=1e-14)
    ring = RandomNeuralNetwork(1e-4, 1e-3, 1.0, p_plus=0.999 * np.roll(np.eye(50), 1, axis=1))
    state = ring.steady_state()
    np.testing.assert_allclose(state.q, 1e-4 / (1e-3 + 1e-3), rtol=1e-9)
    assert state.n_iter < 30


def test_steady_state_at_rest_is_rest():
    """A closed network without arrivals keeps what it has: nothing."""
    state = RandomNeuralNetwork(0.0, 0.0, 1.0, p_plus=[[0, 1], [1, 0]]).steady_state()
    assert state.q.tolist() == [0.0, 0.0]
    assert state.joint([0, 0]) == 1.0
    assert state.joint([1, 0]) == 0.0
    assert state.joint([1, 0], log=True) == -np.inf


def test_steady_state_does_not_depend_on_the_unit_of_time():
    values = random_network(8, seed=5)
    fast = values | {name: 1e6 * values[name] for name in ("lambda_plus", "lambda_minus", "r")}
    q = RandomNeuralNetwork(**values).steady_state().q
    np.testing.assert_allclose(RandomNeuralNetwork(**fast).steady_state().q, q, rtol=1e-12)


def test_joint_probabilities_are_products():
    state = RandomNeuralNetwork(**random_network(3)).steady_state()
    q = state.q
    assert state.joint_excitation([2, 0]) == pytest.approx(q[0] * q[2])
    expected = (1 - q[1]) * (1 - q[2]) * q[2] ** 3
    assert state.joint([0, 3], cells=[1, 2]) == pytest.approx(expected)
    many = state.joint([[[0, 0, 0], [1, 2, 3]]])
    assert many.shape == (1, 2)
    np.testing.assert_allclose(np.exp(state.joint([1, 2, 3], log=True)), many[0, 1])
    grid = np.stack(np.meshgrid(*[np.arange(60)] * 3, indexing="ij"), axis=-1)
    assert state.joint(grid).sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("states", "cells", "said"),
    [
        ([0, 0], None, "3 along the last axis"),
        ([0, -1, 0], None, "whole numbers from 0 on"),
        ([0.5, 0, 0], None, "whole numbers from 0 on"),
        ([0, 0], [1, 1], "different numbers from 0 to 2"),
        ([0], [3], "different numbers from 0 to 2"),
        ([0], [-1], "different numbers from 0 to 2"),
    ],
)
def test_joint_refuses_in_a_steady_state(states, cells, said):
    with pytest.raises(ParameterError, match=said):
        RandomNeuralNetwork(**random_network(3)).steady_state().joint(states, cells)


def test_steady_state_flags_saturated_cells():
    network = RandomNeuralNetwork([2.0, 0.1], 0.0, 1.0, p_plus=[[0, 0.5], [0, 0]])
    state = network.steady_state()
    assert state.saturated.tolist() == [True, False]
    assert state.q.tolist() == [1.0, pytest.approx(0.6)]
    assert state.mean_state.tolist() == [np.inf, pytest.approx(1.5)]
    for ask in (lambda: state.joint([0, 0]), lambda: state.joint_excitation([1])):
        with pytest.raises(SaturationError, match="1 cells are saturated, the first is cell 0"):
            ask()


def test_steady_state_warns_where_it_does_not_get_there():
    network = RandomNeuralNetwork(**random_network(10))
    with pytest.warns(ConvergenceWarning, match="after 2 iterations, above tol=1.0e-12"):
        state = network.steady_state(max_iter=2)
    assert state.residual > 1e-12
    with pytest.raises(ParameterError, match="above 0"):
        network.steady_state(tol=0)


def test_steady_state_of_sparse_matrices_is_that_of_dense_ones():
    dense = random_network(30, seed=2)
    q = RandomNeuralNetwork(**dense).steady_state().q
    for kind in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.dok_array):
        names = ("p_plus", "p_minus", "p", "Q", "pi")
        same = RandomNeuralNetwork(**dense | {name: kind(dense[name]) for name in names})
        np.testing.assert_array_equal(same.steady_state().q, q)


def test_steady_state_of_10_000_cells_takes_seconds_and_little_memory():
    values = random_network(10_000, 100, activity=0.3)
    entries = sum(matrix.nnz for matrix in values.values() if sparse.issparse(matrix))
    tracemalloc.start()
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state = RandomNeuralNetwork(**values).steady_state()
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert state.residual <= 1e-12
    assert seconds < 60  # two, on an idle machine
    # The matrices, their transposes and what making one of them takes; 10,000 squared is 800 MB.
    assert peak < 4 * 12 * entries < 5e8


@pytest.mark.parametrize(
    ("excitatory", "said"),
    [
        (np.ones((2, 3)), r"the shape of weights, \(1, 3\): it has \(2, 3\)"),
        (-np.ones((1, 3)), "excitatory must not be negative: their least is -1"),
    ],
)
def test_from_layer_refuses_excitation(excitatory, said):
    with pytest.raises(ParameterError, match=said):
        RandomNeuralNetwork.from_layer(np.ones((1, 3)), [0.5], Cluster(), excitatory=excitatory)
