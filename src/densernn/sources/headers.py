"""Header check: a first line of names, or of data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from densernn.errors import DataError
from densernn.sources.choice import Options
from densernn.sources.numerals import looks_numeric


def refuse_data(path: Path, names: Sequence[str], options: Options) -> None:
    """Raise a :class:`DataError` if what should be names looks like numbers of a row.

    Parameters
    ----------
    path : Path
    names : sequence of str
        The first line of a CSV file.
    options : Options
        What was asked for. A column found by its name shows that they are names.

    Notes
    -----
    Names may be numbers: places from 0 or 1 on, or wavelengths, which rise or fall: three at least.
    """
    if _asked_by_name(names, options):
        return
    numbers = [float(name) if looks_numeric(name) else None for name in names]
    others = _others(numbers, options)
    features = [number for number in others if number is not None]
    if not features or len(features) < len(others):
        return
    odd = any(number < 0 or not number.is_integer() for number in features)
    data = odd and not _monotonic(features)
    if None not in numbers:
        counted = any(numbers == [*range(at, at + len(numbers))] for at in (0, 1))
        chosen = len(others) < len(numbers)
        data = data or (not counted and (chosen or not _monotonic(features)))
    if data:
        raise DataError(f"{path}: {hint(names)}")


def hint(names: Sequence[str]) -> str:
    """Say what to do about a first line of data."""
    shown = ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")
    return (
        f"line 1 looks like data ({shown}), not names: say header=False (--no-header on the "
        "command line) or give names="
    )


def all_numbers(names: Sequence[str]) -> bool:
    """Whether no name is anything but a number."""
    return all(map(looks_numeric, names))


def _asked_by_name(names: Sequence[str], options: Options) -> bool:
    """Whether a column that is asked for is found by a name that is no number."""
    columns = options.columns or ()
    if columns and all(column in names for column in columns):
        return True  # of wavelengths, say
    weight = () if options.weight is None else (options.weight,)
    asked = (
        *columns,
        *(options.targets or ()),
        *weight,
        *(name for name, _ in options.categorical),
    )
    words = {name for name in asked if isinstance(name, str) and not all_numbers([name])}
    return bool(words & set(names))


def _others(numbers: list[float | None], options: Options) -> list[float | None]:
    """Leave out those of targets and weight that are chosen by their place."""
    places = {
        column % len(numbers)
        for column in (*(options.targets or ()), options.weight)
        if isinstance(column, int) and -len(numbers) <= column < len(numbers)
    }
    return [number for j, number in enumerate(numbers) if j not in places]


def _monotonic(numbers: list[float]) -> bool:
    """Whether numbers rise all the way, or fall; of fewer than three that says nothing."""
    pairs = list(pairwise(numbers))
    if len(pairs) < 2:
        return False
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)
