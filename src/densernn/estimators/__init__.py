"""The scikit-learn face: estimators and transformers."""

from densernn.estimators.autoencoder import RNNAutoencoder
from densernn.estimators.classifier import RNNELMClassifier
from densernn.estimators.convolution import ConvolutionalClusters
from densernn.estimators.deep import DenseRNNClassifier, DenseRNNRegressor
from densernn.estimators.features import ClusterFeatures
from densernn.estimators.forest import RNNForestClassifier, RNNForestRegressor
from densernn.estimators.image import RNNImageClassifier
from densernn.estimators.regressor import RNNELMRegressor

__all__ = [
    "ClusterFeatures",
    "ConvolutionalClusters",
    "DenseRNNClassifier",
    "DenseRNNRegressor",
    "RNNAutoencoder",
    "RNNELMClassifier",
    "RNNELMRegressor",
    "RNNForestClassifier",
    "RNNForestRegressor",
    "RNNImageClassifier",
]
