"""Run a command, and turn what goes wrong into one line and an exit status."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

import click

from densernn.cli.commands import densernn
from densernn.errors import DensernnError

REFUSED, FAILED, INTERRUPTED, BROKEN_PIPE = 2, 1, 130, 141


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
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            with densernn.make_context("densernn", list(args)) as context:
                densernn.invoke(context)
            sys.stdout.flush()
        except click.exceptions.Exit as stop:
            return stop.exit_code
        except (KeyboardInterrupt, click.Abort):
            return INTERRUPTED
        except BrokenPipeError:
            # Python flushes once more on its way out, which must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        except click.ClickException as error:
            return _complain(error.format_message(), REFUSED)
        except MemoryError as error:
            return _complain(f"out of memory: {error}".rstrip(": "), FAILED)
        except OSError as error:
            return _complain(_place(error), REFUSED)
        except (DensernnError, ValueError) as error:  # scikit-learn refuses data by ValueError
            return _complain(str(error), REFUSED)
    return 0


def _place(error: OSError) -> str:
    """Return what the system says, the file first."""
    if isinstance(error, DensernnError) or error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"


def _complain(text: str, status: int) -> int:
    print(f"densernn: {' '.join(text.split())}", file=sys.stderr)
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: Any = None,
) -> None:
    """Show a warning as one line: where in the library it was raised tells a caller nothing."""
    print(f"densernn: warning: {' '.join(str(message).split())}", file=file or sys.stderr)
