"""Old place of :func:`read_table`, kept for those who import it from here."""

from densernn.sources.load import Table, read_table

__all__ = ["Table", "read_table"]
