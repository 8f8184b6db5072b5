"""Matplotlib's pyplot, imported when a figure is drawn."""

from __future__ import annotations

from typing import Any


def pyplot() -> Any:
    """Return ``matplotlib.pyplot``, or raise an error that explains how to install it."""
    try:
        from matplotlib import pyplot as found  # noqa: PLC0415 - optional, and slow to load
    except ImportError as error:
        raise ImportError(
            "figures need matplotlib, which is not installed: pip install 'densernn[plot]'"
        ) from error
    return found
