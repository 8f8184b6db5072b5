"""Categories of cells, however their numbers or truth values are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias

Reader: TypeAlias = Callable[[str], Any]
"""Makes values of texts that are the same for the same category, None of what is none."""

MOST = 1 << 17
"""Categories of a column that are told apart: of more, the commonest ones."""

TRUTH = {"false": "False", "true": "True"}
"""Truth values in lower case, and as all kinds of file name them."""


def find(texts: Iterable[str], known: tuple[str, ...]) -> list[int | None]:
    """Return the numbers of categories among the known ones, None of what is none of them.

    Where all of these are numbers, or all truth values, others need not be written alike.

    Examples
    --------
    >>> find(["1.0"], ("0", "1")), find(["1.0"], ("no", "1")), find(["TRUE"], ("False", "True"))
    ([1], [None], [1])
    """
    # Looked up once: a hash of all known categories takes as long as they are many.
    read, numbers = _by_value(known)
    return [numbers.get(read(text)) for text in texts]


@lru_cache(maxsize=256)
def places(known: tuple[str, ...]) -> dict[str, int]:
    """Return the number of each category."""
    return {text: number for number, text in enumerate(known)}


class Vocabulary:
    """The categories of a column, counted block by block in bounded memory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.is_cut = False

    def add(self, counts: Iterable[tuple[str, int]]) -> None:
        """Count texts; once there are too many different ones, the rarest are dropped."""
        for text, count in counts:
            self.counts[text] += count
        if len(self.counts) > 2 * MOST:
            self._cut()

    def merge(self, other: Vocabulary) -> None:
        """Count what another vocabulary has counted."""
        self.is_cut |= other.is_cut
        self.add(other.counts.items())

    def known(self) -> tuple[str, ...]:
        """Return the categories, sorted."""
        if len(self.counts) > MOST:
            self._cut()
        return as_named(self.counts)

    def _cut(self) -> None:
        self.is_cut = True
        kept = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]
        self.counts = Counter(dict(kept))


def as_named(values: Iterable[str]) -> tuple[str, ...]:
    """Return categories sorted, by value if all are numbers, else as text.

    Of a number the shortest way to write it is kept, and truth values are ``False``, ``True``.
    """
    found = sorted(values, key=lambda text: (len(text), text))
    read = _reader(found)
    named = {read(text): text for text in reversed(found)}
    return tuple(value if read is _truth else named[value] for value in sorted(named))


def distinct_values(known: Iterable[str]) -> int:
    """Return how many different categories there are."""
    return len(_by_value(tuple(known))[1])


@lru_cache(maxsize=256)
def _by_value(known: tuple[str, ...]) -> tuple[Reader, dict[Any, int]]:
    read = _reader(known)
    return read, {read(text): i for i, text in enumerate(known)}


def _reader(known: Collection[str]) -> Reader:
    """Return what reads all categories: as numbers, as truth values, else as text."""
    for read in (_number, _truth):
        if None not in map(read, known):
            return read
    return str


def _number(text: str) -> Decimal | None:
    """Return a number as it is written, so that no two long ones are taken for one."""
    try:
        value = Decimal(text.replace("_", "x"))  # Python reads 1_000, no CSV reader does
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _truth(text: str) -> str | None:
    return TRUTH.get(text.strip().lower())
