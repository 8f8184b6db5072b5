"""zeta against clusters that spike: the curves of Figure 2, and a grid of parameters.

The first figure has Figure 2 with simulated points on it.  The second has, for every cluster of a
grid, how far the simulation is from zeta, with its interval; the intervals hold all at once with
the level that is printed (Bonferroni).

Run: python experiments/simulated_clusters.py [--folder FOLDER]
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from densernn import Cluster, RandomNeuralNetwork
from densernn.plotting import figure_2, plot_raster

LEVEL = 0.99
GRID = list(
    # Not next to saturation, where runs would have to be far longer to settle.
    product(
        (2, 5, 20, 100), (0.0, 0.05, 0.5, 1.0), (0.2, 2.0), ((0.4, 0.5), (0.1, 0.5)), (0.0, 0.4)
    )
)


def measure(arrivals: float) -> list[dict[str, Any]]:
    """Simulate every cluster of the grid."""
    rows = []
    for seed, (n, p, r, (plus, minus), x) in enumerate(GRID):
        network = RandomNeuralNetwork.dense_cluster(n, p, r, plus, minus, x=x)
        duration = arrivals / (n * (plus + minus + x))
        seen = network.simulate(duration, n_runs=16, random_state=seed)
        q, low, high = seen.pooled(level=1 - (1 - LEVEL) / len(GRID))
        zeta = float(Cluster(n, p, r, plus, minus).zeta(x))
        rows.append({"n": n, "p": p, "zeta": zeta, "q": q, "low": low, "high": high})
    return rows


def draw(rows: list[dict[str, Any]]) -> Any:
    """Draw simulated values against zeta above, and their differences below."""
    from matplotlib import pyplot  # noqa: PLC0415 - after its backend is chosen

    figure = pyplot.figure(figsize=(7.5, 6.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    zeta, q, low, high = (np.array([row[k] for row in rows]) for k in ("zeta", "q", "low", "high"))
    upper.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    upper.plot(zeta, q, "o", markersize=3, color="tab:red")
    upper.set_ylabel("simulated")
    lower.axhline(0, color="black", linewidth=0.8)
    style = {"fmt": "o", "markersize": 3, "elinewidth": 0.8, "color": "tab:red"}
    lower.errorbar(zeta, q - zeta, yerr=[q - low, high - q], **style)
    lower.set_ylabel("simulated \u2212 \u03b6")
    lower.set_xlabel("\u03b6(x)")
    for ax in (upper, lower):
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{len(rows)} clusters; all intervals at once hold with {LEVEL:.0%}")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--arrivals", type=float, default=100_000)
    options = parser.parse_args()
    matplotlib.use("agg")
    figure_2(simulated=(0.0, 0.05, 0.2, 0.5, 1.0)).savefig(options.folder / "figure_2.png", dpi=150)
    network = RandomNeuralNetwork.dense_cluster(20, 0.3, 1.0, 0.5, 0.5)
    spiking = network.simulate(40, n_runs=2, random_state=0, n_spikes=10_000)
    plot_raster(spiking).figure.savefig(options.folder / "raster.png", dpi=150)
    rows = measure(options.arrivals)
    draw(rows).savefig(options.folder / "simulated_clusters.png", dpi=150)
    inside = sum(row["low"] <= row["zeta"] <= row["high"] for row in rows)
    errors = [abs(row["q"] - row["zeta"]) for row in rows]
    print(f"zeta inside {inside} of {len(rows)} intervals; largest difference {max(errors):.4f}")


if __name__ == "__main__":
    main()
