"""Logistic readouts: the least of their objective, beside scikit-learn, and after updates."""

import numpy as np
import pytest
from scipy import optimize
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import log_loss
from sklearn.multioutput import MultiOutputClassifier

from densernn import DenseRNNClassifier, RNNELMClassifier
from densernn.activation_cache import ActivationCache
from densernn.cluster import Cluster
from densernn.engine.local import run
from densernn.errors import ConvergenceWarning, ParameterError
from densernn.estimators.targets import ClassTargets
from densernn.layers import ClusterLayer, FeatureMap
from densernn.logistic import LogisticPass
from densernn.solvers import RidgeSystem
from densernn.solvers import logistic as module
from densernn.solvers.logistic import LogisticSums, Sigmoid, Softmax, best_scale, solve_logistic
from densernn.sources.arrays import ArraySource
from densernn.stats import Moments
from densernn.weights import DenseWeights

X, Y = load_digits(return_X_y=True)
LINKS = pytest.mark.parametrize("link", [Softmax(), Sigmoid()])


def problem(link, n=300, d=4, k=3, seed=0):
    rng = np.random.default_rng(seed)
    H = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5
    scores = (H - 5) @ rng.normal(size=(d, k))
    noise = rng.gumbel(size=(n, k)) if isinstance(link, Softmax) else rng.logistic(size=(n, k))
    noisy = scores + noise
    hot = np.eye(k)[noisy.argmax(axis=1)] if isinstance(link, Softmax) else (noisy > 0) * 1.0
    return H, hot, rng.uniform(0.5, 2, n)


def sums_of(link, H, T, weight):
    def evaluate(coef, intercept):
        centred = H - np.average(H, axis=0, weights=weight)
        losses, slopes = link.losses(centred @ coef + intercept, T)
        slopes = slopes * weight[:, None]
        return LogisticSums(weight @ losses, centred.T @ slopes, slopes.sum(axis=0), weight.sum())

    return evaluate


@LINKS
def test_derivatives_of_log_losses_are_slopes(link):
    rng = np.random.default_rng(0)
    scores, T = rng.normal(size=(5, 3)), np.eye(3)[rng.integers(0, 3, 5)]
    _, slopes = link.losses(scores, T)
    for i, j in np.ndindex(5, 3):
        step = np.zeros_like(scores)
        step[i, j] = 1e-6
        rise = link.losses(scores + step, T)[0].sum() - link.losses(scores - step, T)[0].sum()
        assert slopes[i, j] == pytest.approx(rise / 2e-6, abs=1e-8)


@LINKS
def test_the_scale_has_the_least_log_loss(link):
    H, T, weight = problem(link)
    outputs = np.linalg.lstsq(np.column_stack([H, np.ones(len(H))]), T, rcond=None)[0]
    outputs = np.column_stack([H, np.ones(len(H))]) @ outputs
    scale, curvature = best_scale(link, outputs, T, weight)
    centre = 0.5 if isinstance(link, Sigmoid) else 0.0

    def loss(s):
        return weight @ link.losses(s * (outputs - centre), T)[0]

    assert loss(scale) <= min(loss(0.99 * scale), loss(1.01 * scale))
    P = link.predict_proba(scale * (outputs - centre))
    assert curvature == pytest.approx(np.average((P * (1 - P)).mean(axis=1), weights=weight))


@LINKS
def test_the_readout_is_the_least_of_its_objective(link, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", 1e-12)
    monkeypatch.setattr(module, "MOST_PASSES", 500)
    H, T, weight = problem(link)
    system = RidgeSystem(Moments.of(H, T, weight))
    ridge, scale, curvature = system.solve(3.0), 2.0, 0.2
    evaluate = sums_of(link, H, T, weight)
    solution, _ = solve_logistic(system, ridge, link, scale, curvature, evaluate)
    total, centred = weight.sum(), H - np.average(H, axis=0, weights=weight)
    metric = ((centred * weight[:, None]).T @ centred + 3.0 * np.eye(4)) / total

    def objective(point):
        coef, b = point[:12].reshape(4, 3), point[12:]
        away = coef - scale * ridge.coef
        value = weight @ link.losses(centred @ coef + b, T)[0] / total
        value += 0.5 * module.NEAR * np.trace(away.T @ metric @ away)
        return value + 0.5 * curvature * 3.0 / total * np.sum(coef**2)

    slow = optimize.minimize(objective, np.zeros(15), method="BFGS", options={"gtol": 1e-9})
    expected = centred @ slow.x[:12].reshape(4, 3) + slow.x[12:]
    found = H @ solution.coef + solution.intercept
    np.testing.assert_allclose(link.predict_proba(found), link.predict_proba(expected), atol=1e-5)


@pytest.mark.parametrize("limit", [0, 4000, 1 << 20])
def test_a_pass_adds_up_rows_whatever_the_chunks_and_the_cache(limit):
    rng = np.random.default_rng(0)
    rows, y = rng.random((90, 5)), rng.integers(0, 3, 90)
    weight = rng.integers(0, 3, 90).astype(float)
    features = FeatureMap(None, (ClusterLayer(DenseWeights(rng.random((5, 7))), Cluster()),))
    H = features.forward(rows).T
    means, coef, b = H.mean(axis=0), rng.normal(size=(7, 3)), rng.normal(size=3)
    cache = ActivationCache(limit)
    phase = LogisticPass(features, ClassTargets(np.arange(3)), Softmax(), means, coef, b, cache)
    source = ArraySource(rows, y, weight)
    losses, slopes = Softmax().losses((H - means) @ coef + b, np.eye(3)[y])
    for _ in range(2):  # the second time by what is kept
        found = run(phase, source, chunk_bytes=16 * phase.row_bytes)
        assert found.weight == weight.sum()
        assert found.loss == pytest.approx(weight @ losses)
        slopes_w = slopes * weight[:, None]
        np.testing.assert_allclose(found.gradient, (H - means).T @ slopes_w, atol=1e-12)
        np.testing.assert_allclose(found.excess, slopes_w.sum(axis=0), atol=1e-12)
    assert bool(cache._chunks) == (limit > 0)


def test_log_loss_falls_where_classes_are_many_and_probabilities_are_inside():
    given = {"n_hidden": 300, "random_state": 0}
    ridge = RNNELMClassifier(**given).fit(X[:1200], Y[:1200])
    model = RNNELMClassifier(**given, readout="logistic").fit(X[:1200], Y[:1200])
    P = model.predict_proba(X)
    assert ((P > 0) & (P < 1)).all()
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    np.testing.assert_array_equal(P.argmax(axis=1), model.predict(X))
    np.testing.assert_array_equal(model.decision_function(X).argmax(axis=1), model.predict(X))
    assert log_loss(Y[:1200], P[:1200]) < log_loss(Y[:1200], ridge.predict_proba(X[:1200]))
    assert model.score(X[1200:], Y[1200:]) > 0.93
    assert 1 < model.n_iter_ <= 20
    assert ridge.n_iter_ == 0
    assert model.score(ArraySource(X, Y)) == model.score(X, Y)


def test_two_classes_and_several_labels():
    rows, y = load_breast_cancer(return_X_y=True)
    model = RNNELMClassifier(100, readout="logistic", random_state=0).fit(rows, y)
    scores, P = model.decision_function(rows), model.predict_proba(rows)
    np.testing.assert_allclose(P[:, 1], 1 / (1 + np.exp(-scores)), atol=1e-8)
    np.testing.assert_array_equal(scores > 0, model.predict(rows) == 1)
    both = np.column_stack([y, rows[:, 0] > 14])
    labels = RNNELMClassifier(100, readout="logistic", random_state=0).fit(rows, both)
    np.testing.assert_array_equal(labels.predict(rows), labels.predict_proba(rows) > 0.5)
    assert (labels.predict(rows) == both).mean() > 0.97
    MultiOutputClassifier(model).fit(rows, both)


def test_updates_give_the_readout_of_ridge_until_it_is_polished():
    given = {"n_hidden": 200, "random_state": 0}
    model = RNNELMClassifier(**given, readout="logistic").fit(X[:900], Y[:900])
    fitted = model.predict_proba(X)
    ridge = RNNELMClassifier(**given).fit(X[:900], Y[:900])
    model.partial_fit(X[900:], Y[900:])
    ridge.partial_fit(X[900:], Y[900:])
    assert model.n_iter_ == 0
    np.testing.assert_allclose(model.predict_proba(X), ridge.predict_proba(X), atol=1e-12)
    model.forget(X[900:], Y[900:])
    assert model.polish(X[:900], Y[:900]) is model
    assert model.n_iter_ > 1
    np.testing.assert_allclose(model.predict_proba(X), fitted, atol=1e-4)
    with pytest.raises(ParameterError, match="fitted with readout='logistic'"):
        ridge.polish(X, Y)


def test_a_weight_is_as_many_copies():
    rows, y = X[:400], Y[:400]
    weight = 1 + np.arange(400) % 3
    model = DenseRNNClassifier((20,), 80, readout="logistic", random_state=0)
    first = model.fit(rows, y, weight).predict_proba(X)
    copies = np.repeat(np.arange(400), weight)
    np.testing.assert_allclose(
        model.fit(rows[copies], y[copies]).predict_proba(X), first, atol=1e-6
    )


def test_too_few_passes_are_said(monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", 0.0)
    monkeypatch.setattr(module, "MOST_PASSES", 3)
    with pytest.warns(ConvergenceWarning, match="still improves after"):
        RNNELMClassifier(50, readout="logistic", random_state=0).fit(X, Y)
