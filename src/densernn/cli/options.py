"""Options shared by several commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import click

from densernn import datasets
from densernn.cli.values import Alpha, Auto, Sizes

Command = TypeVar("Command", bound=Callable[..., Any])

DATASETS = tuple(name.removeprefix("load_") for name in dir(datasets) if name.startswith("load_"))
"""Names of published data sets, each of which has a loader."""


PUBLISHED = {f"classifier{number}": number for number in range(1, 6)}
"""Models of the paper, by their numbers."""

MODELS = ("auto", "forest", "image", "rnn-elm", "dense-rnn", *PUBLISHED)

FOREST_OPTIONS = ("n_trees", "region_size", "min_samples_leaf", "input_scale")
"""Options that only a forest has."""

NETWORK_OPTIONS = (
    *("structure", "encoder", "kappa", "lam", "weights", "n_hidden", "fan_in", "dtype"),
    "preprocess",
)
"""Options that only networks have."""

IMAGE_OPTIONS = ("n_filters", "image_shape", "n_views", "standardize", "augment")
"""Options that only an image model has."""

OF_IMAGES = ("dtype", "preprocess")
"""Options of networks that an image model has, too."""

SET_BY_STRUCTURE = ("n_hidden", "weights", "fan_in")
"""Options that a published model takes from its structure."""

NOT_SHALLOW = ("structure", "encoder", "kappa")
"""Options that a network without encoders has no use for."""


@dataclass(frozen=True)
class ModelOptions:
    """Values of the options of a model."""

    weights: str
    n_hidden: int
    fan_in: int
    alpha: str | float | tuple[float, ...]
    dtype: str
    preprocess: str
    seed: int
    model: str = "auto"
    structure: str | None = None
    encoder: str | None = None
    kappa: float | None = None
    lam: float | None = None
    readout: str | None = None
    n_filters: tuple[int, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    n_views: int = 1
    standardize: bool = False
    augment: bool = False
    n_trees: int | str = "auto"
    region_size: float | str = "auto"
    min_samples_leaf: float | str = "auto"
    input_scale: float | str = "auto"
    given: frozenset[str] = frozenset()

    @classmethod
    def take_from(cls, options: dict[str, Any]) -> ModelOptions:
        """Remove the options of the model from those of a command, and return them.

        Raises
        ------
        click.UsageError
            Options contradict one another.
        """
        context = click.get_current_context()
        names = [field.name for field in fields(cls) if field.name != "given"]
        default = click.core.ParameterSource.DEFAULT
        given = {name for name in names if context.get_parameter_source(name) is not default}
        taken = cls(**{name: options.pop(name) for name in names}, given=frozenset(given))
        taken.check()
        return taken

    def check(self) -> None:
        """Raise :class:`click.UsageError` if options contradict one another."""
        if self.model == "auto":
            self._check_kinds()
        if self.model in PUBLISHED:
            if self.structure is None:
                raise click.UsageError(
                    f"--model {self.model} needs --structure, as 784-500-5000-10"
                )
            if self.encoder == "nonnegative-fista":
                raise click.UsageError(
                    "--encoder nonnegative-fista: only --model classifier1 has such encoders"
                )
        idle = self._given(self._without_meaning())
        if idle:
            model = "rnn-elm" if self.model == "auto" else self.model
            raise click.UsageError(f"{_dashed(idle)}: has no meaning for --model {model} here")
        if self.kappa is not None and self.encoder != "ridge":
            raise click.UsageError("--kappa needs --encoder ridge")

    def _check_kinds(self) -> None:
        """Refuse options of which some belong to one kind of model and others to another."""
        kinds = {
            "networks": self._given(NETWORK_OPTIONS),
            "the forest": self._given(FOREST_OPTIONS),
            "an image model": self._given(IMAGE_OPTIONS),
        }
        found = [(kind, names) for kind, names in kinds.items() if names]
        if len(found) > 1:
            (former, mine), (latter, others) = found[:2]
            raise click.UsageError(
                f"{_dashed(mine)} and {_dashed(others)}: the former belong to {former}, the latter "
                f"to {latter}"
            )

    def _without_meaning(self) -> Sequence[str]:
        """Return the options that the model has no use for."""
        own = {
            "auto": NOT_SHALLOW,
            "forest": (*NETWORK_OPTIONS, *IMAGE_OPTIONS, "readout"),
            "image": (*FOREST_OPTIONS, *(n for n in NETWORK_OPTIONS if n not in OF_IMAGES)),
        }
        if self.model in own:
            return own[self.model]
        network: tuple[str, ...] = (*FOREST_OPTIONS, *IMAGE_OPTIONS)
        if self.model in PUBLISHED:
            network += (*SET_BY_STRUCTURE, "readout")
        elif self.model == "rnn-elm":
            network += NOT_SHALLOW
        elif self.structure is not None:
            network += ("n_hidden",)
        return network

    def _given(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if name in self.given]

    def resolved(self, images: bool) -> ModelOptions:
        """Return the options with a model in place of ``auto``.

        It is a forest for tables, an image model for images, and a network wherever an option is
        given that only networks have.
        """
        if self.model != "auto":
            return self
        if self._given(NETWORK_OPTIONS):
            return replace(self, model="rnn-elm")
        images = images and not self._given(FOREST_OPTIONS)
        if self._given(IMAGE_OPTIONS) or images:
            return replace(self, model="image")
        return replace(self, model="rnn-elm" if self._given(["readout"]) else "forest")


def _dashed(names: Sequence[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


MODEL_OPTIONS = (
    click.option(
        "--model",
        type=click.Choice(MODELS),
        default="auto",
        help="forest: trees of clusters; image: clusters with shared filters; rnn-elm: a random "
        "layer; dense-rnn: encoders before it; classifier1 to classifier5: as published, from "
        "--structure. auto is forest for tables, image for classes of square images, and rnn-elm "
        "where an option of networks is given.",
    ),
    click.option(
        "--n-filters", type=Sizes(), help="Filters of both stages of an image model, as 16,512."
    ),
    click.option(
        "--image-shape",
        type=Sizes(),
        help="Height and width of images, and channels, as 28,28.  [default: square]",
    ),
    click.option(
        "--n-views",
        type=click.IntRange(min=1),
        default=1,
        help="Images that a row holds one behind another, such as of two cameras.",
    ),
    click.option(
        "--standardize",
        is_flag=True,
        help="Scale each image by its own mean and deviation, as photographs whose light differs.",
    ),
    click.option(
        "--augment", is_flag=True, help="Let an image model learn moved copies of images, too."
    ),
    click.option(
        "--readout",
        type=click.Choice(["ridge", "logistic"]),
        help="Whether a network's readout is found by squared error, or then by log loss.  "
        "[default: logistic for image, else ridge]",
    ),
    click.option("--n-trees", type=Auto(int), default="auto", help="Trees of a forest."),
    click.option(
        "--region-size", type=Auto(float), default="auto", help="Rows of a region of a forest."
    ),
    click.option(
        "--min-samples-leaf",
        type=Auto(float),
        default="auto",
        help="Rows of a box of a forest at least.",
    ),
    click.option(
        "--input-scale",
        type=Auto(float),
        default="auto",
        help="Hardness of the walls of a forest's boxes.",
    ),
    click.option(
        "--structure",
        help="Layers of a deep model, such as 784-500-5000-10: inputs, encoders, random layer, "
        "outputs.  [default for dense-rnn: one encoder of 500 units]",
    ),
    click.option(
        "--encoder",
        type=click.Choice(["fista", "nonnegative-fista", "ridge"]),
        help="Solver of encoder weights.  [default: ridge for dense-rnn, else fista]",
    ),
    click.option(
        "--kappa",
        type=click.FloatRange(min=0, min_open=True),
        help="Ridge encoders have the penalty 1/kappa.  [default: 1e-5 as published]",
    ),
    click.option(
        "--lam",
        type=click.FloatRange(min=0, min_open=True),
        help="lambda_plus = lambda_minus of the clusters.  [default: 0.005]",
    ),
    click.option(
        "--weights",
        type=click.Choice(["sparse", "dense"]),
        default="sparse",
        help="Random weights: from a few inputs to each cluster, or from all as published.",
    ),
    click.option(
        "--n-hidden",
        type=click.IntRange(min=1),
        default=1000,
        help="Number of clusters in the random layer.",
    ),
    click.option(
        "--fan-in",
        type=click.IntRange(min=1),
        default=16,
        help="Number of inputs of a cluster with sparse weights.",
    ),
    click.option(
        "--alpha",
        type=Alpha(),
        default="auto",
        help="Ridge penalty: auto, a number, or several separated by commas, of which the best "
        "is chosen: by rows kept aside in a forest, else by generalised cross-validation.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["auto", "float32", "float64"]),
        default="auto",
        help="Precision of matrix products.",
    ),
    click.option(
        "--preprocess",
        type=click.Choice(["auto", "none", "zscore-rows", "unit", "split"]),
        default="auto",
        help="zscore-rows standardises each row over its columns; unit scales to [0, 1]; split "
        "standardises columns and splits them at knots; none lets the model choose between the "
        "last two. auto is zscore-rows for mnist, else none.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=0,
        help="Random seed of the weights, and of the held-out rows of a file.",
    ),
)


@dataclass(frozen=True)
class StreamOptions:
    """Values of the options for rows that need not fit in memory."""

    stream: bool
    memory_limit: str | None
    checkpoint: str | None
    on_bad_rows: str

    @classmethod
    def take_from(cls, options: dict[str, Any]) -> StreamOptions:
        """Remove the options of streams from those of a command, and return them."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})

    @property
    def wanted(self) -> bool:
        """Whether any option requires rows to be streamed."""
        kept = self.memory_limit is not None or self.checkpoint is not None
        return self.stream or kept or self.on_bad_rows != "raise"


STREAM_OPTIONS = (
    click.option(
        "--stream",
        is_flag=True,
        help="Read rows pass by pass instead of into memory. A folder of files always streams, "
        "as do rows with any of the next three options.",
    ),
    click.option(
        "--memory-limit", help="Memory for training and reading together, such as '2 GB'."
    ),
    click.option(
        "--checkpoint",
        type=click.Path(),
        help="Folder for checkpoints: after an interruption, the same command resumes.",
    ),
    click.option(
        "--on-bad-rows",
        type=click.Choice(["raise", "skip"]),
        default="raise",
        help="Whether to skip invalid rows, which are counted and reported.",
    ),
)

CLUSTER_OPTIONS = (
    click.option("--n", type=int, default=20, help="Cells in the cluster, at least 2."),
    click.option(
        "--p",
        type=float,
        default=0.05,
        help="Probability that a firing triggers rather than excites.",
    ),
    click.option("--r", type=float, default=0.001, help="Firing rate."),
    click.option(
        "--lambda-plus", type=float, default=0.005, help="Rate of external excitatory spikes."
    ),
    click.option(
        "--lambda-minus",
        type=float,
        default=0.005,
        help="Rate of external inhibitory spikes, at least that of excitatory ones.",
    ),
)

TASK = click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    help="auto is classification for text, truth values, and whole numbers of up to 50 classes "
    "with more than 20 rows each on average; regression for fractions; else you are asked.",
)

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def with_options(
    options: Sequence[Callable[[Command], Command]],
) -> Callable[[Command], Command]:
    """Return a decorator that adds options, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class ManyInputs(click.Command):
    """A command whose ``--x`` may be followed by several numbers: ``--x 0 0.01 --x 0.1``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert ``--x`` before each further number, the form that click parses."""
        expanded: list[str] = []
        follows = False
        for position, arg in enumerate(args):
            value = position > 0 and args[position - 1] == "--x"
            if follows and not value and _is_number(arg):
                expanded.append("--x")
            follows = (
                value or arg == "--x" or arg.startswith("--x=") or (follows and _is_number(arg))
            )
            expanded.append(arg)
        return super().parse_args(ctx, expanded)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", text, re.IGNORECASE) is not None
