"""Old names of attributes, which warn until they go."""

from __future__ import annotations

import warnings
from typing import Any

UNTIL = "0.6"
"""Version in which the names that version 0.4 replaced go."""


def renamed(old: str, new: str) -> Any:
    """Return a property that reads attribute ``new`` and warns that ``old`` goes."""

    def read(self: Any) -> Any:
        value = getattr(self, new)  # an attribute that is not there raises without a warning
        warnings.warn(
            f"{old} is now {new}: the old name goes in version {UNTIL}", FutureWarning, stacklevel=2
        )
        return value

    return property(read, doc=f"Old name of ``{new}``; goes in version {UNTIL}.")
