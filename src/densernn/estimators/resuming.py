"""Checkpoints of estimators: parameters, data and version that a resumed training must share."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from numbers import Number
from typing import Any

import numpy as np

from densernn._version import VERSION
from densernn.engine.checkpoint import Checkpoint
from densernn.engine.engines import resolve_engine
from densernn.layers import digest_of
from densernn.sources.rows import RowSource

IGNORED_PARAMS = ("checkpoint", "engine", "random_state", "verbose")
"""Parameters that do not change the results of passes, or are compared in another way."""


def open_checkpoint(
    estimator: Any, source: RowSource, wanted: bool = True
) -> AbstractContextManager[Checkpoint | None]:
    """Return the checkpoint that ``checkpoint`` names, to be closed; None where it names none.

    Nor is there one where ``wanted`` is False: updates of a model are not resumed.

    Raises
    ------
    CheckpointError
        It is of other data, other parameters, another class or version, or in use.
    """
    if estimator.checkpoint is None or not wanted:
        return nullcontext()
    parameters = estimator.get_params(deep=False)
    shown = {name: _text(value) for name, value in parameters.items() if name not in IGNORED_PARAMS}
    seed = parameters.get("random_state")
    shown["random_state"] = _text(seed) if seed is None or isinstance(seed, Number) else "an object"
    data = source.identity()
    if hasattr(estimator, "feature_names_in_"):
        data["column names"] = digest_of(estimator.feature_names_in_.tolist())
    about = {
        "": {
            "estimator": type(estimator).__name__,
            "version": VERSION,
            "engine": resolve_engine(estimator.engine, source),
        },
        "parameter": shown,
        "data": data,
    }
    return Checkpoint(estimator.checkpoint, about)


def _text(value: Any) -> str:
    """Return a text that is equal for equal values: short ones themselves, else a digest."""
    if isinstance(value, np.generic):
        value = value.item()
    plain = isinstance(value, (str, Number, type(None)))
    listed = isinstance(value, (list, tuple)) and all(isinstance(v, (str, Number)) for v in value)
    return repr(value) if plain or listed else f"{type(value).__name__} {digest_of(value)}"
