"""Plans of a forest: its structure in numbers, and what the choice of these numbers tries."""

from __future__ import annotations

from dataclasses import dataclass

from densernn.forest.structure import Structure

SMALL = 5000
"""Rows up to which everything is chosen by cross-validation, and a linear part may be worth it."""

MANY = 50_000
"""Rows from which on fewer trees do: each of them is better."""

MOST_RAMPS = 100
"""Columns up to which an almost linear part is worth its clusters."""


@dataclass(frozen=True)
class Plan:
    """A structure in numbers that do not depend on how many rows were sampled.

    Parameters
    ----------
    region_size : float
        Rows of a region at most.
    leaves : float
        Leaves of a region, about: a box has ``region_size / leaves`` rows at least.
    scale : float
        s of the boxes.
    ramp : float
        s of the almost linear clusters; 0 for none.
    min_leaf : float, optional
        Rows of a box at least, where they do not follow from ``leaves``.
    max_features : float
        Share of the columns that are drawn at a node.
    """

    region_size: float
    leaves: float
    scale: float
    ramp: float = 0.0
    min_leaf: float | None = None
    max_features: float = 1.0

    def structure(self, share: float, n_rows: float) -> Structure:
        """Return the structure for sampled rows.

        Parameters
        ----------
        share : float
            Weight of the sampled rows, as a share of that of the rows they stand for.
        n_rows : float
            Weight of the sampled rows.
        """
        size = self.region_size * share
        least = size / self.leaves if self.min_leaf is None else self.min_leaf * share
        return Structure(
            min(size, n_rows), max(1.0, least), self.scale, self.ramp, self.max_features
        )


@dataclass(frozen=True)
class Step:
    """A number of a plan, and how it is chosen.

    Parameters
    ----------
    name : str
    start : float
        Value to begin with.
    directions : tuple of tuple of float
        Values to try, away from it.
    close : float
        Standard errors by which losses of plans may differ and count as equal.
    cheapest : bool
        Whether of equal plans the one with the fewest clusters stays, and not the first.
    """

    name: str
    start: float
    directions: tuple[tuple[float, ...], ...] = ()
    close: float = 0.5
    cheapest: bool = False


@dataclass(frozen=True)
class Search:
    """Where the choice of a plan begins, and what it tries.

    Parameters
    ----------
    n_trees : int
    max_features, ramp : float
        Of all plans.
    region, scale, leaves : Step
        In the order in which they are chosen: the others are cheaper to try with few leaves.
    """

    n_trees: int
    max_features: float
    ramp: float
    region: Step
    scale: Step
    leaves: Step


def search_for(n_rows: float, n_columns: int) -> Search:
    """Return the search for a table: decided by trials on many tables, docs/decisions/0017.

    A small table begins as one region; all its rows judge, by cross-validation.  On a larger one
    plans are tried on a part of the rows, of which smaller regions profit less than of all rows,
    and more leaves, too: so smaller regions must be better by two standard errors.  No other
    scale than the first mattered there.
    """
    if n_rows <= SMALL:
        smaller = tuple(size for size in (1000.0, 250.0) if size < 0.7 * n_rows)
        return Search(
            n_trees=32,
            max_features=0.5,
            ramp=0.005 if n_columns <= MOST_RAMPS else 0.0,
            region=Step("region_size", n_rows, (smaller,)),
            scale=Step("scale", 0.01, ((0.05,), (0.003,))),
            leaves=Step("leaves", 100.0, ((300.0, 750.0),), cheapest=True),
        )
    many = n_rows > MANY
    return Search(
        n_trees=16 if many else 24,
        max_features=0.75,
        ramp=0.0,
        region=Step("region_size", 4000.0, ((16000.0,), (1000.0, 250.0)), close=2.0),
        scale=Step("scale", 0.01),
        leaves=Step("leaves", 250.0, ((80.0,), (600.0,)), 1.0 if many else 0.5, cheapest=True),
    )
