"""Dates and times as numbers: days, and the texts of ISO 8601 that say the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

DAY = 86_400_000_000
"""Microseconds."""

_ISO = (
    r"^\s*\d{4}-\d{2}-\d{2}"
    r"([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?\s*$"
)


def is_date(kind: pa.DataType) -> bool:
    """Whether a type of Arrow's is one of dates, times or durations."""
    return bool(pa.types.is_temporal(kind)) and not pa.types.is_interval(kind)


def are_dates(texts: Iterable[str]) -> bool:
    """Whether texts are all dates as ISO 8601 writes them, with or without a time of day.

    Examples
    --------
    >>> are_dates(["2024-02-29", "2024-02-29T18:30Z"]), are_dates(["2024-02-30"]), are_dates([])
    (True, False, False)
    """
    cells = pa.array(list(texts), pa.string())
    # Most texts are no dates, which the first ones show.
    if not len(cells) or not pc.all(pc.match_substring_regex(cells[:64], _ISO)).as_py():
        return False
    return not np.isnan(parse_days(cells)).any()


def days(column: pa.Array) -> NDArray[np.float64]:
    """Return days since 1970-01-01 in UTC, of durations and times of day their length; NaN if null.

    Dates without a time zone are taken as they stand.

    Parameters
    ----------
    column : pyarrow.Array
        Dates, times or durations, or text.
    """
    kind = column.type
    if not is_date(kind):
        return parse_days(column)
    if pa.types.is_duration(kind):
        micro = column.cast(pa.duration("us"), safe=False)
    elif pa.types.is_time(kind):
        micro = column.cast(pa.time64("us"), safe=False)
    else:
        micro = column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
    whole = micro.cast(pa.int64())
    found = whole.fill_null(0).to_numpy(zero_copy_only=False) / DAY
    found[whole.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return found


def parse_days(texts: pa.Array) -> NDArray[np.float64]:
    """Return the days of dates as texts; NaN where there is none."""
    coded = texts.dictionary_encode()
    each = np.array([_days(text) for text in coded.dictionary.to_pylist()] + [np.nan])
    places = coded.indices.fill_null(len(each) - 1).to_numpy(zero_copy_only=False)
    return each[places]


def _days(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text.strip().replace(",", "."))
    except ValueError:
        return np.nan
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    gone = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return gone.days + (gone.seconds * 1_000_000 + gone.microseconds) / DAY
