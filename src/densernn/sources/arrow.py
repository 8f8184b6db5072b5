"""Arrow, imported when it is first used, since importing densernn must stay fast."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as arrow_csv
    import pyarrow.parquet as pq
else:

    class _Deferred:
        def __init__(self, name: str) -> None:
            self.name = name

        def __getattr__(self, attribute: str) -> Any:
            found = getattr(import_module(self.name), attribute)
            self.__dict__[attribute] = found  # found at once from now on
            return found

    pa, pc = _Deferred("pyarrow"), _Deferred("pyarrow.compute")
    arrow_csv, pq = _Deferred("pyarrow.csv"), _Deferred("pyarrow.parquet")

__all__ = ["arrow_csv", "pa", "pc", "pq"]
