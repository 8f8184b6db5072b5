"""Errors and warnings whose text says what was wrong, where, and what to do.

Every error raised on purpose derives from :class:`DensernnError` and from the built-in
class that a caller would expect (mostly ``ValueError``), so both habits work.
"""

from __future__ import annotations

import sys


class DensernnError(Exception):
    """Base class of all errors that densernn raises on purpose."""


class ParameterError(DensernnError, ValueError):
    """A parameter lies outside its condition; the text names the condition and the value."""


class NegativeInputError(DensernnError, ValueError):
    """Negative input reached a network, whose cells can only carry rates and probabilities."""


class DataError(DensernnError, ValueError):
    """Data cannot be read or used; the text names the file, row or column."""


class DatasetNotFoundError(DensernnError, FileNotFoundError):
    """A data set is neither on disk nor to be downloaded; the text says where to put it."""


class SaturationError(DensernnError, ValueError):
    """A network has no joint steady state, since cells in it gain more than they can lose."""


class MergeError(DensernnError, ValueError):
    """Two models or folds cannot be joined; the text names the difference."""


class CheckpointError(DensernnError, ValueError):
    """A checkpoint is of another training, or damaged; the text names the difference."""


class ModelFileError(DensernnError, ValueError):
    """A model file is damaged, foreign, or holds types that are not trusted."""


class DensernnWarning(UserWarning):
    """Base class of all warnings of densernn."""


class SingularSolveWarning(DensernnWarning):
    """A linear solve is numerically singular in the working precision."""


class SkippedRowsWarning(DensernnWarning):
    """Rows of a source could not be used and were skipped, as had been asked for."""


class ConvergenceWarning(DensernnWarning):
    """An iteration stopped at its limit before it met its tolerance."""


class InterruptedWarning(DensernnWarning):
    """An iteration was stopped from the keyboard; what it had reached is kept."""


def user_level() -> int:
    """Return the ``stacklevel`` for which a warning is shown at the call from outside densernn."""
    level = 1
    while sys._getframe(level).f_globals.get("__name__", "").startswith("densernn."):
        level += 1
    return level
