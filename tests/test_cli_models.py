"""Which model the command line takes, its scores, and forests from files."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.ensemble import HistGradientBoostingClassifier

from densernn import RNNForestClassifier, RNNForestRegressor, load, open_rows
from densernn.cli import entry
from densernn.cli.options import ModelOptions
from densernn.datasets import load_digits

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(240, 3)), columns=["a", "b", "c"])
LABEL = np.where(TABLE["a"] * TABLE["b"] + 0.3 * RNG.normal(size=240) > 0, "yes", "no")
FEW = ("--n-trees=2", "--json")


@pytest.fixture
def here(tmp_path, monkeypatch):
    TABLE.assign(label=LABEL).to_csv(tmp_path / "labels.csv", index=False)
    TABLE.assign(value=TABLE["a"] ** 2 - TABLE["c"]).to_csv(tmp_path / "values.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def measured(call):
    """Run a command that must succeed; return the JSON object that it prints."""
    return lambda *args: json.loads(call(*args))


def options(**given):
    usual = {"weights": "sparse", "n_hidden": 1000, "fan_in": 16, "alpha": "auto"}
    usual |= {"dtype": "auto", "preprocess": "none", "seed": 0}
    return ModelOptions(**usual | given, given=frozenset(given))


@pytest.mark.parametrize("images", [True, False])
def test_auto_is_the_network_wherever_one_of_its_options_is_given(images):
    for name, value in (("n_hidden", 5), ("weights", "dense"), ("fan_in", 3), ("lam", 0.1)):
        assert options(**{name: value}).resolved(images).model == "rnn-elm"
    assert options(n_trees=3).resolved(images).model == "forest"
    assert options(alpha=0.1).resolved(images).model == ("image" if images else "forest")
    assert options(model="dense-rnn").resolved(images).model == "dense-rnn"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--model=forest --n-hidden=5", "--n-hidden: has no meaning for --model forest"),
        ("--model=rnn-elm --n-trees=5", "--n-trees: has no meaning for --model rnn-elm"),
        ("--n-trees=5 --weights=dense", "belong to networks"),
        ("--n-trees=0", "must be above 0"),
        ("--region-size=many", "neither auto nor a number"),
        ("--min-samples-leaf=0.5", "min_samples_leaf must be 'auto' or a number from 1 on"),
    ],
)
def test_options_of_another_model_are_refused(arguments, said, refuse):
    assert said in refuse("evaluate", "--dataset=digits", *arguments.split())


def test_scores_are_those_of_scikit_learn(here, measured):
    result = measured("evaluate", "labels.csv", "--target=label", *FEW, "-o", "m.skops")
    assert result["model_kind"] == "forest"
    digits = load_digits()
    ours = measured("evaluate", "--dataset=digits", *FEW, "-o", "d.skops")
    model = load("d.skops")
    probabilities = model.predict_proba(digits.X_test)
    assert ours["accuracy"] == model.score(digits.X_test, digits.y_test)
    assert ours["log_loss"] == pytest.approx(metrics.log_loss(digits.y_test, probabilities))
    assert "roc_auc" not in ours
    shares = np.bincount(digits.y_train) / len(digits.y_train)
    assert ours["baseline_log_loss"] == pytest.approx(-np.log(shares[digits.y_test]).mean())
    assert ours["baseline_accuracy"] == np.mean(digits.y_test == shares.argmax())
    assert 0.5 < result["roc_auc"] <= 1.0


def test_scores_of_values(here, measured):
    result = measured("evaluate", "values.csv", "--target=value", *FEW)
    assert result["r2"] > 0.5
    assert result["mae"] > 0
    assert result["baseline_r2"] <= 0 < result["baseline_mae"]


def test_several_seeds_give_means_and_deviations(here, measured):
    one = [
        measured("evaluate", "labels.csv", "--target=label", *FEW, "--seed", seed)
        for seed in (3, 4)
    ]
    both = measured("evaluate", "labels.csv", "--target=label", *FEW, "--seed=3", "--seeds=2")
    values = [result["log_loss"] for result in one]
    assert both["log_loss"] == pytest.approx(np.mean(values))
    assert both["log_loss_std"] == pytest.approx(np.std(values, ddof=1))
    assert both["seeds"] == 2


def test_beside_boosted_trees_on_the_same_rows(here, measured):
    result = measured("evaluate", "--dataset=digits", *FEW, "--beside-boosting")
    digits = load_digits()
    model = HistGradientBoostingClassifier(random_state=0).fit(digits.X_train, digits.y_train)
    assert result["boosting_accuracy"] == model.score(digits.X_test, digits.y_test)
    assert result["boosting_cpu_seconds"] > 0 < result["cpu_seconds"]


@pytest.mark.parametrize(
    ("name", "target", "kind"),
    [("labels", "label", RNNForestClassifier), ("values", "value", RNNForestRegressor)],
)
def test_a_forest_of_a_file_predicts_and_is_described(name, target, kind, here, measured, capsys):
    measured("fit", f"{name}.csv", f"--target={target}", "-o", "m.skops", "--stream", *FEW)
    model = load("m.skops")
    assert isinstance(model, kind)
    assert model.n_trees_ == 2
    about = measured("info", "m.skops", "--json")
    trees = model.feature_map_.trees
    assert about["n_regions"] == sum(len(tree.sizes) for tree in trees)
    assert about["n_clusters"] == sum(len(tree.above) for tree in trees)
    assert about["weight_learned"] == 240
    assert entry.run(["predict", "m.skops", f"{name}.csv"]) == 0
    said = capsys.readouterr().out.split()[1:]
    expected = model.predict(open_rows(f"{name}.csv", target))
    if target == "label":
        assert said == expected.tolist()
    else:
        np.testing.assert_allclose(np.array(said, float), expected)
