"""Data sets in the formats of their publishers, split as the publishers or the paper say.

Each loader looks in the path that it is given, or else in ``$DENSERNN_DATA``, then in the
cache, and then downloads; see :mod:`densernn.datasets.fetch`.
"""

from densernn.datasets.bunch import Dataset
from densernn.datasets.covertype import load_covertype
from densernn.datasets.digits import load_digits
from densernn.datasets.higgs import load_higgs
from densernn.datasets.higgs_like import make_higgs_like, write_higgs_like
from densernn.datasets.idx import load_mnist
from densernn.datasets.mfeat import load_mfeat
from densernn.datasets.norb import load_norb

__all__ = [
    "Dataset",
    "load_covertype",
    "load_digits",
    "load_higgs",
    "load_mfeat",
    "load_mnist",
    "load_norb",
    "make_higgs_like",
    "write_higgs_like",
]
