"""The one place where a machine is being frozen, and what can be seen of it meanwhile.

Whoever holds the lock beside it works there. What a killed run left, its QEMU too, goes with the
next one or with housekeeping.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from desktop.errors import Refusal
from desktop.session import ending, lock
from desktop.settings import Settings

NAME = ".draft"
LOCK = ".lock"
PROGRESS = "progress.json"
SCREEN = "screen.png"
NOW = "now"  # there once somebody says that the machine is ready


@dataclass(frozen=True)
class Progress:
    """What is being frozen: `since` is Unix time, `words` say how far it is."""

    machine: str
    cpu: int
    memory: int
    since: float
    words: str


@contextmanager
def claimed(settings: Settings) -> Iterator[Path]:
    """Lend the path of the draft, where nothing is yet; what is still there afterwards goes.

    Raises Refusal: 409 while somebody else freezes a machine, 403 when nothing can be written.
    """
    try:
        settings.dir_templates.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = lock.take(settings.dir_templates / LOCK)
    except OSError as error:
        raise Refusal(f"dir_templates = {settings.dir_templates} cannot be written: "
                      f"{error.strerror}.", 403, "Freeze machines as root, with sudo.") from error
    if handle is None:
        raise Refusal("A machine is being frozen already.", 409, "One at a time: wait for it.")
    path = settings.dir_templates / NAME
    try:
        clear(path)
        yield path
    finally:
        clear(path)
        os.close(handle)


def clear(path: Path) -> None:
    """End the QEMU of a draft and remove what is there of it."""
    for one in ending.owned(f"{path}/vnc.sock,".encode().replace(b",", b",,")[:-1]):
        ending.end(one)
    if os.path.lexists(path):
        ending.remove(path)


def sweep(settings: Settings) -> None:
    """Remove what a killed run left."""
    with suppress(OSError):
        if (settings.dir_templates / NAME).exists():
            handle = lock.take(settings.dir_templates / LOCK)
            if handle is not None:
                clear(settings.dir_templates / NAME)
                os.close(handle)


def tell(path: Path, progress: Progress) -> None:
    """Write how far it is for whoever looks."""
    with suppress(OSError):
        (path / "progress.new").write_text(json.dumps(asdict(progress)))
        (path / "progress.new").rename(path / PROGRESS)


def seen(settings: Settings) -> Progress | None:
    """Return how far it is, None while nothing is being frozen."""
    path = settings.dir_templates / NAME / PROGRESS
    try:
        return Progress(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
