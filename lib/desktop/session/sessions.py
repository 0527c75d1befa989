"""All sessions of this service, as their records tell."""

import logging
import os
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from desktop import private
from desktop.errors import Refusal
from desktop.launch import detach
from desktop.memo import stamp
from desktop.process import boot_id, boottime
from desktop.session import garage, lock, record
from desktop.session.paths import Paths
from desktop.session.record import Corrupt, Record, State
from desktop.settings import Settings

log = logging.getLogger("sessions")
SOCKET_PATH = 107  # bytes, at most (unix(7))


def directories(settings: Settings) -> Iterator[Path]:
    """Yield the directories that are sessions by their names.

    Raises Refusal for a dir_cfg that somebody else made or may write to, as in /tmp: what lies
    there says which processes to end, and where a keeper finds its programs.
    """
    try:
        if not private.ours(settings.dir_cfg):
            raise Refusal(f"dir_cfg = {settings.dir_cfg} is not a directory that you alone may "
                          "write to.", 500, "Set dir_cfg to a directory of yours.")
        with os.scandir(settings.dir_cfg) as entries:
            names = [entry.name for entry in entries if record.ID.fullmatch(entry.name)
                     and entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refusal(f"dir_cfg = {settings.dir_cfg} cannot be read: {error.strerror}.", 500,
                      "Another user's sessions are not yours to see.") from error
    yield from (settings.dir_cfg / name for name in sorted(names))


def all(settings: Settings) -> list[Record]:
    """Return every record that can be read, oldest first; the others are told to the log.

    Those of parked sessions too, unless they are being woken.
    """
    found = []
    for directory in directories(settings):
        try:
            found.append(record.read(directory))
        except Corrupt as problem:
            log.warning("the record of %s cannot be used: %s", directory.name, problem)
        except OSError:
            pass  # it ended just now, or is another user's
    awake = {entry.session for entry in found}
    found += [entry for entry in garage.all(settings) if entry.session not in awake]
    return sorted(found, key=lambda entry: entry.start)


def read(settings: Settings, session: str) -> Record:
    """Return the record of the session with this id, awake or parked.

    Raises Corrupt, or FileNotFoundError, also for what is no id: the word may be anybody's.
    """
    if not record.ID.fullmatch(session):
        raise FileNotFoundError(session)
    try:
        return record.read(settings.dir_cfg / session)
    except FileNotFoundError:
        if not garage.has(settings, session):
            raise
        return record.read(garage.home(settings, session).directory)


def find(settings: Settings, word: str) -> Record:
    """Return the session with this id, name, or path of its record or directory; else Refusal."""
    path = Path(word)
    if path.is_absolute():
        word = path.parent.name if path.name == "session.json" else path.name
    for entry in all(settings):
        if word in (entry.session, entry.name):
            return entry
    raise Refusal(f"There is no session {word!r}.", 404, "It may have ended.")


def paths(settings: Settings, entry: Record) -> Paths:
    """Return where the files of a session are."""
    if entry.state is State.PARKED:
        return garage.home(settings, entry.session)
    return Paths(settings.dir_cfg / entry.session)


def must_be_awake(entry: Record) -> None:
    """Raise Refusal for a parked session, which nobody keeps."""
    if entry.state is State.PARKED:
        raise Refusal(f"{entry.name} is parked.", 409, "Open it first: it goes on then.")


def ours(entry: Record) -> bool:
    """Tell whether its processes are of this host, so that it can be judged dead from here."""
    return detach.judges(entry.launcher, entry.host)


def altered(settings: Settings, entries: Collection[Record]) -> list[Record]:
    """Return those whose image is not what it was at their start; each image is looked at once."""
    images: dict[str, str] = {}
    for name in {entry.machine for entry in entries}:
        try:
            images[name] = stamp(settings.dir_machines / name)
        except OSError:
            images[name] = "gone"
    return [entry for entry in entries if images[entry.machine] != entry.master]


def expires(entry: Record) -> float:
    """Return the Unix time at which a session is stopped; 0: never, or not to be told."""
    if entry.state is State.PARKED:
        return time.time() + garage.left(entry) if entry.until else 0
    if not entry.deadline or entry.boot != boot_id():
        return 0
    return time.time() + entry.deadline - boottime()


def promising(settings: Settings) -> AbstractContextManager[None]:
    """Hold the one lock under which sessions are promised what there is, templates too."""
    return lock.holding(settings.dir_cfg / "capacity.lock")


def prepare(settings: Settings) -> None:
    """Make the directories that sessions need, or refuse with the name of what is wrong."""
    for name in ("dir_cfg", "dir_snapshots"):
        path: Path = getattr(settings, name)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            usable = private.ours(path) and os.access(path, os.W_OK | os.X_OK)
        except OSError as error:
            raise Refusal(f"{name} = {path} cannot be used: {error.strerror}.", 500,
                          f"Set {name} to a directory of yours.") from error
        if not usable:
            raise Refusal(f"{name} = {path} is not a directory that you alone may write to.",
                          500, f"Set {name} to a directory of yours.")
    longest = len(os.fsencode(settings.dir_cfg / ("x" * 26) / "qmp2.sock"))
    if longest > SOCKET_PATH:
        raise Refusal(f"dir_cfg = {settings.dir_cfg} is {longest - SOCKET_PATH} characters too "
                      "long for the sockets in it.", 500)
