"""Runs phases over sources, and decides how rows are cut into chunks."""

from densernn.engine.budget import chunk_rows, parse_bytes
from densernn.engine.local import run

__all__ = ["chunk_rows", "parse_bytes", "run"]
