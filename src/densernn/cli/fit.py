"""``densernn fit``: training on all rows of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from densernn.cli import report
from densernn.cli.models import (
    check_structure,
    looks_like_images,
    make_model,
    open_own,
    save_model,
    train,
)
from densernn.cli.options import ModelOptions, StreamOptions
from densernn.cli.task import choose_task
from densernn.errors import DataError
from densernn.sources.load import held

STREAMED = (".feather", ".arrow", ".ipc", ".npy")

FIRST_ROWS = 65_536
"""Rows by which a stream's task is chosen."""


def fit(
    *,
    table: str,
    target: str,
    output: str,
    task: str,
    model_options: ModelOptions,
    stream_options: StreamOptions,
    read_options: dict[str, Any],
    moments: bool,
    as_json: bool,
) -> None:
    """Run the command: see :func:`densernn.cli.commands.fit`."""
    report.check_place(output, table)
    options, stream = model_options, stream_options
    if options.preprocess == "auto":
        options = replace(options, preprocess="none")
    streams = stream.wanted or _streams_by_itself(table)
    if streams and options.preprocess == "zscore-rows":
        raise DataError("--preprocess zscore-rows does not go with rows that stream")
    source = open_own(table, target, read_options, on_bad_rows=stream.on_bad_rows)
    few = held(source, FIRST_ROWS if streams else None)
    found = choose_task(few.y, f"{table}: the target {target!r}", task)
    options = options.resolved(looks_like_images(found.name, few))
    check_structure(options, few.n_columns, None if streams else found.n_classes)
    model = make_model(found.name, options)
    if streams:
        model.set_params(memory_limit=stream.memory_limit, checkpoint=stream.checkpoint)
    trained = train(model, source if streams else few, few)
    save_model(model, output, moments)
    result = {
        "dataset": Path(table).name,
        **found.said,
        "model_kind": options.model,
        **trained,
        "preprocess": options.preprocess,
        "seed": options.seed,
        **report.environment(),
        "model": output,
    }
    report.show(result, f"densernn on {result['dataset']}", as_json=as_json)


def _streams_by_itself(path: str) -> bool:
    """Return whether a path is a folder, a pattern, or a file that is always streamed."""
    return Path(path).is_dir() or "*" in path or path.lower().endswith(STREAMED)
