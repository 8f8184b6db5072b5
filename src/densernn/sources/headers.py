"""Header check: a first line of names, or of data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import filterfalse
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
    Names of features may be numbers: places from 0 or 1 on or, if no column is chosen by its
    place, at least three that rise or fall, as wavelengths do. Else the first row would be lost.
    """
    columns = options.columns or ()
    others = (*(options.targets or ()), options.weight)
    words = set(filterfalse(looks_numeric, names))
    if words & {*columns, *others, *dict(options.categorical)}:
        return
    if columns and set(columns) <= set(names):  # of wavelengths, say
        return
    n_names = len(names)
    chosen = {names[i] for i in others if isinstance(i, int) and -n_names <= i < n_names}
    if words - chosen:
        return
    numbers = [float(name) for name in names if name not in words]
    places = [*range(len(numbers) + 1)]
    rising = len(numbers) > 2 and sorted(set(numbers)) in (numbers, numbers[::-1])
    if numbers not in (places[:-1], places[1:]) and (chosen or not rising):
        raise DataError(f"{path}: {hint(names)}")


def hint(names: Sequence[str]) -> str:
    """Say what to do about a first line of data."""
    shown = ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")
    return (
        f"line 1 looks like data ({shown}), not names: say header=False (--no-header on the "
        "command line) or give names=; if they are names, ask for the target or columns by them"
    )


def all_numbers(names: Sequence[str]) -> bool:
    """Whether no name is anything but a number."""
    return all(map(looks_numeric, names))
