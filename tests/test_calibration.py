"""Calibration of probabilities, against searches, projections and copies of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, brute, minimize
from sklearn.datasets import load_iris

from densernn import DenseRNNClassifier, RNNELMClassifier, RNNForestClassifier
from densernn.calibration import (
    BOUNDS,
    CLASS_BOUNDS,
    CLASS_PRIOR,
    PRIOR,
    USUAL,
    Calibration,
    _Cost,
)

SEEDS = st.integers(0, 2**31)


def cautious(seed, n_rows=400, n_classes=3):
    """Outputs that are nearer to 1 / n_classes than the probabilities of the classes drawn."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(n_classes, 0.4), n_rows)
    codes = (p.cumsum(axis=1) < rng.uniform(size=(n_rows, 1))).sum(axis=1).clip(max=n_classes - 1)
    return 0.6 * p + 0.4 / n_classes + 0.03 * rng.normal(size=p.shape), codes


def drawn(seed, n_classes):
    """A calibration with numbers of any size within the bounds."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.0, 0.7, (3, n_classes))
    return Calibration(*np.exp(rng.uniform(*BOUNDS.T)), 1e-3, own)


def test_a_calibration_is_found_again_from_rows_that_follow_it():
    own = np.array([[0.5, -1.0, 0.5], [0.2, -0.3, 0.1], [0.0, 0.4, -0.4]])
    true = Calibration(0.05, 1.5, 2.0, 1e-4, own)
    rng = np.random.default_rng(0)
    outputs = rng.dirichlet([0.7, 0.7, 0.7], 20_000) + 0.1 * rng.normal(size=(20_000, 3))
    p = true.probabilities(outputs)
    codes = (p.cumsum(axis=1) < rng.uniform(size=(len(p), 1))).sum(axis=1).clip(max=2)
    found = Calibration.fit(outputs, codes, np.ones(len(p)))
    np.testing.assert_allclose(found.probabilities(outputs), p, atol=0.03)
    gap = found.log_losses(outputs, codes).mean() - true.log_losses(outputs, codes).mean()
    assert -0.001 < gap < 1e-4  # twelve numbers fit 20,000 rows a little better than the truth


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_no_grid_of_common_numbers_is_better(seed, n_classes):
    outputs, codes = cautious(seed, n_classes=n_classes)
    weight = np.random.default_rng(seed).integers(1, 4, len(codes)).astype(float)
    found = Calibration.fit(outputs, codes, weight)

    def cost(point):
        losses = Calibration(*np.exp(point), found.doubt).log_losses(outputs, codes)
        return weight @ losses + PRIOR @ np.square(point - USUAL)

    best = brute(cost, tuple(map(tuple, BOUNDS)), Ns=8, finish=None, full_output=True)[1]
    assert weight @ found.log_losses(outputs, codes) <= best


@given(seed=SEEDS, n_classes=st.integers(2, 4))
def test_no_other_search_finds_less(seed, n_classes):
    outputs, codes = cautious(seed, n_classes=n_classes)
    found = Calibration.fit(outputs, codes, np.ones(400))
    usual = np.concatenate([USUAL, np.zeros(3 * n_classes)])
    prior = np.concatenate([PRIOR, np.repeat(CLASS_PRIOR, n_classes)])
    cost = _Cost(outputs, codes, np.ones(400), found.doubt)

    def total(point):
        loss, first, *_ = cost.terms(point)
        away = point - usual
        return loss + prior @ np.square(away), first + 2.0 * prior * away

    bounds = np.concatenate([BOUNDS, np.repeat(CLASS_BOUNDS, n_classes, axis=0)])
    best = minimize(total, usual, jac=True, method="L-BFGS-B", bounds=bounds).fun
    common = np.log([found.floor, found.power, found.slope])
    assert total(np.concatenate([common, found.own.ravel()]))[0] <= best + 0.01


@given(seed=SEEDS, n_classes=st.integers(2, 4))
def test_derivatives_and_curvature_are_those_of_the_loss(seed, n_classes):
    rng = np.random.default_rng(seed)
    outputs, codes = cautious(seed, 40, n_classes)
    cost = _Cost(outputs, codes, rng.uniform(0.5, 3.0, 40), 0.0)
    point = np.concatenate([rng.uniform(-2.0, 1.0, 3), rng.normal(0.0, 0.5, 3 * n_classes)])
    _, first, expected, rest = cost.terms(point)
    slopes = approx_fprime(point, lambda p: cost.terms(p)[0])
    np.testing.assert_allclose(first, slopes, atol=1e-4 * (1.0 + np.abs(slopes).max()))
    curvature = approx_fprime(point, lambda p: cost.terms(p)[1])
    np.testing.assert_allclose(
        expected + rest, curvature, atol=1e-4 * (1.0 + np.abs(curvature).max())
    )
    assert np.linalg.eigvalsh(expected).min() > -1e-9 * np.abs(expected).max()


def test_classes_that_say_the_same_of_different_probabilities_are_told_apart():
    # Least squares give a rare class outputs that are too small.
    rng = np.random.default_rng(1)
    p = rng.dirichlet([2.0, 2.0, 0.2], 6000)
    codes = (p.cumsum(axis=1) < rng.uniform(size=(6000, 1))).sum(axis=1).clip(max=2)
    outputs = p * [1.0, 1.0, 0.5]
    found = Calibration.fit(outputs, codes, np.ones(6000))
    common = Calibration(found.floor, found.power, found.slope, found.doubt)
    gain = common.log_losses(outputs, codes) - found.log_losses(outputs, codes)
    assert gain.mean() > 0.004
    rare = found.probabilities(outputs)[:, 2]
    for low, high in ((0.05, 0.2), (0.2, 0.5)):
        inside = (rare > low) & (rare < high)
        assert np.mean(codes[inside] == 2) == pytest.approx(rare[inside].mean(), abs=0.04)


@given(seed=SEEDS, n_classes=st.integers(2, 6))
def test_the_class_of_the_largest_output_is_the_likeliest(seed, n_classes):
    outputs = np.random.default_rng(seed).normal(0.3, 0.5, (30, n_classes)).round(1)
    found = drawn(seed, n_classes).probabilities(outputs)
    assert ((found > 0) & (found < 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.argmax(axis=1), outputs.argmax(axis=1))


@given(seed=SEEDS, n_classes=st.integers(2, 5))
def test_where_another_class_would_be_likelier_the_nearest_probabilities_are_given(seed, n_classes):
    rng = np.random.default_rng(seed)
    own = np.zeros((3, n_classes))
    own[0] = rng.normal(0.0, 2.0, n_classes)
    outputs = rng.normal(0.3, 0.2, (1, n_classes))
    first = int(outputs.argmax())
    found = Calibration(0.1, 1.0, 1.0, 1e-3, own).probabilities(outputs)[0]
    free = np.exp(own[0] + outputs[0]) * 0.5 * (outputs[0] + np.sqrt(outputs[0] ** 2 + 0.01))
    free = (1.0 - 1e-3) * free / free.sum() + 1e-3 / n_classes
    limits = [{"type": "eq", "fun": lambda p: p.sum() - 1.0}]
    limits += [{"type": "ineq", "fun": lambda p, k=k: p[first] - p[k]} for k in range(n_classes)]
    nearest = minimize(
        lambda p: 100.0 * np.sum((p - free) ** 2),
        np.full(n_classes, 1.0 / n_classes),
        constraints=limits,
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(found, nearest.x, atol=1e-5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=5), SEEDS)
def test_probabilities_are_never_0_or_1(outputs, seed):
    found = drawn(seed, len(outputs)).probabilities(np.array([outputs]))
    assert (found > 0).all()
    assert (found < 1).all()
    assert found.sum() == pytest.approx(1.0)


@given(seed=SEEDS)
def test_a_weight_of_k_is_k_copies(seed):
    outputs, codes = cautious(seed, 100)
    counts = np.random.default_rng(seed).integers(1, 4, 100)
    weighed = Calibration.fit(outputs, codes, counts.astype(float))
    copied = Calibration.fit(
        np.repeat(outputs, counts, axis=0), np.repeat(codes, counts), np.ones(counts.sum())
    )
    # To the tolerance of the search for the least loss.
    np.testing.assert_allclose(
        weighed.probabilities(outputs), copied.probabilities(outputs), atol=0.01
    )


def test_the_only_class_is_certain():
    found = Calibration.fit(np.ones((5, 1)), np.zeros(5, np.intp), np.ones(5))
    np.testing.assert_allclose(found.probabilities(np.array([[0.3], [1.0]])), 1.0)


def test_outputs_that_are_always_right_stay_doubted():
    outputs = np.eye(2)[np.arange(20) % 2]
    found = Calibration.fit(outputs, np.arange(20) % 2, np.ones(20))
    certain = found.probabilities(outputs).max(axis=1)
    assert (certain < 1.0 - 0.2 / 21).all()
    assert (certain > 0.9).all()


@pytest.mark.parametrize(
    "model",
    [
        RNNELMClassifier(50, random_state=0),
        RNNELMClassifier(500, random_state=0),  # more clusters than rows
        DenseRNNClassifier((20,), n_hidden=50, random_state=0),
        RNNForestClassifier(4, random_state=0),
    ],
    ids=["clusters", "few-rows", "deep", "forest"],
)
def test_classes_that_a_merge_brings_have_probabilities_and_others_keep_theirs(model):
    X, y = load_iris(return_X_y=True)
    known = y < 2
    model.fit(X[known], y[known])
    shard = model.fresh().partial_fit(X[~known], y[~known], classes=[2])
    whole = model.merge(shard)
    found = whole.predict_proba(X)
    assert found.shape == (150, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_array_equal(whole.classes_[found.argmax(axis=1)], whole.predict(X))
    assert whole.score(X, y) > 0.9


def test_classes_take_their_numbers_with_them():
    rng = np.random.default_rng(0)
    calibration, outputs = drawn(0, 3), rng.normal(0.3, 0.3, (50, 3))
    none = np.full(3, -1)
    moved = calibration.regrouped(np.array([2, 0, 1]), calibration, none)
    np.testing.assert_allclose(
        moved.probabilities(outputs[:, [2, 0, 1]]), calibration.probabilities(outputs)[:, [2, 0, 1]]
    )
    other = drawn(1, 2)
    wider = calibration.regrouped(np.array([0, 1, -1, 2, -1]), other, np.array([-1, 0, 1, -1, -1]))
    np.testing.assert_array_equal(wider.own[:, [0, 1, 3]], calibration.own)
    np.testing.assert_array_equal(wider.own[:, 2], other.own[:, 1])
    np.testing.assert_array_equal(wider.own[:, 4], 0.0)
