"""Command-line interface: ``densernn evaluate | fit | predict | info | simulate | datasets``.

To show help, only :mod:`.entry`, :mod:`.commands` and :mod:`.options` are imported, which import
nothing heavy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]

INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status.

    Parameters
    ----------
    args : sequence of str, optional
        Arguments; by default those of the process.

    Notes
    -----
    Exit status: 0 on success; 2 for errors of input and usage, with one line on standard error; 1
    when memory is exhausted; 130 after Ctrl-C.
    """
    try:
        from densernn.cli.entry import run  # noqa: PLC0415 - Ctrl-C during the import counts, too

        status = run(sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)
