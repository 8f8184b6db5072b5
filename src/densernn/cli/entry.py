"""Entry point of the command line: errors become one line and an exit status."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from densernn.cli.commands import densernn
from densernn.errors import DensernnError

REFUSED, FAILED, BROKEN_PIPE = 2, 1, 141


def run(args: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            status = _invoke(list(args))
            sys.stdout.flush()
        except click.Abort:
            raise KeyboardInterrupt from None
        except BrokenPipeError:
            # Python flushes standard output again at exit, which must not fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        # scikit-learn raises ValueError for unsuitable data.
        except (click.ClickException, DensernnError, ValueError, OSError, MemoryError) as error:
            print(f"densernn: {' '.join(_text(error).split())}", file=sys.stderr)
            return FAILED if isinstance(error, MemoryError) else REFUSED
    return status


def _invoke(args: list[str]) -> int:
    try:
        with densernn.make_context("densernn", args) as context:
            densernn.invoke(context)
    except click.exceptions.Exit as stop:  # after --help and --version
        return stop.exit_code
    return 0


def _text(error: Exception) -> str:
    """Return the message of an error; of the operating system's, with the file first."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, MemoryError):
        return f"out of memory: {error}".rstrip(": ")
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as one line, without its position in the library."""
    print(f"densernn: warning: {' '.join(str(message).split())}", file=sys.stderr)
