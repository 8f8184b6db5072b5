"""Checkpoint of a training: the statistics of its passes, in a folder on disk.

Training is a fixed sequence of passes, and everything between them is a function of their
statistics and of the random generator.  So a checkpoint holds statistics and nothing else: the
same call repeats all steps, loads the statistics of the passes that had been finished, and goes on
with the one that had not (docs/decisions/0011).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from densernn._files import PART, atomic_write
from densernn.engine.local import PassResult
from densernn.errors import CheckpointError

if TYPE_CHECKING:
    from filelock import BaseFileLock

FORMAT = 1

HEADER = "training.json"

LOCK = "lock"

SHARE = 0.05
"""Share of the time that writing may take."""

LEAST_SECONDS = 1.0
"""Seconds between two writings at least."""

TRUSTED = (
    "densernn.encoders.CodeStatistic",
    "densernn.engine.local.PassResult",
    "densernn.forest.moments.ForestMoments",
    "densernn.forest.moments.TreeMoments",
    "densernn.stats.column_stats.ClassCounts",
    "densernn.stats.column_stats.Extrema",
    "densernn.stats.column_stats.Marginals",
    "densernn.stats.distinct.Block",
    "densernn.stats.distinct.DistinctSample",
    "densernn.stats.few_rows.FewRows",
    "densernn.stats.moments.Moments",
    "densernn.stats.sample.Sample",
    "densernn.summaries.ColumnSummary",
    "densernn.summaries.TableSummary",
    "densernn.phases.LearnedState",
    "densernn.solvers.descent.Descent",
    "densernn.solvers.logistic.LogisticSums",
    "densernn.solvers.descent.Point",
    "densernn.solvers.multiplicative.CodeMoments",
    "densernn.solvers.multiplicative.SpikingTerms",
    "densernn.solvers.multiplicative.Terms",
    "densernn.sources.rows.Skipped",
)
"""Types that a checkpoint may hold: statistics, whose state can do no harm."""


class Checkpoint:
    """A folder with the statistics of finished passes, and of the one that is under way.

    Every file is written under another name, brought to the disk and then renamed: a kill
    leaves the earlier one, never half of a file.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    about : mapping of str to mapping of str to str
        What must be equal for the statistics to be of use: "parameter", "data" and so on, each with
        names and values for messages.

    Raises
    ------
    CheckpointError
        The folder holds the checkpoint of another training, whose difference the text names, or
        something else.
    """

    def __init__(self, folder: str | PathLike[str], about: Mapping[str, Mapping[str, str]]) -> None:
        self._folder = Path(folder)
        self._written = time.monotonic()
        self._pause = LEAST_SECONDS
        self._header: dict[str, Any] = {"format": FORMAT, "about": _plain(about)}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"checkpoint={str(folder)!r} must be a folder, or free for one: {error.strerror}"
            ) from error
        self._lock = self._acquire()
        try:
            self._take_up()
        except BaseException:
            self._lock.release()
            raise

    def _acquire(self) -> BaseFileLock:
        """Lock the folder for this training alone; the lock of a killed process is void."""
        import filelock  # noqa: PLC0415 - only a checkpoint needs it

        folder = self._folder
        strange = [p for p in folder.iterdir() if p.name != LOCK and not p.match(f".*{PART}")]
        if strange and not (folder / HEADER).exists():
            raise CheckpointError(
                f"checkpoint={str(folder)!r} is a folder with other files in it: name an empty or "
                "a new one"
            )
        lock = filelock.FileLock(folder / LOCK, blocking=False)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise CheckpointError(
                f"checkpoint={str(folder)!r} is in use by another training: name another folder"
            ) from error
        except OSError as error:
            raise CheckpointError(
                f"checkpoint={str(folder)!r}: the folder cannot be written "
                f"({error.strerror or error}): name another one"
            ) from error
        for part in folder.glob(f".*{PART}"):  # left behind by a kill
            part.unlink()
        return lock

    def _take_up(self) -> None:
        """Read what an earlier training of the same has left, or begin."""
        found = self._read_header()
        if found is None:
            self._write_header()
            return
        self._compare(found)
        self._header = found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def generator(self, fresh: np.random.Generator) -> np.random.Generator:
        """Return the generator that training began with: the given one the first time."""
        state = self._header.get("generator")
        if state is None:
            self._header["generator"] = fresh.bit_generator.state
            self._write_header()
            return fresh
        kind = getattr(np.random, str(state["bit_generator"]))
        bits = kind()
        bits.state = state
        return np.random.Generator(bits)

    def load(self, number: int, name: str) -> tuple[PassResult[Any] | None, bool]:
        """Return what a pass had made, if anything, and whether it had been finished."""
        whole = self._path(number, name, "whole")
        if whole.exists():
            return self._read(whole), True
        part = self._path(number, name, "part")
        return (self._read(part), False) if part.exists() else (None, False)

    def save_partial(self, number: int, name: str, state: PassResult[Any]) -> None:
        """Write what a pass has made so far, if it is time to."""
        if time.monotonic() - self._written < self._pause:
            return
        self._write(self._path(number, name, "part"), state)

    def save(self, number: int, name: str, state: PassResult[Any]) -> None:
        """Write what a pass has made of all rows."""
        self._write(self._path(number, name, "whole"), state)
        self._path(number, name, "part").unlink(missing_ok=True)

    def load_state(self, name: str) -> Any:
        """Return the last state of an iteration that was kept, or None."""
        path = self._folder / f"{name}.state"
        return self._read(path) if path.exists() else None

    def save_state(self, name: str, state: Any) -> None:
        """Write the state of an iteration, if it is time to."""
        if time.monotonic() - self._written >= self._pause:
            self._write(self._folder / f"{name}.state", state)

    def _path(self, number: int, name: str, kind: str) -> Path:
        return self._folder / f"pass-{number:03d}-{name}.{kind}"

    def _write(self, path: Path, state: Any) -> None:
        import skops.io  # noqa: PLC0415 - takes most of a second to import

        start = time.monotonic()
        with atomic_write(path) as part:
            skops.io.dump(state, part)
        self._written = time.monotonic()
        self._pause = max(LEAST_SECONDS, (self._written - start) / SHARE)

    def _read(self, path: Path) -> Any:
        import skops.io  # noqa: PLC0415

        try:
            return skops.io.load(path, trusted=list(TRUSTED))
        except Exception as error:
            raise CheckpointError(
                f"{path}: cannot be read ({error}): delete the folder and train anew"
            ) from error

    def _read_header(self) -> dict[str, Any] | None:
        path = self._folder / HEADER
        if not path.exists():
            return None
        try:
            header = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
            if header["format"] == FORMAT and isinstance(header["about"], dict):
                return header
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path}: cannot be read ({error})") from error
        raise CheckpointError(
            f"{path}: is of format {header['format']!r}, and this version writes {FORMAT}: take "
            "the version that began, or another folder"
        )

    def _write_header(self) -> None:
        text = json.dumps(self._header, indent=1, default=np.ndarray.tolist)
        with atomic_write(self._folder / HEADER) as part:
            part.write_text(text, encoding="utf-8")

    def _compare(self, found: dict[str, Any]) -> None:
        mine, theirs = _flat(self._header["about"]), _flat(found["about"])
        differences = [
            f"{name}: {theirs.get(name, 'absent')} there, {mine.get(name, 'absent')} now"
            for name in {**theirs, **mine}
            if theirs.get(name) != mine.get(name)
        ]
        if differences:
            shown = "; ".join(differences[:5]) + ("; ..." if len(differences) > 5 else "")
            raise CheckpointError(
                f"checkpoint={str(self._folder)!r} is of another training ({shown}): name another "
                "folder, or delete this one"
            )


def _plain(about: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {what: dict(values) for what, values in about.items()}


def _flat(about: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return all values by names such as ``parameter n_hidden``."""
    return {
        f"{what} {name}".strip(): value
        for what, values in about.items()
        for name, value in values.items()
    }
