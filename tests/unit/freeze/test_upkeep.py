"""Templates that are kept in the page cache."""

import ctypes
import mmap
import os
import time
from pathlib import Path

import pytest

from desktop.freeze import upkeep

SIZE = 48 << 20  # more than a disk reads ahead at once


def resident(path: Path) -> int:
    """Return the bytes of a file that are in the page cache."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as area:
        pages = (ctypes.c_ubyte * (len(area) // mmap.PAGESIZE))()
        start = ctypes.c_char.from_buffer(area)
        address = ctypes.c_void_p(ctypes.addressof(start))
        del start
        assert ctypes.CDLL(None).mincore(address, ctypes.c_size_t(len(area)), pages) == 0
        return sum(page & 1 for page in pages) * mmap.PAGESIZE


@pytest.fixture
def cold(tmp_path: Path) -> Path:
    """A file with a hole, of which nothing is in the page cache."""
    path = tmp_path / "memory"
    with path.open("wb") as file:
        file.write(os.urandom(SIZE // 2))
        file.seek(SIZE // 2, os.SEEK_CUR)
        file.write(os.urandom(SIZE // 2))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident(path) > SIZE // 10:
        pytest.skip("this file system keeps everything in memory")
    return path


def test_all_of_a_file_is_read_ahead_but_its_holes(cold: Path) -> None:
    upkeep.read_ahead(cold)
    end = time.monotonic() + 20
    while resident(cold) < SIZE and time.monotonic() < end:
        time.sleep(0.05)
    assert SIZE <= resident(cold) < SIZE * 1.1


def test_an_empty_file_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    upkeep.read_ahead(tmp_path / "state")
