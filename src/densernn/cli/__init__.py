"""The command line: ``densernn evaluate | fit | predict | info``.

It turns names into calls and results into tables; there is no mathematics here.  Only
:mod:`.options` and :mod:`.commands` are imported to show help, and they import nothing heavy.
"""

from densernn.cli.entry import main

__all__ = ["main"]
