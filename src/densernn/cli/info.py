"""``densernn info``: description of a model file."""

from __future__ import annotations

from densernn.cli import report
from densernn.persistence import describe


def info(*, model: str, as_json: bool) -> None:
    """Run the command: see :func:`densernn.cli.commands.info`."""
    report.show(describe(model), model, as_json=as_json)
