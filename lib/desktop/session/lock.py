"""flock: held means alive. The kernel lets go when the last holder of the descriptor is gone.

fcntl locks are no use here: none on a directory, and closing any descriptor of a file drops them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def take(path: Path, *, wait: bool = False) -> int | None:
    """Return a descriptor that holds the lock, or None when somebody else does.

    Raises FileNotFoundError when the directory is gone; with `wait` returns when it is free.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        return None
    if not same(handle, path):  # removed, and perhaps made anew, before the lock was ours
        os.close(handle)
        raise FileNotFoundError(path)
    return handle


def same(handle: int, path: Path) -> bool:
    """Tell whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def held(path: Path) -> bool:
    """Tell whether somebody holds the lock of a file or directory; nobody when it is missing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock for the length of a block, waiting for it first."""
    handle = take(path, wait=True)
    assert handle is not None
    try:
        yield
    finally:
        os.close(handle)


def share(handle: int) -> None:
    """Hold an open directory for as long as anybody has this descriptor."""
    fcntl.flock(handle, fcntl.LOCK_SH)
