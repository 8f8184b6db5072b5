"""Options that say how a table is read, and which of its columns are used."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import click

READ_NAMES = ("header", "delimiter", "decimal", "skip_rows", "encoding", "target_type")

LISTED_NAMES = ("columns", "drop", "categorical")
"""Options that name columns."""


def take_read_options(options: dict[str, Any]) -> dict[str, Any]:
    """Remove the options below from those of a command: arguments of :func:`open_rows`."""
    taken = {name: options.pop(name) for name in READ_NAMES if name in options}
    if taken["delimiter"] == "\\t":  # as it is written where a shell needs no quoting
        taken["delimiter"] = "\t"
    listed = {name: _split(options.pop(name)) for name in LISTED_NAMES}
    for name, values in listed.items():
        taken[name] = [column_of(value, header=taken["header"]) for value in values]
    taken["columns"] = taken["columns"] or None
    if taken["columns"] and taken["drop"]:
        raise click.UsageError("--columns and --drop: the former names all features")
    taken["missing"] = _split(options.pop("missing"))
    weight = options.pop("weight")
    taken["weight"] = None if weight is None else column_of(weight, header=taken["header"])
    return taken


def column_of(value: str, *, header: bool) -> str | int:
    """Return a column's place where columns have no names and a number is given, else its name."""
    return int(value) if not header and value.lstrip("-").isdigit() else value


def _split(values: Sequence[str]) -> list[str]:
    """Return the values of a list: separated by commas, in quotes if they hold some."""
    return [value.strip() for row in csv.reader(values) for value in row]


READ_OPTIONS = (
    click.option(
        "--columns",
        multiple=True,
        metavar="NAMES",
        help="The features, separated by commas.  [default: all columns but target and weight]",
    ),
    click.option(
        "--drop", multiple=True, metavar="NAMES", help="Columns that are no features, by commas."
    ),
    click.option(
        "--categorical",
        multiple=True,
        metavar="NAMES",
        help="Features that are categories though they are numbers, as text is by itself.",
    ),
    click.option(
        "--missing",
        multiple=True,
        metavar="WORDS",
        help="What says that a value is missing, beside nothing, ?, NA, NaN and null.",
    ),
    click.option("--weight", help="A column of sample weights."),
    click.option(
        "--header/--no-header",
        default=True,
        help="Whether CSV begins with names; without them the columns are x0, x1, ..., or are "
        "given by their numbers.",
    ),
    click.option("--delimiter", help="What separates the values of CSV.  [default: ',']"),
    click.option("--decimal", default=".", help="The decimal point of numbers in CSV."),
    click.option("--skip-rows", type=click.IntRange(min=0), default=0, help="Lines before CSV."),
    click.option("--encoding", default="utf-8", help="Of the text of CSV."),
)

TARGET_TYPE = click.option(
    "--target-type",
    type=click.Choice(["auto", "text", "number"]),
    default="auto",
    help="Whether the target's values are names of classes or numbers; auto goes by the first.",
)
