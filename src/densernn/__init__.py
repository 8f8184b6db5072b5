"""densernn: deep learning with dense Random Neural Networks, without gradient descent.

RNN here always means Random Neural Network, the spiking model of Gelenbe, never recurrent.
Public names stand once, in ``__init__.pyi``, and load on first use, so that ``import densernn``
is fast.
"""

import lazy_loader

from densernn._version import VERSION

__version__ = VERSION
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
