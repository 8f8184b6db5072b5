"""Runs phases over sources, and decides how rows are cut into chunks."""

from densernn.engine.budget import chunk_rows, parse_bytes
from densernn.engine.local import run
from densernn.engine.passes import Passes

__all__ = ["Passes", "chunk_rows", "parse_bytes", "run"]
