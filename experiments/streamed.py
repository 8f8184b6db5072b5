"""Run published configurations on rows that are streamed from a file, each in a process of its own.

What the experiments of section VI share: options, processes, the table and the file of results.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from densernn import DenseRNNClassifier, RNNELMClassifier
from densernn.cli.report import environment
from densernn.paper import READOUT_ALPHA, from_structure

LAM = 0.005
COLUMNS = ("experiment", "build", "input", "paper, %", "measured, %", "rows", "s", "rows/s", "MiB")


@dataclass(frozen=True)
class Configuration:
    """A network that was published with its accuracy.

    ``printed_alpha`` is the penalty of its readout as the paper prints it, 1/kappa; ``kappa`` that
    of its encoder, None where it has none.
    """

    experiment: int
    structure: str
    published: float
    printed_alpha: float
    kappa: float | None = None
    preparation: Any = "auto"
    input_form: str = "[0, 1]"
    columns: tuple[str, ...] | None = None

    @property
    def n_hidden(self) -> int:
        """Clusters in the random layer."""
        return int(self.structure.split("-")[-2])

    def cut(self, n_hidden: int | None) -> str:
        """Return the structure with so many clusters in its random layer."""
        parts = self.structure.split("-")
        parts[-2] = str(n_hidden or self.n_hidden)
        return "-".join(parts)

    def make(self, options: argparse.Namespace) -> DenseRNNClassifier:
        """Return the published network, untrained."""
        encoder = {} if self.kappa is None else {"encoder": "ridge", "kappa": self.kappa}
        alpha = {"published": READOUT_ALPHA, "printed": self.printed_alpha}.get(
            options.alpha, options.alpha
        )
        model = from_structure(
            self.cut(options.n_hidden),
            2,
            lam=LAM,
            alpha=alpha if alpha in ("auto", READOUT_ALPHA) else float(alpha),
            preparation=self.preparation,
            **encoder,
        )
        # A structure counts what the preparation gives, a source's slice what it gets.
        return model.set_params(views=None)


Parts = Callable[[argparse.Namespace, Configuration], tuple[Any, Any, int]]
"""Opens the training rows and the test rows of a configuration, and says how many train."""


def read_options(about: str, default_train: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, required=True, help="the file of rows")
    parser.add_argument("--experiment", type=int, nargs="+", help="numbers; all by default")
    parser.add_argument("--default", action="store_true", help="the default weights as well")
    parser.add_argument("--n-train", type=int, help=f"training rows; by default {default_train}")
    parser.add_argument("--n-hidden", type=int, help="of every random layer, for quick trials")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--alpha",
        default="published",
        help="of published readouts: published (of the authors' code), printed (in the paper), "
        "auto, or a number",
    )
    parser.add_argument("--checkpoint", type=Path, help="a run and seed adds its name to this")
    parser.add_argument("--memory-limit")
    parser.add_argument("-o", "--output", type=Path, help="results are added to this JSON file")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def plan(options: argparse.Namespace, configurations: list[Configuration]) -> list[tuple[str, int]]:
    """Return build and number of each run; the same default is not run twice."""
    runs, seen = [], set()
    for number, one in enumerate(configurations):
        if options.experiment and one.experiment not in options.experiment:
            continue
        runs.append(("published", number))
        key = (options.n_hidden or one.n_hidden, one.columns)
        if options.default and key not in seen:
            seen.add(key)
            runs.append(("default", number))
    return runs


def measure(
    options: argparse.Namespace, configurations: list[Configuration], open_parts: Parts
) -> dict[str, Any]:
    """Run one configuration in this process."""
    build, number, seed = options.one[0], int(options.one[1]), int(options.one[2])
    one = configurations[number]
    if build == "default":
        model = RNNELMClassifier(options.n_hidden or one.n_hidden)
    else:
        model = one.make(options)
    more = {"memory_limit": options.memory_limit} if options.memory_limit else {}
    if options.checkpoint:
        more["checkpoint"] = f"{options.checkpoint}.{build}-{number}-{seed}"
    model.set_params(random_state=seed, **more)
    train, test, n_train = open_parts(options, one)
    begin = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - begin
    accuracy = model.score(test)
    import resource  # noqa: PLC0415 - there is none on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "experiment": one.experiment,
        "build": one.cut(options.n_hidden) if build == "published" else "default",
        "n_hidden": model.n_hidden,
        "input": one.input_form if build == "published" else "default",
        "columns": "all" if one.columns is None else len(one.columns),
        "published": one.published if build == "published" and not options.n_hidden else None,
        "accuracy": 100 * float(accuracy),
        "alpha": float(model.alpha_),
        "seed": seed,
        "rows": n_train,
        "seconds": seconds,
        "rows_per_second": n_train / seconds,
        "peak_mib": peak / (2**20 if sys.platform == "darwin" else 2**10),
        "fit_seconds": dict(model.fit_seconds_),
    }


def main(
    options: argparse.Namespace, configurations: list[Configuration], open_parts: Parts
) -> None:
    """Run what was asked for, print a table, and add to the file of results."""
    if options.one:
        print(json.dumps(measure(options, configurations, open_parts)))
        return
    about = machine()
    failed = 0
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    for build, number in plan(options, configurations):
        for seed in range(options.seeds):
            command = [sys.executable, *sys.argv, "--one", build, str(number), str(seed)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                print(f"| {configurations[number].experiment} | {build}: failed |", flush=True)
                failed += 1
                continue
            result = json.loads(done.stdout.splitlines()[-1])
            print(line(result), flush=True)
            if options.output:
                add(options.output, {**result, **about})
    if failed:
        raise SystemExit(f"{failed} runs failed")


def line(result: dict[str, Any]) -> str:
    """Return a result as a row of the table."""
    build = result["build"]
    if build == "default":
        build = f"default, {result['n_hidden']:,} clusters, {result['columns']} columns"
    paper = "" if result["published"] is None else f"{result['published']:.2f}"
    cells = (
        result["experiment"],
        build,
        result["input"],
        paper,
        f"{result['accuracy']:.2f}",
        f"{result['rows']:,}",
        f"{result['seconds']:.1f}",
        f"{result['rows_per_second']:,.0f}",
        f"{result['peak_mib']:,.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def add(path: Path, result: dict[str, Any]) -> None:
    """Append a result to a JSON list; what other runs put there stays."""
    results = json.loads(path.read_text()) if path.exists() else []
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps([*results, result], indent=1) + "\n")
    part.replace(path)


def machine() -> dict[str, Any]:
    """Return what a reader needs beside a measurement."""
    about = environment()
    del about["peak_memory_mb"]
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {**about, **versions, "command": " ".join(sys.argv)}
