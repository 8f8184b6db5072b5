"""Choice and samples of forests on hard cases, against plain arithmetic."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densernn.forest.choice import choose_plan, first_of_best, gap_and_error, simplest_alpha
from densernn.forest.plan import Plan, Step
from densernn.forest.solution import ValuesInRange
from densernn.forest.trials import Trial
from densernn.stats.distinct import DistinctSample

SEEDS = st.integers(0, 2**31)


# ------------------------------------------------------------------------------------ choice


@given(seed=SEEDS)
def test_the_gap_is_a_weighted_mean_and_its_error_that_of_independent_rows(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 50))
    weight, each = rng.integers(1, 5, 50).astype(float), np.arange(50)
    gap, error = gap_and_error(first, second, weight, each)
    share = weight / weight.sum()
    assert gap == pytest.approx(np.average(first - second, weights=weight))
    assert error == pytest.approx(np.sqrt((share**2) @ (first - second - gap) ** 2))
    assert gap_and_error(second, first, weight, each) == pytest.approx((-gap, error))
    assert gap_and_error(first, second, weight, np.zeros(50, int))[1] == pytest.approx(0, abs=1e-12)


def test_of_equal_losses_the_largest_penalty_is_taken_whatever_its_place():
    losses = np.tile(np.arange(9.0), (3, 1))
    for alphas in ([0.1, 1.0, 10.0], [10.0, 0.1, 1.0], [1.0, 10.0, 0.1]):
        chosen = simplest_alpha(losses, np.ones(9), np.arange(9), np.array(alphas))
        assert alphas[chosen] == 10.0


@dataclass
class Judged:
    """The part of a trial that its comparison with others takes."""

    best: np.ndarray
    weight: np.ndarray
    block: np.ndarray

    @property
    def means(self):
        return np.array([np.average(self.best, weights=self.weight)])


@given(seed=SEEDS, shift=st.sampled_from([0.0, 1e-3, 0.01, 0.5]))
def test_an_earlier_trial_stays_only_where_it_is_close(seed, shift):
    rng = np.random.default_rng(seed)
    losses, noise = rng.uniform(size=200), rng.normal(size=200)
    noise -= noise.mean()
    weight, block = np.ones(200), np.arange(200)
    first = Judged(losses + shift + 0.2 * noise, weight, block)
    last = Judged(losses, weight, block)
    close = shift <= 0.25 * 0.2 * noise.std() / np.sqrt(200)
    assert first_of_best([first, last], 0.25) is (first if close else last)


class Tried:
    """Trials whose losses are known; a region has as many clusters as leaves."""

    def __init__(self, losses):
        self.losses, self.leaves = losses, []

    def run(self, plan, alphas, near=None):
        self.leaves.append(plan.leaves)
        one = np.ones(1)
        losses = np.full((1, 1), self.losses[plan.leaves])
        return Trial(plan, one, losses, one, np.zeros(1, int), plan.leaves)


@pytest.mark.parametrize(("saved", "chosen"), [(0.01, 250.0), (0.06, 550.0)])
def test_plans_of_many_clusters_are_tried_only_where_clusters_matter(saved, chosen):
    trials = Tried({80.0: 1.0, 250.0: 1.0 - saved, 550.0: 0.9, 1300.0: 0.1})
    step = Step("leaves", 250.0, ((80.0,), (550.0, 1300.0)))
    best = choose_plan(trials, Plan(4000.0, 250.0, 0.01), [step], np.ones(1))
    assert best.plan.leaves == chosen
    assert trials.leaves == [250.0, 80.0] + [550.0] * (chosen == 550.0)


@given(seed=SEEDS)
def test_values_are_clipped_and_their_losses_know_no_unit(seed):
    rng = np.random.default_rng(seed)
    targets, outputs = rng.normal(size=(30, 2)), 3.0 * rng.normal(size=(30, 2))
    finish = ValuesInRange(targets.min(axis=0), targets.max(axis=0))
    values = finish(outputs)
    assert ((values >= finish.least) & (values <= finish.most)).all()
    unit = np.array([2.0**40, 2.0**-40])
    other = ValuesInRange(finish.least * unit, finish.most * unit)
    np.testing.assert_allclose(
        other.losses(outputs * unit, targets * unit), finish.losses(outputs, targets)
    )
    constant = ValuesInRange(np.full(2, 3.0), np.full(2, 3.0))
    np.testing.assert_array_equal(constant.losses(outputs, np.full((30, 2), 3.0)), 0.0)


# ----------------------------------------------------------------------------------- samples


def sampled(sample):
    """Different rows with their targets and weights."""
    rows = sample.rows()
    return sorted(zip(map(tuple, rows.X.tolist()), rows.y.tolist(), rows.weight, strict=True))


@given(seed=SEEDS, most=st.integers(1, 50), n_parts=st.integers(1, 6))
def test_samples_merge_in_any_order(seed, most, n_parts):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 5, (90, 2)).astype(float), rng.integers(0, 3, 90)
    whole = sampled(DistinctSample.zero(most).add(X, y))
    parts = [
        DistinctSample.zero(most).add(X[own], y[own])
        for own in np.array_split(rng.permutation(90), n_parts)
    ]
    forwards, backwards = parts[0], parts[-1]
    for part in parts[1:]:
        forwards = forwards.merge(part)
    for part in parts[-2::-1]:
        backwards = part.merge(backwards)
    assert sampled(forwards) == sampled(backwards) == whole
    assert forwards.weight == backwards.weight == 90.0


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.float64, np.uint8])
def test_equal_numbers_of_any_type_are_one_row(kind):
    X = np.arange(12.0).reshape(6, 2)
    sample = DistinctSample.zero(9).add(X, np.zeros(6)).add(X.astype(kind), np.zeros(6, int))
    assert sampled(sample) == [(tuple(x), 0.0, 2.0) for x in X.tolist()]


def test_zeros_of_either_sign_are_one_row():
    X = np.array([[0.0], [-0.0], [1.0]])
    assert sampled(DistinctSample.zero(9).add(X, np.zeros(3))) == [((0.0,), 0, 2), ((1.0,), 0, 1)]


def test_numbers_that_float32_cannot_hold_stay_apart():
    X = np.array([[1.0], [1.0 + 1e-12], [1e300], [5e-324]])
    rows = DistinctSample.zero(9).add(X[:1], np.zeros(1)).add(X[1:], np.zeros(3)).rows()
    assert sorted(rows.X.ravel().tolist()) == sorted(X.ravel().tolist())


def test_text_of_any_type_is_one_label():
    X, y = np.zeros((3, 1)), np.array(["ant", "bee", "ant"])
    sample = DistinctSample.zero(9).add(X, y).add(X, y.astype(object)).add(X, y.astype("U40"))
    assert sampled(sample) == [((0.0,), "ant", 6.0), ((0.0,), "bee", 3.0)]
