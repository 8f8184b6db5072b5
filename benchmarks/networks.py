"""How many events a second does the simulation do, and how long does a steady state take?

The plain loop simulates the same cluster in Python, with a choice by cumulative sums in NumPy for
each event, as one would write it first; both count an arrival from outside or a firing, with all
that it triggers, as one event.  Networks to solve are random, sparse, and use every matrix.

Run: python benchmarks/networks.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
from scipy import sparse

from densernn import Cluster, RandomNeuralNetwork
from densernn.gnetwork import Rates

ROUNDS = 3


def plain_loop(rates: Rates, n_events: int, seed: int) -> float:
    """Simulate in plain Python and NumPy; return the mean share of time that cells were excited."""
    rng = np.random.default_rng(seed)
    size = rates.n_cells
    p_plus, p_minus, p, Q, pi = (
        np.cumsum(m.toarray(), axis=1)
        for m in (rates.p_plus, rates.p_minus, rates.p, rates.Q, rates.pi)
    )
    k, excited, now = np.zeros(size, int), np.zeros(size), 0.0

    def spread(rows: list[np.ndarray]) -> tuple[int, int]:
        """Choose one of several rows, and a cell of it; the number of rows for none."""
        u = rng.random()
        for kind, row in enumerate(rows):
            if u < row[-1]:
                return kind, int(np.searchsorted(row, u, side="right"))
            u -= row[-1]
        return len(rows), -1

    for _ in range(n_events):
        all_rates = np.concatenate([rates.lambda_plus, rates.lambda_minus, rates.r * (k > 0)])
        total = np.cumsum(all_rates)
        step = rng.exponential(1 / total[-1])
        excited += step * (k > 0)
        now += step
        kind, cell = divmod(int(np.searchsorted(total, rng.random() * total[-1], "right")), size)
        if kind == 0:
            k[cell] += 1
        elif kind == 1:
            k[cell] = max(k[cell] - 1, 0)
        else:
            k[cell] -= 1
            what, cell = spread([p_plus[cell], p_minus[cell], p[cell]])
            while what == 2 and k[cell] > 0:
                k[cell] -= 1
                what, cell = spread([Q[cell], np.zeros(1), pi[cell]])
            if what == 0:
                k[cell] += 1
            elif what == 1:
                k[cell] = max(k[cell] - 1, 0)
    return float(excited.mean() / now)


def random_network(n_cells: int, fan_out: int, seed: int = 0) -> RandomNeuralNetwork:
    """Return a network of all kinds of spikes, with ``fan_out`` entries in every row."""
    rng = np.random.default_rng(seed)
    shares = {
        **dict(zip(("p_plus", "p_minus", "p"), rng.dirichlet(np.ones(4), n_cells).T, strict=False)),
        **dict(zip(("Q", "pi"), rng.dirichlet(np.ones(3), n_cells).T, strict=False)),
    }
    matrices = {}
    for name, sums in shares.items():
        values = rng.dirichlet(np.ones(fan_out), n_cells) * sums[:, None]
        rows = np.repeat(np.arange(n_cells), fan_out)
        columns = rng.integers(0, n_cells, n_cells * fan_out)
        shape = (n_cells, n_cells)
        matrices[name] = sparse.csr_array((values.ravel(), (rows, columns)), shape=shape)
    plus, minus, r = 0.8 * rng.random(n_cells), 0.5 * rng.random(n_cells), 1 + rng.random(n_cells)
    return RandomNeuralNetwork(plus, minus, r, **matrices)


def events_per_second(n_events: int) -> None:
    cases = {
        "default cluster, x = 0": {"x": 0.0},
        "default cluster, x = 0.01": {"x": 0.01},
        "r = 1, lambda = 0.5, x = 0.3": {
            "r": 1.0,
            "lambda_plus": 0.5,
            "lambda_minus": 0.5,
            "x": 0.3,
        },
    }
    print(f"20 cells, one core, median of {ROUNDS} rounds taken in turn")
    for name, parameters in cases.items():
        network = RandomNeuralNetwork.dense_cluster(**parameters)
        rates = network.rates
        duration = n_events / (rates.lambda_plus.sum() + rates.lambda_minus.sum()) / 2
        ours, plain = [], []
        for seed in range(ROUNDS):
            seen = network.simulate(duration, n_runs=2, random_state=seed)
            ours.append(seen.n_events / seen.seconds)
            start = time.perf_counter()
            share = plain_loop(rates, n_events // 200, seed)
            plain.append(n_events // 200 / (time.perf_counter() - start))
        fast, slow = statistics.median(ours), statistics.median(plain)
        x = parameters.pop("x")
        print(
            f"{name:30} {fast / 1e6:6.2f} M/s; plain loop {slow / 1e3:6.1f} k/s; "
            f"{fast / slow:5.0f} x (q: zeta {Cluster(**parameters).zeta(x):.3f}, "
            f"simulated {seen.q.mean():.3f}, plain {share:.3f})"
        )
    network = random_network(10_000, 100)
    seen = network.simulate(n_events / 10_000, n_runs=2, random_state=0)
    print(f"10,000 cells of 5 x 100 entries  {seen.n_events / seen.seconds / 1e6:6.2f} M/s")


def steady_states() -> None:
    print(f"steady_state(), rows of at most 100 entries, median of {ROUNDS} rounds")
    for n_cells in (10, 100, 1_000, 10_000):
        network = random_network(n_cells, min(100, n_cells))
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            state = network.steady_state()
            seconds.append(time.perf_counter() - start)
        print(
            f"{n_cells:7,} cells {statistics.median(seconds) * 1e3:8.1f} ms, {state.n_iter} "
            f"iterations, residual {state.residual:.0e}, q up to {state.q.max():.2f}, "
            f"{state.saturated.sum()} cells saturated"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=4_000_000)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # one core on both sides
    events_per_second(options.events)
    steady_states()


if __name__ == "__main__":
    main()
