"""Tell which category a cell names, however its number or truth value is written."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

TRUTH = {"false": "False", "true": "True"}
"""Truth values in lower case, and as all kinds of file name them."""


def find(text: str, known: tuple[str, ...]) -> int | None:
    """Return the number of a category among the known ones, None if it is none of them.

    Where all of these are numbers, or all truth values, it need not be written alike.

    Examples
    --------
    >>> find("1.0", ("0", "1")), find("1.0", ("no", "1")), find("TRUE", ("False", "True"))
    (1, None, 1)
    """
    read, numbers = _by_value(known)
    value = read(text)
    return None if value is None else numbers.get(value)


def as_named(values: Iterable[str]) -> tuple[str, ...]:
    """Return categories sorted, by value if all are numbers, else as text.

    Of a number the shortest way to write it is kept, and truth values are ``False``, ``True``.
    """
    found = sorted(values, key=lambda text: (len(text), text))
    read: Callable[[str], Any] = _reader(found)
    named = {read(text): text for text in reversed(found)}
    names = (named[value] for value in sorted(named))
    return tuple(TRUTH[name.lower()] if read is _truth else name for name in names)


def distinct_values(known: Iterable[str]) -> int:
    """Return how many different categories there are."""
    return len(_by_value(tuple(known))[1])


@lru_cache(maxsize=256)
def _by_value(
    known: tuple[str, ...],
) -> tuple[Callable[[str], Hashable | None], dict[Hashable | None, int]]:
    read = _reader(known)
    return read, {read(text): i for i, text in enumerate(known)}


def _reader(known: Iterable[str]) -> Callable[[str], Hashable | None]:
    """Return what makes values of texts that are the same for the same category."""
    known = tuple(known)
    for read in (_number, _truth):
        if all(read(text) is not None for text in known):
            return read
    return str


def _number(text: str) -> Decimal | None:
    """Return a number as it is written, so that no two long ones are taken for one."""
    if "_" in text:  # Python reads 1_000, no CSV reader does
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _truth(text: str) -> str | None:
    word = text.strip().lower()
    return word if word in TRUTH else None
