"""Runs phases over sources, and decides how rows are cut into chunks."""

from densernn.engine.budget import chunk_rows, parse_bytes
from densernn.engine.local import learn_layer, run

__all__ = ["chunk_rows", "learn_layer", "parse_bytes", "run"]
