"""Saving and loading of models as skops files: no pickle, and only trusted types."""

from densernn.persistence.header import describe
from densernn.persistence.reading import load
from densernn.persistence.writing import save

__all__ = ["describe", "load", "save"]
