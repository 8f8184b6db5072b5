"""Downloads of published files by pooch: checked, of limited size, whole or not at all."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from densernn._progress import Progress
from densernn.errors import DataError

BLOCK = 1 << 16
"""Bytes between two looks at the size of a download."""

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class RemoteFile:
    """A file that its publisher offers.

    Parameters
    ----------
    names : tuple of str
        Names it may have on disk, as glob patterns, the preferred first; the first one is
        the publisher's.
    url : str
        Where it is published.
    checksum : str or None, default=None
        ``md5:`` or ``sha256:`` and the digest of the file as it is published, packed; None where
        it is not known, so that only the loader's own checks guard a download.
    limit : int, default=20_000_000
        Most bytes that a download may have.
    """

    names: tuple[str, ...]
    url: str
    checksum: str | None = None
    limit: int = 20_000_000


def download(file: RemoteFile, folder: Path) -> None:
    """Download a file into a folder, check it, and only then give it its name.

    A terminal shows a progress bar.

    Parameters
    ----------
    file : RemoteFile
        The file.
    folder : Path
        Where to; made if it is not there.

    Raises
    ------
    OSError
        The network or the disk fails.
    DataError
        The file is too large or has another checksum; it is removed.
    """
    # Imported here because importing densernn must stay fast.
    import pooch  # noqa: PLC0415

    with ExitStack() as stack:
        downloader = pooch.HTTPDownloader(
            progressbar=_Meter(file, stack),
            chunk_size=BLOCK,
            timeout=TIMEOUT_SECONDS,
            # Else a server may unpack on the way what the checksum is of.
            headers={"User-Agent": "densernn", "Accept-Encoding": "identity"},
        )
        try:
            pooch.retrieve(file.url, file.checksum, file.names[0], folder, downloader=downloader)
        except ValueError as error:  # of another checksum, or from the meter
            raise DataError(f"{file.url}: what was downloaded is not kept: {error}") from error


class _Meter:
    """Progress of a download, which ends one that is too large; has what pooch asks of tqdm."""

    total = 0  # bytes; pooch sets it where the server tells

    def __init__(self, file: RemoteFile, stack: ExitStack) -> None:
        self._file, self._stack = file, stack
        self._bar: Progress | None = None
        self._received = 0

    def update(self, n_bytes: int) -> None:
        self._received += n_bytes
        if max(self._received - BLOCK, self.total) > self._file.limit:  # the last block is short
            raise DataError(f"it has more than {self._file.limit:,} bytes: it is another file")
        if self._bar is None:
            name = self._file.names[0]
            self._bar = self._stack.enter_context(Progress(name, self.total or None, True))
        self._bar.reach(self._received)

    def reset(self) -> None:
        self._received = 0

    def close(self) -> None: ...
