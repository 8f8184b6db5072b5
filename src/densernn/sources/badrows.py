"""Bad rows: the reason why a row cannot be used, and blocks without such rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import itemgetter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from densernn.errors import DataError
from densernn.sources import numerals
from densernn.sources.encoding import TableEncoder, as_numbers, decode, decode_feature
from densernn.sources.formats.base import Malformed
from densernn.sources.numerals import INFINITE, codes, looks_numeric
from densernn.sources.rechunk import Block
from densernn.sources.rows import SHOWN, Arrays, cut_arrays

NAMED = 10
"""Categories that a message names."""
IMPUTE = "impute it, or drop the row or the column"
CORRECT = "correct it or drop the row"


def drop_bad_rows(
    batch: pa.RecordBatch,
    decoded: tuple[Arrays, NDArray[np.bool_]],
    malformed: Sequence[Malformed],
    encoding: TableEncoder,
    place: Callable[[int], str],
    row: int,
    *,
    skip: bool,
) -> Block:
    """Leave out the bad rows, or raise a :class:`DataError` at the first one.

    Parameters
    ----------
    batch, decoded
        The rows as read, and as matrices.
    malformed : sequence of (int, str)
        More rows, which stood among these.
    encoding : TableEncoder
    place : callable
        Names the place of a row by its number.
    row : int
        Number of the first row in the file.
    skip : bool
        Whether to leave them out.

    Returns
    -------
    Block
    """
    arrays, bad = decoded
    rows = np.flatnonzero(bad)
    if not rows.size and not malformed:
        return Block(*arrays)
    # Stable: a malformed row stands before the row of the batch that has its number.
    lost = sorted([*malformed, *zip(rows.tolist(), repeat(""))], key=itemgetter(0))
    places: list[str] = []
    for at, reason in lost[:SHOWN]:
        where = place(row + at)
        row += bool(reason)  # one row more that is not in the batch
        what = f": {reason}" if reason else f", {bad_row_reason(batch, at, encoding)}"
        if not skip:
            raise DataError(where + what)
        places.append(where + what)
    before = np.array([at for at, _ in lost])
    return Block(*cut_arrays(arrays, ~bad), before - rows.searchsorted(before), tuple(places))


def bad_row_reason(batch: pa.RecordBatch, i: int, encoding: TableEncoder) -> str:
    """Return what is wrong with the first value of a bad row that is no use, and what to do."""
    choice, row = encoding.choice, batch.slice(i, 1)
    (_, y, weight), _ = decode(row, encoding)
    unusable = [
        name
        for name in choice.features
        if decode_feature(name, row.column(name), encoding)[1].any()
    ]
    if choice.many and y is not None:
        unusable += [choice.targets[j] for j in np.flatnonzero(~np.isfinite(y[0]))]
    if weight is not None and not 0 <= weight[0] < np.inf:
        unusable.append(str(choice.weight))
    name = (*unusable, *choice.targets)[0]
    return f"column {name!r}: {_reason(name, row.column(name), encoding)}"


def _reason(name: str, column: pa.Array, encoding: TableEncoder) -> str:
    """Return why the one value of a column cannot be used, and what to do."""
    value = column[0].as_py()
    is_cell = isinstance(value, bytes)
    if is_cell:
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return f"not UTF-8 text (found {value!r}): save the file as UTF-8, or say its encoding="
    word = str(value).strip().lower()
    missing = value is None or word in encoding.missing_words
    if looks_numeric(word):
        missing |= float(word) in as_numbers(encoding.missing)
    found = "" if value is None else f" (found {value!r})"
    known = encoding.categories.get(name)
    numeric = looks_numeric(str(value)) and (encoding.decimal == "." or "." not in word)
    if name == encoding.choice.weight:
        reason = f"the weight must be a finite number of at least 0{found}: {CORRECT}"
    elif known and not missing:
        shown = ", ".join(map(repr, known[:NAMED]))
        shown += f", ... ({len(known)} in all)" if len(known) > NAMED else ""
        advice = "correct it, drop the row, or name all categories in categorical"
        reason = f"{str(value)!r} is none of the known categories {shown}: {advice}"
    elif is_cell and name == encoding.label and codes(column)[0]:
        reason = (
            f'{value!r} would lose zeros or digits as a number: say target_type="text" '
            '(--target-type) if the values are names of classes, else "number"'
        )
    elif not missing and word not in INFINITE | {"none"} and not numeric:
        reason = f"{value!r} is not a number{_advice(name, word, encoding)}"
    elif name in encoding.choice.targets:
        reason = f"the target is missing or not finite{found}: drop the row"
    elif word in INFINITE or (numeric and not missing):
        reason = f"{value!r} is not finite: {IMPUTE}"
    else:
        reason = f"missing value{found}: {IMPUTE}"
    return reason


def _advice(name: str, word: str, encoding: TableEncoder) -> str:
    """Return what to do about a cell that is no number."""
    if strange := numerals.strange_number(word, encoding.decimal):
        return f": {strange}"
    if name == encoding.label:
        return (
            f", as the target's first values are: {CORRECT}, or say "
            'target_type="text" (--target-type) if all of them are names of classes'
        )
    return (
        f": {CORRECT}; if it says that the value is missing, missing=[{word!r}] (--missing); if "
        f"the column holds text, categorical=[{name!r}] (--categorical)"
    )
