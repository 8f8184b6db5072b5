"""Intervals of regressors, against NumPy's quantiles, fits without each row, and coverage."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.linear_model import Ridge

from densernn import (
    DenseRNNRegressor,
    RNNELMRegressor,
    RNNForestRegressor,
    load,
    save,
)
from densernn.errors import DataError, ParameterError
from densernn.intervals import LEVELS, Intervals

SEEDS = st.integers(0, 2**31)

MODELS = [
    RNNELMRegressor(40, random_state=0),
    RNNELMRegressor(2000, random_state=0),  # more clusters than rows
    DenseRNNRegressor((10,), n_hidden=40, random_state=0),
    RNNForestRegressor(4, random_state=0),
]
NAMES = ["clusters", "few-rows", "deep", "forest"]


def uneven(n_rows, seed=0):
    """Rows whose noise is skewed, and ten times larger where values are large."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n_rows, 3))
    noise = (rng.exponential(size=n_rows) - 1.0) * (0.1 + 0.9 * (X[:, 0] > 0.5))
    return X, 10.0 * X[:, 0] + noise


@given(seed=SEEDS, n_rows=st.integers(2, 200))
def test_quantiles_are_those_of_places_of_n_and_1(seed, n_rows):
    rng = np.random.default_rng(seed)
    outputs, targets = rng.normal(size=(2, n_rows, 2))
    found = Intervals.fit(outputs, targets, np.ones(n_rows))
    expected = np.quantile(targets - outputs, LEVELS, axis=0, method="weibull")
    np.testing.assert_allclose(found.quantiles[:, 0].T, expected)
    sizes = np.quantile(np.abs(targets - outputs), 0.9, axis=0, method="weibull")
    np.testing.assert_allclose(found.deviations[:, 0], sizes / norm.ppf(0.95))


@given(seed=SEEDS)
def test_a_weight_of_k_is_k_copies(seed):
    rng = np.random.default_rng(seed)
    outputs, targets = rng.normal(size=(2, 60, 1))
    counts = rng.integers(1, 5, 60)
    weighed = Intervals.fit(outputs, targets, counts.astype(float))
    copied = Intervals.fit(
        np.repeat(outputs, counts, axis=0), np.repeat(targets, counts, axis=0), np.ones(sum(counts))
    )
    np.testing.assert_allclose(weighed.quantiles, copied.quantiles)
    np.testing.assert_allclose(weighed.deviations, copied.deviations)
    shares = Intervals.fit(outputs, targets, np.full(60, 1.0 / 60.0))
    plain = Intervals.fit(outputs, targets, np.ones(60))
    np.testing.assert_allclose(shares.quantiles, plain.quantiles)


@given(seed=SEEDS)
def test_wider_coverage_holds_narrower_intervals_inside(seed):
    rng = np.random.default_rng(seed)
    found = Intervals.fit(*rng.normal(size=(2, 700, 1)), np.ones(700))
    points = rng.normal(size=(20, 1))
    ends = [found.predict_interval(points, coverage) for coverage in (0.5, 0.9, 0.99)]
    for narrow, wide in ((ends[0], ends[1]), (ends[1], ends[2])):
        assert (wide[..., 0] <= narrow[..., 0]).all()
        assert (narrow[..., 1] <= wide[..., 1]).all()


@pytest.mark.parametrize("n_hidden", [20, 300], ids=["clusters", "few-rows"])
def test_a_network_has_the_errors_of_fits_without_each_row(n_hidden):
    X, y = uneven(60)
    model = RNNELMRegressor(n_hidden, alpha=0.5, dtype="float64", random_state=0).fit(X, y)
    H = model.feature_map_.forward(X).T
    left_out = np.empty(60)
    for row in range(60):
        others = np.arange(60) != row
        ridge = Ridge(alpha=0.5, solver="svd").fit(H[others], y[others])
        left_out[row] = ridge.predict(H[[row]])[0]
    expected = Intervals.fit(left_out[:, None], y[:, None], np.ones(60))
    outputs = model.predict(X)[:, None]
    found = model.predict_interval(X, 0.8)
    np.testing.assert_allclose(found, expected.predict_interval(outputs, 0.8)[:, 0], rtol=1e-5)
    _, deviation = model.predict(X, return_std=True)
    np.testing.assert_allclose(deviation, expected.predict_std(outputs)[:, 0], rtol=1e-5)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_nine_in_ten_new_values_lie_within_wherever_values_are(model):
    X, y = uneven(1500)
    X_new, y_new = uneven(6000, 1)
    model.fit(X, y)
    low, high = model.predict_interval(X_new).T
    value, deviation = model.predict(X_new, return_std=True)
    inside, within = (low <= y_new) & (y_new <= high), np.abs(value - y_new) <= 1.645 * deviation
    for large in (False, True):
        part = (X_new[:, 0] > 0.5) == large
        # Of a forest in folds, errors are a little larger than those of all rows.
        assert 0.86 < inside[part].mean() < 0.95
        assert 0.86 < within[part].mean() < 0.95
    assert inside.mean() == pytest.approx(0.9, abs=0.03)
    assert np.mean(y_new < low) == pytest.approx(0.05, abs=0.025)  # though noise is skewed
    assert np.median((high - low)[X_new[:, 0] > 0.6]) > 3 * np.median(
        (high - low)[X_new[:, 0] < 0.4]
    )


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_units_of_values_are_those_of_intervals(model):
    X, y = uneven(300)
    both = np.stack([y, 1e3 * y + 1e6], axis=1)
    found = model.fit(X, both).predict_interval(X[:50])
    assert found.shape == (50, 2, 2)
    value, deviation = model.predict(X[:50], return_std=True)
    assert value.shape == deviation.shape == (50, 2)
    np.testing.assert_allclose(found[:, 1], 1e3 * found[:, 0] + 1e6, rtol=1e-5)
    np.testing.assert_allclose(deviation[:, 1], 1e3 * deviation[:, 0], rtol=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_updates_and_files_keep_intervals(model, tmp_path):
    X, y = uneven(400)
    model.fit(X[:300], y[:300])
    save(model, tmp_path / "model.skops", moments=False)
    loaded = load(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_interval(X), model.predict_interval(X))
    width = np.ptp(model.predict_interval(X[:1], 0.5))
    model.partial_fit(X[300:], y[300:]).forget(X[:100], y[:100])
    assert np.ptp(model.predict_interval(X[:1], 0.5)) == pytest.approx(width, rel=0.5)
    model.decay(0.5)
    assert np.isfinite(model.predict(X, return_std=True)[1]).all()


@pytest.mark.parametrize("kind", ["array", "frame"])
def test_intervals_of_dask_collections_are_computed_block_by_block(kind):
    X, y = uneven(300)
    model = RNNELMRegressor(40, random_state=0).fit(X, y)
    blocks = da.from_array(X, chunks=(100, 3))
    if kind == "frame":
        blocks = dd.from_pandas(pd.DataFrame(X, index=np.arange(300) + 7), npartitions=3)
    low_high, (value, deviation) = (
        model.predict_interval(blocks, 0.8),
        model.predict(blocks, return_std=True),
    )
    np.testing.assert_allclose(np.asarray(low_high.compute()), model.predict_interval(X, 0.8))
    np.testing.assert_allclose(np.asarray(value.compute()), model.predict(X))
    np.testing.assert_allclose(
        np.asarray(deviation.compute()), model.predict(X, return_std=True)[1]
    )
    model.fit(X, np.stack([y, y], axis=1))
    with pytest.raises(DataError, match="compute X"):
        model.predict_interval(blocks)
    assert model.predict_interval(blocks.compute()).shape == (300, 2, 2)


@pytest.mark.parametrize("coverage", [0.0, -0.1, 0.991, 1.0, np.nan])
def test_coverage_that_the_rows_cannot_tell_is_refused(coverage):
    X, y = uneven(100)
    model = RNNELMRegressor(20, random_state=0).fit(X, y)
    with pytest.raises(ParameterError, match="coverage must be above 0 and at most"):
        model.predict_interval(X, coverage)
    assert model.predict_interval(X, 0.99).shape == (100, 2)


def test_a_forest_of_a_few_rows_says_that_it_knows_nothing_of_its_errors():
    X, y = uneven(3)
    model = RNNForestRegressor(2, random_state=0).fit(X[:1], y[:1])
    with pytest.raises(DataError, match="fit it on more rows"):
        model.predict_interval(X)
    X, y = uneven(100)
    assert model.fit(X, y).predict_interval(X).shape == (100, 2)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_no_output_runs_away(model):
    rng = np.random.default_rng(0)
    X, y = uneven(300)
    model.fit(X, (y > 5).astype(float))
    far = X + 1000.0 * X.std(axis=0) * rng.choice([-1.0, 0.0, 1.0], X.shape)
    assert np.abs(model.predict(far)).max() <= 2.0


@pytest.mark.parametrize("model", MODELS[:3], ids=NAMES[:3])
def test_values_that_grow_in_a_stream_are_followed(model):
    X, y = uneven(400)
    model.partial_fit(X[:40], y[:40] / 10.0)
    for _ in range(20):
        model.decay(0.1).partial_fit(X[40:], 50.0 + 5.0 * y[40:])
    assert model.score(X[40:], 50.0 + 5.0 * y[40:]) > 0.5
