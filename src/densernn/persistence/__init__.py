"""Save models to files and load them, through skops: no pickle, and only types that are trusted."""

from densernn.persistence.header import describe
from densernn.persistence.reading import load
from densernn.persistence.writing import save

__all__ = ["describe", "load", "save"]
