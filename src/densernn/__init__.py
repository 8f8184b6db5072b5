"""densernn: deep learning with dense Random Neural Networks, without gradient descent.

RNN here always means Random Neural Network, the spiking model of Gelenbe, never recurrent.
Public names stand once, in ``__init__.pyi``, and load on first use, so that ``import densernn``
is fast.
"""

import lazy_loader

from densernn._version import VERSION

__version__ = VERSION
_MODULES = ("datasets", "paper", "plotting", "solvers")
__getattr__, _, _names = lazy_loader.attach_stub(__name__, __file__)
# Modules are attributes, but ``import *`` must not replace modules of the same name.
__all__ = [name for name in ("__version__", *_names) if name not in _MODULES]


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
