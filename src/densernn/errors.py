"""Errors and warnings of densernn.

Every error derives from :class:`DensernnError` and from the built-in class that scikit-learn
would raise, mostly ``ValueError``.  Messages state what was wrong, where, and how to mend it.
"""

from __future__ import annotations

import sys


class DensernnError(Exception):
    """Base class of all errors that densernn raises."""


class ParameterError(DensernnError, ValueError):
    """A parameter violates a condition; the message names the condition and the value."""


class NegativeInputError(DensernnError, ValueError):
    """The input of a network is negative: cells carry rates and probabilities only."""


class DataError(DensernnError, ValueError):
    """Data cannot be read or used; the message names the file, row or column."""


class DatasetNotFoundError(DensernnError, FileNotFoundError):
    """A data set is not on disk and cannot be downloaded; the message says where to put it."""


class SaturationError(DensernnError, ValueError):
    """A network has no joint steady state, because some of its cells are saturated."""


class MergeError(DensernnError, ValueError):
    """Two models or statistics cannot be merged; the message names the difference."""


class CheckpointError(DensernnError, ValueError):
    """A checkpoint belongs to another training or is damaged; the message names the difference."""


class ModelFileError(DensernnError, ValueError):
    """A model file is damaged, of another program, or contains types that are not trusted."""


class WriteError(DensernnError, OSError):
    """A file cannot be written; the text names it and says why."""


class NoFolderError(WriteError, FileNotFoundError):
    """A file cannot be written, as there is no such folder; the text names it."""


class DensernnWarning(UserWarning):
    """Base class of all warnings of densernn."""


class SingularSolveWarning(DensernnWarning):
    """A linear solve is numerically singular in the working precision."""


class UndecidedAlphaWarning(DensernnWarning):
    """No penalty could be judged from the rows; the message says what to do."""


class SkippedRowsWarning(DensernnWarning):
    """Rows of a source were skipped because they could not be used."""


class SmallerForestWarning(DensernnWarning):
    """A forest has fewer trees than were asked for, since memory does not allow more."""


class UnknownCategoryWarning(DensernnWarning):
    """Rows have categories that were not there in training, and count as rare ones."""


class ConvergenceWarning(DensernnWarning):
    """An iteration reached its limit before it converged."""


class InterruptedWarning(DensernnWarning):
    """An iteration was interrupted from the keyboard; its last result is kept."""


def user_level() -> int:
    """Return the ``stacklevel`` for which a warning is shown at the call from outside densernn."""
    level = 1
    while sys._getframe(level).f_globals.get("__name__", "").startswith("densernn."):
        level += 1
    return level
