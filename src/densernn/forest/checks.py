"""Checks of arrays from files, which kernels follow without a look at bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def are_arrays(found: Iterable[Any], kind: str, n_axes: int) -> bool:
    """Return whether all are arrays of one kind of number, "i" or "f", and of so many axes."""
    return all(
        isinstance(array, np.ndarray)
        and array.dtype.kind == kind
        and array.dtype.isnative
        and array.ndim == n_axes
        for array in found
    )
