"""Images as rows: arrays of images become flat, and their shape is kept, or compared."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from densernn.errors import DataError, ParameterError
from densernn.images.augment import AugmentedPass, augmentation
from densernn.images.pixels import Layout
from densernn.images.stages import image_shape
from densernn.phases import Phase

Statistic = TypeVar("Statistic")


def flat_images(X: Any, n_views: int) -> tuple[Any, tuple[int, ...] | None]:
    """Return images as flat rows, in C order, and the shape they had; rows as they are."""
    shape = getattr(X, "shape", ())
    if len(shape) not in ((3, 4) if n_views == 1 else (4, 5)):
        return X, None
    return X.reshape((-1, math.prod(shape[1:]))), tuple(int(n) for n in shape[1:])


def augmented(model: Any, phase: Phase[Statistic]) -> Phase[Statistic]:
    """Return a pass that gets augmented copies of images, too, where a model is to learn them."""
    augment = augmentation(getattr(model, "augment", None))
    if augment is None:
        return phase
    return AugmentedPass(phase, augment, layout_of(model))


def layout_of(model: Any) -> Layout:
    """Return how rows of a fitted model hold images."""
    return Layout(model.image_shape_, n_views_of(model))


def n_views_of(model: Any) -> int:
    """Return the images that a row of a model holds.

    Raises
    ------
    ParameterError
        ``n_views`` is no whole number from 1 on.
    """
    n_views = getattr(model, "n_views", 1)
    if not isinstance(n_views, (int, np.integer)) or n_views < 1:
        raise ParameterError(f"n_views must be a whole number from 1 on: it is {n_views!r}")
    return int(n_views)


def check_images(model: Any, n_columns: int, given: tuple[int, ...] | None, *, reset: bool) -> None:
    """Store the shape of the images in a model, or compare it with that of training.

    Raises
    ------
    ParameterError
        Shape and columns contradict each other, or nothing says the shape.
    DataError
        Images of another shape than in training.
    """
    n_views = n_views_of(model)
    if n_views > 1:
        if n_columns % n_views or (given is not None and given[0] != n_views):
            raise ParameterError(
                f"n_views={n_views}: rows must hold so many images one behind another, and have "
                f"{n_columns} columns" + (f" of shape {given}" if given else "")
            )
        given = None if given is None else given[1:]
    if reset:
        height, width, channels = image_shape(model.image_shape, n_columns // n_views, given)
        model.image_shape_ = height, width, channels * n_views
        return
    height, width, channels = model.image_shape_
    if given is not None and (*given, 1)[:3] != (height, width, channels // n_views):
        raise DataError(
            f"these are images of {given}, and {type(model).__name__} was trained on images of "
            f"{(height, width, channels // n_views)}"
        )
