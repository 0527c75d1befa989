"""A small disk of its own, for tests that fill it."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service.installation import USER, short_directory


@contextmanager
def small(size: int = 120) -> Iterator[Path]:
    """Lend a disk of so many MB."""
    if os.geteuid():
        pytest.skip("mounting needs root")
    place = short_directory()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=711", "small", place],
                   check=True)
    shutil.chown(place, USER, USER)
    yield place
    subprocess.run(["umount", place], check=True)
    place.rmdir()


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk up to so many bytes with a file; others may write to it meanwhile."""
    path = disk / "filling"
    with path.open("wb") as file:
        try:
            while (free := shutil.disk_usage(disk).free) > leave:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free - leave)
        except OSError as error:
            assert error.errno == errno.ENOSPC and not leave
    return path
