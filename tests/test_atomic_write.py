"""Atomic writing: the whole new file or the old one, an error that names it, nothing beside it."""

import errno
import os
from pathlib import Path

import pytest

from densernn._files import atomic_write
from densernn.errors import DataError, NoFolderError, WriteError


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    return path


def only(path):
    """Return the text of the file, beside which there must be none."""
    assert list(path.parent.iterdir()) == [path]
    return path.read_text()


def test_file_is_seen_once_it_is_complete(target):
    with atomic_write(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
    assert only(target) == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, DataError])
def test_what_stops_the_writer_comes_through_and_leaves_the_old_file(target, error):
    def write():
        with atomic_write(target) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert only(target) == "old"


def test_two_writers_do_not_meet(target):
    with atomic_write(target) as one, atomic_write(target) as other:
        one.write_text("one")
        other.write_text("other")
    assert only(target) == "one"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failing_disk_is_said_of_the_target(target, monkeypatch, call):
    def fail(*args, **_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail) if call == "fsync" else monkeypatch.setattr(
        Path, "replace", fail
    )
    with pytest.raises(WriteError) as caught, atomic_write(target) as part:
        part.write_text("new")
    assert str(caught.value).startswith(f"{target}: cannot be written (No space left on device)")
    assert only(target) == "old"


def test_read_only_folder_is_said_although_nothing_can_be_removed(target, monkeypatch):
    def refuse(path, *args, **_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(WriteError) as caught, atomic_write(target) as part:
            part.open("w")
    assert str(caught.value).startswith(f"{target}: cannot be written (Read-only file system)")
    assert only(target) == "old"


def test_error_of_another_file_keeps_its_name(target, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), atomic_write(target):
        (tmp_path / "absent").read_text()
    assert only(target) == "old"


def test_folder_that_is_absent_or_in_the_way_is_said(tmp_path):
    with pytest.raises(NoFolderError, match="there is no folder"), atomic_write(tmp_path / "b/a"):
        pass
    with pytest.raises(WriteError, match="is a folder"), atomic_write(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
