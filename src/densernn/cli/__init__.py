"""The command line: ``densernn evaluate | fit | predict | info | simulate | datasets``.

It turns names into calls and results into tables; there is no mathematics here.  To show help,
only :mod:`.entry`, :mod:`.commands` and :mod:`.options` are imported, which import nothing heavy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]

INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status.

    Parameters
    ----------
    args : sequence of str, optional
        Arguments after the program's name; by default those it was called with.

    Notes
    -----
    Exit status: 0 when all went well; 2 for what the caller can mend, with one line on
    standard error; 1 for memory that ran out; 130 after Ctrl-C.
    """
    try:
        from densernn.cli.entry import run  # noqa: PLC0415 - Ctrl-C may come while it is imported

        status = run(sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)
