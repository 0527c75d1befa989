"""Parked sessions: saved to the disk, their memory freed, until somebody opens them again.

Each is a directory in dir_parked with the record, the token and the state of the machine; its disk
stays in dir_snapshots. As long as that directory is there, the machine has not run since: whatever
else is found of the session is a left-over, and what is parked holds. It outlives a reboot.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from desktop import durable, private, process
from desktop.session import lock, record
from desktop.session.paths import Paths
from desktop.session.record import Corrupt, Record
from desktop.settings import Settings

log = logging.getLogger("parked")
MARK = "parked"  # beside a disk: dir_parked may be another file system, which is not there yet
WOKEN = ".woken-"  # before its id: the machine runs again, what was saved of it is of no use


def home(settings: Settings, session: str) -> Paths:
    """Return where a session is, or would be, when it is parked."""
    return Paths(settings.dir_parked / session)


def has(settings: Settings, session: str) -> bool:
    """Tell whether a session is parked, where this user could have parked it."""
    with suppress(OSError):
        return private.ours(settings.dir_parked) and home(settings, session).record.exists()
    return False


def draft(settings: Settings, session: str) -> Path:
    """Return where a session is being saved."""
    return settings.dir_parked / f".{session}"


def woken(settings: Settings, session: str) -> Path:
    """Return where what was saved of a session goes once it runs again."""
    return settings.dir_parked / f"{WOKEN}{session}"


def use(saved: Path) -> None:
    """Put aside what was saved of a session, whose machine is about to run."""
    saved.rename(saved.with_name(f"{WOKEN}{saved.name}"))
    durable.sync(saved.parent)


def mark(settings: Settings, session: str, until: float) -> Path:
    """Say beside its disk that a session is parked until then (Unix time, 0: for ever)."""
    path = settings.dir_snapshots / session / MARK
    path.write_text(repr(until))
    return path


def unmark(settings: Settings, session: str) -> None:
    """Take that back: it runs."""
    with suppress(OSError):
        (settings.dir_snapshots / session / MARK).unlink()


def claims(disk: Path) -> bool:
    """Tell whether a disk says that its session is parked, wherever that is."""
    try:
        until = float((disk / MARK).read_text())
    except (OSError, ValueError):
        return False
    return not until or time.time() < until


def all(settings: Settings) -> Iterator[Record]:
    """Yield the records of parked sessions; those that cannot be read are told to the log."""
    for name in names(settings):
        if record.ID.fullmatch(name):
            try:
                yield record.read(settings.dir_parked / name)
            except Corrupt as problem:
                log.error("the record of %s, which is parked, cannot be used: %s", name, problem)
            except OSError:
                pass  # it was woken just now


def overdue(entry: Record) -> bool:
    """Tell whether the time of a parked session is over."""
    return bool(entry.until) and left(entry) < 0


def left(entry: Record) -> float:
    """Return the seconds that a parked session with an end has left.

    By the wall clock only after a reboot: one that is set to another day ends nothing.
    """
    if entry.boot == process.boot_id():
        return entry.deadline - process.boottime()
    return entry.until - time.time()


def leftovers(settings: Settings) -> Iterator[Path]:
    """Yield what a keeper that was killed left: a part of a state, or one that was used."""
    for name in names(settings):
        session = name.removeprefix(WOKEN).removeprefix(".")
        if name != session and record.ID.fullmatch(session):
            if not lock.held(Paths(settings.dir_cfg / session).lock):
                yield settings.dir_parked / name


def names(settings: Settings) -> list[str]:
    """Return what lies in dir_parked; nothing where others may write to it.

    What is parked has settings of its own, and with them the programs that a keeper runs.
    """
    with suppress(OSError):
        if private.ours(settings.dir_parked):
            return sorted(os.listdir(settings.dir_parked))
        log.error("dir_parked = %s is not used: others may write to it", settings.dir_parked)
    return []
