"""The record of a session, session.json.

The keeper is the only writer once it runs; before that, the request that claimed the session.
Readers tolerate whatever they find: a record that cannot be understood raises Corrupt, alone.
"""

import json
import os
import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from desktop import durable
from desktop.process import Process
from desktop.session.paths import Paths

ID = re.compile(r"[a-z2-7]{26}")
VERSION = 1
MOST = 1e11  # of what a number says: Unix time has four digits for the year until then
LOST, SILENT = "its keeper was lost and replaced", "QEMU does not answer"  # reasons
MAILED = "email"  # the method of people who only have a mailbox; see web/mailed.py


class Corrupt(Exception):
    """A record that cannot be understood; the text says why."""


class State(StrEnum):
    """What a session is doing. Claimed, starting: not yet usable; ended, failed: over."""

    CLAIMED = "claimed"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    PARKED = "parked"
    STOPPING = "stopping"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One session. Memory is MB, disk GB; `start` is Unix time.

    `deadline` is in seconds since the boot `boot` (process.boottime), 0 for never, so that a
    wall clock set to another day ends nothing; `until` is the end of a parked one, which outlives
    a boot, as Unix time. `form` names the form that was sent, so that the same one sent twice is
    one session. `master` is the stamp of the machine's file at the start, `template` the name of
    the one it is a copy of, if it did not boot. `method` is how its owner signed in, `mail` where
    to write to them, if known. `extended` is in seconds; `noticed` is the deadline that its owner
    has been told of by mail, or need not be; `message` is what viewers were told last, at the Unix
    time `message_at`.
    """

    version: int = VERSION
    session: str
    name: str
    state: State
    reason: str = ""
    owner: str
    machine: str
    title: str
    cpu: int
    memory: int
    disk: float
    video: str
    gpu: tuple[str, ...] = ()
    persistent: bool
    start: float
    deadline: float
    boot: str
    host: str
    launcher: str
    endpoint: str
    form: str = ""
    source: str = ""
    method: str = ""
    mail: str = ""
    accel: str = ""
    master: str = ""
    template: str = ""
    boot_reason: str = ""  # why it booted, when it should have been a copy
    viewers: int = 0
    until: float = 0.0
    extended: float = 0.0
    noticed: float = 0.0
    message: str = ""
    message_from: str = ""
    message_at: float = 0.0
    keeper: Process | None = None
    qemu: Process | None = None
    network: Process | None = None


KINDS: Mapping[str, Any] = {entry.name: entry.type for entry in fields(Record)}
# What came to records later is not in those of keepers that run since before an upgrade.
NEEDED = {entry.name for entry in fields(Record) if entry.default is MISSING}


def new_id() -> str:
    """Return 128 random bits in base32, lower case, without padding."""
    return b32encode(os.urandom(16)).decode().rstrip("=").lower()


def encode(record: Record) -> str:
    """Return the record as JSON."""
    return json.dumps(asdict(record), indent=1)


def decode(text: str) -> Record:
    """Return the record of a JSON text; raise Corrupt when any field is not what it should be."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"not JSON ({error})") from error
    if not isinstance(facts, dict) or facts.get("version") != VERSION:
        raise Corrupt("not a record of this version")
    if wrong := (NEEDED - facts.keys()) | (facts.keys() - KINDS.keys()):
        raise Corrupt(f"fields differ: {', '.join(sorted(wrong))}")
    record = Record(**{name: revive(KINDS[name], value, name) for name, value in facts.items()})
    if not ID.fullmatch(record.session):
        raise Corrupt("session is not an id")
    return record


def revive(kind: Any, value: Any, name: str) -> Any:
    """Return a JSON value as the type of its field, or raise Corrupt."""
    if isinstance(value, int | float) and not abs(value) < MOST:
        raise Corrupt(f"{name} is no number that can be")
    if type(value) is kind:
        return value
    try:
        if kind is State:
            return State(value)
        if kind == tuple[str, ...] and isinstance(value, list):
            return tuple(revive(str, item, name) for item in value)
        if kind == Process | None:
            return value and Process(pid=revive(int, value["pid"], name),
                                     started=revive(int, value["started"], name))
        if kind is float and type(value) is int:
            return float(value)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Corrupt(f"{name} is wrong") from error
    raise Corrupt(f"{name} is not {getattr(kind, '__name__', kind)}")


def read(directory: Path) -> Record:
    """Read the record in a session's directory; raise Corrupt, or FileNotFoundError."""
    try:
        record = decode(Paths(directory).record.read_text(encoding="utf-8"))
    except UnicodeError as error:
        raise Corrupt("not UTF-8") from error
    if record.session != directory.name:
        raise Corrupt("of another session")
    return record


def write(directory: Path, record: Record) -> None:
    """Replace the record; raise OSError."""
    durable.replace(Paths(directory).record, encode(record))
