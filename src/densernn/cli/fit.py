"""``densernn fit``: train on all rows of a file and save the model."""

from __future__ import annotations

from dataclasses import replace

from densernn.cli import report
from densernn.cli.models import check_structure, choose_task, make_model, save_model, train
from densernn.cli.options import ModelOptions
from densernn.sources.tables import read_table


def fit(
    *,
    table: str,
    target: str,
    output: str,
    task: str,
    model_options: ModelOptions,
    moments: bool,
    as_json: bool,
) -> None:
    """Run the command: see :func:`densernn.cli.commands.fit`."""
    report.check_place(output)
    rows = read_table(table, target=target)
    task = choose_task(rows, task)
    if model_options.preprocess == "auto":
        model_options = replace(model_options, preprocess="none")
    check_structure(model_options, rows.X, rows.y, task)  # type: ignore[arg-type]
    model = make_model(task, model_options)
    trained = train(model, rows.X, rows.y)  # type: ignore[arg-type]  # there is a target
    save_model(model, rows.feature_names, output, moments)
    result = {
        "dataset": rows.path.name,
        "task": task,
        **trained,
        "preprocess": model_options.preprocess,
        "seed": model_options.seed,
        **report.surroundings(),
        "model": output,
    }
    report.show(result, f"densernn on {rows.path.name}", as_json=as_json)
