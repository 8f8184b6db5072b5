"""The whole scikit-learn contract, without exemptions."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from densernn import (
    ClusterFeatures,
    DenseRNNClassifier,
    DenseRNNRegressor,
    ImageSubsampler,
    RNNAutoencoder,
    RNNELMClassifier,
    RNNELMRegressor,
    SignSplitter,
    SplitScaler,
    UnitScaler,
    ZCAWhitener,
)


@parametrize_with_checks(
    [
        RNNELMClassifier(),
        RNNELMClassifier(weights="dense"),
        RNNELMRegressor(),
        RNNELMRegressor(weights="dense"),
        DenseRNNClassifier((5,), 40),
        DenseRNNClassifier((20, 10), 200, weights="dense", encoder="fista"),
        DenseRNNRegressor((20,), 200),
        ClusterFeatures(),
        ClusterFeatures(weights="dense"),
        RNNAutoencoder(),
        RNNAutoencoder(method="spiking"),
        RNNAutoencoder(method="ridge"),
        UnitScaler(),
        UnitScaler(shared=True),
        SplitScaler(),
        SignSplitter(),
        SignSplitter(negative="drop"),
        ImageSubsampler(),
        ImageSubsampler(step=1),
        ZCAWhitener(),
        ZCAWhitener(dtype="float64"),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
