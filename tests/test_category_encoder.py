"""Categories as numbers, against scikit-learn's encoder, grouped means and copies of rows."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from densernn import RNNELMClassifier, RNNELMRegressor, RNNForestClassifier, load, save
from densernn.category_encoder import MOST_SHOWN, SHRUNK, CategoryEncoder
from densernn.errors import UnknownCategoryWarning

SEEDS = st.integers(0, 2**31)


@given(seed=SEEDS, size=st.integers(3, MOST_SHOWN))
def test_few_categories_are_one_hot(seed, size):
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(100) % size).astype(float)[:, None]
    encoder = CategoryEncoder.learn(codes, rng.normal(size=(100, 1)), np.ones(100), (size,))
    expected = OneHotEncoder(sparse_output=False).fit_transform(codes)
    np.testing.assert_array_equal(encoder.forward(codes), expected)


@given(seed=SEEDS, size=st.integers(MOST_SHOWN + 1, 30))
def test_many_categories_are_shrunk_mean_targets(seed, size):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(size), 20).astype(float)
    y = rng.normal(size=size)[codes.astype(int)] + rng.normal(size=len(codes))
    encoder = CategoryEncoder.learn(codes[:, None], y[:, None], np.ones(len(y)), (size,))
    found = encoder.forward(codes[:, None])[:, 0]
    grouped = pd.Series(y).groupby(codes)
    n, mean = grouped.transform("size"), grouped.transform("mean")
    expected = n / (n + SHRUNK) * (mean - y.mean())
    # Of one target, the direction is that of the target up to its sign.
    np.testing.assert_allclose(found * np.sign(found @ expected), expected, atol=1e-9)


@given(seed=SEEDS)
def test_a_weight_of_k_is_k_copies(seed):
    rng = np.random.default_rng(seed)
    codes, y = rng.integers(0, 12, (300, 1)).astype(float), rng.normal(size=(300, 2))
    counts = rng.integers(1, 4, 300)
    weighed = CategoryEncoder.learn(codes, y, counts.astype(float), (12,))
    copied = CategoryEncoder.learn(
        np.repeat(codes, counts, axis=0), np.repeat(y, counts, axis=0), np.ones(counts.sum()), (12,)
    )
    np.testing.assert_allclose(weighed.tables[0], copied.tables[0], atol=1e-9)


def test_rare_categories_are_one_with_those_of_tomorrow():
    codes = np.array([0.0] * 500 + [1.0] * 500 + [2.0] * 3 + [3.0] * 2)[:, None]
    encoder = CategoryEncoder.learn(codes, np.zeros((1005, 1)), np.ones(1005), (4,))
    found = encoder.forward(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]))
    assert (found[2] == found[3]).all()
    assert (found[3] == found[4]).all()
    assert len(np.unique(found, axis=0)) == 3
    assert encoder.unknown(np.array([[4.0], [2.0]])) == {0: 1}


def coloured(n_rows=400, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n_rows),
            "town": rng.choice([f"town {j:02d}" for j in range(15)], n_rows),
            "one": "same",
        }
    )
    effect = frame.town.str[-2:].astype(int) % 3
    return frame, (frame.x + effect > 1).map({True: "yes", False: "no"}).to_numpy(), effect


@pytest.mark.parametrize(
    "model", [RNNForestClassifier(4, random_state=0), RNNELMClassifier(100, random_state=0)]
)
def test_names_of_categories_do_not_matter(model):
    frame, y, _ = coloured()
    expected = model.fit(frame, y).predict_proba(frame)
    assert model.score(frame, y) > 0.85
    names = dict(zip(sorted(frame.town.unique()), list("pofndkeajqbcmlz"), strict=True))
    renamed = frame.assign(town=frame.town.map(names))
    np.testing.assert_allclose(model.fit(renamed, y).predict_proba(renamed), expected, atol=1e-9)


def test_categories_of_values_classes_and_labels(tmp_path):
    frame, y, effect = coloured()
    values = RNNELMRegressor(100, random_state=0).fit(frame, effect + frame.x)
    assert values.score(frame, effect + frame.x) > 0.9
    both = np.stack([y == "yes", effect == 1], axis=1).astype(int)
    labels = RNNForestClassifier(4, random_state=0).fit(frame, both)
    assert labels.score(frame, both) > 0.8
    for model in (values, labels):
        save(model, tmp_path / "m.skops")
        np.testing.assert_array_equal(
            load(tmp_path / "m.skops").predict(frame), model.predict(frame)
        )


def test_a_new_category_is_told_of_once_and_counted():
    frame, y, _ = coloured()
    model = RNNELMClassifier(50, random_state=0).fit(frame, y)
    frame.loc[:2, "town"] = ["new", "newer", "new"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.predict(frame)
    assert [str(one.message)[-24:] for one in told] == ["in column 'town' (3 rows)"[-24:]]
    assert told[0].category is UnknownCategoryWarning


@pytest.mark.parametrize("model", [RNNForestClassifier(2), RNNELMClassifier(50)])
def test_fifty_thousand_categories_are_a_few_columns(model):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"who": [f"p{j}" for j in rng.integers(0, 50_000, 60_000)]})
    frame["x"] = rng.normal(size=60_000)
    y = (frame.x > 0).astype(int)
    model.set_params(random_state=0).fit(frame, y)
    assert model.category_encoder_.n_outputs <= 4
    assert model.score(frame, y) > 0.9
