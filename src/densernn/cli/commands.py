"""Commands and their options; implementations are imported when they are called."""

from __future__ import annotations

from typing import Any

import click

import densernn as package
from densernn.cli import options as shared
from densernn.cli import reading

FILE = click.Path()


@click.group(
    no_args_is_help=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
)
@click.version_option(package.__version__, prog_name="densernn", message="%(prog)s %(version)s")
def densernn() -> None:
    """Deep learning with dense Random Neural Networks, without gradient descent.

    RNN means Random Neural Network here, the spiking model of Gelenbe.
    """


@densernn.command()
@click.argument("table", type=FILE, required=False)
@click.option("--dataset", type=click.Choice(shared.DATASETS), help="A data set with a test part.")
@click.option("--data-path", type=FILE, help="Folder or file of the data set.")
@click.option("--target", help="The column of TABLE to predict.")
@click.option(
    "--test-size",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Fraction of the rows of TABLE to hold out.  [default: 0.25]",
)
@shared.TASK
@shared.with_options(shared.MODEL_OPTIONS)
@shared.with_options(reading.READ_OPTIONS)
@reading.TARGET_TYPE
@click.option(
    "--seeds",
    "n_seeds",
    type=click.IntRange(min=1),
    default=1,
    help="Number of seeds, from --seed on: scores become means, with standard deviations.",
)
@click.option(
    "--beside-boosting",
    is_flag=True,
    help="Also train scikit-learn's HistGradientBoosting at its defaults on the same rows.",
)
@shared.JSON
@click.option("-o", "--save", "output", type=FILE, help="Also save the model to this file.")
def evaluate(**options: Any) -> None:
    """Train on a part of the rows and test on the others.

    Give --dataset, or a TABLE of your own (CSV, packed or not, Parquet, Feather, NPY or NPZ; or
    a folder) and --target.
    """
    from densernn.cli import evaluate as command  # noqa: PLC0415 - so that help is fast

    if (options["table"] is None) == (options["dataset"] is None):
        raise click.UsageError("give either a file of your own or --dataset, not both or neither")
    if options["table"] is None:
        own = ("target", "test_size", *reading.LISTED_NAMES, "missing", "weight")
        given = [f"--{n.replace('_', '-')}" for n in own if options[n]]
        if options["task"] != "auto":
            given.append("--task")
        if given:
            raise click.UsageError(f"{', '.join(given)}: only for a file of your own")
        if options["dataset"] == "digits" and options["data_path"] is not None:
            raise click.UsageError("--data-path: digits come with scikit-learn, from no path")
    elif options["target"] is None:
        raise click.UsageError("--target is needed: the column to predict")
    elif options["data_path"] is not None:
        raise click.UsageError("--data-path goes with --dataset")
    command.evaluate(
        model_options=shared.ModelOptions.take_from(options),
        read_options=reading.take_read_options(options),
        **options,
    )


@densernn.command()
@click.argument("table", type=FILE)
@click.option("--target", required=True, help="The column to predict.")
@click.option("-o", "--output", type=FILE, required=True, help="The model's file.")
@shared.TASK
@shared.with_options(shared.MODEL_OPTIONS)
@shared.with_options(shared.STREAM_OPTIONS)
@shared.with_options(reading.READ_OPTIONS)
@reading.TARGET_TYPE
@click.option(
    "--moments/--no-moments",
    default=True,
    help="Whether to save the moments that further training needs, or prediction only.",
)
@shared.JSON
def fit(**options: Any) -> None:
    """Train on all rows of TABLE and save the model.

    TABLE is CSV, packed or not, Parquet, Feather, NPY or NPZ; or a folder or pattern of such.
    """
    from densernn.cli import fit as command  # noqa: PLC0415 - so that help is fast

    command.fit(
        model_options=shared.ModelOptions.take_from(options),
        stream_options=shared.StreamOptions.take_from(options),
        read_options=reading.take_read_options(options),
        **options,
    )


@densernn.command()
@click.argument("model", type=FILE)
@click.argument("table", type=FILE)
@click.option("-o", "--output", type=FILE, default="-", help="A CSV file; - is standard output.")
@click.option("--proba", is_flag=True, help="Add columns with the probability of each class.")
@click.option("--target", help="A column that is no feature.")
@shared.TASK
@shared.with_options(reading.READ_OPTIONS)
def predict(**options: Any) -> None:
    """Predict each row of TABLE; columns are matched by name, and others are ignored.

    Columns without names are matched by place: they are those of the training table, or its
    features alone.  --target, --weight and --drop name columns that are no features; --task and
    --categorical are compared with what the model has learned.
    """
    from densernn.cli import predict as command  # noqa: PLC0415 - so that help is fast

    command.predict(read_options=reading.take_read_options(options), **options)


@densernn.command()
@click.argument("model", type=FILE)
@shared.JSON
def info(**options: Any) -> None:
    """Describe a model file."""
    from densernn.cli import info as command  # noqa: PLC0415 - so that help is fast

    command.info(**options)


@densernn.command(cls=shared.ManyInputs)
@shared.with_options(shared.CLUSTER_OPTIONS)
@click.option(
    "--x",
    "inputs",
    type=click.FloatRange(min=0),
    multiple=True,
    default=(0.0,),
    metavar="FLOAT...",
    help="Inhibitory rates from the previous layer.",
)
@click.option(
    "--arrivals",
    type=click.IntRange(min=1),
    default=2_000_000,
    help="Mean number of external spikes in the measured time of each run.",
)
@click.option("--runs", type=click.IntRange(min=2), default=8, help="Number of runs.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.99,
    help="Confidence level of each interval.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds for each x, after which runs are stopped.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
@click.option("--plot", type=FILE, help="Plot zeta and the simulations to this PNG file.")
@shared.JSON
def simulate(**options: Any) -> None:
    """Simulate the spikes of a cluster, and compare its activation with zeta."""
    from densernn.cli import simulate as command  # noqa: PLC0415 - so that help is fast

    command.simulate(**options)


@densernn.group(no_args_is_help=False)
def datasets() -> None:
    """Generate data sets."""


@datasets.command("make-higgs-like")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=11_000_000,
    help="Number of rows; more rows begin with the same ones.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
@click.option(
    "-o",
    "--output",
    "outputs",
    type=FILE,
    multiple=True,
    required=True,
    help="A .parquet, .csv.gz or .csv file; repeat the option for further formats.",
)
@shared.JSON
def make_higgs_like(**options: Any) -> None:
    """Generate synthetic rows with the columns of HIGGS.

    They can replace HIGGS where its size and shape matter; they are not physical.
    """
    from densernn.cli import make_higgs_like as command  # noqa: PLC0415 - so that help is fast

    command.make_higgs_like(**options)
