"""The models that tables are learned with: each at its defaults and at one stated tuned setting.

Nothing is set by looking at the tables: tuned settings are those that the models' own
documentation or common practice name for more accuracy at more cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn import ensemble, linear_model, neural_network
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from densernn import RNNForestClassifier, RNNForestRegressor


def _hist(labelled: bool, **options: Any) -> Any:
    kind = ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor
    return kind[not labelled](random_state=0, **options)


def _lightgbm(labelled: bool, **options: Any) -> Any:
    import lightgbm

    kind = lightgbm.LGBMClassifier, lightgbm.LGBMRegressor
    return kind[not labelled](n_jobs=1, random_state=0, verbose=-1, **options)


def _xgboost(labelled: bool, **options: Any) -> Any:
    import xgboost

    kind = xgboost.XGBClassifier, xgboost.XGBRegressor
    return kind[not labelled](n_jobs=1, random_state=0, **options)


def _extra_trees(labelled: bool, **options: Any) -> Any:
    kind = ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor
    return kind[not labelled](random_state=0, **options)


def _random_forest(labelled: bool, **options: Any) -> Any:
    kind = ensemble.RandomForestClassifier, ensemble.RandomForestRegressor
    return kind[not labelled](random_state=0, **options)


def _linear(labelled: bool, tuned: bool = False) -> Any:
    if labelled:
        if tuned:
            model = linear_model.LogisticRegressionCV(
                l1_ratios=(0,), use_legacy_attributes=False, max_iter=1000
            )
        else:
            model = linear_model.LogisticRegression(max_iter=1000)
    else:
        model = linear_model.RidgeCV() if tuned else linear_model.Ridge()
    return make_pipeline(StandardScaler(), model)


def _mlp(labelled: bool, **options: Any) -> Any:
    kind = neural_network.MLPClassifier, neural_network.MLPRegressor
    return make_pipeline(StandardScaler(), kind[not labelled](random_state=0, **options))


def _forest(labelled: bool, **options: Any) -> Any:
    return (RNNForestClassifier if labelled else RNNForestRegressor)(random_state=0, **options)


SLOW_AND_MANY = {"learning_rate": 0.05, "n_estimators": 500}

PEERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "RNNForest": (_forest, {"n_trees": 48}),
    "HistGradientBoosting": (
        _hist,
        {"learning_rate": 0.05, "max_iter": 500, "early_stopping": True},
    ),
    "LightGBM": (_lightgbm, {**SLOW_AND_MANY, "min_child_samples": 10, "subsample": 0.8,
                             "subsample_freq": 1, "colsample_bytree": 0.8}),
    "XGBoost": (_xgboost, {**SLOW_AND_MANY, "subsample": 0.8, "colsample_bytree": 0.8}),
    "ExtraTrees": (_extra_trees, {"n_estimators": 500, "min_samples_leaf": 2}),
    "RandomForest": (_random_forest, {"n_estimators": 500, "min_samples_leaf": 2}),
    "linear": (_linear, {"tuned": True}),
    "MLP": (_mlp, {"hidden_layer_sizes": (256, 256), "early_stopping": True, "alpha": 1e-3}),
}  # fmt: skip
"""How each model is made, and its tuned setting."""


def make_peer(name: str, labelled: bool, tuned: bool) -> Any:
    """Return a model, not fitted."""
    make, setting = PEERS[name]
    return make(labelled, **(setting if tuned else {}))
