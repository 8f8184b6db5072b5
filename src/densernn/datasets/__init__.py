"""Data sets in the formats of their publishers, split as the publishers or the paper say.

Each loader looks in the path that it is given, or else in ``$DENSERNN_DATA``, then in the
cache, and then downloads; see :mod:`densernn.datasets.fetch`.  A loader is a file here and a line
in ``__init__.pyi``; ``densernn evaluate --dataset`` knows it by that line.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
