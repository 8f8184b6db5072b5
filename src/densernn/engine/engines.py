"""Choice of an engine: this machine, or a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from densernn.errors import ParameterError
from densernn.sources.arrays import ArraySource
from densernn.sources.rows import RowSource

NAMES = ("auto", "local", "dask")

Accumulate = Callable[..., Any]
"""Runs a pass; see :func:`densernn.engine.local.run_pass`."""


def resolve_engine(name: str, source: RowSource) -> str:
    """Return "local" or "dask".

    Parameters
    ----------
    name : {"auto", "local", "dask"}
        ``"auto"``: Dask for its own collections, and for other sources but arrays where a
        client is active; this machine else.
    source : RowSource

    Raises
    ------
    ParameterError
        The name is another.
    """
    if name not in NAMES:
        raise ParameterError(f"engine must be one of {NAMES}: it is {name!r}")
    if name != "auto":
        return name
    distributed = source.is_distributed or (
        not isinstance(source, ArraySource) and _client_is_active()
    )
    return "dask" if distributed else "local"


def dask_engine() -> Accumulate:
    """Return the function that runs a pass on a Dask cluster.

    Raises
    ------
    ParameterError
        Dask is not installed.
    """
    try:
        from densernn.engine.dask import run_on_dask  # noqa: PLC0415 - needs Dask
    except ImportError as error:
        raise ParameterError("engine='dask' needs Dask: pip install 'densernn[dask]'") from error
    return run_on_dask


def _client_is_active() -> bool:
    """Return whether there is a Dask client, and this is no task of its cluster already."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        pass
    else:
        return False
    try:
        distributed.default_client()
    except ValueError:
        return False
    return True
