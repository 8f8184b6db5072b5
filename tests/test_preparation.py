"""The maps that make input nonnegative: what comes out, for which input, from which rows."""

import numpy as np
import oracles
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from problems import tables
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from densernn import SplitScaler, UnitScaler
from densernn.errors import DataError, ParameterError
from densernn.preparation import as_chunk, shares_unit
from densernn.stats import Extrema, Marginals

SCALERS = {
    "unit": UnitScaler(),
    "shared": UnitScaler(shared=True),
    "split": SplitScaler(),
    "split at 0": SplitScaler(knots=(0.0,)),
}
ALL = pytest.mark.parametrize("scaler", SCALERS.values(), ids=SCALERS)
SPLITS = pytest.mark.parametrize("knots", [(0.0,), (-1.0, -1 / 3, 1 / 3, 1.0), (2.0, -5.0, 2.0)])
LARGEST = 1e150
"""Squares of larger numbers overflow, of which NumPy warns."""


def finite(dtype, limit=LARGEST):
    width = 32 if dtype == np.float32 else 64
    limit = np.float32(1e18).item() if dtype == np.float32 else limit
    return st.floats(-limit, limit, width=width, allow_subnormal=True)


def two_tables(dtype):
    """Training rows, and later rows of as many columns."""
    shapes = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
    return shapes.flatmap(
        lambda s: st.tuples(
            arrays(dtype, (s[0], s[2]), elements=finite(dtype)),
            arrays(dtype, (s[1], s[2]), elements=finite(dtype)),
        )
    )


# ----------------------------------------------------------------------------- both maps


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_any_finite_input_becomes_finite_and_nonnegative(scaler, dtype, data):
    train, later = data.draw(two_tables(dtype))
    scaler.fit(train)
    assert np.isfinite(scaler.transform(train)).all()
    with np.errstate(over="ignore"):
        for X in (train, later):
            out = scaler.transform(X)
            assert out.dtype == dtype
            assert out.shape == (len(X), scaler.n_outputs)
            # inf is only what a float of this size cannot hold; NaN would be a bug
            assert (out >= 0).all()


@ALL
def test_subnormal_ranges_and_spreads_give_no_nan(scaler):
    for dtype, tiny in ((np.float32, 1e-42), (np.float64, 5e-324)):
        X = np.array([[0.0, 1.0], [tiny, 2.0], [2 * tiny, 3.0]], dtype)
        assert np.isfinite(scaler.fit(X).transform(X)).all()


@ALL
@given(X=tables(max_rows=8))
def test_rows_of_weight_0_are_not_looked_at_and_weight_k_is_k_copies(scaler, X):
    weight = np.arange(len(X)) % 3
    if not weight.any():
        weight[:] = 1
    spoilt = X.copy()
    spoilt[weight == 0] = 1e9
    weighted = scaler.fit(spoilt, sample_weight=weight).transform(X)
    copied = scaler.fit(np.repeat(X, weight, axis=0)).transform(X)
    np.testing.assert_allclose(weighted, copied, rtol=1e-9, atol=1e-9)


@ALL
def test_dtypes_agree(scaler):
    X = np.random.default_rng(0).integers(0, 256, (50, 4))
    expected = scaler.fit(X.astype(np.float64)).transform(X.astype(np.float64))
    for dtype in (np.uint8, np.int16, np.int64, np.float16, np.float32):
        out = scaler.fit(X.astype(dtype)).transform(X.astype(dtype))
        assert out.dtype == (np.float32 if dtype == np.float32 else np.float64)
        np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)
    # small integers go through float32 inside the engine, which holds them exactly
    inner = np.empty((scaler.n_outputs, 50), np.float32)
    scaler.forward(X.astype(np.uint8), inner)
    np.testing.assert_allclose(inner.T, expected, rtol=1e-5, atol=1e-5)


@ALL
def test_the_layout_in_memory_does_not_matter(scaler):
    X = np.random.default_rng(0).normal(size=(30, 3))
    expected = scaler.fit(X).transform(X)
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    frozen = X.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(X), wide, X[::-1][::-1], frozen):
        np.testing.assert_array_equal(scaler.transform(other), expected)


@ALL
def test_the_fold_of_chunks_fits_as_the_whole_does(scaler):
    X = np.random.default_rng(0).normal(size=(100, 3)) + 5
    expected = scaler.fit(X).transform(X)
    extrema, marginals = Extrema.zero(3), Marginals.zero(3)
    for start in range(0, 100, 7):
        extrema = extrema.merge(Extrema.of(X[start : start + 7]))
        marginals = marginals.merge(Marginals.of(X[start : start + 7]))
    np.testing.assert_allclose(scaler.fit_statistics(extrema, marginals).transform(X), expected)


@ALL
def test_a_constant_column_gives_constants_and_is_not_live(scaler):
    X = np.column_stack([np.full(20, 1e6 + 0.1), np.linspace(-1, 1, 20)])
    out = scaler.fit(X).transform(X)
    names = scaler.get_feature_names_out()
    live = scaler.varying_outputs(Extrema.of(X))
    assert live.shape == names.shape == out.shape[1:]
    for j, name in enumerate(names):
        if name.startswith("x0"):
            assert np.ptp(out[:, j]) == 0
        if name.startswith("x0") and not getattr(scaler, "shared", False):
            assert not live[j]


@ALL
@given(X=tables(least=2))
def test_what_is_not_live_never_changes_over_the_training_rows(scaler, X):
    out = scaler.fit(X).transform(X)
    live = scaler.varying_outputs(Extrema.of(X))
    assert (np.ptp(out[:, ~live], axis=0) <= 1e-12).all()


@ALL
def test_names_come_from_the_table_and_pandas_comes_out(scaler):
    frame = pd.DataFrame({"mass": [1.0, 2.0, 4.0], "size": [0.0, 5.0, 1.0]})
    out = scaler.fit(frame).set_output(transform="pandas").transform(frame)
    scaler.set_output(transform="default")
    assert out.columns.tolist() == scaler.get_feature_names_out().tolist()
    assert {name.split(">")[0].split("<")[0] for name in out.columns} == {"mass", "size"}
    np.testing.assert_array_equal(out.to_numpy(), scaler.transform(frame))
    with pytest.raises(ValueError, match="feature names"):
        scaler.transform(frame.rename(columns={"mass": "weight"}))


@ALL
def test_rows_of_another_width_are_refused(scaler):
    scaler.fit(np.eye(3))
    with pytest.raises(ValueError, match=r"2 features, but .* is expecting 3"):
        scaler.transform(np.eye(2))
    with pytest.raises(DataError, match="got 2 columns"):
        scaler.forward(np.eye(2), np.empty((scaler.n_outputs, 2)))


@ALL
def test_infinite_values_are_refused(scaler):
    with pytest.raises(ValueError, match="contains infinity"):
        scaler.fit([[1.0], [np.inf]])


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_missing_value_is_left_out_in_training_and_becomes_zero(scaler, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(dtype)
    lacks = rng.random(X.shape) < 0.3
    lacks[:, 1] = False
    holes = np.where(lacks, np.nan, X).astype(dtype)
    out = clone(scaler).fit(holes).transform(holes)
    sides = out.reshape(40, -1, 3)
    assert not sides[lacks[:, None].repeat(sides.shape[1], axis=1)].any()
    if not getattr(scaler, "shared", False):
        for j in range(3):
            own = ~lacks[:, j]
            alone = clone(scaler).fit(X[own, j : j + 1]).transform(X[own, j : j + 1])
            np.testing.assert_allclose(sides[own, :, j], alone, rtol=2e-5, atol=2e-6)


@ALL
def test_maps_work_in_a_pipeline(scaler):
    X = np.random.default_rng(0).normal(size=(20, 2))
    out = make_pipeline(scaler, UnitScaler()).fit_transform(X)
    assert ((out >= 0) & (out <= 1 + 1e-12)).all()


# ----------------------------------------------------------------------------- UnitScaler


@given(X=tables(least=2))
def test_unit_scaler_takes_each_column_to_0_and_1(X):
    out = UnitScaler().fit(X).transform(X)
    wide = np.ptp(X, axis=0) > 0
    np.testing.assert_array_equal(out.min(axis=0), np.zeros(X.shape[1]))
    np.testing.assert_allclose(out.max(axis=0), wide.astype(float), rtol=1e-12)
    np.testing.assert_allclose(
        out[:, wide], ((X - X.min(axis=0)) / np.where(wide, np.ptp(X, axis=0), 1))[:, wide]
    )


@given(X=tables(least=2))
def test_a_shared_range_keeps_columns_comparable(X):
    out = UnitScaler(shared=True).fit(X).transform(X)
    expected = (X - X.min()) / (np.ptp(X) or 1.0)
    np.testing.assert_allclose(out, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_later_values_count_as_the_nearest_of_the_training_range(dtype):
    train = np.array([[2.0], [4.0]], dtype)
    later = np.array([[-1e6], [1.9], [2.0], [3.0], [4.0], [6.0], [2e6]], dtype)
    within = np.clip(later, 2.0, 4.0)
    for kind in (UnitScaler, SplitScaler):
        scaler = kind().fit(train)
        np.testing.assert_array_equal(scaler.transform(later), scaler.transform(within))
    found = UnitScaler(clip=False).fit(train).transform(later)[:, 0]
    np.testing.assert_allclose(found, [0, 0, 0, 0.5, 1, 2, 1e6 - 1], rtol=1e-6)


# ----------------------------------------------------------------------------- SplitScaler


@SPLITS
@given(X=tables(least=3))
def test_split_scaler_gives_the_parts_above_and_below_each_knot(knots, X):
    X = X[:, np.ptp(X, axis=0) > 1e-3]
    if not X.shape[1]:
        return
    out = SplitScaler(knots=knots).fit(X).transform(X)
    expected = oracles.split(X, X.mean(axis=0), X.std(axis=0), knots)
    np.testing.assert_allclose(out, expected, atol=1e-6)


@SPLITS
@given(data=st.data())
def test_both_sides_together_are_the_distance_to_the_knot(knots, data):
    train, later = data.draw(two_tables(np.float64))
    scaler = SplitScaler(knots=knots, clip=False).fit(train)
    with np.errstate(over="ignore", invalid="ignore"):
        z = (later - scaler.mean_) * scaler.factor_
        out = scaler.transform(later).reshape(len(later), len(knots), 2, -1)
        for k, knot in enumerate(knots):
            above, below = out[:, k, 0], out[:, k, 1]
            rounding = 1e-14 * (1 + abs(knot) + np.abs(z))
            distance = np.abs(z - knot)
            assert (
                (np.abs(above + below - distance) <= rounding) | (above + below == distance)
            ).all()
            assert ((above == 0) | (below == 0)).all()


def test_split_names_tell_column_side_and_knot_in_the_order_of_the_outputs():
    scaler = SplitScaler(knots=(-1.0, 0.5), clip=False).fit([[0.0, 10.0], [2.0, 30.0]])
    names = scaler.get_feature_names_out(["a", "b"]).tolist()
    assert names == ["a>-1", "b>-1", "a<-1", "b<-1", "a>0.5", "b>0.5", "a<0.5", "b<0.5"]
    assert scaler.get_feature_names_out().tolist()[0] == "x0>-1"
    # mean 1 and 20, deviation 1 and 10: z = (3, 3)
    np.testing.assert_allclose(scaler.transform([[4.0, 50.0]]), [[4, 4, 0, 0, 2.5, 2.5, 0, 0]])


@pytest.mark.parametrize("knots", [(), (np.nan,), (np.inf, 0.0), ((0.0, 1.0),)], ids=str)
def test_knots_that_are_no_knots_are_refused(knots):
    with pytest.raises(ParameterError, match="knots must be finite numbers, at least one"):
        SplitScaler(knots=knots).fit([[1.0], [2.0]])


@pytest.mark.parametrize("kind", ["unit", "split"])
def test_units_of_measurement_do_not_matter(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    scaler = SCALERS[kind]
    expected = scaler.fit(X).transform(X)
    for factor, offset in ((1e-20, 0.0), (1e20, 0.0), (3.0, 1e3)):
        other = X * factor + offset
        np.testing.assert_allclose(scaler.fit(other).transform(other), expected, atol=1e-9)


# ----------------------------------------------------------------------------- pixels, dtypes


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.uint8, np.float32),
        (np.int16, np.float32),
        (bool, np.float32),
        (np.int32, np.float64),
        (np.int64, np.float64),
        (np.float16, np.float64),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (">f8", np.float64),
    ],
)
def test_chunks_become_the_smallest_float_that_holds_them(dtype, expected):
    X = np.array([[0, 1], [1, 1]], dtype)
    assert as_chunk(X).dtype == expected
    np.testing.assert_array_equal(as_chunk(X), X.astype(np.float64))
    assert (as_chunk(X) is X) == (np.dtype(dtype) in (np.float32, np.float64))


def test_pixels_are_told_from_tables():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 17, (200, 64)) * (rng.random(64) < 0.8)
    assert shares_unit(Extrema.of(images))
    assert not shares_unit(Extrema.of(images[:, :63]))
    assert not shares_unit(Extrema.of(rng.normal(size=(200, 100)) * np.logspace(0, 3, 100)))
    assert not shares_unit(Extrema.of(np.zeros((5, 100))))
    assert not shares_unit(Extrema.zero(100))
