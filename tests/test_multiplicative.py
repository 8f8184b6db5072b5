"""Multiplicative updates: against printed formulas and slopes in many digits, and by law."""

import numpy as np
import oracles
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densernn import Cluster
from densernn.solvers.descent import PATIENCE, Descent, Point
from densernn.solvers.multiplicative import (
    LARGEST,
    CodeMoments,
    SpikingTerms,
    Terms,
    code_moments,
    linear_terms,
    spiking_terms,
    update,
)

PARAMETERS = {"n": 20, "p": 0.05, "r": 0.001, "lambda_plus": 0.005, "lambda_minus": 0.005}
CLUSTER = Cluster(**PARAMETERS)


def problem(n_rows=5, n_inputs=4, n_hidden=3, seed=0):
    """Rows in [0, 1], some values 0, and weights over which zeta has a slope; W2 signed, too."""
    rng = np.random.default_rng(seed)
    X = rng.random((n_rows, n_inputs)) * (rng.random((n_rows, n_inputs)) > 0.3)
    W1, W2 = 0.02 * rng.random((n_inputs, n_hidden)), 0.01 * rng.random((n_hidden, n_inputs))
    return X, W1, W2, rng.normal(size=W2.shape)


def by_columns(X, dtype=np.float64):
    return np.ascontiguousarray(X.T, dtype)


# ----------------------------------------------------------------------------- terms


def test_spiking_fractions_are_those_printed():
    X, W1, W2, _ = problem()
    found = spiking_terms(by_columns(X), W1, W2, CLUSTER)
    n1, d1, n2, d2 = oracles.spiking_fractions(X, W1, W2, PARAMETERS)
    np.testing.assert_allclose(found.encoder.numerator, n1, rtol=1e-9)
    np.testing.assert_allclose(found.encoder.denominator, d1, rtol=1e-9)
    np.testing.assert_allclose(found.decoder.numerator, np.abs(n2), rtol=1e-9)
    np.testing.assert_allclose(found.decoder.denominator, np.abs(d2), rtol=1e-9)
    assert np.isclose(found.cost, oracles.spiking_cost(X, W1, W2, PARAMETERS), rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_spiking_terms_part_the_gradient(weighted):
    X, W1, W2, _ = problem()
    weight = np.array([0.0, 1.0, 2.5, 1.0, 0.3]) if weighted else None
    found = spiking_terms(by_columns(X), W1, W2, CLUSTER, weight)
    by_W1 = oracles.slopes(lambda W: oracles.spiking_cost(X, W, W2, PARAMETERS, weight), W1)
    by_W2 = oracles.slopes(lambda W: oracles.spiking_cost(X, W1, W, PARAMETERS, weight), W2)
    for terms, slope in ((found.encoder, by_W1), (found.decoder, by_W2)):
        assert (terms.numerator >= 0).all()
        assert (terms.denominator >= 0).all()
        half = terms.denominator - terms.numerator
        np.testing.assert_allclose(2 * half, slope, rtol=1e-5, atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("weighted", [False, True])
def test_linear_terms_part_the_gradient(weighted):
    X, W1, _, W2 = problem()
    weight = np.array([0.0, 1.0, 2.5, 1.0, 0.3]) if weighted else None
    found = linear_terms(by_columns(X), W1, W2, CLUSTER, weight)
    slope = oracles.slopes(lambda W: oracles.linear_cost(X, W, W2, PARAMETERS, weight), W1)
    assert (found.numerator >= 0).all()
    assert (found.denominator >= 0).all()
    half = found.denominator - found.numerator
    np.testing.assert_allclose(2 * half, slope, rtol=1e-5, atol=1e-6 * np.abs(slope).max())


def test_the_printed_form_is_as_printed_and_the_inverted_one_its_inverse():
    X, W1, _, W2 = problem()
    above, below = oracles.printed_fraction(X, W1, W2, PARAMETERS)
    printed = linear_terms(by_columns(X), W1, W2, CLUSTER, variant="printed")
    inverted = linear_terms(by_columns(X), W1, W2, CLUSTER, variant="inverted")
    np.testing.assert_allclose(printed.numerator, np.abs(above), rtol=1e-9)
    np.testing.assert_allclose(printed.denominator, np.abs(below), rtol=1e-9)
    np.testing.assert_array_equal(inverted.numerator, printed.denominator)
    np.testing.assert_array_equal(inverted.denominator, printed.numerator)


def test_the_printed_form_climbs_where_the_decoder_is_positive():
    # Where W2 >= 0 the positive part changes nothing: only the fraction's direction is at stake.
    X, W1, W2, _ = problem(n_rows=8)
    terms = linear_terms(by_columns(X), W1, W2, CLUSTER, variant="printed")
    signed = linear_terms(by_columns(X), W1, W2, CLUSTER)
    costs = [
        oracles.linear_cost(X, update(W1, t.numerator, t.denominator, 1e-3), W2, PARAMETERS)
        for t in (terms, signed)
    ]
    assert costs[1] < oracles.linear_cost(X, W1, W2, PARAMETERS) < costs[0]


def test_float32_terms_agree_with_float64():
    X, W1, W2, signed = problem(n_rows=50)
    single = [a.astype(np.float32) for a in (W1, W2, signed)]
    found = spiking_terms(by_columns(X, np.float32), single[0], single[1], CLUSTER)
    exact = spiking_terms(by_columns(X), W1, W2, CLUSTER)
    assert np.isclose(found.cost, exact.cost, rtol=1e-5)
    np.testing.assert_allclose(found.encoder.numerator, exact.encoder.numerator, rtol=1e-4)
    linear = linear_terms(by_columns(X, np.float32), single[0], single[2], CLUSTER)
    expected = linear_terms(by_columns(X), W1, signed, CLUSTER)
    np.testing.assert_allclose(linear.denominator, expected.denominator, rtol=1e-4)


# ----------------------------------------------------------------------------- folds


def flat(fold):
    """All numbers of a fold."""
    if isinstance(fold, SpikingTerms):
        return np.concatenate([[fold.cost], flat(fold.encoder), flat(fold.decoder)])
    return np.concatenate([np.ravel(value) for value in vars(fold).values()])


FOLDS = {
    "spiking": (lambda Z, W1, W2, w: spiking_terms(Z, W1, W2, CLUSTER, w), SpikingTerms),
    "linear": (lambda Z, W1, W2, w: linear_terms(Z, W1, W2 - 0.005, CLUSTER, w), None),
    "moments": (lambda Z, W1, W2, w: code_moments(Z, W1, CLUSTER, w), CodeMoments),
}


@pytest.mark.parametrize("name", FOLDS)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_folds_do_not_depend_on_how_rows_are_cut(name, data, seed):
    of, _ = FOLDS[name]
    X, W1, W2, _ = problem(n_rows=9, seed=seed)
    weight = np.random.default_rng(seed).integers(0, 3, 9).astype(float)
    whole = of(by_columns(X), W1, W2, weight)
    cuts = data.draw(problems.ways_to_cut(9))
    parts = [of(by_columns(X[rows]), W1, W2, weight[rows]) for rows in cuts]
    joined = problems.merged(parts, lambda n: data.draw(st.integers(0, n - 1)))
    np.testing.assert_allclose(flat(joined), flat(whole), rtol=1e-10)


@pytest.mark.parametrize("name", FOLDS)
def test_weights_count_copies(name):
    of, kind = FOLDS[name]
    X, W1, W2, _ = problem(n_rows=4)
    weight = np.array([2.0, 0.0, 1.0, 3.0])
    copies = np.repeat(X, weight.astype(int), axis=0)
    weighted = of(by_columns(X), W1, W2, weight)
    np.testing.assert_allclose(flat(weighted), flat(of(by_columns(copies), W1, W2, None)))
    zero = kind.zero(4, 3) if kind else Terms.zero((4, 3))
    np.testing.assert_array_equal(flat(zero.merge(weighted)), flat(weighted))


# ----------------------------------------------------------------------------- decoder


def test_the_decoder_is_the_pseudo_inverse():
    X, W1, _, _ = problem(n_rows=40)
    H = CLUSTER.zeta(X @ W1)
    decoder, cost = code_moments(by_columns(X), W1, CLUSTER).decode(0.0)
    np.testing.assert_allclose(decoder, np.linalg.pinv(H) @ X, rtol=1e-5, atol=1e-6)
    assert np.isclose(cost, np.sum((X - H @ decoder) ** 2), rtol=1e-9)


def test_the_decoder_of_a_penalty_minimises_its_cost():
    X, W1, _, _ = problem(n_rows=40)
    H = CLUSTER.zeta(X @ W1)
    decoder, cost = code_moments(by_columns(X), W1, CLUSTER).decode(0.7)
    expected = np.linalg.solve(H.T @ H + 0.7 * np.eye(3), H.T @ X)
    np.testing.assert_allclose(decoder, expected, rtol=1e-9)
    assert np.isclose(cost, np.sum((X - H @ decoder) ** 2) + 0.7 * np.sum(decoder**2))


def test_the_decoder_of_clusters_that_are_one_and_the_same_is_finite():
    X, W1, _, _ = problem(n_rows=40)
    same = np.repeat(W1[:, :1], 3, axis=1)
    decoder, cost = code_moments(by_columns(X), same, CLUSTER).decode(0.0)
    alone, least = code_moments(by_columns(X), same[:, :1], CLUSTER).decode(0.0)
    assert np.isclose(cost, least, rtol=1e-6)
    np.testing.assert_allclose(decoder.sum(axis=0), alone[0], rtol=1e-4)


# ----------------------------------------------------------------------------- update


@given(
    seed=st.integers(0, 1000),
    exponent=st.floats(1e-6, 1e4),
    size=st.sampled_from([1e-30, 1.0, 1e30]),
)
def test_updates_stay_finite_and_nonnegative(seed, exponent, size):
    rng = np.random.default_rng(seed)
    W, numerator, denominator = rng.random((3, 4, 5)) * (rng.random((3, 4, 5)) > 0.3)
    new = update(W, size * numerator, size * denominator, exponent)
    assert ((new >= 0) & (new <= LARGEST)).all()
    moved = np.sign(new - W)[(W > 0) & (new > 0)]
    towards = np.sign(numerator - denominator)[(W > 0) & (new > 0)]
    assert (moved * towards >= 0).all()


def test_an_update_by_nothing_changes_nothing():
    W = np.ones((2, 2))
    np.testing.assert_array_equal(update(W, 0 * W, 0 * W), W)


class Line:
    """A cost of one weight, whose terms push it up for ever: a test of the search alone."""

    def __init__(self, cost):
        self.cost = cost
        self.passes = 0

    def measure(self, weights):
        self.passes += 1
        return Point(weights, self.cost(weights[0].item()), None)

    def terms(self, point):
        return (Terms(np.array([[2.0]]), np.array([[1.0]])),)


def test_the_exponent_is_halved_until_the_cost_does_not_rise():
    line = Line(lambda w: (w - 1.1) ** 2)
    descent = Descent.start(line, (np.array([[1.0]]),)).advance(line)
    assert descent.exponents == (0.25,)
    assert descent.point.weights[0].item() == pytest.approx(2**0.25)
    assert descent.refused == 2
    assert descent.advance(line).exponents[-1] <= 0.25


def test_after_a_refusal_the_exponent_waits_before_it_grows():
    line = Line(lambda w: np.inf if line.passes == 3 else -w)
    descent = Descent.start(line, (np.array([[1.0]]),))
    for _ in range(PATIENCE + 3):
        descent = descent.advance(line)
    assert descent.exponents == (1.0, 1.0, *PATIENCE * (1.0,), 2.0)
    assert descent.refused == 1


def test_the_exponent_grows_while_steps_go_well():
    line = Line(lambda w: -w)
    descent = Descent.start(line, (np.array([[1.0]]),))
    for _ in range(4):
        descent = descent.advance(line, 4.0)
    assert descent.exponents == (1.0, 2.0, 4.0, 4.0)
    assert line.passes == 5


def test_weights_are_kept_where_no_step_helps():
    line = Line(lambda w: w)
    start = Descent.start(line, (np.array([[1.0]]),))
    kept = start.advance(line)
    assert kept.point is start.point
    assert kept.exponents == (0.0,)
    assert kept.settled(0.0)
    assert not start.settled(1.0)
    assert start.advance(line, damped=False).costs == pytest.approx((1.0, 2.0))
