"""Event loop of the simulation, compiled: one event after the other, in continuous time.

External spikes arrive at a constant total rate.  The excited cell that fires next is drawn by
composition and rejection: cells whose firing rates differ by less than a factor of two form a
class.  A class is drawn in proportion to its largest rate times the number of its excited cells,
one of these is drawn uniformly, and it is accepted with the ratio of its rate to the largest.
The cost does not depend on the number of cells (docs/decisions/0009).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densernn import _kernels
from densernn.gnetwork.rates import Float64Array, Rates
from densernn.gnetwork.routes import EXCITE, INHIBIT, KINDS, TRIGGER, Routes, make_routes

IntArray = NDArray[np.int64]


class Network(NamedTuple):
    """Constants of a network, shared by all runs."""

    routes: Routes
    r: Float64Array
    external: float
    """Total rate of external spikes."""
    class_of: IntArray
    bounds: Float64Array
    """Largest firing rate of each class."""
    seats: IntArray
    """First index of each class in :attr:`State.members`."""


class State(NamedTuple):
    """Variables of a run."""

    k: IntArray
    since: Float64Array
    """Time up to which the integrals of each cell are computed."""
    excited: Float64Array
    """Time that each cell was excited, up to ``since``."""
    area: Float64Array
    """Integral of k over time, up to ``since``."""
    members: IntArray
    """Excited cells, at the first indices of their class."""
    seat: IntArray
    """Index of each excited cell in ``members``."""
    counts: IntArray
    """Number of excited cells of each class."""
    clock: Float64Array
    """Time, as an array of length 1."""
    n_events: IntArray
    """Number of arrivals and firings so far, as an array of length 1."""


class Record(NamedTuple):
    """Recorded spikes and snapshots, up to the lengths of the arrays."""

    spike_times: Float64Array
    spike_cells: IntArray
    n_spikes: IntArray
    snapshot_times: Float64Array
    snapshots: NDArray[np.int32]
    n_snapshots: IntArray


def make_network(rates: Rates) -> Network:
    """Return the constants of a network."""
    # Powers of two as class bounds: a draw is accepted with probability above one half.
    exponents = np.floor(np.log2(rates.r))
    _, class_of = np.unique(exponents, return_inverse=True)
    bounds = np.zeros(class_of.max() + 1)
    np.maximum.at(bounds, class_of, rates.r)
    seats = np.concatenate([[0], np.cumsum(np.bincount(class_of))])
    external = float(rates.lambda_plus.sum() + rates.lambda_minus.sum())
    return Network(
        make_routes(rates),
        np.array(rates.r),
        external,
        class_of.astype(np.int64),
        bounds,
        seats.astype(np.int64),
    )


def make_state(network: Network) -> State:
    """Return the initial state: all cells at rest, at time 0."""
    size = network.r.size
    return State(
        k=np.zeros(size, np.int64),
        since=np.zeros(size),
        excited=np.zeros(size),
        area=np.zeros(size),
        members=np.zeros(size, np.int64),
        seat=np.zeros(size, np.int64),
        counts=np.zeros(network.bounds.size, np.int64),
        clock=np.zeros(1),
        n_events=np.zeros(1, np.int64),
    )


@_kernels.exact
def _draw(routes: Any, row: Any, u: Any) -> Any:
    """Return an outcome of a row of the alias tables, for a uniform number u in [0, 1)."""
    start = routes.starts[row]
    n = routes.starts[row + 1] - start
    place = u * n
    slot = min(np.int64(place), n - 1)  # u * n may round to n
    beyond = place - slot >= routes.cut[start + slot]
    return routes.second[start + slot] if beyond else routes.first[start + slot]


@_kernels.exact
def _settle(state: Any, cell: Any, now: Any) -> None:
    """Update the integrals of a cell up to the time ``now``."""
    elapsed = now - state.since[cell]
    if state.k[cell] > 0:
        state.excited[cell] += elapsed
        state.area[cell] += elapsed * state.k[cell]
    state.since[cell] = now


@_kernels.exact
def _gain(network: Any, state: Any, cell: Any, now: Any) -> None:
    _settle(state, cell, now)
    if state.k[cell] == 0:
        group = network.class_of[cell]
        seat = network.seats[group] + state.counts[group]
        state.members[seat] = cell
        state.seat[cell] = seat
        state.counts[group] += 1
    state.k[cell] += 1


@_kernels.exact
def _lose(network: Any, state: Any, cell: Any, now: Any) -> None:
    """Decrease the state of an excited cell by one."""
    _settle(state, cell, now)
    state.k[cell] -= 1
    if state.k[cell] == 0:
        group = network.class_of[cell]
        state.counts[group] -= 1
        # The last member moves into the gap, so that members stay contiguous.
        last = state.members[network.seats[group] + state.counts[group]]
        state.members[state.seat[cell]] = last
        state.seat[last] = state.seat[cell]


@_kernels.exact
def _fire(network: Any, state: Any, record: Any, cell: Any, now: Any) -> None:
    """Decrease the state of an excited cell by one, and record its spike if there is room."""
    _lose(network, state, cell, now)
    n = record.n_spikes[0]
    if n < record.spike_times.size:
        record.spike_times[n] = now
        record.spike_cells[n] = cell
        record.n_spikes[0] = n + 1


@_kernels.exact
def _take_snapshots(state: Any, record: Any, until: Any) -> None:
    """Record the state at all snapshot times before the next event."""
    n = record.n_snapshots[0]
    while n < record.snapshot_times.size and record.snapshot_times[n] <= until:
        for cell in range(state.k.size):
            record.snapshots[n, cell] = state.k[cell]
        n += 1
    record.n_snapshots[0] = n


@_kernels.exact
def _who_fires(network: Any, state: Any, pick: Any, random: Any) -> Any:
    """Return the cell that fires, or -1 for none, for a uniform number below the total rate."""
    group = 0
    share = state.counts[0] * network.bounds[0]
    while pick >= share and group < network.bounds.size - 1:
        pick -= share
        group += 1
        share = state.counts[group] * network.bounds[group]
    if state.counts[group] == 0:  # beyond the last class, by rounding
        return -1
    place = min(np.int64(pick / network.bounds[group]), state.counts[group] - 1)
    cell = state.members[network.seats[group] + place]
    bound, rate = network.bounds[group], network.r[cell]
    # A rejected draw has used up its waiting time without effect, so that rates are exact.
    if rate < bound and random.random() * bound >= rate:
        return -1
    return cell


@_kernels.exact
def _happen(network: Any, state: Any, record: Any, pick: Any, now: Any, random: Any) -> None:
    """Simulate one arrival or firing and the chain of triggers that it starts."""
    size = state.k.size
    if pick < network.external:
        outcome = _draw(network.routes, 2 * size, pick / network.external)
    else:
        cell = _who_fires(network, state, pick - network.external, random)
        if cell < 0:
            return
        _fire(network, state, record, cell, now)
        outcome = _draw(network.routes, cell, random.random())
    state.n_events[0] += 1
    while outcome % KINDS == TRIGGER:
        cell = outcome // KINDS
        if state.k[cell] == 0:
            return
        _fire(network, state, record, cell, now)
        outcome = _draw(network.routes, size + cell, random.random())
    cell = outcome // KINDS
    if outcome % KINDS == EXCITE:
        _gain(network, state, cell, now)
    elif outcome % KINDS == INHIBIT and state.k[cell] > 0:
        _lose(network, state, cell, now)


@_kernels.exact
def advance(
    network: Any, state: Any, record: Any, until: Any, most_events: Any, random: Any
) -> bool:
    """Simulate up to the time ``until``, or for ``most_events``; return whether it was reached.

    Results depend on ``until``, but not on how the events before it are divided into calls.
    """
    stop = state.n_events[0] + most_events
    while state.n_events[0] < stop:
        total = network.external
        for group in range(network.bounds.size):
            total += state.counts[group] * network.bounds[group]
        now = until
        if total > 0.0:
            now = state.clock[0] + random.standard_exponential() / total
        if now >= until:
            _take_snapshots(state, record, until)
            for cell in range(state.k.size):
                _settle(state, cell, until)
            state.clock[0] = until
            return True
        if record.n_snapshots[0] < record.snapshot_times.size:
            _take_snapshots(state, record, now)
        state.clock[0] = now
        _happen(network, state, record, random.random() * total, now, random)
    return False
