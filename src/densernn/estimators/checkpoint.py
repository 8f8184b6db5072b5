"""What must be equal for an interrupted training to go on: parameters, data, version."""

from __future__ import annotations

from numbers import Number
from typing import Any

from densernn._version import VERSION
from densernn.engine.journal import Journal
from densernn.layers import digest_of
from densernn.sources.rows import RowSource

WITHOUT_SAY = ("checkpoint", "random_state", "verbose")
"""Parameters that do not change what passes make; the random state is compared if it can be."""


def open_journal(estimator: Any, source: RowSource) -> Journal | None:
    """Return the journal that ``checkpoint`` names, or None where it names none.

    Raises
    ------
    CheckpointError
        It is of other data, other parameters, another class or version.
    """
    if estimator.checkpoint is None:
        return None
    parameters = estimator.get_params(deep=False)
    told = {name: _text(value) for name, value in parameters.items() if name not in WITHOUT_SAY}
    seed = parameters.get("random_state")
    told["random_state"] = repr(seed) if seed is None or isinstance(seed, Number) else "an object"
    about = {
        "": {"estimator": type(estimator).__name__, "version": VERSION},
        "parameter": told,
        "data": source.identity(),
    }
    return Journal(estimator.checkpoint, about)


def _text(value: Any) -> str:
    """Return what tells a value from others: itself where it is short, else a digest."""
    plain = isinstance(value, (str, Number, type(None)))
    listed = isinstance(value, (list, tuple)) and all(isinstance(v, (str, Number)) for v in value)
    return repr(value) if plain or listed else f"{type(value).__name__} {digest_of(value)}"
