"""The cluster: its conditions, and zeta and eta against 60-digit roots of the quadratic (4)."""

import copy
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields

import mpmath
import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import clusters, inputs
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from densernn import (
    Cluster,
    DenseRNNRegressor,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestRegressor,
)
from densernn.cluster import WORTH_A_THREAD
from densernn.errors import NegativeInputError, ParameterError

DEFAULTS = {"n": 20, "p": 0.05, "r": 0.001, "lambda_plus": 0.005, "lambda_minus": 0.005}
BOTH = pytest.mark.parametrize("function", ["zeta", "eta"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def three_clusters():
    return Cluster(n=[2, 20, 300], p=[0.0, 0.05, 1.0], r=0.5, lambda_plus=[1, 2, 3], lambda_minus=4)


def each_alone(cluster):
    """The scalar clusters that a cluster of arrays stands for."""
    columns = [np.broadcast_to(getattr(cluster, field.name), 3) for field in fields(cluster)]
    return [Cluster(*(v.item() for v in values)) for values in zip(*columns, strict=True)]


def relative_error(found, expected):
    return abs(float(found) - expected) / abs(expected)


# ----------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"n": 1}, "n >= 2: n is 1"),
        ({"n": 2.5}, "whole n: n is 2.5"),
        ({"p": -0.1}, "0 <= p <= 1: p is -0.1"),
        ({"p": 1.5}, "0 <= p <= 1: p is 1.5"),
        ({"r": 0.0}, "r > 0: r is 0.0"),
        ({"lambda_plus": 0}, "lambda_plus > 0: lambda_plus is 0"),
        ({"lambda_minus": -1}, "lambda_minus > 0: lambda_minus is -1"),
        (
            {"lambda_plus": 2, "lambda_minus": 1},
            "lambda_minus >= lambda_plus: lambda_minus is 1, lambda_plus is 2",
        ),
        ({"n": [20, 1, 0]}, r"n >= 2: n\[1\] is 1"),
        ({"p": [0.1, 0.2, 7.0]}, r"0 <= p <= 1: p\[2\] is 7.0"),
        (
            {"lambda_minus": [0.005, 0.001]},
            r"lambda_minus >= lambda_plus: lambda_minus\[1\] is 0.001, lambda_plus is 0.005",
        ),
        ({"p": [0.1, 0.2], "r": [1, 2, 3]}, "one length: their lengths are {'p': 2, 'r': 3}"),
        ({"p": np.nan}, "finite p: it is nan"),
        ({"r": np.inf}, "finite r: it is inf"),
        ({"r": "fast"}, "a number or a 1-D array for r: it is 'fast'"),
        ({"r": None}, "a number or a 1-D array for r: it is None"),
        ({"r": [[1.0]]}, "a number or a 1-D array for r"),
        ({"r": []}, "a number or a 1-D array for r"),
        ({"r": 1j}, "a number or a 1-D array for r"),
    ],
)
def test_a_broken_condition_is_named_with_its_value(parameters, said):
    with pytest.raises(ParameterError, match=said) as caught:
        Cluster(**{**DEFAULTS, **parameters})
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize("n", [2, 10**6, 20.0])
def test_the_ends_of_the_conditions_are_allowed(n, p):
    cluster = Cluster(n=n, p=p, r=1, lambda_plus=1, lambda_minus=1)
    assert 0 < cluster.zeta(0.0) < 1


def test_rates_too_small_for_float32_are_refused_in_float32_only():
    cluster = Cluster(lambda_plus=1e-42, lambda_minus=1e-42)
    assert 0 < cluster.zeta(0.0) < 1
    with pytest.raises(ParameterError, match="too small for float32"):
        cluster.zeta(np.float32([0.0]))


# ----------------------------------------------------------------------------- zeta


@given(data=st.data(), cluster=clusters())
def test_zeta_is_the_root_of_the_quadratic_in_float64(data, cluster):
    x = data.draw(inputs(cluster))
    expected = oracles.zeta(x, **cluster)
    assert 0 < expected < 1
    assert relative_error(Cluster(**cluster).zeta(x), expected) < 1e-14


@given(data=st.data(), cluster=clusters())
def test_zeta_is_the_root_of_the_quadratic_in_float32(data, cluster):
    # What float32 cannot hold is refused, or squares of it overflow: another test.
    unit = 1.0 / cluster["lambda_plus"]
    for rate in ("r", "lambda_plus", "lambda_minus"):
        cluster[rate] *= unit
    x = np.float32(data.draw(inputs(cluster).filter(lambda x: x < 1e12)))
    found = Cluster(**cluster).zeta(np.atleast_1d(x))
    assert found.dtype == np.float32
    assert relative_error(found[0], oracles.zeta(float(x), **cluster)) < 1e-6


def test_zeta_in_float32_is_as_good_as_float32_typically():
    x = np.linspace(0, 1, 400, dtype=np.float32) ** 4
    expected = [oracles.zeta(float(value), **DEFAULTS) for value in x]
    assert np.max(np.abs(Cluster().zeta(x) / expected - 1)) < 3e-7


@given(data=st.data(), cluster=clusters())
def test_eta_is_the_slope_of_zeta_in_float64(data, cluster):
    x = data.draw(inputs(cluster))
    assert relative_error(Cluster(**cluster).eta(x), oracles.eta(x, **cluster)) < 1e-13


def test_eta_in_float32_is_as_good_as_float32_typically():
    x = np.linspace(0, 1, 400, dtype=np.float32) ** 4
    expected = [oracles.eta(float(value), **DEFAULTS) for value in x]
    assert np.max(np.abs(Cluster().eta(x) / expected - 1)) < 2e-6


@pytest.mark.parametrize("p", [0.0, 0.05, 0.9, 1.0])
@pytest.mark.parametrize("x", [0.0, 0.01, 0.3])
def test_zeta_is_the_fixed_point_of_equation_3(x, p):
    cluster = {"n": 5, "p": p, "r": 0.5, "lambda_plus": 0.4, "lambda_minus": 0.6}
    assert Cluster(**cluster).zeta(x) == pytest.approx(
        oracles.zeta_by_fixed_point(x, **cluster), rel=1e-12
    )


@pytest.mark.parametrize(
    ("cluster", "x", "simulated"),
    [
        ((20, 0.05, 1.0, 0.5, 0.5), 0.3, 0.5555),
        ((20, 0.05, 0.001, 0.005, 0.005), 0.1, 0.04757),
    ],
)
def test_zeta_agrees_with_an_event_driven_simulation(cluster, x, simulated):
    assert Cluster(*cluster).zeta(x) == pytest.approx(simulated, abs=1.5e-3)


@given(data=st.data(), cluster=clusters())
def test_zeta_without_triggers_is_a_quotient_of_rates(data, cluster):
    x = data.draw(inputs(cluster))
    n, r, plus, minus = (cluster[k] for k in ("n", "r", "lambda_plus", "lambda_minus"))
    # p = 0 in (3): q = (l+ + r q (n-1)/n) / (r + l- + x)
    expected = plus / (r / n + minus + x)
    assert Cluster(n, 0.0, r, plus, minus).zeta(x) == pytest.approx(expected, rel=1e-13)
    assert Cluster(n, 1e-18, r, plus, minus).zeta(x) == pytest.approx(expected, rel=1e-11)


@given(data=st.data(), cluster=clusters())
def test_zeta_and_its_slopes_with_excitation(data, cluster):
    x, e = data.draw(inputs(cluster)), data.draw(inputs(cluster))
    expected = oracles.signed_zeta(x, e, **cluster)
    found = Cluster(**cluster).zeta(x, excitation=e)
    # The difference x - e is as exact as x and e are: its rounding moves zeta by eta times that.
    slope, plus = Cluster(**cluster).eta_plus(x, e), cluster["lambda_plus"] + e
    rounding = 4e-16 * abs(slope) * (x + plus + cluster["lambda_minus"])
    assert abs(float(found) - expected) <= 1e-14 * expected + rounding
    if found < 1 - 1e-9:
        assert slope == pytest.approx(oracles.eta_plus(x, e, **cluster), rel=1e-5)
        assert Cluster(**cluster).eta(x, excitation=e) == pytest.approx(-found * slope, rel=1e-14)


@given(data=st.data(), cluster=clusters())
def test_without_excitation_zeta_and_eta_are_those_of_inhibition(data, cluster):
    x, own = data.draw(inputs(cluster)), Cluster(**cluster)
    assert own.zeta(x, excitation=0.0) == pytest.approx(own.zeta(x), rel=1e-13)
    assert own.eta(x, excitation=0.0) == pytest.approx(own.eta(x), rel=1e-12)


@pytest.mark.parametrize("p", [0.0, 0.05, 0.8, 1.0])
def test_excitation_saturates_a_cluster_where_its_cells_gain_what_they_can_lose(p):
    cluster = Cluster(n=20, p=p, r=0.5, lambda_plus=0.4, lambda_minus=0.6)
    k = p * 19
    edge = 0.3 + (0.6 - 0.4) + (1 + k) * 0.5 / (20 - k)  # of e, at x = 0.3
    below, above = cluster.zeta(0.3, excitation=[edge * (1 - 1e-6), edge * (1 + 1e-6)])
    assert 0.99 < below < 1.0 == above
    assert cluster.eta_plus(0.3, edge * (1 + 1e-6)) == 0.0
    assert cluster.eta(0.3, excitation=2 * edge) == 0.0
    e = np.linspace(0, 2 * edge, 1000)
    assert (np.diff(cluster.zeta(0.3, excitation=e)) >= 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_excitation_is_broadcast_and_dtypes_are_kept(dtype):
    x, e = np.linspace(0, 8, 7, dtype=dtype)[:, None], np.linspace(0, 9, 3, dtype=dtype)
    cluster = three_clusters()
    found = cluster.zeta(x, excitation=e)
    assert found.dtype == dtype
    for j, own in enumerate(each_alone(cluster)):
        expected = [own.zeta(float(value), excitation=float(e[j])) for value in x[:, 0]]
        np.testing.assert_allclose(
            found[:, j], expected, rtol=3e-6 if dtype == np.float32 else 1e-13
        )
    out = np.empty_like(found)
    assert cluster.zeta(x, out, excitation=e) is out
    np.testing.assert_array_equal(out, found)
    assert np.isnan(Cluster().zeta([np.nan, 0.0], excitation=[0.0, np.nan])).all()
    assert Cluster().zeta(np.inf, excitation=1.0) == 0.0


@pytest.mark.parametrize(
    ("x", "e", "said"),
    [
        (-1.0, 0.0, "x has 1 negative"),
        (0.0, [0.0, -2.0], "excitation has 1 negative entries, the first at .1,.: -2.0"),
    ],
)
def test_negative_rates_are_refused_beside_excitation(x, e, said):
    with pytest.raises(NegativeInputError, match=said):
        Cluster().zeta(x, excitation=e)


@given(cluster=clusters())
def test_zeta_falls_like_the_inverse_of_large_inputs(cluster):
    scale = cluster["n"] * max(cluster["lambda_minus"], cluster["r"])
    x = 1e9 * scale
    assert Cluster(**cluster).zeta(x) * x == pytest.approx(cluster["lambda_plus"], rel=1e-7)


@pytest.mark.parametrize("p", [0.0, 0.05, 1.0])
@DTYPES
def test_zeta_and_eta_vanish_without_nan_where_squares_overflow(p, dtype):
    huge = np.finfo(dtype).max
    x = np.array([huge**0.5, huge**0.5 * 1e3, huge / 1e3, huge, np.inf] * 20, dtype)
    zeta, eta = Cluster(p=p).zeta(x), Cluster(p=p).eta(x)
    assert (zeta >= 0).all()
    assert (zeta < 1e-15).all()
    assert (eta <= 0).all()
    assert (eta > -1e-15).all()


@given(cluster=clusters())
def test_zeta_decreases_and_eta_is_negative(cluster):
    scale = max(cluster["lambda_minus"], cluster["r"])
    x = np.concatenate([[0.0], np.logspace(-12, 9, 200) * scale])
    zeta, eta = Cluster(**cluster).zeta(x), Cluster(**cluster).eta(x)
    # Steps below rounding may be lost, never reversed by more than rounding.
    assert (np.diff(zeta) <= 4e-16 * zeta[:-1]).all()
    assert (zeta[200] < zeta[100]) & (zeta[100] < zeta[0])
    assert (eta < 0).all()


def test_zeta_bends_both_ways_where_most_firings_trigger():
    # Convex for the default p, but not in general: no promise that eta only grows.
    x = np.linspace(0, 1, 50)
    rates = {"r": 0.1, "lambda_plus": 1.0, "lambda_minus": 1.0}
    assert (np.diff(Cluster(n=9, p=0.05, **rates).eta(x)) > 0).all()
    steps = np.diff(Cluster(n=9, p=1.0, **rates).eta(x))
    assert steps.min() < 0 < steps.max()


@given(data=st.data(), cluster=clusters(), factor=st.floats(1e-3, 1e3))
def test_only_ratios_of_rates_matter(data, cluster, factor):
    x = data.draw(inputs(cluster))
    scaled = {
        name: value if name in ("n", "p") else value * factor for name, value in cluster.items()
    }
    # Rounding may part lambda_minus from lambda_plus by an ulp the wrong way.
    scaled["lambda_minus"] = max(scaled["lambda_minus"], scaled["lambda_plus"])
    first, second = Cluster(**cluster), Cluster(**scaled)
    assert second.zeta(x * factor) == pytest.approx(first.zeta(x), rel=1e-13)
    tolerance = 1e-13 * (1 + cluster["n"] * cluster["p"])
    assert second.eta(x * factor) * factor == pytest.approx(first.eta(x), rel=tolerance)


# ----------------------------------------------------------------------------- the quadratic (4)


def in_dtype(cluster, dtype):
    """The same cluster with lambda_plus 1 in float32, which does not hold rates of all sizes."""
    if dtype == np.float64:
        return cluster
    unit = 1.0 / cluster["lambda_plus"]
    scaled = {name: cluster[name] * unit for name in ("r", "lambda_minus")}
    # Rounding may leave lambda_minus an ulp below 1.
    scaled["lambda_minus"] = max(scaled["lambda_minus"], 1.0)
    return {**cluster, **scaled, "lambda_plus": 1.0}


@DTYPES
@given(data=st.data(), cluster=clusters())
def test_zeta_is_a_probability_and_the_other_root_is_none(data, cluster, dtype):
    cluster = in_dtype(cluster, dtype)
    x = dtype(data.draw(inputs(cluster).filter(lambda x: x < 1e12)))
    zeta = Cluster(**cluster).zeta(np.atleast_1d(x))[0]
    # The largest roots are so near to 1 that they round to it.
    assert 0 < zeta <= 1
    with mpmath.workdps(oracles.DIGITS):
        a, b, c = oracles.quadratic(float(x), **cluster)
        assert a + b + c < 0 < c  # the appendix: y(1) < 0 < y(0), so one root lies between
        root = oracles.smaller_root(float(x), **cluster)
        assert 0 < root < 1
        assert a == 0 or c / (a * root) > 1


@DTYPES
@given(cluster=clusters(), seed=st.integers(0, 2**32 - 1))
def test_zeta_decreases_with_x_beyond_rounding(cluster, seed, dtype):
    cluster = in_dtype(cluster, dtype)
    scale = max(cluster["lambda_minus"], cluster["r"])
    x = np.sort(np.random.default_rng(seed).uniform(-12, 9, 100))
    x = (10.0**x * scale).astype(dtype)
    zeta = Cluster(**cluster).zeta(x)
    assert (np.diff(zeta) <= 4 * np.finfo(dtype).eps * zeta[:-1]).all()
    exact = [oracles.zeta(float(value), **cluster) for value in x[::20]]
    assert (np.diff(exact) <= 0).all()


@DTYPES
@given(data=st.data(), cluster=clusters())
def test_zeta_tends_to_that_without_triggers_as_p_vanishes(data, cluster, dtype):
    cluster = in_dtype(cluster, dtype)
    x = np.atleast_1d(dtype(data.draw(inputs(cluster).filter(lambda x: x < 1e12))))
    limit = Cluster(**cluster | {"p": 0.0}).zeta(x)
    n, r, plus, minus = (cluster[name] for name in ("n", "r", "lambda_plus", "lambda_minus"))
    assert limit[0] == pytest.approx(plus / (r / n + minus + float(x[0])), rel=4e-7)
    exact = [oracles.zeta(float(x[0]), **cluster | {"p": p}) for p in (1e-9, 1e-12, 0.0)]
    assert abs(exact[1] - exact[2]) <= abs(exact[0] - exact[2])
    near = Cluster(**cluster | {"p": 1e-15 / n}).zeta(x)
    assert near[0] == pytest.approx(limit[0], rel=8 * float(np.finfo(dtype).eps))


@DTYPES
@given(cluster=clusters())
def test_zeta_vanishes_as_x_grows(cluster, dtype):
    cluster = in_dtype(cluster, dtype)
    scale = cluster["n"] * max(cluster["lambda_minus"], cluster["r"])
    if dtype == np.float32 and scale > 1e6:
        scale = 1e6
    x = np.array([1e3, 1e6, 1e9], dtype) * dtype(scale)
    zeta = Cluster(**cluster).zeta(x)
    exact = [oracles.zeta(float(value), **cluster) for value in x]
    np.testing.assert_allclose(zeta, exact, rtol=16 * np.finfo(dtype).eps)
    assert 0 < zeta[2] < 1e-6


@DTYPES
@given(data=st.data(), cluster=clusters(), power=st.integers(-20, 20))
def test_zeta_is_the_same_to_the_last_bit_in_units_of_powers_of_two(data, cluster, power, dtype):
    cluster = in_dtype(cluster, dtype)
    x = np.atleast_1d(dtype(data.draw(inputs(cluster).filter(lambda x: x < 1e9))))
    unit = 2.0**power
    scaled = {k: v if k in ("n", "p") else v * unit for k, v in cluster.items()}
    np.testing.assert_array_equal(
        Cluster(**scaled).zeta(x * dtype(unit)), Cluster(**cluster).zeta(x)
    )


# ----------------------------------------------------------------------------- arrays


@BOTH
@DTYPES
@pytest.mark.parametrize("shape", [(3,), (1, 3), (7, 3), (2, 5, 3), (0, 3), (2, 0, 3)])
def test_parameter_arrays_equal_a_cluster_each(function, dtype, shape):
    cluster = three_clusters()
    assert cluster.n_clusters == 3
    x = np.random.default_rng(0).random(shape).astype(dtype)
    found = getattr(cluster, function)(x)
    assert found.shape == shape
    assert found.dtype == dtype
    for c, alone in enumerate(each_alone(cluster)):
        np.testing.assert_array_equal(found[..., c], getattr(alone, function)(x[..., c]))


@BOTH
def test_parameter_arrays_over_many_rows_equal_a_cluster_each(function):
    cluster = three_clusters()
    x = np.random.default_rng(0).random((WORTH_A_THREAD, 3))
    found = getattr(cluster, function)(x)
    for c, alone in enumerate(each_alone(cluster)):
        np.testing.assert_allclose(found[:, c], getattr(alone, function)(x[:, c]), rtol=1e-15)


@pytest.mark.parametrize("shape", [(), (4,), (3, 2)])
def test_parameter_arrays_refuse_another_last_axis(shape):
    with pytest.raises(ParameterError, match="an axis of 3 clusters"):
        three_clusters().zeta(np.ones(shape))


@BOTH
@pytest.mark.parametrize("cluster", [Cluster(), three_clusters()], ids=["one", "three"])
@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed", "1-D", "read-only"])
def test_the_input_is_left_alone_however_it_lies_in_memory(function, cluster, layout):
    base = np.random.default_rng(1).random((8, 3))
    x = {
        "C": base,
        "F": np.asfortranarray(base),
        "strided": np.repeat(base, 2, axis=0)[::2],
        "reversed": base[::-1].copy()[::-1],
        "1-D": base[0],
        "read-only": base.copy(),
    }[layout]
    x.flags.writeable = layout != "read-only"
    before = x.copy()
    found = getattr(cluster, function)(x)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(found, getattr(cluster, function)(before.copy()))


@BOTH
@DTYPES
@pytest.mark.parametrize("size", [1, 5, 2047, 2048, 2049, 3 * WORTH_A_THREAD + 1])
def test_every_element_is_treated_alike_around_tiles_and_threads(function, dtype, size):
    x = (np.arange(size) % 997 / 500).astype(dtype)
    found = getattr(Cluster(), function)(x)
    few = getattr(Cluster(), function)(np.arange(997).astype(dtype) / dtype(500))
    np.testing.assert_allclose(found, few[np.arange(size) % 997], rtol=4 * np.finfo(dtype).eps)


@BOTH
@pytest.mark.parametrize("x", [0.25, [0.25], [[0.25], [0.5]], [], np.empty((0, 3)), np.array(1.0)])
def test_the_result_has_the_shape_of_the_input(function, x):
    found = getattr(Cluster(), function)(x)
    assert np.shape(found) == np.shape(x)
    assert found.dtype == np.float64


@BOTH
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.float16, ">f8", ">f4"])
def test_other_real_dtypes_become_float64(function, dtype):
    x = np.array([0, 1, 1, 0], dtype)
    found = getattr(Cluster(), function)(x)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, getattr(Cluster(), function)(x.astype(np.float64)))


@pytest.mark.parametrize("x", [["a"], [1j], [None]])
def test_input_that_is_no_real_number_is_refused(x):
    with pytest.raises(ParameterError, match="x must be real numbers"):
        Cluster().zeta(x)


@BOTH
@pytest.mark.parametrize("cluster", [Cluster(), three_clusters()], ids=["one", "three"])
@pytest.mark.parametrize("kind", ["C", "F", "strided", "in place", "strided in place"])
@DTYPES
def test_out_receives_the_result(function, cluster, kind, dtype):
    x = np.random.default_rng(2).random((40, 3)).astype(dtype)
    expected = getattr(cluster, function)(x)
    wide = np.zeros((40, 6), dtype)
    wide[:, ::2] = x
    x, out = {
        "C": (x, np.empty_like(x)),
        "F": (x, np.empty_like(x, order="F")),
        "strided": (x, np.empty_like(wide)[:, ::2]),
        "in place": (x, x),
        "strided in place": (wide[:, ::2], wide[:, ::2]),
    }[kind]
    assert getattr(cluster, function)(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert not wide[:, 1::2].any()


@pytest.mark.parametrize("shift", [1, -1, 5000])
def test_out_may_overlap_the_input(shift):
    size = 2 * WORTH_A_THREAD
    buffer = np.linspace(0, 1, size + 5000)
    x, out = buffer[:size], buffer[abs(shift) :][:size]
    x, out = (x, out) if shift > 0 else (out, x)
    expected = Cluster().zeta(x.copy())
    Cluster().zeta(x, out=out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (np.empty(4), r"must have shape \(3,\) and dtype float64: it has \(4,\) and float64"),
        (np.empty(3, np.float32), r"it has \(3,\) and float32"),
        (np.broadcast_to(0.0, 3), "read-only"),
    ],
)
def test_an_out_that_does_not_fit_is_refused(out, said):
    with pytest.raises(ParameterError, match=said):
        Cluster().zeta(np.ones(3), out=out)


# ----------------------------------------------------------------------------- odd values


@BOTH
@DTYPES
@pytest.mark.parametrize("size", [1, 64, 5000])
def test_nan_stays_nan_and_stays_alone(function, dtype, size):
    x = np.full(size, 0.5, dtype)
    x[::7] = np.nan
    x[::14] = -np.float64(np.nan)
    found = getattr(Cluster(), function)(x)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(x))


@BOTH
@DTYPES
def test_minus_zero_is_zero(function, dtype):
    f = getattr(Cluster(), function)
    np.testing.assert_array_equal(f(np.array([-0.0], dtype)), f(np.array([0.0], dtype)))


@BOTH
@DTYPES
@pytest.mark.parametrize("cluster", [Cluster(), three_clusters()], ids=["one", "three"])
@pytest.mark.parametrize("tiny", [-1e-30, -1.0, -np.inf])
def test_negative_input_is_refused_with_its_rows(function, dtype, cluster, tiny):
    x = np.ones((50, 3), dtype)
    x[[3, 40], 1] = tiny
    x[7, 0] = np.nan
    with pytest.raises(NegativeInputError, match=r"2 negative entries in rows 3, 40") as caught:
        getattr(cluster, function)(x)
    assert f"the first at (3, 1): {x[3, 1]!s}." in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("x", [-1e-9, [-1e-9], [0.5, -2], np.int8([-1])])
def test_negative_input_without_rows_is_refused(x):
    with pytest.raises(NegativeInputError, match="x has 1 negative entries, the first at"):
        Cluster().zeta(x)


def test_many_negative_rows_are_named_in_short():
    with pytest.raises(NegativeInputError, match="rows 0, 1, 2, 3, 4 and 95 more"):
        Cluster().zeta(np.full((100, 2), -1.0))


@DTYPES
@pytest.mark.parametrize("cluster", [Cluster(), three_clusters()], ids=["one", "three"])
def test_negative_input_is_refused_in_place_and_left_alone(dtype, cluster):
    x = np.array([[0.5, -1e-5, 0.25]], dtype)
    before = x.copy()
    with pytest.raises(NegativeInputError, match="in rows 0"):
        cluster.zeta(x, out=x)
    np.testing.assert_array_equal(x, before)


# ----------------------------------------------------------------------------- the object


def test_a_cluster_is_frozen():
    cluster = three_clusters()
    for field in fields(cluster):
        with pytest.raises(FrozenInstanceError):
            setattr(cluster, field.name, 1)
    with pytest.raises(ValueError, match="read-only"):
        cluster.p[0] = 0.5


def test_a_cluster_keeps_no_hold_of_the_arrays_it_was_given():
    p = np.array([0.1, 0.2])
    cluster = Cluster(p=p)
    p[0] = 0.9
    assert cluster == Cluster(p=[0.1, 0.2])


def test_clusters_are_equal_by_value_and_then_hash_equal():
    assert len({Cluster(), Cluster(n=20), Cluster(n=20.0), Cluster(n=np.int8(20))}) == 1
    assert len({Cluster(p=0.0), Cluster(p=-0.0), Cluster(p=0)}) == 1
    assert len({three_clusters(), three_clusters()}) == 1
    different = [Cluster(), Cluster(p=[0.05]), Cluster(p=[0.05, 0.05]), three_clusters()]
    assert len(set(different)) == len(different)
    assert Cluster() != 20


@pytest.mark.parametrize("cluster", [Cluster(p=0.1), three_clusters()], ids=["one", "three"])
@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_are_equal_and_as_frozen(cluster, copied):
    other = copied(cluster)
    assert other == cluster
    assert hash(other) == hash(cluster)
    x = np.ones((2, 3))
    np.testing.assert_array_equal(other.zeta(x), cluster.zeta(x))
    if cluster.n_clusters:
        assert not other.p.flags.writeable


def test_scikit_learn_clones_an_estimator_with_its_cluster():
    model = RNNELMRegressor(3, cluster=three_clusters())
    assert clone(model).cluster == model.cluster
    assert model.set_params(cluster=Cluster(n=5)).get_params()["cluster"] == Cluster(n=5)


def test_parameters_are_read_by_name():
    cluster = three_clusters()
    assert list(cluster.get_params()) == [field.name for field in fields(Cluster)]
    assert Cluster(**cluster.get_params()) == cluster
    assert RNNELMRegressor(3, cluster=Cluster(n=7)).get_params()["cluster__n"] == 7


def test_set_params_equals_the_constructor():
    cluster = Cluster(n=5)
    assert cluster.set_params(p=[0.1, 0.2], r=0.5) is cluster
    assert cluster == Cluster(n=5, p=[0.1, 0.2], r=0.5)
    assert not cluster.p.flags.writeable
    assert cluster.set_params() == Cluster(n=5, p=[0.1, 0.2], r=0.5)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"m": 3}, "no parameter 'm': its parameters are n, p, r, lambda_plus, lambda_minus"),
        ({"p": 0.5, "n": 1}, "n >= 2: n is 1"),
        ({"lambda_plus": 1.0}, "lambda_minus >= lambda_plus"),
    ],
)
def test_set_params_refuses_as_the_constructor_and_changes_nothing(params, said):
    cluster = Cluster()
    with pytest.raises(ParameterError, match=said):
        cluster.set_params(**params)
    assert cluster == Cluster()


def test_a_clone_shares_no_cluster_with_its_original():
    model = RNNELMRegressor(3, cluster=three_clusters())
    clone(model).set_params(cluster__n=9)
    assert model.cluster == three_clusters()


@pytest.mark.parametrize("kind", [RNNELMRegressor, DenseRNNRegressor, RNNForestRegressor])
def test_a_fitted_model_keeps_the_cluster_it_was_fitted_with(kind):
    X = np.random.default_rng(0).normal(size=(60, 3))
    size = {"n_trees": 2} if kind is RNNForestRegressor else {"n_hidden": 5}
    model = kind(**size, cluster=Cluster(), random_state=0).fit(X, X[:, 0])
    before = model.predict(X)
    model.set_params(cluster__p=0.9)
    np.testing.assert_array_equal(model.predict(X), before)
    assert (model.fit(X, X[:, 0]).predict(X) != before).any()


def test_a_search_finds_the_parameters_of_a_cluster():
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int)
    start = Cluster()
    model = RNNELMClassifier(5, cluster=start, random_state=0)
    search = GridSearchCV(model, {"cluster__n": [10, 30], "cluster__p": [0.0, 0.5]}, cv=2)
    search.fit(X, y)
    assert start == Cluster()
    best = search.best_params_
    assert search.best_estimator_.cluster == Cluster(n=best["cluster__n"], p=best["cluster__p"])
    alone = RNNELMClassifier(5, cluster=search.best_estimator_.cluster, random_state=0).fit(X, y)
    np.testing.assert_array_equal(search.predict_proba(X), alone.predict_proba(X))


@pytest.mark.slow
def test_the_process_that_compiles_rounds_as_those_that_load_the_cache(tmp_path):
    code = """
import numpy as np
from densernn import Cluster
x = np.random.default_rng(0).random((2, 5001)) * [[1e-3], [100.0]]
cluster = Cluster(n=np.array([2, 20]), p=0.3, r=1.0, lambda_plus=0.5, lambda_minus=0.6)
for dtype in (np.float32, np.float64):
    for f in (cluster.zeta, cluster.eta):
        print(f(x.T.astype(dtype)).tobytes().hex())
"""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    cold, warm = (subprocess.check_output(command, env=environment) for _ in range(2))
    assert cold == warm
