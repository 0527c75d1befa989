"""The one place where a machine is being frozen, and what can be seen of it meanwhile.

Whoever holds the lock beside it works there. What a killed run left, its QEMU too, goes with the
next one or with housekeeping.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from desktop import process
from desktop.errors import Refusal
from desktop.freeze import failure
from desktop.machine import template
from desktop.process import Process
from desktop.session import ending, lock
from desktop.settings import Settings

NAME = ".draft"
LOCK = ".lock"
PROGRESS = "progress.json"
SCREEN = "screen.png"
NOW = "now"  # there once somebody says that the machine is ready
CANCEL_TIME = 10.0  # seconds to clear up


@dataclass(frozen=True)
class Progress:
    """What is being frozen: `since` is Unix time, `words` say how far it is, `by` is who does."""

    machine: str
    cpu: int
    memory: int
    since: float
    words: str
    by: Process | None = None


@contextmanager
def claimed(settings: Settings) -> Iterator[None]:
    """Be the only one who freezes a machine.

    Raises Refusal: 409 while somebody else does, 403 when nothing can be written.
    """
    with writable(settings):
        handle = lock.take(settings.dir_templates / LOCK)
    if handle is None:
        raise busy()
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def lent(settings: Settings) -> Iterator[Path]:
    """Lend the path of the draft, where nothing is yet; what is still there afterwards goes."""
    path = settings.dir_templates / NAME
    try:
        clear(path)
        yield path
    finally:
        clear(path)


def busy(machine: str = "A machine") -> Refusal:
    """Return the refusal to freeze two at once."""
    return Refusal(f"{machine} is being frozen already.", 409, "One at a time: wait for it.")


@contextmanager
def writable(settings: Settings) -> Iterator[None]:
    """Make dir_templates for a block that writes there; raise Refusal (403) when it cannot."""
    try:
        settings.dir_templates.mkdir(mode=0o700, parents=True, exist_ok=True)
        template.check_place(settings)
        yield
    except OSError as error:
        raise Refusal(f"dir_templates = {settings.dir_templates} cannot be written: "
                      f"{error.strerror}.", 403, "Freeze machines as root, with sudo.") from error


def clear(path: Path) -> None:
    """End the QEMU of a draft and remove what is there of it."""
    for one in ending.owned(f"{path}/vnc.sock,".encode().replace(b",", b",,")[:-1]):
        ending.end(one)
    if os.path.lexists(path):
        ending.remove(path)


def sweep(settings: Settings) -> None:
    """Remove what a killed run left, and remember that it was."""
    with suppress(OSError):
        if (settings.dir_templates / NAME).exists():
            handle = lock.take(settings.dir_templates / LOCK)
            if handle is not None:
                last = read(settings)
                clear(settings.dir_templates / NAME)
                if last:
                    failure.note(settings, last.machine, last.cpu, last.memory, "It was killed.")
                os.close(handle)


def tell(path: Path, progress: Progress) -> None:
    """Write how far it is for whoever looks."""
    with suppress(OSError):
        (path / "progress.new").write_text(json.dumps(asdict(progress)))
        (path / "progress.new").rename(path / PROGRESS)


def seen(settings: Settings) -> Progress | None:
    """Return how far it is, None while nothing is being frozen."""
    found = read(settings)
    return None if found and found.by and not process.alive(found.by) else found


def read(settings: Settings) -> Progress | None:
    """Return what was told last, also by a run that was killed."""
    path = settings.dir_templates / NAME / PROGRESS
    try:
        facts = json.loads(path.read_text())
        return Progress(**{**facts, "by": facts.get("by") and Process(**facts["by"])})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def running(settings: Settings) -> Progress:
    """Return how far it is; raise Refusal (409) while nothing is being frozen."""
    if found := seen(settings):
        return found
    raise Refusal("Nothing is being frozen.", 409, "It may just have ended.")


def hasten(settings: Settings) -> Progress:
    """Say that the machine is ready, whatever it looks like."""
    found = running(settings)
    with suppress(OSError):  # it ends just now
        (settings.dir_templates / NAME / NOW).touch(mode=0o600)
    return found


def cancel(settings: Settings) -> Progress:
    """End the process that freezes a machine, this very one, and wait until it has cleared up."""
    found = running(settings)
    if found.by and process.send(found.by, signal.SIGTERM):
        process.wait(found.by, CANCEL_TIME)
    return found
