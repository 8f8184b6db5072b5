"""The scikit-learn face: estimators and transformers."""

from densernn.estimators.elm import RNNELMClassifier, RNNELMRegressor
from densernn.estimators.features import ClusterFeatures

__all__ = ["ClusterFeatures", "RNNELMClassifier", "RNNELMRegressor"]
