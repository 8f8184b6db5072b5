"""Values of options that may be ``auto``, or several numbers."""

from __future__ import annotations

import math
from typing import Any

import click


class Alpha(click.ParamType):  # type: ignore[type-arg]
    """A penalty: ``auto``, a number, or several numbers separated by commas."""

    name = "alpha"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | float | tuple[float, ...]:
        """Return ``"auto"``, a number, or a tuple of numbers."""
        if value == "auto" or not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            numbers = tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is neither auto, nor a number, nor numbers with commas between")
        if not all(math.isfinite(number) and number >= 0 for number in numbers):
            self.fail(f"{value!r}: a penalty must be finite and at least 0")
        return numbers[0] if len(numbers) == 1 else numbers


class Auto(click.ParamType):  # type: ignore[type-arg]
    """``auto``, or a number above 0."""

    def __init__(self, kind: type[int] | type[float]) -> None:
        self.kind = kind
        self.name = "integer" if kind is int else "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | int | float:
        """Return ``"auto"`` or a number."""
        if value == "auto" or not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            number = self.kind(value)
        except ValueError:
            self.fail(f"{value!r} is neither auto nor a number")
        if not 0 < number < math.inf:
            self.fail(f"{value!r}: must be above 0")
        return number


class Sizes(click.ParamType):  # type: ignore[type-arg]
    """Whole numbers above 0, separated by commas."""

    name = "sizes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return a tuple of whole numbers."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        parts = value.split(",")
        if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
            self.fail(f"{value!r}: whole numbers above 0 with commas between, as 28,28")
        return tuple(int(part) for part in parts)
