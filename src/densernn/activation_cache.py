"""ActivationCache: activations of chunks, kept between passes as far as memory allows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from densernn.cluster import FloatArray
from densernn.layers import FeatureMap
from densernn.sources.rows import Chunk

LIMIT = 3 << 29
"""Bytes for activations, where there is no memory limit."""


@dataclass(eq=False)
class ActivationCache:
    """Activations of chunks that earlier passes computed.

    It stays in the process that fills it: copies that are sent to workers are empty, and stay so.

    Parameters
    ----------
    limit : int
        Bytes that are left.
    """

    limit: int
    _chunks: dict[tuple[int, int, int], FloatArray] = field(default_factory=dict)

    def activations(self, features: FeatureMap, chunk: Chunk) -> FloatArray:
        """Return the activations of a chunk by columns, in an array of its own."""
        kept = self._chunks.get(_key(chunk))
        if kept is not None:
            return features.unpacked(kept)
        H = features.forward(chunk.X, None, chunk.start)
        self.put(features, chunk, H)
        return H

    def holds(self, chunk: Chunk) -> bool:
        """Return whether the activations of a chunk are kept."""
        return _key(chunk) in self._chunks

    def put(self, features: FeatureMap, chunk: Chunk, H: FloatArray) -> None:
        """Keep the activations of a chunk, if there is room."""
        n_bytes = H.size * features.compact_dtype.itemsize
        if n_bytes <= self.limit:
            self._chunks[_key(chunk)] = features.packed(H)
            self.limit -= n_bytes

    def __getstate__(self) -> dict[str, Any]:
        return {"limit": 0, "_chunks": {}}


def _key(chunk: Chunk) -> tuple[int, int, int]:
    return chunk.start, len(chunk.X), chunk.copy
