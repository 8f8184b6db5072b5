"""The whole scikit-learn contract, without exemptions."""

import pytest
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    parametrize_with_checks,
)

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    DenseRNNRegressor,
    ImageSubsampler,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    RNNForestClassifier,
    RNNForestRegressor,
    SignSplitter,
    SplitScaler,
    UnitScaler,
    ZCAWhitener,
)


@parametrize_with_checks(
    [
        RNNELMClassifier(40),
        RNNELMClassifier(40, readout="logistic"),
        RNNELMRegressor(40, weights="dense"),
        DenseRNNClassifier((20, 10), 200, weights="dense", encoder="fista"),
        DenseRNNRegressor((20,), 200),
        RNNForestClassifier(8),
        RNNForestRegressor(8),
        ClusterFeatures(10),
        RNNAutoencoder(10),
        UnitScaler(),
        SplitScaler(),
        SignSplitter(),
        ImageSubsampler(),
        ZCAWhitener(),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        RNNELMClassifier(),
        RNNELMClassifier(weights="dense"),
        RNNELMRegressor(),
        RNNELMRegressor(weights="dense"),
        DenseRNNClassifier((5,), 40),
        ClusterFeatures(),
        ClusterFeatures(weights="dense"),
        RNNAutoencoder(),
        RNNAutoencoder(method="spiking"),
        RNNAutoencoder(method="ridge"),
        UnitScaler(shared=True),
        SignSplitter(negative="drop"),
        ImageSubsampler(step=1),
        ZCAWhitener(dtype="float64"),
    ]
)
def test_scikit_learn_contract_of_other_options(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        RNNELMClassifier(weights="dense"),
        DenseRNNClassifier((5,), 40),
        RNNAutoencoder(method="ridge"),
    ],
    ids=str,
)
def test_weights_equal_copies_and_zero_weights_none(estimator):
    """The check that tells most about solvers, on more networks than the whole contract."""
    check_sample_weight_equivalence_on_dense_data(type(estimator).__name__, estimator)
