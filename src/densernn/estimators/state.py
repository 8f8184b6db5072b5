"""Attributes of models: what goes into a file, and undoing changes that fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_MOMENTS: ContextVar[bool | None] = ContextVar("densernn_saving_moments", default=None)


@contextmanager
def saving(*, moments: bool) -> Iterator[None]:
    """Inside, models return their state solved, and with or without their moments.

    A model may sit deep inside a pipeline or an ensemble, whose state only the serialiser
    walks through: so a context variable carries the choice.
    """
    token = _MOMENTS.set(moments)
    try:
        yield
    finally:
        _MOMENTS.reset(token)


def moments_wanted() -> bool | None:
    """Return whether moments are to be saved; None where nothing is being saved."""
    return _MOMENTS.get()


def store_params(model: Any, arguments: dict[str, Any]) -> None:
    """Store the arguments of ``__init__``, given as its ``locals()``, as attributes, unchanged."""
    vars(model).update(arguments)
    del vars(model)["self"]


@contextmanager
def unchanged_by_errors(estimator: Any) -> Iterator[None]:
    """Put all attributes of an estimator back if an error, or Ctrl-C, comes inside.

    What attributes hold is not copied: moments that rows are added to in place stay changed.
    """
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise
