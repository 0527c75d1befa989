"""Held means alive, whoever holds it."""

import os
import subprocess
from pathlib import Path

import pytest

from desktop.session import lock


def test_a_lock_passes_to_a_child_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    handle = lock.take(path)
    assert handle is not None and lock.held(path) and lock.take(path) is None
    with subprocess.Popen(["sleep", "60"], pass_fds=[handle]) as child:
        os.close(handle)
        assert lock.held(path)
        child.kill()
    assert not lock.held(path)


def test_a_directory_is_held_by_whoever_shares_it(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    assert not lock.held(tmp_path)
    lock.share(handle)
    assert lock.held(tmp_path)
    os.close(handle)
    assert not lock.held(tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        lock.take(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_lock_is_free_and_a_missing_directory_said(tmp_path: Path) -> None:
    assert not lock.held(tmp_path / "lock")
    with pytest.raises(FileNotFoundError):
        lock.take(tmp_path / "gone" / "lock")
