"""Event-driven simulation of a network, independent of the steady-state solver."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from densernn._progress import Progress
from densernn._threads import run_blocks
from densernn.errors import ParameterError
from densernn.gnetwork import events
from densernn.gnetwork.rates import Float64Array, Rates

ARRIVALS = 1_000_000
"""Default mean number of external spikes in the measured time of a run."""

SLICE = 100_000
"""Number of events between two checks of the time limit."""


class Spikes(NamedTuple):
    """Times and cells of spikes, in order."""

    times: Float64Array
    cells: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Simulation:
    """Results of several independent runs of a network of M cells.

    Parameters
    ----------
    run_q : ndarray of shape (n_runs, M)
        Fraction of time that each cell was excited, in each run.
    run_state : ndarray of shape (n_runs, M)
        Time average of the state of each cell, in each run.
    level : float
        Confidence level of intervals.
    growing : ndarray of bool, shape (M,)
        Cells that were always excited and ended in a higher state than they started, in every run:
        most likely saturated.  Their ``run_state`` only depends on the duration.
    complete : bool
        Whether all runs ended before the time limit.
    warm_up, duration : float
        Simulated time before the measurement, and measured time.
    n_events : int
        Number of arrivals and firings in all runs, including the warm-up.
    seconds : float
        Wall-clock time of the simulation.
    spikes : Spikes
        First spikes of the first run after the warm-up, including triggered ones.
    snapshot_times : ndarray of shape (n_snapshots,)
    snapshots : ndarray of int32, shape (n_runs, n_snapshots, M)
        States at these times.
    """

    run_q: Float64Array
    run_state: Float64Array
    level: float
    growing: NDArray[np.bool_]
    complete: bool
    warm_up: float
    duration: float
    n_events: int
    seconds: float
    spikes: Spikes
    snapshot_times: Float64Array
    snapshots: NDArray[np.int32]

    @property
    def q(self) -> Float64Array:
        """Fraction of time that each cell was excited, of shape (M,)."""
        return cast("Float64Array", self.run_q.mean(axis=0))

    @property
    def mean_state(self) -> Float64Array:
        """Mean state of each cell, of shape (M,)."""
        return cast("Float64Array", self.run_state.mean(axis=0))

    def interval(self, level: float | None = None) -> tuple[Float64Array, Float64Array]:
        """Return the bounds of Student's confidence interval for q of each cell.

        Parameters
        ----------
        level : float, optional
            Confidence level, by default that of the simulation.  For K simultaneous intervals use
            1 - (1 - level) / K (Bonferroni).

        Returns
        -------
        tuple of two ndarray of shape (M,)
        """
        return _student(self.run_q, self.level if level is None else level)

    def pooled(
        self, cells: Sequence[int] | None = None, level: float | None = None
    ) -> tuple[float, float, float]:
        """Return the mean q of some cells, by default all, and the bounds of its interval."""
        means = self.run_q[:, slice(None) if cells is None else list(cells)].mean(axis=1)
        low, high = _student(means[:, None], self.level if level is None else level)
        return float(means.mean()), float(low[0]), float(high[0])


@dataclass
class _Run:
    """One run and its records; ``start`` holds the states after the warm-up."""

    network: events.Network
    state: events.State
    record: events.Record
    random: np.random.Generator
    warm_up: float
    duration: float
    start: NDArray[np.int64] | None = None
    finished: bool = False

    def advance(self) -> None:
        """Simulate the next :data:`SLICE` events."""
        warming = self.start is None
        until = self.warm_up if warming else self.warm_up + self.duration
        record = make_record(0, 0, 0, 0.0, 0.0) if warming else self.record
        reached = events.advance(self.network, self.state, record, until, SLICE, self.random)
        if reached and warming:
            self.start = self.state.k.copy()
            self.state.excited[:] = 0.0
            self.state.area[:] = 0.0
        self.finished = reached and not warming

    def means(self) -> tuple[Float64Array, Float64Array]:
        """Return the fraction of time excited and the mean state of each cell so far."""
        state, now = self.state, self.state.clock[0]
        open_time = now - state.since
        measured = now - self.warm_up
        excited = (state.excited + open_time * (state.k > 0)) / measured
        return np.minimum(excited, 1.0), (state.area + open_time * state.k) / measured

    def grew(self) -> NDArray[np.bool_]:
        """Return a mask of cells that were always excited and ended higher than they started."""
        always = self.means()[0] > 1 - 1e-12
        return always & (self.state.k > (0 if self.start is None else self.start))


class SimulationOptions(NamedTuple):
    """Options of :meth:`RandomNeuralNetwork.simulate`."""

    n_runs: int
    level: float
    random_state: int | None
    time_limit: float | None
    n_spikes: int
    n_snapshots: int
    verbose: bool

    def check(self) -> None:
        """Raise :class:`ParameterError` if an option is out of range."""
        for name, least in {
            "n_runs": 2,
            "n_spikes": 0,
            "n_snapshots": 0,
            "random_state": 0,
        }.items():
            value = getattr(self, name)
            unseeded = name == "random_state" and value is None
            if not unseeded and (not isinstance(value, (int, np.integer)) or value < least):
                raise ParameterError(
                    f"{name} must be a whole number from {least} on: it is {value!r}"
                )
        _check_level(self.level)
        if self.time_limit is not None and not self.time_limit > 0:
            raise ParameterError(f"time_limit must be above 0 seconds: it is {self.time_limit!r}")


def simulate(
    rates: Rates, duration: float | None, warm_up: float | None, options: SimulationOptions
) -> Simulation:
    """Simulate a network: see :meth:`RandomNeuralNetwork.simulate`."""
    duration, warm_up = _times(rates, duration, warm_up)
    options.check()
    network = events.make_network(rates)
    runs = []
    for number, seed in enumerate(
        np.random.SeedSequence(options.random_state).spawn(options.n_runs)
    ):
        n_spikes = 0 if number else options.n_spikes
        record = make_record(n_spikes, options.n_snapshots, rates.n_cells, warm_up, duration)
        state, random = events.make_state(network), np.random.default_rng(seed)
        runs.append(_Run(network, state, record, random, warm_up, duration))
    _compile(network)
    begin = time.perf_counter()
    _run_all(runs, begin, options)
    seconds = time.perf_counter() - begin
    if any(run.start is None for run in runs):
        raise ParameterError(
            f"time_limit={options.time_limit} was over before the warm-up of {warm_up:.4g}: raise "
            "it, or lower duration or warm_up"
        )
    return _gather(runs, options.level, seconds)


def _run_all(runs: list[_Run], begin: float, options: SimulationOptions) -> None:
    """Advance all runs by slices in turn, so that a time limit stops them at about one point."""
    goal, time_limit = runs[0].warm_up + runs[0].duration, options.time_limit
    with Progress("simulating", 100 * len(runs), options.verbose) as progress:
        while True:
            active = [run for run in runs if not run.finished]
            over = time_limit is not None and time.perf_counter() - begin >= time_limit
            if not active or over:
                return

            def part(start: int, stop: int, active: list[_Run] = active) -> None:
                for run in active[start:stop]:
                    run.advance()

            run_blocks(part, len(active))
            progress.reach(int(sum(100 * run.state.clock[0] / goal for run in runs)))


def _gather(runs: list[_Run], level: float, seconds: float) -> Simulation:
    first = runs[0].record
    taken = min(int(run.record.n_snapshots[0]) for run in runs)
    n_spikes = int(first.n_spikes[0])
    means = [run.means() for run in runs]
    return Simulation(
        run_q=np.stack([q for q, _ in means]),
        run_state=np.stack([state for _, state in means]),
        level=level,
        growing=np.all([run.grew() for run in runs], axis=0),
        complete=all(run.finished for run in runs),
        warm_up=runs[0].warm_up,
        duration=min(float(run.state.clock[0]) for run in runs) - runs[0].warm_up,
        n_events=sum(int(run.state.n_events[0]) for run in runs),
        seconds=seconds,
        spikes=Spikes(first.spike_times[:n_spikes], first.spike_cells[:n_spikes]),
        snapshot_times=first.snapshot_times[:taken],
        snapshots=np.stack([run.record.snapshots[:taken] for run in runs]),
    )


def make_record(
    n_spikes: int, n_snapshots: int, n_cells: int, start: float, duration: float
) -> events.Record:
    """Return empty records of spikes, and of snapshots at equal intervals."""
    return events.Record(
        spike_times=np.empty(n_spikes),
        spike_cells=np.empty(n_spikes, np.int64),
        n_spikes=np.zeros(1, np.int64),
        snapshot_times=start + duration * np.arange(1, n_snapshots + 1) / max(n_snapshots, 1),
        snapshots=np.empty((n_snapshots, n_cells), np.int32),
        n_snapshots=np.zeros(1, np.int64),
    )


def _compile(network: events.Network) -> None:
    """Compile the loop, which does not count towards the time limit."""
    record = make_record(0, 0, 0, 0.0, 0.0)
    state, random = events.make_state(network), np.random.default_rng(0)
    events.advance(network, state, record, 0.0, 0, random)


def _student(runs: Float64Array, level: float) -> tuple[Float64Array, Float64Array]:
    """Return the bounds of Student's interval for the mean over the first axis."""
    _check_level(level)
    n = len(runs)
    t = stdtrit(n - 1, (1 + level) / 2)
    middle, half = runs.mean(axis=0), t * runs.std(axis=0, ddof=1) / np.sqrt(n)
    return middle - half, middle + half


def _times(rates: Rates, duration: float | None, warm_up: float | None) -> tuple[float, float]:
    """Return measured time and warm-up, by default from the total external rate."""
    external = float(rates.lambda_plus.sum() + rates.lambda_minus.sum())
    if duration is None:
        if external == 0:
            raise ParameterError("nothing arrives at this network: give a duration")
        duration = ARRIVALS / external
    if warm_up is None:
        warm_up = duration / 4
    if not (0 < duration < np.inf and 0 <= warm_up < np.inf):
        raise ParameterError(
            f"duration must be above 0 and warm_up not negative: they are {duration} and {warm_up}"
        )
    return float(duration), float(warm_up)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ParameterError(f"level must be between 0 and 1: it is {level!r}")
