"""What is on the disk: a power cut is not tried here, but what can be told of the rest is."""

import os
from pathlib import Path

import pytest

from desktop import durable


def test_files_that_may_only_be_read_and_directories(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.touch(mode=0o400)
    before = os.listdir("/proc/self/fd")
    durable.sync(path)
    durable.sync(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.sync(tmp_path / "none")


def test_a_file_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    durable.replace(path, "old")
    path.with_suffix(".new").mkdir()
    with pytest.raises(IsADirectoryError):
        durable.replace(path, "newer")
    assert path.read_text() == "old"
    path.with_suffix(".new").rmdir()
    durable.replace(path, "n\u00e9w")
    assert path.read_bytes() == "n\u00e9w".encode() and os.listdir(tmp_path) == ["record.json"]
