"""``densernn simulate``: simulation of a cluster, compared with zeta."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import Any

from densernn import Cluster, RandomNeuralNetwork
from densernn.cli import report
from densernn.errors import DensernnError
from densernn.gnetwork import Simulation


def simulate(
    *,
    inputs: tuple[float, ...],
    arrivals: int,
    runs: int,
    level: float,
    time_limit: float | None,
    seed: int,
    plot: str | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Run the command: see :func:`densernn.cli.commands.simulate`.

    ``parameters`` are those of the cluster.
    """
    cluster = Cluster(**parameters)
    if plot is not None:
        _check_plot(plot)
    options = {"n_runs": runs, "level": level, "random_state": seed, "time_limit": time_limit}
    results = []
    n_events, seconds = 0, 0.0
    for x in inputs:
        network = RandomNeuralNetwork.dense_cluster(**parameters, x=x)
        external = parameters["lambda_plus"] + parameters["lambda_minus"] + x
        duration = arrivals / (parameters["n"] * external)
        simulation = network.simulate(duration, **options, verbose=1)  # type: ignore[arg-type]
        n_events, seconds = n_events + simulation.n_events, seconds + simulation.seconds
        results.append(_compare(x, float(cluster.zeta(x)), simulation))
    if plot is not None:
        _draw(cluster, results, plot)
    summary = {
        **asdict(cluster),
        "level": level,
        "runs": runs,
        "seed": seed,
        "n_events": n_events,
        "seconds": seconds,
        "events_per_second": n_events / seconds,
        **report.environment(),
        "plot": plot,
    }
    if as_json:
        report.show({**summary, "results": results}, "", as_json=True)
        return
    report.show_rows(results, f"share of time excited, and its {100 * level:g} % interval")
    report.show(summary, "cluster and simulation", as_json=False)


def _compare(x: float, analytic: float, simulation: Simulation) -> dict[str, Any]:
    q, low, high = simulation.pooled()
    return {
        "x": x,
        "analytic": analytic,
        "simulated": q,
        "low": low,
        "high": high,
        "inside": low <= analytic <= high,
        "complete": simulation.complete,
    }


def _check_plot(plot: str) -> None:
    """Raise an error before the simulation if the figure could not be drawn."""
    report.check_place(plot)
    try:
        import_module("matplotlib")
    except ImportError:
        raise DensernnError(
            "--plot needs matplotlib, which is not installed: pip install 'densernn[plot]'"
        ) from None


def _draw(cluster: Cluster, results: list[dict[str, Any]], plot: str) -> None:
    from densernn.plotting import plot_zeta  # noqa: PLC0415 - only where a figure is asked for

    # The axis is not empty even if only x = 0 was simulated.
    x_max = 1.1 * max(one["x"] for one in results) or float(cluster.lambda_minus)  # type: ignore[arg-type]
    seen = [(one["x"], one["simulated"], one["low"], one["high"]) for one in results]
    plot_zeta(cluster, x_max, seen=seen).figure.savefig(plot, dpi=150, format="png")
