"""Fetch one file over the network, whole and checked, or leave nothing behind."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from densernn.datasets.whole_file import whole_file
from densernn.errors import DataError
from densernn.sources.files import BLOCK, reading

Check = Callable[[Path], None]
"""Raises a :class:`~densernn.errors.DataError` if a file is not what it should be."""

TIMEOUT_SECONDS = 60


def download(url: str, target: Path, check: Check) -> None:
    """Download a file, check it, and only then give it its name.

    The bytes go to a hidden file beside the target, which is renamed in one step: neither an
    interrupted nor a second, simultaneous download leaves half a file under the target's name.
    A terminal shows a progress bar.

    Parameters
    ----------
    url : str
        Where the file is.
    target : Path
        What it becomes; missing folders are made.
    check : callable
        Looks at the file before it is renamed.

    Raises
    ------
    OSError
        If the network or the disk fails.
    DataError
        If the check refuses the file; it is removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as part:
        _transfer(url, part, target.name)
        try:
            check(part)
        except DataError as error:
            reason = str(error).replace(str(part), target.name)
            raise DataError(f"{url}: what was downloaded is not kept: {reason}") from error


def has_digest(algorithm: str, expected: str) -> Check:
    """Make a check of the digest of a file's unpacked bytes.

    Packed bytes are no guide: servers pack the same content anew.

    Parameters
    ----------
    algorithm : str
        A name that :mod:`hashlib` knows.
    expected : str
        The digest, in hexadecimal digits.

    Returns
    -------
    callable
        The check.
    """

    def check(path: Path) -> None:
        with reading(path) as stream:
            digest = hashlib.new(algorithm, usedforsecurity=False)
            while block := stream.read(BLOCK):
                digest.update(block)
        if digest.hexdigest() != expected:
            raise DataError(
                f"{path}: expected {algorithm} {expected} of the unpacked bytes, "
                f"found {digest.hexdigest()}"
            )

    return check


def has_lines(expected: int) -> Check:
    """Make a check of how many lines a file has once it is unpacked."""

    def check(path: Path) -> None:
        with reading(path) as stream:
            found = 0
            while block := stream.read(BLOCK):
                found += block.count(b"\n")
        if found != expected:
            raise DataError(f"{path}: expected {expected:,} lines, found {found:,}")

    return check


def _transfer(url: str, part: Path, name: str) -> None:
    # Imported here because importing densernn must stay fast.
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.request import Request, urlopen  # noqa: PLC0415

    request = Request(url, headers={"User-Agent": "densernn"})
    received = 0
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response, part.open("xb") as out:
            length = response.headers.get("Content-Length")
            total = int(length) if length else None
            with _progress(name, total) as advance:
                while block := response.read(BLOCK):
                    out.write(block)
                    received += len(block)
                    advance(len(block))
    except HTTPException as error:
        raise OSError(f"broken answer: {error!r}") from error
    # A connection that breaks in the middle reads like the end of the file.
    if total is not None and received != total:
        raise OSError(f"the connection ended after {received:,} of {total:,} bytes")


@contextmanager
def _progress(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere; yields how to advance it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich import progress  # noqa: PLC0415  (importing densernn must stay fast)
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=total)
        yield lambda count: bar.advance(task, count)
