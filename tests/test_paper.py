"""Structures of the paper's tables, and the networks they make."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from densernn.errors import DataError, ParameterError
from densernn.paper import (
    classifier1,
    classifier2,
    classifier3,
    classifier4,
    classifier5,
    from_structure,
    parse_structure,
)
from densernn.solvers import FistaSolver, RidgeSolver

IMAGES, LABELS = load_digits(return_X_y=True)


@pytest.mark.parametrize(
    ("text", "classifier", "inputs", "sources", "sizes", "replicas", "hidden", "outputs"),
    [
        ("784-500-5000-10", 2, 784, 1, (500,), (1,), 5000, 10),
        ("784-700-700-8000-10", 1, 784, 1, (700, 700), (1, 1), 8000, 10),
        ("784 − 10000 − 10", 2, 784, 1, (), (), 10000, 10),
        ("2048-1000-5", 1, 2048, 1, (), (), 1000, 5),
        ("2x28-1000-10000-2", 2, 56, 1, (1000,), (1,), 10000, 2),
        ("28-5000-2", 2, 28, 1, (), (), 5000, 2),
        ("2 x 7-10000-2", 2, 14, 1, (), (), 10000, 2),
        ("2×32×32−2×50−2000−5", 3, 2048, 2, (50,), (2,), 2000, 5),
        ("2x32x32-2x1000-10000-5", 3, 2048, 2, (1000,), (2,), 10000, 5),
        ("2x32x32-2x5x50-2000-5", 4, 2048, 2, (50,), (10,), 2000, 5),
        ("2x32x32-80x500-10x10-10000-5", 4, 2048, 2, (500, 10), (80, 10), 10000, 5),
        ("2x32x32-10x100-80x10-5", 5, 2048, 2, (100, 10), (10, 80), None, 5),
        ("2x32x32-2x5x50-5", 5, 2048, 2, (50,), (10,), None, 5),
        ("216+76+64-6x100-1000-10", 4, 356, 3, (100,), (6,), 1000, 10),
    ],
)
def test_structures_of_the_paper(
    text, classifier, inputs, sources, sizes, replicas, hidden, outputs
):
    found = parse_structure(text, classifier)
    assert (found.n_inputs, found.n_sources) == (inputs, sources)
    assert (found.encoder_sizes, found.replicas) == (sizes, replicas)
    assert (found.n_hidden, found.n_outputs) == (hidden, outputs)


@pytest.mark.parametrize(
    ("text", "classifier", "message"),
    [
        ("784-5o0-5000-10", 2, "part 2, '5o0'"),
        ("784-500-0-10", 2, "part 3, '0'"),
        ("784--5000-10", 2, "part 2, ''"),
        ("784-500-5000-", 1, "part 4, ''"),
        ("784x-500-10", 2, "part 1, '784x'"),
        ("784-1_000-10", 2, "part 2, '1_000'"),
        ("10++4-2x5-30-10", 3, "part 1, ''"),
        ("10+4-5-30-10", 2, "part 1, '10.4'"),
        ("784-10", 2, "needs 3 parts"),
        ("2x32x32-2000-5", 3, "needs 4 parts"),
        ("784-2x500-5000-10", 2, "part 2 must be a single number"),
        ("2x32x32-2x50-2x2000-5", 4, "part 3 must be a single number"),
        ("784-500-5000-10", 3, "part 1 must be sources times inputs"),
        ("2x32x32-3x50-2000-5", 4, "part 2 has 3 encoders"),
        ("2x32x32-50-2000-5", 3, "part 2 has 1 encoders"),
        ("2x32x32-2x5x50-2000-5", 3, "one encoder per source"),
        ("2x32x32-20x50-14x10-2000-5", 4, "divide one another"),
        ("784-500-5000-10", 6, "classifier must be one of"),
        (784, 2, "must be text"),
    ],
)
def test_malformed_structures_point_at_the_part(text, classifier, message):
    with pytest.raises(ParameterError, match=message):
        parse_structure(text, classifier)


@pytest.mark.parametrize(
    ("make", "structure"),
    [
        (classifier1, "64-20-200-10"),
        (classifier2, "64-20-200-10"),
        (classifier2, "64-20-15-200-10"),
        (classifier2, "64-200-10"),
        (classifier3, "2x32-2x15-200-10"),
        (classifier4, "2x32-6x15-2x10-200-10"),
        (classifier5, "2x32-2x3x15-10"),
    ],
)
def test_published_classifiers_learn_digits(make, structure):
    model = make(structure, random_state=0).fit(IMAGES[:1200], LABELS[:1200])
    assert model.score(IMAGES[1200:], LABELS[1200:]) > 0.85


def test_options_reach_the_network():
    model = from_structure("64-20-200-10", 2, encoder="ridge", kappa=1e-7, lam=0.01, alpha=0.5)
    assert model.encoder == RidgeSolver(1e7)
    assert (model.cluster.lambda_plus, model.cluster.lambda_minus) == (0.01, 0.01)
    assert (model.alpha, model.weights) == (0.5, "dense")
    one = from_structure("64-20-200-10", classifier=1)
    assert one.encoder == FistaSolver(1e-3, True, 0.0, 150, "published")


def test_sources_of_unequal_widths_are_written_with_plus_signs():
    model = classifier3("10+6x9-2x15-100-10", random_state=0).fit(IMAGES[:500], LABELS[:500])
    assert [part.n_inputs for part in model.feature_map_.layers[0].parts] == [10, 54]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"classifier": 1, "encoder": "ridge"}, "Classifier-1"),
        ({"encoder": "lasso"}, "encoder must be one of"),
        ({"kappa": 0.0, "encoder": "ridge"}, "kappa must be"),
        ({"kappa": 1.0}, "kappa goes with"),
        ({"lam": -1.0}, "lambda_plus > 0"),
    ],
)
def test_options_that_do_not_go_are_refused(options, text):
    with pytest.raises(ParameterError, match=text):
        from_structure("64-20-200-10", **options)


def test_data_that_do_not_fit_are_refused():
    plan = parse_structure("784-500-5000-10")
    with pytest.raises(DataError, match="784 inputs, and the data have 64 columns"):
        plan.check(64, 10)
    with pytest.raises(DataError, match="10 outputs, and the data have 3 classes"):
        plan.check(784, 3)


def test_a_structure_binds_the_model_to_its_inputs_and_its_classifier():
    with pytest.raises(ParameterError, match="within the 64 columns"):
        classifier2("784-20-60-10").fit(IMAGES, LABELS)
    with pytest.raises(ParameterError, match="in no view"):
        classifier2("60-20-60-10").fit(IMAGES, LABELS)
    with pytest.raises(ParameterError, match="read as that of Classifier-2: classifier is 5"):
        from_structure(parse_structure("64-20-60-10"), classifier=5)


def test_the_pure_network_is_the_published_random_layer():
    model = from_structure("64-300-10", random_state=0).fit(IMAGES[:800], LABELS[:800])
    (layer,) = model.feature_map_.layers
    assert layer.offset is not None
    inputs = model.feature_map_.prepare(IMAGES[:800])
    assert np.isclose(layer.preactivation(inputs).max(), 0.1, rtol=1e-5)
