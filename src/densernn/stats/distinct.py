"""Samples of different rows, chosen by their content: the same from any order and any cut."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from densernn._kernels import as_native, exact
from densernn.stats.column_stats import counted_rows

Keys = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Block:
    """Rows with their keys.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,), uint64
        Hash of each row and its targets.
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
    weight : ndarray of shape (n_rows,), float64
    position : ndarray of shape (n_rows,), float64
        Total weight of the rows before; of copies, before the first of them.
    """

    keys: Keys
    X: NDArray[Any]
    y: NDArray[Any]
    weight: NDArray[np.float64]
    position: NDArray[np.float64]

    def take(self, rows: Any) -> Self:
        """Return some rows."""
        return replace(
            self,
            keys=self.keys[rows],
            X=self.X[rows],
            y=self.y[rows],
            weight=self.weight[rows],
            position=self.position[rows],
        )

    def moved(self, weight: float) -> Self:
        """Return the rows behind others of a total weight."""
        return replace(self, position=self.position + weight)


@dataclass(frozen=True, eq=False)
class DistinctSample:
    """The different rows with the smallest hashes, each with the total weight of its copies.

    Hashes are as good as random, so that every different row is as likely to be in the sample as
    any other; and they depend on values alone, so that the sample does not depend on the order of
    the rows, how they were cut, or whether a row came twice or weighed 2 (after Cohen, 1997:
    bottom-k sketches).

    Parameters
    ----------
    most : int
        Rows of the sample at most.
    blocks : tuple of Block
        Candidates, fewer than a quarter more.
    weight : float
        Total weight of all rows so far.
    bound : int
        Largest hash that can still come into the sample.

    Examples
    --------
    >>> X, y = np.arange(6.0)[:, None] // 2, np.array([0, 0, 1, 1, 0, 1])
    >>> sample = DistinctSample.zero(100).add(X, y).rows()
    >>> sorted(zip(sample.X.ravel().tolist(), sample.y.tolist(), sample.weight.tolist()))
    [(0.0, 0, 2.0), (1.0, 1, 2.0), (2.0, 0, 1.0), (2.0, 1, 1.0)]
    """

    most: int
    blocks: tuple[Block, ...] = ()
    weight: float = 0.0
    bound: int = 2**64 - 1

    @classmethod
    def zero(cls, most: int) -> Self:
        """Return the sample of no rows."""
        return cls(most)

    def add(
        self, X: NDArray[Any], y: NDArray[Any], weight: NDArray[np.float64] | None = None
    ) -> Self:
        """Return the sample with more rows, of which those that weigh 0 do not count."""
        rows, weights = counted_rows(X, weight)
        targets = counted_rows(y, weight)[0]
        # The exact sum of whole weights, whatever the chunks; of others, to rounding.
        ends = np.cumsum(weights)
        total = float(ends[-1]) if len(ends) else 0.0
        keys = hash_rows(rows, targets)
        position = self.weight + ends - weights
        near = np.flatnonzero(keys <= np.uint64(self.bound))
        block = Block(
            keys[near], _narrow(rows[near]), _plain(targets[near]), weights[near], position[near]
        )
        blocks = (*self.blocks, block)
        return replace(self, weight=self.weight + total, blocks=blocks)._reduced()

    def merge(self, other: DistinctSample) -> Self:
        """Return the sample of the rows of both, those of ``other`` behind."""
        blocks = self.blocks + tuple(block.moved(self.weight) for block in other.blocks)
        weight, bound = self.weight + other.weight, min(self.bound, other.bound)
        return replace(self, weight=weight, blocks=blocks, bound=bound)._reduced()

    def rows(self) -> Block:
        """Return the sampled rows, in the order of their hashes."""
        keys = np.concatenate([block.keys for block in self.blocks])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        weights = np.concatenate([block.weight for block in self.blocks])[order]
        positions = np.concatenate([block.position for block in self.blocks])[order]
        weight, position = np.add.reduceat(weights, first), np.minimum.reduceat(positions, first)
        chosen = order[first][: self.most]
        X = _gather([block.X for block in self.blocks], chosen)
        y = _gather([block.y for block in self.blocks], chosen)
        most = len(chosen)
        return Block(keys[first][:most], X, y, weight[:most], position[:most])

    def _reduced(self) -> Self:
        """Return the sample with its rows alone once there are a quarter more candidates."""
        candidates = sum(len(block.keys) for block in self.blocks)
        if not candidates or candidates < 1.25 * self.most:
            return self
        rows = self.rows()
        full = len(rows.keys) == self.most
        return replace(self, blocks=(rows,), bound=int(rows.keys[-1]) if full else self.bound)


def _gather(parts: list[NDArray[Any]], chosen: NDArray[np.intp]) -> NDArray[Any]:
    """Return rows by their numbers in arrays that follow each other, without joining these."""
    found = np.empty((len(chosen), *parts[0].shape[1:]), np.result_type(*parts))
    ends = np.cumsum([len(part) for part in parts])
    owner = np.searchsorted(ends, chosen, side="right")
    for k, part in enumerate(parts):
        own = np.flatnonzero(owner == k)
        found[own] = part[chosen[own] - (ends[k] - len(part))]
    return found


def hash_rows(X: NDArray[Any], y: NDArray[Any] | None = None) -> Keys:
    """Return a hash of each row, and of its targets if they are given, as float64 values."""
    keys = np.full(len(X), 0x9E3779B97F4A7C15, np.uint64)
    if y is not None and y.dtype.kind in "OUST":
        labels, codes = np.unique(y.reshape(len(y)).astype(str), return_inverse=True)
        digests = [hashlib.blake2b(str(label).encode(), digest_size=8) for label in labels]
        keys ^= np.array([int.from_bytes(d.digest(), "little") for d in digests], np.uint64)[codes]
    elif y is not None:
        _hash(as_native(np.ascontiguousarray(y if y.ndim == 2 else y[:, None])), keys)
    _hash(as_native(X), keys)
    return keys


def _narrow(X: NDArray[Any]) -> NDArray[Any]:
    """Return rows in float32 where that holds every value exactly: many tables fit twice."""
    if X.dtype != np.float64:
        return X
    with np.errstate(over="ignore"):
        single = X.astype(np.float32)
    return single if np.array_equal(single, X, equal_nan=True) else X


def _plain(y: NDArray[Any]) -> NDArray[Any]:
    """Return text that is held as objects as an array of text."""
    return y.astype(str) if y.dtype.kind in "OT" else y


@exact
def _hash(x: Any, keys: Any) -> None:
    values = np.empty(1, np.float64)
    bits = values.view(np.uint64)
    for i in range(x.shape[0]):
        key = keys[i]
        for j in range(x.shape[1]):
            values[0] = x[i, j] + 0.0  # -0.0 is 0.0
            if values[0] != values[0]:
                values[0] = np.nan  # one of many ways to write it
            # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014) after each value.
            key = (key ^ bits[0]) + np.uint64(0x9E3779B97F4A7C15)
            key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            key ^= key >> np.uint64(31)
        keys[i] = key
