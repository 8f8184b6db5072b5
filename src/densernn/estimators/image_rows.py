"""Images as rows: arrays of images become flat, and their shape is kept, or compared."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from densernn.errors import DataError
from densernn.images.augment import AugmentedPass, augmentation
from densernn.images.stages import image_shape
from densernn.phases import Phase

Statistic = TypeVar("Statistic")


def flat_images(X: Any) -> tuple[Any, tuple[int, ...] | None]:
    """Return images as flat rows, in C order, and the shape they had; rows as they are."""
    shape = getattr(X, "shape", ())
    if len(shape) not in (3, 4):
        return X, None
    return X.reshape((-1, math.prod(shape[1:]))), tuple(int(n) for n in shape[1:])


def augmented(model: Any, phase: Phase[Statistic]) -> Phase[Statistic]:
    """Return a pass that gets augmented copies of images, too, where a model is to learn them."""
    augment = augmentation(getattr(model, "augment", None))
    if augment is None:
        return phase
    return AugmentedPass(phase, augment, model.image_shape_)


def check_images(model: Any, n_columns: int, given: tuple[int, ...] | None, *, reset: bool) -> None:
    """Store the shape of the images in a model, or compare it with that of training.

    Raises
    ------
    ParameterError
        Shape and columns contradict each other, or nothing says the shape.
    DataError
        Images of another shape than in training.
    """
    if reset:
        model.image_shape_ = image_shape(model.image_shape, n_columns, given)
        return
    known = model.image_shape_
    if given is not None and (*given, 1)[:3] != known:
        raise DataError(
            f"these are images of {given}, and {type(model).__name__} was trained on images of "
            f"{known}"
        )
