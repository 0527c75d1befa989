"""Records that cannot be used: which there are, what is wrong with them, and the end of them.

That of a dead session is set aside in dir_log, for whoever wants to know what happened. A keeper
writes its own anew; where that one hangs as well, a machine runs of which nothing is known.
"""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from desktop.session import ending, garage, record, sessions
from desktop.session.paths import Paths
from desktop.session.record import Corrupt, Record
from desktop.settings import Settings

SUFFIX = ".corrupt"
MOST = 1 << 20  # bytes of a record that are read to say what is wrong with it


@dataclass(frozen=True)
class Unusable:
    """A record that cannot be used; `when` is Unix time.

    Its session may be `running`, nobody knows what of it, or `parked`, or is `over`.
    """

    session: str
    problem: str
    when: float
    state: str


def all(settings: Settings, known: Collection[Record]) -> list[Unusable]:
    """Return those there are besides the `known` sessions, the latest first."""
    found = [*unread(settings, {entry.session for entry in known}), *kept(settings)]
    return sorted(found, key=lambda one: one.when, reverse=True)


def unread(settings: Settings, known: Collection[str]) -> Iterator[Unusable]:
    """Yield the sessions whose record cannot be used, and that nobody could remove."""
    for paths in places(settings):
        if paths.session not in known:
            with suppress(OSError):  # it ended just now, or is another user's
                parks = paths.directory.parent == settings.dir_parked
                if problem := trouble(paths, parks):
                    yield Unusable(paths.session, problem, paths.directory.stat().st_mtime,
                                   "parked" if parks else "running")


def trouble(paths: Paths, parks: bool) -> str:
    """Return what is wrong with the record of a session, or nothing; OSError if it is over.

    What parks comes and goes with its record, so that one without has lost it.
    """
    try:
        record.read(paths.directory)
    except Corrupt as problem:
        return str(problem)
    except FileNotFoundError:
        if parks and paths.directory.is_dir():
            return "it is missing"
        raise
    return ""


def places(settings: Settings) -> Iterator[Paths]:
    """Yield where sessions are, awake or parked."""
    yield from map(Paths, sessions.directories(settings))
    for name in garage.names(settings):
        if record.ID.fullmatch(name):
            yield garage.home(settings, name)


def kept(settings: Settings) -> Iterator[Unusable]:
    """Yield the records that were set aside."""
    with suppress(OSError):
        for entry in os.scandir(settings.dir_log):
            path = Path(entry.path)
            if path.suffix == SUFFIX and record.ID.fullmatch(path.stem) and entry.is_file(
                    follow_symlinks=False):
                yield Unusable(path.stem, wrong(path), entry.stat().st_mtime, "over")


def wrong(path: Path) -> str:
    """Return what is wrong with a record that was set aside."""
    try:
        with path.open("rb") as file:
            record.decode(file.read(MOST).decode())
    except Corrupt as problem:
        return str(problem)
    except UnicodeError:
        return "not UTF-8"
    except OSError as error:
        return error.strerror or "cannot be read"
    return "of another session"


def keep(settings: Settings, paths: Paths) -> None:
    """Set the record of a dead session aside."""
    with suppress(OSError):  # there was none
        shutil.copy(paths.record, place(settings, paths.session))


def remove(settings: Settings, session: str) -> bool:
    """Remove a record that cannot be used, with all that runs; tell whether there was one."""
    if not record.ID.fullmatch(session):
        return False
    known = {entry.session for entry in sessions.all(settings)}
    there = {one.session for one in unread(settings, known)} & {session}
    for paths in list(places(settings)) if there else ():
        if paths.session == session:
            ending.stop_unread(settings, paths, "its record was lost")
    try:
        place(settings, session).unlink()
    except FileNotFoundError:
        return bool(there)
    return True


def stop(settings: Settings, word: str) -> None:
    """Stop the session that a word means, or remove the record with this id; else Refusal."""
    if not remove(settings, word):
        ending.stop(settings, sessions.find(settings, word))


def place(settings: Settings, session: str) -> Path:
    """Return where the record of a session is when it was set aside."""
    return settings.dir_log / f"{session}{SUFFIX}"
