"""The whole scikit-learn contract, without exemptions."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from densernn import (
    ClusterFeatures,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    SplitScaler,
    UnitScaler,
)


@parametrize_with_checks(
    [
        RNNELMClassifier(),
        RNNELMClassifier(weights="dense"),
        RNNELMRegressor(),
        RNNELMRegressor(weights="dense"),
        ClusterFeatures(),
        ClusterFeatures(weights="dense"),
        RNNAutoencoder(),
        RNNAutoencoder(method="spiking"),
        RNNAutoencoder(method="ridge"),
        UnitScaler(),
        UnitScaler(shared=True),
        SplitScaler(),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
