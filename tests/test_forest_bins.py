"""Column bins against brute force, on numbers of any size and arrays of any kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from densernn.errors import DataError
from densernn.forest.bins import TAIL, ColumnBins

HUGE = st.sampled_from([1e300, -1e300, 0.0, -0.0, 5e-324, -5e-324, 1e9])
COLUMN = st.lists(HUGE | st.floats(-8e307, 8e307) | st.integers(-3, 3).map(float), min_size=1)


@given(trained=COLUMN, asked=COLUMN)
def test_scores_lie_on_lines_between_knots(trained, asked):
    bins = ColumnBins.of(np.array(trained)[:, None], np.ones(len(trained)))
    x = np.array(asked + trained)
    found = bins.normal_scores(x[:, None])[:, 0]
    exact = [np.longdouble(v) for v in bins.knots]
    for value, score in zip(x, found, strict=True):
        at = int(np.searchsorted(bins.knots, value, side="right")) - 1
        expected = bins.scores[min(max(at, 0), len(exact) - 1)]
        if 0 <= at < len(exact) - 1:
            share = (np.longdouble(value) - exact[at]) / (exact[at + 1] - exact[at])
            expected += float(share) * (bins.scores[at + 1] - bins.scores[at])
        assert score == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(trained=COLUMN, asked=COLUMN)
def test_a_code_is_that_of_the_nearest_knot(trained, asked):
    bins = ColumnBins.of(np.array(trained)[:, None], np.ones(len(trained)))
    x = np.array(asked + trained)
    knots = [np.longdouble(v) for v in bins.knots]
    for value, code in zip(x, bins.codes(x[:, None])[:, 0], strict=True):
        away = [abs(np.longdouble(value) - knot) for knot in knots]
        assert away[code] <= min(away) * (1 + np.longdouble(1e-15))
    assert (bins.knots[bins.codes(np.array(trained)[:, None])[:, 0]] == np.array(trained)).all()


@given(trained=COLUMN, asked=COLUMN)
def test_the_excess_is_the_distance_from_the_range_in_ranges(trained, asked):
    bins = ColumnBins.of(np.array(trained)[:, None], np.ones(len(trained)))
    low, high = min(trained), max(trained)
    for value, found in zip(asked, bins.excess(np.array(asked)[:, None]), strict=True):
        unit = high - low or max(abs(low), 1.0)
        with np.errstate(over="ignore"):
            outside = np.float64(max(value - high, low - value, 0.0)) / unit
        assert found == pytest.approx(outside, rel=1e-12, abs=1e-300)
        assert found == 0.0 or not low <= value <= high


@given(st.integers(2, 40), st.data())
def test_walls_part_the_values_that_bins_part(n_values, data):
    times = data.draw(st.lists(st.integers(1, 50), min_size=n_values, max_size=n_values))
    x = np.repeat(np.arange(float(n_values)), times)[:, None]
    bins = ColumnBins.of(x, np.ones(len(x)))
    scores, codes = bins.normal_scores(x)[:, 0], bins.codes(x)[:, 0]
    for code in range(n_values - 1):
        wall = bins.wall(np.array([0]), np.array([code]))[0]
        np.testing.assert_array_equal(scores <= wall, codes <= code)


def test_constant_columns_have_one_bin_in_the_middle():
    bins = ColumnBins.of(np.column_stack([np.full(9, 7.0), np.arange(9.0)]), np.ones(9))
    assert bins.varying.tolist() == [1]
    asked = np.array([[-1e300, 3.0], [7.0, 3.0], [1e300, 3.0]])
    assert not bins.codes(asked)[:, 0].any()
    assert not bins.normal_scores(asked)[:, 0].any()


def test_scores_stay_within_those_of_the_tails():
    weight = np.concatenate([[1.0], np.full(50, 1e6), [1.0]])
    bins = ColumnBins.of(np.arange(52.0)[:, None], weight)
    assert bins.scores[[0, -1]].tolist() == pytest.approx([ndtri(TAIL), -ndtri(TAIL)])
    assert np.abs(bins.scores[1:-1]).max() < -ndtri(TAIL)


WHOLE = np.random.default_rng(0).integers(-50, 50, (60, 3))
KINDS = {
    "float32": WHOLE.astype(np.float32),
    "int8": WHOLE.astype(np.int8),
    "int64": WHOLE.astype(np.int64),
    "columns first": np.asfortranarray(WHOLE, np.float64),
    "every second column": np.repeat(WHOLE, 2, axis=1).astype(np.float64)[:, ::2],
    "backwards": WHOLE[::-1].astype(np.float64)[::-1],
}


@pytest.mark.parametrize("kind", KINDS)
def test_equal_numbers_in_any_array_have_equal_bins(kind):
    plain, X = WHOLE.astype(np.float64), KINDS[kind]
    wanted, bins = ColumnBins.of(plain, np.ones(60)), ColumnBins.of(X, np.ones(60))
    np.testing.assert_array_equal(bins.knots, wanted.knots)
    np.testing.assert_array_equal(bins.codes(X), wanted.codes(plain))
    np.testing.assert_array_equal(bins.normal_scores(X), wanted.normal_scores(plain))
    np.testing.assert_array_equal(bins.excess(X * 2), wanted.excess(plain * 2))


def test_rows_of_other_columns_are_refused():
    bins = ColumnBins.of(WHOLE, np.ones(60))
    with pytest.raises(DataError, match="2 columns"):
        bins.codes(WHOLE[:, :2])
