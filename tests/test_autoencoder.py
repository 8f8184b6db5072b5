"""RNNAutoencoder: its cost, its laws, its units, and what it says."""

import warnings

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from densernn import Cluster, RNNAutoencoder, UnitScaler, load, save
from densernn.datasets import load_mnist
from densernn.errors import (
    ConvergenceWarning,
    DataError,
    DatasetNotFoundError,
    InterruptedWarning,
    NegativeInputError,
    ParameterError,
)
from densernn.estimators import descents
from densernn.estimators.autoencoder_spec import AutoencoderSpec
from densernn.persistence import describe
from densernn.sources.arrays import ArraySource

METHODS = ("rnn-elm", "spiking", "ridge")
ITERATIVE = METHODS[:2]


def digits(n_rows=200):
    return load_digits().data[:n_rows]


def autoencoder(method="rnn-elm", **options):
    return RNNAutoencoder(
        **{"n_hidden": 8, "method": method, "max_iter": 15, "tol": 0, "random_state": 0} | options
    )


def cost_by_hand(model, X, weight=None):
    """The cost that the model says it has, from its codes and weights."""
    Z = X if model.feature_map_.preparation is None else model.feature_map_.preparation.transform(X)
    rebuilt = model.transform(X).astype(float) @ model.decoder_weights_
    if model.method == "spiking":
        rebuilt = model.feature_map_.layers[0].cluster.zeta(rebuilt)
    errors = ((Z - rebuilt) ** 2).sum(axis=1)
    return float(oracles.weights_or_ones(X, weight) @ errors)


# ----------------------------------------------------------------------------- cost


@pytest.mark.parametrize("method", ITERATIVE)
@given(seed=st.integers(0, 2**31), n_rows=st.integers(2, 30), data=st.data())
def test_the_cost_never_rises_and_weights_stay_nonnegative(method, seed, n_rows, data):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, data.draw(st.integers(1, 6))))
    model = autoencoder(
        method,
        n_hidden=data.draw(st.integers(1, 5)),
        random_state=seed,
        max_iter=8,
        input_scale=data.draw(st.sampled_from(["auto", 1e-3, 1.0, None])),
        max_exponent=data.draw(st.sampled_from([1.0, np.inf])),
    ).fit(X)
    assert (np.diff(model.cost_) <= 0).all()
    assert (model.weights_ >= 0).all()
    assert np.isfinite(model.decoder_weights_).all()
    assert model.cost_.size == model.n_iter_ + 1 == model.exponents_.size + 1
    if method == "spiking":
        assert (model.decoder_weights_ >= 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_cost_is_that_of_the_weights(method, dtype):
    X = digits()
    model = autoencoder(method, dtype=dtype, alpha=1e-3).fit(X)
    penalty = 1e-3 * np.sum(model.decoder_weights_**2) if method != "spiking" else 0.0
    rtol = 1e-9 if dtype == "float64" else 1e-3
    assert np.isclose(model.cost_[-1], cost_by_hand(model, X) + penalty, rtol=rtol)
    assert np.isclose(-model.score(X) * X.size, cost_by_hand(model, X), rtol=1e-5)
    assert model.feature_map_.dtype == dtype


@pytest.mark.parametrize(("method", "factor"), [("rnn-elm", 1.5), ("spiking", 10.0)])
def test_learning_pays(method, factor):
    model = autoencoder(method, max_iter=60).fit(digits(500))
    assert model.cost_[0] > factor * model.cost_[-1]
    assert (model.decoder_weights_ < 0).any() == (method == "rnn-elm")


def test_exponents_beyond_the_published_step_are_faster():
    costs = [
        autoencoder("spiking", max_exponent=most, max_iter=40).fit(digits()).cost_[-1]
        for most in (1.0, np.inf)
    ]
    assert costs[1] < costs[0]


def test_comparison_variants_take_full_steps_and_may_climb():
    for variant in ("printed", "inverted"):
        model = autoencoder(variant=variant, max_iter=20).fit(digits())
        assert (np.diff(model.cost_) > 0).any()
        assert (model.exponents_ == 1).all()


def test_results_do_not_depend_on_the_chunk():
    X = digits(1000)
    whole, cut = (autoencoder(max_iter=3, memory_limit=limit).fit(X) for limit in (None, "0.4 MB"))
    assert AutoencoderSpec(cut).chunk_bytes(ArraySource(X)) < X.nbytes
    np.testing.assert_allclose(whole.cost_, cut.cost_, rtol=1e-9)
    np.testing.assert_allclose(whole.weights_, cut.weights_, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_weights_count_copies(method):
    X = digits(40)
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    weighted = autoencoder(method, max_iter=5, alpha=0.1).fit(X, sample_weight=weight)
    copies = autoencoder(method, max_iter=5, alpha=0.1).fit(np.repeat(X, weight.astype(int), 0))
    np.testing.assert_allclose(weighted.cost_, copies.cost_, rtol=1e-9)
    np.testing.assert_allclose(weighted.transform(X), copies.transform(X), rtol=1e-6)
    assert np.isclose(
        weighted.score(X, sample_weight=weight), copies.score(np.repeat(X, weight.astype(int), 0))
    )


# ----------------------------------------------------------------------------- stopping


def test_it_stops_at_its_tolerance_and_else_says_so():
    X = digits()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = autoencoder(tol=1e-2, max_iter=200).fit(X)
    assert 1 <= model.n_iter_ < 200
    with pytest.warns(ConvergenceWarning, match="raise max_iter or tol"):
        autoencoder(tol=1e-9, max_iter=3).fit(X)


@pytest.mark.parametrize("method", ITERATIVE)
def test_ctrl_c_leaves_the_iterations_that_were_done(method, monkeypatch):
    X = digits()
    expected = autoencoder(method, max_iter=3).fit(X)
    advance, done = descents.Descent.advance, []

    def interrupted(self, *arguments, **options):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return advance(self, *arguments, **options)

    monkeypatch.setattr(descents.Descent, "advance", interrupted)
    with pytest.warns(InterruptedWarning, match="after 3 of 15 iterations") as caught:
        model = autoencoder(method).fit(X)
    assert caught[0].filename == __file__
    assert model.n_iter_ == 3
    np.testing.assert_array_equal(model.cost_, expected.cost_)
    np.testing.assert_array_equal(model.transform(X), expected.transform(X))


def test_ctrl_c_before_there_is_anything_goes_through(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(descents.CodePass, "add", interrupted)
    model = autoencoder()
    with pytest.raises(KeyboardInterrupt):
        model.fit(digits())
    assert not hasattr(model, "feature_map_")


# ----------------------------------------------------------------------------- ridge


@pytest.mark.parametrize("alpha", ["auto", 1e-2, [1e-3, 1.0]])
def test_pieces_learn_what_the_whole_does(alpha):
    X = digits()
    X[0], X[1] = X.min(axis=0), X.max(axis=0)  # the first piece decides the preparation of input
    options = {"alpha": alpha, "input_scale": None}
    whole = autoencoder("ridge", **options).fit(X)
    parts = autoencoder("ridge", **options)
    for rows in np.split(X, [50, 51, 130]):
        parts.partial_fit(rows)
    np.testing.assert_array_equal(parts.transform(X), whole.transform(X))
    np.testing.assert_allclose(parts.cost_, whole.cost_, rtol=1e-6)
    np.testing.assert_allclose(
        parts.inverse_transform(parts.transform(X)),
        whole.inverse_transform(whole.transform(X)),
        atol=1e-3,
    )
    assert np.isclose(parts.alpha_, whole.alpha_)


def test_a_bad_piece_adds_nothing():
    X = digits() / 16
    model = autoencoder("ridge", preparation=None).partial_fit(X)
    cost = model.cost_
    with pytest.raises(NegativeInputError):
        model.partial_fit(np.vstack([X, -X]))
    np.testing.assert_array_equal(model.cost_, cost)
    fresh = autoencoder("ridge", preparation=None)
    with pytest.raises(NegativeInputError):
        fresh.partial_fit(-X)
    assert not hasattr(fresh, "feature_map_")


@pytest.mark.parametrize("method", ITERATIVE)
def test_iterative_methods_refuse_pieces(method):
    model = autoencoder(method)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="method='ridge', which has partial_fit"):
        model.partial_fit(digits())


def test_pieces_do_not_go_on_from_another_method():
    model = autoencoder("rnn-elm", max_iter=2).fit(digits()).set_params(method="ridge")
    with pytest.raises(DataError, match="another method"):
        model.partial_fit(digits())


def test_a_new_fit_forgets_the_method_before():
    X = digits()
    model = autoencoder("ridge").fit(X).set_params(method="spiking").fit(X)
    expected = autoencoder("spiking").fit(X)
    np.testing.assert_array_equal(model.cost_, expected.cost_)
    np.testing.assert_array_equal(model.decoder_weights_, expected.decoder_weights_)
    assert not hasattr(model, "moments_")
    assert not hasattr(model, "alpha_")


# ----------------------------------------------------------------------------- units


@pytest.mark.parametrize("method", METHODS)
def test_rebuilt_rows_are_in_their_own_units(method):
    X = 5.0 * digits() - 300.0
    model = autoencoder(method, n_hidden=32, max_iter=100).fit(X)
    rebuilt = model.inverse_transform(model.transform(X))
    assert rebuilt.shape == X.shape
    assert np.mean((rebuilt - X) ** 2) < 0.5 * np.mean((X - X.mean(axis=0)) ** 2)


def test_unit_scaler_inverts_itself():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3)) * [1e-6, 1.0, 1e6]
    X[:, 1] = 7.0
    for shared in (False, True):
        scaler = UnitScaler(shared=shared).fit(X)
        np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(X)), X, atol=1e-9)
    with pytest.raises(DataError, match="3"):
        scaler.inverse_transform(X[:, :2])


@pytest.mark.parametrize("preparation", [None, MinMaxScaler(), UnitScaler(shared=True)])
def test_other_preparations(preparation):
    X = digits() / 16
    model = autoencoder(preparation=preparation).fit(X)
    assert model.inverse_transform(model.transform(X)).shape == X.shape


def test_a_preparation_without_an_inverse_codes_but_does_not_rebuild():
    model = autoencoder(preparation="split").fit(digits())
    assert model.transform(digits()).shape == (200, 8)
    with pytest.raises(DataError, match="SplitScaler has no inverse_transform"):
        model.inverse_transform(model.transform(digits()))


# ----------------------------------------------------------------------------- contract


def test_it_is_a_transformer():
    X, y = load_digits(return_X_y=True)
    X, y = X[:400], y[:400]
    pipe = make_pipeline(autoencoder(n_hidden=32), MinMaxScaler(), RidgeClassifier(1e-3))
    assert pipe.fit(X, y).score(X, y) > 0.8
    names = pipe[0].get_feature_names_out()
    assert list(names[:2]) == ["rnnautoencoder0", "rnnautoencoder1"]
    assert clone(pipe[0]).get_params() == pipe[0].get_params()


def test_one_seed_one_model():
    first, second, other = (
        autoencoder(random_state=seed).fit(digits()).transform(digits()) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_a_cluster_for_each_unit():
    cluster = Cluster(n=np.arange(10, 18))
    model = autoencoder(cluster=cluster).fit(digits())
    assert model.feature_map_.layers[0].cluster == cluster
    assert (np.diff(model.cost_) <= 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("moments", [True, False])
def test_it_is_saved_and_loaded(method, moments, tmp_path):
    X = digits()
    model = autoencoder(method).fit(X)
    save(model, tmp_path / "model.skops", moments=moments)
    about = describe(tmp_path / "model.skops")
    assert (about["n_hidden"], about["preparation"], about["weights"]) == (8, "UnitScaler", "dense")
    again = load(tmp_path / "model.skops")
    codes = model.transform(X)
    np.testing.assert_array_equal(again.transform(X), codes)
    np.testing.assert_array_equal(again.inverse_transform(codes), model.inverse_transform(codes))
    np.testing.assert_array_equal(again.cost_, model.cost_)
    if method == "ridge" and moments:
        np.testing.assert_allclose(again.partial_fit(X).cost_[0], 2 * model.cost_[0])
    elif method == "ridge":
        with pytest.raises(DataError, match="moments=False"):
            again.partial_fit(X)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"method": "adam"}, "method must be one of"),
        ({"variant": "x"}, "variant must be one of"),
        ({"max_iter": 0}, "max_iter must be a whole number"),
        ({"tol": -1.0}, "tol must be at least 0"),
        ({"max_exponent": 0.0}, "max_exponent must be above 0"),
        ({"n_hidden": 0}, "n_hidden must be a whole number"),
        ({"input_scale": -1.0}, "input_scale must be"),
        ({"dtype": "float16"}, "dtype must be"),
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": [0.1, 1.0]}, "takes one alpha"),
        ({"preparation": "x"}, "preparation must be"),
        ({"memory_limit": "1 KB"}, "memory_limit"),
        ({"method": "spiking", "cluster": Cluster(n=np.arange(10, 18))}, "arrays of 8"),
        ({"cluster": Cluster(n=np.arange(10, 13))}, "n_hidden is 8"),
    ],
)
def test_refuses_what_lies_outside(wrong, text):
    with pytest.raises(ParameterError, match=text):
        autoencoder(**wrong).fit(digits())


def test_codes_of_another_width_are_refused():
    model = autoencoder(max_iter=1).fit(digits())
    with pytest.raises(DataError, match="8 columns: X has 3"):
        model.inverse_transform(np.ones((2, 3)))


@pytest.mark.slow
def test_costs_of_real_digits():
    """The bar: 3,000 digits of MNIST, 50 clusters.  See docs/decisions/0006 for more seeds."""
    try:
        X = load_mnist(download=False).X_train[:3000]
    except DatasetNotFoundError:
        pytest.skip("MNIST is not in $DENSERNN_DATA")
    spiking = autoencoder("spiking", n_hidden=50, max_iter=200).fit(X)
    assert spiking.cost_[0] > 1e6
    assert spiking.cost_[-1] < 2.7e4  # what the published steps reach from a small start
    signed = autoencoder("rnn-elm", n_hidden=50, max_iter=150, input_scale=0.1).fit(X)
    for model in (spiking, signed):
        assert (np.diff(model.cost_) <= 0).all()
        assert (model.exponents_ >= 1).all()
    learned = autoencoder("rnn-elm", n_hidden=50, max_iter=200).fit(X)
    values = np.linalg.svd(X / 255.0, compute_uv=False)
    assert learned.cost_[-1] < 1.1 * np.sum(values[50:] ** 2)
    printed = autoencoder(n_hidden=50, max_iter=30, variant="printed").fit(X)
    assert printed.cost_[-1] > printed.cost_[0]
