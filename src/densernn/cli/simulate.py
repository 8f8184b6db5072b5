"""``densernn simulate``: let a cluster spike, and compare what it does with zeta."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from densernn import Cluster, RandomNeuralNetwork
from densernn.cli import report
from densernn.errors import DensernnError


def simulate(
    *,
    n: int,
    p: float,
    r: float,
    lambda_plus: float,
    lambda_minus: float,
    inputs: tuple[float, ...],
    arrivals: int,
    runs: int,
    level: float,
    time_limit: float | None,
    seed: int,
    plot: str | None,
    as_json: bool,
) -> None:
    """Run the command: see :func:`densernn.cli.commands.simulate`."""
    parameters = {
        "n": n,
        "p": p,
        "r": r,
        "lambda_plus": lambda_plus,
        "lambda_minus": lambda_minus,
    }
    cluster = Cluster(**parameters)
    if plot is not None:
        _check_plot(plot)
    asked = {"n_runs": runs, "level": level, "random_state": seed, "time_limit": time_limit}
    results = []
    n_events, seconds = 0, 0.0
    for x in inputs:
        network = RandomNeuralNetwork.dense_cluster(n, p, r, lambda_plus, lambda_minus, x=x)
        duration = arrivals / (n * (lambda_plus + lambda_minus + x))
        seen = network.simulate(duration, **asked, verbose=1)  # type: ignore[arg-type]
        q, low, high = seen.pooled()
        analytic = float(cluster.zeta(x))
        n_events, seconds = n_events + seen.n_events, seconds + seen.seconds
        results.append(
            {
                "x": x,
                "analytic": analytic,
                "simulated": q,
                "low": low,
                "high": high,
                "inside": low <= analytic <= high,
                "complete": seen.complete,
            }
        )
    if plot is not None:
        _draw(cluster, results, plot)
    _show(parameters, level, runs, seed, results, n_events, seconds, plot, as_json)


def _show(
    parameters: dict[str, Any],
    level: float,
    runs: int,
    seed: int,
    results: list[dict[str, Any]],
    n_events: int,
    seconds: float,
    plot: str | None,
    as_json: bool,
) -> None:
    about = {
        **parameters,
        "level": level,
        "runs": runs,
        "seed": seed,
        "n_events": n_events,
        "seconds": seconds,
        "events_per_second": n_events / seconds,
        **report.surroundings(),
        "plot": plot,
    }
    if as_json:
        report.show({**about, "results": results}, "", as_json=True)
        return
    report.show_rows(results, f"share of time excited, and its {100 * level:g} % interval")
    report.show(about, "cluster and simulation", as_json=False)


def _check_plot(plot: str) -> None:
    """Refuse a figure that could not be drawn, before work is done for it."""
    report.check_place(plot)
    try:
        import_module("matplotlib")
    except ImportError:
        raise DensernnError(
            "--plot needs matplotlib, which is not installed: pip install 'densernn[plot]'"
        ) from None


def _draw(cluster: Cluster, results: list[dict[str, Any]], plot: str) -> None:
    from densernn.plotting import plot_zeta  # noqa: PLC0415 - only where a figure is asked for

    # Where only x = 0 was simulated, some of the curve still shows.
    x_max = 1.1 * max(one["x"] for one in results) or float(cluster.lambda_minus)  # type: ignore[arg-type]
    seen = [(one["x"], one["simulated"], one["low"], one["high"]) for one in results]
    plot_zeta(cluster, x_max, seen=seen).figure.savefig(plot, dpi=150, format="png")
