"""Published networks: Classifier-1 to Classifier-5, from their structures.

A structure is written as in the paper's Tables II to IV and section VI: inputs, encoder layers,
random layer and outputs, separated by dashes (``784-500-8000-10``).  A part may be a product
(``2x50``).  Classifier-1 and -2 connect encoders to all inputs, so that ``2x28`` means 56 inputs.
For Classifier-3 to -5 the first part is the number of views times the inputs of each
(``2x32x32``) or, if they differ, the inputs of each separated by plus signs (``216+76+64``), and an
encoder layer is the number of encoders over all views times the size of each: ``2x50``, ``2x5x50``
or ``80x500``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from densernn.cluster import Cluster
from densernn.errors import DataError, ParameterError
from densernn.estimators import DenseRNNClassifier
from densernn.solvers import PUBLISHED_FISTA, RidgeSolver
from densernn.wiring import replicas_per_view

READOUT_ALPHA = 1e-16
"""Penalty of the readout, close to the published pseudo-inverse; docs/decisions/0008."""

KAPPA = 1e-5
"""Default kappa of ridge encoders, which the paper calls a generally good choice."""

CLASSIFIERS = (1, 2, 3, 4, 5)

ENCODERS = ("fista", "ridge")

_SEPARATORS = re.compile(r"[-\u2010-\u2015\u2212]")
_TIMES = re.compile(r"[x*X\u00d7]")


@dataclass(frozen=True)
class Structure:
    """Parsed structure of a published network.

    Parameters
    ----------
    text : str
        The structure as text.
    source_widths : tuple of int
        Number of inputs of each view; a single one for Classifier-1 and -2.
    encoder_sizes, replicas : tuple of int
        For each layer, the size of an encoder and the number of encoders over all views.
    n_hidden : int or None
        Number of clusters in the random layer; None without one (Classifier-5).
    n_outputs : int
        Number of classes.
    classifier : int
        The published classifier, 1 to 5.
    """

    text: str
    source_widths: tuple[int, ...]
    encoder_sizes: tuple[int, ...]
    replicas: tuple[int, ...]
    n_hidden: int | None
    n_outputs: int
    classifier: int

    @property
    def n_sources(self) -> int:
        """Number of views."""
        return len(self.source_widths)

    @property
    def n_inputs(self) -> int:
        """Total number of inputs."""
        return sum(self.source_widths)

    def check(self, n_columns: int, n_classes: int) -> None:
        """Raise :class:`DataError` unless data have these numbers of columns and classes."""
        for what, wanted, found in (
            ("inputs", self.n_inputs, n_columns),
            ("outputs", self.n_outputs, n_classes),
        ):
            if wanted != found:
                raise DataError(
                    f"structure {self.text!r} has {wanted} {what}, and the data have {found} "
                    f"{'columns' if what == 'inputs' else 'classes'}"
                )


def parse_structure(text: str, classifier: int = 2) -> Structure:
    """Parse a structure.

    Parameters
    ----------
    text : str
        Structure as in the paper's tables, with any dashes and multiplication signs; spaces are
        ignored.
    classifier : {1, 2, 3, 4, 5}, default=2
        The published classifier, which determines the meaning of products.

    Returns
    -------
    Structure

    Raises
    ------
    ParameterError
        The structure is malformed; the message names the part.

    Examples
    --------
    >>> parse_structure("2x32x32-80x500-10x10-10000-5", classifier=4).replicas
    (80, 10)
    >>> parse_structure("2x28-1000-10000-2").n_inputs
    56
    >>> parse_structure("784-5o0-5000-10")
    Traceback (most recent call last):
        ...
    densernn.errors.ParameterError: structure '784-5o0-5000-10': part 2, '5o0', is no product of \
whole numbers from 1 on
    """
    if isinstance(classifier, bool) or classifier not in CLASSIFIERS:
        raise ParameterError(f"classifier must be one of {CLASSIFIERS}: it is {classifier!r}")
    if not isinstance(text, str):
        raise ParameterError(f"structure must be text such as '784-500-5000-10': it is {text!r}")
    first, *rest = _SEPARATORS.split(text)
    parts = [[], *(_factors(text, number, part) for number, part in enumerate(rest, 2))]
    fewest = {1: 3, 2: 3, 3: 4, 4: 4, 5: 3}[classifier]
    if len(parts) < fewest:
        layers = "inputs, encoders and outputs" if classifier == 5 else "inputs to outputs"
        raise ParameterError(
            f"structure {text!r}: Classifier-{classifier} needs {fewest} parts or more, {layers}: "
            f"there are {len(parts)}"
        )
    # For one encoder over all inputs, a product is just a number of inputs.
    joint = classifier < 3
    widths = (math.prod(_factors(text, 1, first)),) if joint else _source_widths(text, first)
    last = len(parts) - (1 if classifier == 5 else 2)
    for number in range(1 if joint else last, len(parts)):
        if len(parts[number]) > 1:
            product = "x".join(map(str, parts[number]))
            raise ParameterError(
                f"structure {text!r}: part {number + 1} must be a single number in a "
                f"Classifier-{classifier}: it is {product!r}"
            )
    encoders = parts[1:last]
    replicas = tuple(
        _replicas(text, i, factors, len(widths)) for i, factors in enumerate(encoders, 2)
    )
    structure = Structure(
        text,
        widths,
        tuple(factors[-1] for factors in encoders),
        replicas,
        None if classifier == 5 else parts[-2][0],
        parts[-1][0],
        classifier,
    )
    _check_replicas(structure)
    return structure


def _factors(text: str, number: int, part: str) -> list[int]:
    factors = [factor.strip() for factor in _TIMES.split(part)]
    if not all(re.fullmatch(r"[0-9]+", factor) and int(factor) for factor in factors):
        raise ParameterError(
            f"structure {text!r}: part {number}, {part.strip()!r}, is no product of whole numbers "
            "from 1 on"
        )
    return [int(factor) for factor in factors]


def _source_widths(text: str, part: str) -> tuple[int, ...]:
    """Return the number of inputs of each view."""
    if "+" in part:
        return tuple(math.prod(_factors(text, 1, width)) for width in part.split("+"))
    factors = _factors(text, 1, part)
    if len(factors) < 2:
        raise ParameterError(
            f"structure {text!r}: part 1 must be sources times inputs, such as 2x32x32, or the "
            f"inputs of each with plus signs between, for several sources: it is {factors[0]}"
        )
    return (math.prod(factors[1:]),) * factors[0]


def _replicas(text: str, number: int, factors: list[int], n_sources: int) -> int:
    """Return the number of encoders of a layer over all views."""
    total = math.prod(factors[:-1])
    if total % n_sources:
        raise ParameterError(
            f"structure {text!r}: part {number} has {total} encoders, which do not share out among "
            f"{n_sources} sources"
        )
    return total


def _check_replicas(structure: Structure) -> None:
    if structure.classifier == 3 and any(
        total != structure.n_sources for total in structure.replicas
    ):
        raise ParameterError(
            f"structure {structure.text!r}: Classifier-3 has one encoder per source: its layers "
            f"have {structure.replicas}, for {structure.n_sources} sources"
        )
    n_layers = len(structure.encoder_sizes)
    if n_layers and max(structure.replicas) > 1:
        try:
            replicas_per_view(structure.replicas, n_layers, structure.n_sources)
        except ParameterError as error:
            raise ParameterError(f"structure {structure.text!r}: {error}") from None


def from_structure(
    structure: str | Structure,
    classifier: int = 2,
    *,
    encoder: str = "fista",
    lam: float = 0.005,
    kappa: float | None = None,
    alpha: Any = READOUT_ALPHA,
    preparation: Any = "auto",
    dtype: str = "auto",
    random_state: Any = None,
    verbose: int = 0,
) -> DenseRNNClassifier:
    """Return a published classifier, untrained.

    Parameters
    ----------
    structure : str or Structure
        As in the paper's tables; see :func:`parse_structure`.  A structure without encoders, such
        as ``784-10000-10``, is the paper's RNN-ELM.
    classifier : {1, 2, 3, 4, 5}, default=2
        1: nonnegative encoders (21).  2: signed encoders (22) or (23), as W+ and W-.  3: one
        encoder for each view.  4: several for each view.  5: as 4, without a random layer.
    encoder : {"fista", "ridge"}, default="fista"
        Encoders by the published FISTA, or by (23).  Classifier-1 requires FISTA.
    lam : float, default=0.005
        lambda_plus = lambda_minus of the clusters.
    kappa : float, optional
        Ridge encoders have the penalty 1/kappa; 1e-5 by default.
    alpha : as in :class:`RNNELMClassifier`, default=1e-16
        Penalty of the readout, 1/kappa in (24); 2^-30 or 2^-25 in section VI.
    preparation, dtype, random_state, verbose
        As in :class:`DenseRNNClassifier`.  The paper scales images by the range of all pixels:
        ``UnitScaler(shared=True)``, which ``"auto"`` chooses if columns look like pixels.

    Returns
    -------
    DenseRNNClassifier
        Estimator with dense weights and published encoders, not fitted.

    Raises
    ------
    ParameterError
        The structure is malformed, or parameters contradict one another.

    Notes
    -----
    The paper standardises each image first: see :class:`RowStandardizer`.

    Examples
    --------
    >>> model = from_structure("784-500-8000-10", classifier=2, encoder="fista", lam=0.005)
    >>> model.encoder_sizes, model.n_hidden
    ((500,), 8000)
    """
    if encoder not in ENCODERS:
        raise ParameterError(f"encoder must be one of {ENCODERS}: it is {encoder!r}")
    if encoder == "ridge" and classifier == 1:
        raise ParameterError("Classifier-1 has encoders of FISTA (21): encoder is 'ridge'")
    if kappa is not None and encoder != "ridge":
        raise ParameterError(f"kappa goes with encoder='ridge': encoder is {encoder!r}")
    share = KAPPA if kappa is None else kappa
    if not (isinstance(share, (int, float)) and 0 < share < math.inf):
        raise ParameterError(f"kappa must be a number above 0: it is {kappa!r}")
    plan = parse_structure(structure, classifier) if isinstance(structure, str) else structure
    if plan.classifier != classifier:
        raise ParameterError(
            f"structure {plan.text!r} was read as that of Classifier-{plan.classifier}: "
            f"classifier is {classifier}"
        )
    solver: Any = RidgeSolver(1.0 / share)
    if encoder == "fista":
        solver = replace(PUBLISHED_FISTA, nonnegative=classifier == 1)
    return DenseRNNClassifier(
        plan.encoder_sizes,
        plan.n_hidden or 1,
        encoder=solver,
        views=_slices(plan.source_widths),
        replicas=plan.replicas or 1,
        random_hidden=plan.n_hidden is not None,
        cluster=Cluster(lambda_plus=lam, lambda_minus=lam),
        weights="dense",
        preparation=preparation,
        alpha=alpha,
        dtype=dtype,
        random_state=random_state,
        verbose=verbose,
    )


def _slices(widths: tuple[int, ...]) -> list[slice]:
    edges = [0, *accumulate(widths)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def classifier1(structure: str, **options: Any) -> DenseRNNClassifier:
    """Return Classifier-1, with nonnegative encoders (21); options as in :func:`from_structure`."""
    return from_structure(structure, 1, **options)


def classifier2(structure: str, **options: Any) -> DenseRNNClassifier:
    """Return Classifier-2, with signed encoders as W+ and W- (22), (23); options as above."""
    return from_structure(structure, 2, **options)


def classifier3(structure: str, **options: Any) -> DenseRNNClassifier:
    """Return Classifier-3, with one encoder for each view; options as above."""
    return from_structure(structure, 3, **options)


def classifier4(structure: str, **options: Any) -> DenseRNNClassifier:
    """Return Classifier-4, with several encoders for each view; options as above."""
    return from_structure(structure, 4, **options)


def classifier5(structure: str, **options: Any) -> DenseRNNClassifier:
    """Return Classifier-5, as Classifier-4 without a random layer; options as above."""
    return from_structure(structure, 5, **options)
