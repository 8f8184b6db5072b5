"""Folds are commutative monoids: any cut, order and tree of the rows gives one result."""

import pickle
import tracemalloc

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import linear, merged, tables, ways_to_cut

from densernn import ClassCounts, Extrema, Marginals, Moments
from densernn.errors import MergeError, ParameterError

LABELS = ["ant", "bee", "cow"]


# ----------------------------------------------------------------------------- helpers


def moments_of(X, weight=None):
    """Moments of features and targets: the last column is the target."""
    return Moments.of(X[:, :-1], X[:, -1:], weight)


def classes_of(X, weight=None):
    return ClassCounts.of(np.asarray(LABELS)[np.abs(X[:, 0]).astype(int) % 3], weight)


KINDS = {
    "Moments": (moments_of, lambda X: Moments.zero(X.shape[1] - 1, 1)),
    "Extrema": (Extrema.of, lambda X: Extrema.zero(X.shape[1])),
    "Marginals": (Marginals.of, lambda X: Marginals.zero(X.shape[1])),
    "ClassCounts": (classes_of, lambda X: ClassCounts.zero()),
}
ALL = pytest.mark.parametrize("kind", list(KINDS))


def contents(fold):
    """What a fold says of its rows, whatever its shift: names with arrays, and their scales."""
    if isinstance(fold, Moments):
        raw = fold.about(np.zeros(fold.size))
        scale = np.sqrt(np.maximum(raw.second.diagonal(), 1e-300))
        outer, k = np.outer(scale, scale), fold.n_features
        return {
            "weight": (fold.weight, fold.weight),
            "sums": (raw.sums, scale * np.sqrt(max(fold.weight, 1.0))),
            "HtH": (fold.HtH, outer[:k, :k]),
            "HtT": (fold.HtT, outer[:k, k:]),
            "TtT": (fold.TtT, outer[k:, k:]),
        }
    if isinstance(fold, Marginals):
        size = np.abs(fold.mean) + np.sqrt(fold.variance)
        return {
            "weight": (fold.weight, fold.weight),
            "mean": (fold.mean, size),
            "spread": (fold.spread, fold.weight * size**2),
        }
    if isinstance(fold, Extrema):
        return {"minimum": (fold.minimum, 0.0), "maximum": (fold.maximum, 0.0)}
    return {"classes": (fold.classes, None), "counts": (fold.counts, fold.counts.sum())}


def assert_same(found, expected, tolerance=1e-10):
    """Both folds describe the same rows, each number to ``tolerance`` of its scale."""
    expected = contents(expected)
    for name, (value, _) in contents(found).items():
        wanted, scale = expected[name]
        assert np.shape(value) == np.shape(wanted), name
        if scale is None:
            np.testing.assert_array_equal(value, wanted, err_msg=name)
        else:
            with np.errstate(invalid="ignore"):
                close = np.abs(np.asarray(value) - wanted) <= tolerance * np.asarray(scale)
            assert np.all(close | (np.asarray(value) == wanted)), name


@st.composite
def rows_and_pieces(draw):
    X = draw(tables(least=2, max_columns=4).filter(lambda X: X.shape[1] >= 2))
    return X, draw(ways_to_cut(len(X)))


# ----------------------------------------------------------------------------- the laws


@ALL
@given(data=st.data(), case=rows_and_pieces())
def test_any_cut_order_and_tree_gives_the_fold_of_the_whole(kind, data, case):
    of, _ = KINDS[kind]
    X, parts = case
    folds = [of(X[part]) for part in parts]
    joined = merged(folds, lambda k: data.draw(st.integers(0, k - 1)))
    assert_same(joined, of(X))


@ALL
@given(data=st.data(), case=rows_and_pieces())
def test_any_cut_keeps_weights_with_their_rows(kind, data, case):
    of, _ = KINDS[kind]
    X, parts = case
    weight = np.asarray(data.draw(st.lists(st.floats(0.1, 5), min_size=len(X), max_size=len(X))))
    folds = [of(X[part], weight[part]) for part in parts]
    assert_same(merged(folds, lambda k: 0), of(X, weight))


@ALL
@given(X=tables(max_columns=4).filter(lambda X: X.shape[1] >= 2))
def test_the_empty_fold_is_neutral(kind, X):
    of, zero = KINDS[kind]
    assert_same(zero(X).merge(of(X)), of(X))
    assert_same(of(X).merge(zero(X)), of(X))
    assert_same(of(X[:0]), zero(X))
    assert_same(zero(X).merge(zero(X)), zero(X))


@ALL
@pytest.mark.parametrize("garbage", [np.nan, np.inf, 1e300])
@given(data=st.data(), X=tables(least=2).filter(lambda X: X.shape[1] >= 2))
def test_a_row_of_weight_0_counts_nowhere(kind, garbage, data, X):
    of, zero = KINDS[kind]
    counted = np.asarray(data.draw(st.lists(st.booleans(), min_size=len(X), max_size=len(X))))
    spoilt = X.copy()
    if kind != "ClassCounts":
        spoilt[~counted] = garbage
    assert_same(of(spoilt, counted.astype(float)), of(X[counted]) if counted.any() else zero(X))


@ALL
@given(data=st.data(), X=tables().filter(lambda X: X.shape[1] >= 2))
def test_a_row_of_weight_k_counts_as_k_copies(kind, data, X):
    of, _ = KINDS[kind]
    copies = np.asarray(data.draw(st.lists(st.integers(1, 4), min_size=len(X), max_size=len(X))))
    assert_same(of(X, copies), of(np.repeat(X, copies, axis=0)))


@ALL
@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_weights_below_0_are_refused(kind, bad):
    of, _ = KINDS[kind]
    with pytest.raises(ParameterError, match=rf"weight\[1\] is {bad}"):
        of(np.ones((3, 2)), [1.0, bad, 1.0])


@pytest.mark.parametrize("kind", ["Moments", "ClassCounts"])
@given(data=st.data(), case=rows_and_pieces())
def test_subtracting_undoes_merging(kind, data, case):
    of, zero = KINDS[kind]
    X, parts = case
    gone = parts[0]
    kept = np.setdiff1d(np.arange(len(X)), gone)
    left = of(X).subtract(of(X[gone]))
    if kind == "ClassCounts":  # classes stay known
        wanted = ClassCounts.zero(of(X).classes).merge(of(X[kept]))
        np.testing.assert_array_equal(left.classes, wanted.classes)
        np.testing.assert_allclose(left.counts, wanted.counts, atol=1e-12)
        return
    if not len(kept):
        assert_same(left, zero(X))
        return
    # To rounding of what was there before, which may be larger than what is left.
    whole, wanted = contents(of(X)), contents(of(X[kept]))
    for name, (value, _) in contents(left).items():
        error = np.abs(np.asarray(value) - wanted[name][0])
        assert (error <= 1e-10 * np.asarray(whole[name][1])).all(), name


# ----------------------------------------------------------------------------- moments


def assert_moments(fold, H, T, weight=None, tolerance=1e-10):
    """HtH, HtT, TtT and means agree with the sums over single rows."""
    raw = oracles.second_moments(H, T, weight)
    scale = np.sqrt(raw.diagonal())
    scale = np.outer(scale, scale) + 1e-300
    k = fold.n_features
    found = np.block([[fold.HtH, fold.HtT], [fold.HtT.T, fold.TtT]])
    assert (np.abs(found - raw) <= tolerance * scale).all()
    means = oracles.column_mean(np.column_stack([H, T]), weight)
    size = np.sqrt(raw.diagonal() / oracles.weights_or_ones(H, weight).sum()) + 1e-300
    assert (np.abs(fold.means - means) <= tolerance * size).all()
    np.testing.assert_array_equal(found, found.T)
    assert fold.HtH.shape == (k, k)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
@given(data=st.data(), X=tables(max_rows=30, max_columns=5).filter(lambda X: X.shape[1] >= 3))
def test_moments_are_sums_over_rows(dtype, tolerance, data, X):
    H, T = X[:, :-2].astype(dtype), X[:, -2:]
    weight = data.draw(st.none() | st.lists(st.floats(0.1, 9), min_size=len(X), max_size=len(X)))
    assert_moments(Moments.of(H, T, weight), H, T, weight, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_moments_of_many_rows_agree_across_chunkings(dtype, tolerance):
    rng = np.random.default_rng(0)
    H = rng.random((5000, 30)).astype(dtype) ** 3
    T = np.eye(3)[rng.integers(0, 3, len(H))]
    weight = rng.integers(1, 4, len(H)).astype(float)
    whole = oracles.second_moments(H, T, weight)
    scale = np.sqrt(np.outer(whole.diagonal(), whole.diagonal()))
    for step in (64, 777, 5000):
        fold = Moments.zero(30, 3)
        for start in range(0, len(H), step):
            part = slice(start, start + step)
            columns = np.empty((33, len(H[part])), dtype)
            columns[:30] = H[part].T
            fold.add(columns, T[part], weight[part])
        found = np.block([[fold.HtH, fold.HtT], [fold.HtT.T, fold.TtT]])
        assert (np.abs(found - whole) <= tolerance * scale).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_columns_far_from_zero_keep_the_precision_of_their_deviations(dtype, tolerance):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2000, 4)) @ rng.normal(size=(4, 4))
    H = (1e6 + noise).astype(dtype)
    T = 1e6 + noise @ rng.normal(size=(4, 2)) + rng.normal(size=(2000, 2))
    parts = [
        Moments.of(H[start : start + 300], T[start : start + 300]) for start in range(0, 2000, 300)
    ]
    fold = merged(parts, lambda k: k // 2)
    Z = np.column_stack([H.astype(np.float64), T])
    wanted = np.cov(Z.T, bias=True) * len(Z)
    found = fold.about(fold.means).second
    scale = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
    upper = np.triu_indices(6)
    assert (np.abs(found - wanted) <= tolerance * scale)[upper].all()


@given(data=st.data(), X=tables(max_columns=4).filter(lambda X: X.shape[1] >= 2))
def test_moments_about_another_shift_are_those_of_shifted_rows(data, X):
    fold = moments_of(X)
    entries = st.lists(st.floats(-10, 10), min_size=X.shape[1], max_size=X.shape[1])
    shift = np.asarray(data.draw(entries))
    moved = fold.about(shift)
    np.testing.assert_array_equal(moved.shift, shift)
    scale = np.abs(X).max() + np.abs(shift).max() + 1e-300
    wanted = oracles.second_moments(X[:, :-1], X[:, -1:], about=shift)
    assert np.abs(moved.second - np.triu(wanted)).max() <= 1e-13 * len(X) * scale**2
    assert np.abs(moved.sums - (X - shift).sum(axis=0)).max() <= 1e-13 * len(X) * scale
    back = moved.about(fold.shift)
    assert np.abs(back.second - fold.second).max() <= 1e-13 * len(X) * scale**2


@given(
    X=st.lists(st.tuples(*[st.integers(-99, 99)] * 3), min_size=1).map(np.array),
    shift=st.tuples(*[st.integers(-99, 99)] * 3).map(np.array),
)
def test_rebasing_whole_numbers_is_exact(X, shift):
    fold = Moments.zero(2, 1)
    fold.shift[:] = shift
    fold.weight, fold.sums = float(len(X)), (X - shift).sum(axis=0) * 1.0
    fold.second[:] = np.triu((X - shift).T @ (X - shift))
    raw = fold.about(np.zeros(3))
    np.testing.assert_array_equal(raw.second, np.triu(X.T @ X))
    np.testing.assert_array_equal(raw.sums, X.sum(axis=0))
    np.testing.assert_array_equal(raw.about(shift).second, fold.second)


def test_rebasing_makes_a_fold_of_its_own():
    fold = moments_of(np.arange(12.0).reshape(4, 3))
    before = pickle.dumps(fold)
    for other in (fold.about(fold.shift), fold.merge(Moments.zero(2, 1)), fold.merge(fold)):
        other.second[:] += 1.0
        other.sums += 1.0
        other.shift += 1.0
    assert pickle.dumps(fold) == before


@given(case=rows_and_pieces())
def test_second_holds_its_upper_triangle_alone(case):
    X, parts = case
    fold = moments_of(X)
    some = moments_of(X[parts[0]])
    wider = fold.place_targets(3, [1])
    for one in (fold, fold.merge(some), fold.subtract(some), fold.about(fold.means), wider):
        assert not np.tril(one.second, -1).any()
        assert one.second.flags.f_contiguous


@given(
    X=tables(least=2, max_columns=4).filter(lambda X: X.shape[1] >= 3),
    order=st.permutations(range(4)),
)
def test_placed_targets_are_those_of_rows_with_columns_of_zeros(X, order):
    H, T = X[:, :-2], X[:, -2:]
    wide = np.zeros((len(X), 4))
    positions = list(order[:2])
    wide[:, positions] = T
    placed = Moments.of(H, T).place_targets(4, positions)
    assert_moments(placed, H, wide, tolerance=1e-10)
    assert (placed.n_features, placed.n_targets) == (H.shape[1], 4)


def test_models_of_different_classes_merge_after_placing():
    rng = np.random.default_rng(0)
    H, y = rng.random((40, 3)), rng.integers(0, 3, 40)
    first, second = y < 2, y > 0
    first[y == 1] = rng.random((y == 1).sum()) < 0.5
    second &= ~first
    one = Moments.of(H[first], np.eye(2)[y[first]]).place_targets(3, [0, 1])
    two = Moments.of(H[second], np.eye(2)[y[second] - 1]).place_targets(3, [1, 2])
    assert_moments(one.merge(two), H, np.eye(3)[y], tolerance=1e-12)


@pytest.mark.parametrize("operation", ["merge", "subtract"])
def test_moments_of_other_columns_do_not_go_together(operation):
    with pytest.raises(MergeError, match=r"3 features and 1 targets do not go with .* 2 features"):
        getattr(Moments.zero(3, 1), operation)(Moments.zero(2, 1))


def test_more_weight_than_there_is_cannot_be_taken_away():
    H, T = np.ones((3, 2)), np.ones(3)
    with pytest.raises(MergeError, match="weight 3 from 2"):
        Moments.of(H[:2], T[:2]).subtract(Moments.of(H, T))
    with pytest.raises(MergeError, match="more rows of class 'b' than there are: -1"):
        ClassCounts.of(["a", "b"]).subtract(ClassCounts.of(["b", "b"]))


def test_pickling_moments_keeps_all_and_stores_half():
    H, T = linear(100, 200, 3)
    fold = Moments.of(H, T)
    stored = pickle.dumps(fold)
    assert len(stored) < 0.55 * fold.second.nbytes
    back = pickle.loads(stored)
    np.testing.assert_array_equal(back.second, fold.second)
    np.testing.assert_array_equal(back.sums, fold.sums)
    np.testing.assert_array_equal(back.shift, fold.shift)
    assert back.second.flags.f_contiguous
    assert (back.weight, back.n_features, back.n_targets) == (100.0, 200, 3)
    back.add(np.array(np.vstack([H.T, T.T])), T)
    assert_same(back, Moments.of(np.vstack([H, H]), np.vstack([T, T])))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_adding_a_chunk_copies_nothing_of_its_size(dtype, weighted):
    n_rows, size = 20_000, 60
    rng = np.random.default_rng(0)
    columns = rng.random((size + 2, n_rows)).astype(dtype)
    H, T = columns[:size].T.copy(), rng.random((n_rows, 2))
    weight = rng.random(n_rows) if weighted else None
    fold = Moments.zero(size, 2)
    fold.add(columns[:, :100].copy(), T[:100], None if weight is None else weight[:100])
    tracemalloc.start()
    fold.add(columns, T, weight)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Some vectors of the rows, the targets less their shift, and a triangle in float32.
    assert peak < 8 * (4 * n_rows + 2 * T.size + 2 * size**2)
    assert peak < columns.nbytes / 3 or dtype == np.float32
    assert not np.array_equal(columns[:size].T, H)  # used as scratch


@pytest.mark.parametrize("H", [np.ones((3, 2)), np.ones((3, 2), int), [[1, 1]] * 3])
@pytest.mark.parametrize("T", [np.ones(3), np.ones((3, 1), bool), [1, 1, 1]])
def test_moments_take_lists_and_any_real_dtype(H, T):
    assert_moments(Moments.of(H, T), np.ones((3, 2)), np.ones((3, 1)))


def test_the_first_chunk_settles_the_shift_near_the_mean():
    H, T = linear(50, 4, 1)
    weight = np.arange(50.0)
    fold = Moments.of(H, T, weight)
    np.testing.assert_allclose(fold.shift, oracles.column_mean(np.hstack([H, T]), weight))


# ----------------------------------------------------------------------------- columns


@given(X=tables())
def test_extrema_are_those_of_numpy(X):
    fold = Extrema.of(X)
    np.testing.assert_array_equal(fold.minimum, X.min(axis=0))
    np.testing.assert_array_equal(fold.maximum, X.max(axis=0))
    np.testing.assert_array_equal(fold.width, X.max(axis=0) - X.min(axis=0))
    np.testing.assert_array_equal(Extrema.zero(3).width, np.zeros(3))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, bool])
def test_extrema_and_marginals_of_other_dtypes_are_float64(dtype):
    X = np.array([[0, 1], [1, 1], [1, 0], [1, 1]]).astype(dtype)
    extrema, marginals = Extrema.of(X), Marginals.of(X)
    assert extrema.minimum.dtype == extrema.maximum.dtype == np.float64
    assert marginals.mean.dtype == np.float64
    np.testing.assert_allclose(marginals.mean, [0.75, 0.75])
    np.testing.assert_allclose(marginals.variance, [0.1875, 0.1875])


def test_the_width_of_small_integers_does_not_wrap():
    assert Extrema.of(np.int8([[-128], [127]])).width == 255


@given(data=st.data(), X=tables())
def test_marginals_are_weighted_means_and_variances(data, X):
    weight = data.draw(st.none() | st.lists(st.floats(0.1, 9), min_size=len(X), max_size=len(X)))
    fold = Marginals.of(X, weight)
    scale = np.abs(X).max(axis=0) + 1e-300
    w = oracles.weights_or_ones(X, weight)
    assert (np.abs(fold.mean - oracles.column_mean(X, weight)) <= 1e-13 * scale).all()
    spread = oracles.column_spread(X, weight)
    assert (np.abs(fold.spread - spread) <= 1e-12 * w.sum() * scale**2).all()
    assert (np.abs(fold.variance - spread / w.sum()) <= 1e-12 * scale**2).all()


def test_marginals_far_from_zero_keep_their_digits():
    deviations = np.random.default_rng(0).normal(size=(1000, 2)) * [1.0, 1e-3]
    X = 1e6 + deviations
    parts = [Marginals.of(X[start : start + 77]) for start in range(0, 1000, 77)]
    exact = (X - 1e6).var(axis=0)
    np.testing.assert_allclose(merged(parts, lambda k: 0).variance, exact, rtol=1e-8)
    np.testing.assert_allclose(Marginals.of(X).variance, exact, rtol=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1, -1e-9])
def test_a_constant_column_has_exactly_no_spread(value):
    fold = Marginals.of(np.full((1000, 1), value), np.random.default_rng(0).random(1000))
    assert fold.spread == 0
    assert fold.mean == value


@given(
    first=st.lists(st.sampled_from(LABELS)),
    second=st.lists(st.sampled_from(LABELS)),
)
def test_class_counts_are_counts(first, second):
    fold = ClassCounts.of(first).merge(ClassCounts.of(second))
    found = dict(zip(fold.classes.tolist(), fold.counts.tolist(), strict=True))
    assert found == {label: (first + second).count(label) for label in {*first, *second}}
    assert fold.classes.tolist() == sorted(found)


def test_known_classes_without_rows_count_0():
    fold = ClassCounts.zero(["b", "a", "a"]).merge(ClassCounts.of(["b"]))
    assert fold.classes.tolist() == ["a", "b"]
    assert fold.counts.tolist() == [0.0, 1.0]
