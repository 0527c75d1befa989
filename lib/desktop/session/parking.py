"""Parking, the keeper's side: a machine that nobody looks at is saved, and its memory freed."""

import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from desktop import durable, private, process
from desktop.host import capacity
from desktop.machine import migration, qmp, snapshot
from desktop.session import ending, footing, garage, record
from desktop.session.guest import Guest
from desktop.session.paths import Paths
from desktop.session.record import Record, State
from desktop.settings import Settings

log = logging.getLogger("parking")
STAYS = "not parked: "  # before why, in the record
SAVE_TIME = 300.0  # seconds for QEMU to write the memory
MOUNTED = "a volume is mounted in the machine"


class Stays(Exception):
    """The machine cannot be parked now; the text says why."""


def park(settings: Settings, guest: Guest, entry: Record, paths: Paths) -> None:
    """Save a running machine and leave it stopped; raise Stays when it goes on instead."""
    if entry.gpu:
        raise Stays("it has a GPU")
    if lost := footing.trouble(settings, entry):
        raise Stays(lost)
    if guest.qmp is None:
        raise Stays("it does not answer")
    try:
        check_place(settings, entry)
        guest.picture()
    except OSError as problem:
        raise Stays(str(problem)) from problem
    guest.ports.unplug()
    draft = garage.draft(settings, paths.session)
    try:
        check_blockers(guest.qmp)
        ending.remove(draft)
        draft.mkdir(mode=0o700)
        guest.qmp.execute("stop")
        migration.save(guest.qmp, Paths(draft).state, SAVE_TIME)
        describe(settings, entry, paths, Paths(draft))
        draft.rename(settings.dir_parked / paths.session)
        durable.sync(settings.dir_parked)
    except (qmp.Error, OSError, Stays) as problem:
        go_on(guest, draft)
        raise problem if isinstance(problem, Stays) else Stays(str(problem)) from problem


def check_place(settings: Settings, entry: Record) -> None:
    """Raise Stays where it cannot be saved, before anything is done for it; or OSError."""
    settings.dir_parked.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not private.ours(settings.dir_parked):
        raise Stays("others may write to dir_parked")
    if settings.dir_parked in (settings.dir_cfg, settings.dir_snapshots):
        raise Stays("dir_parked is no directory of its own")
    if capacity.disk_free(settings.dir_parked) < entry.memory / 1000 + settings.host_disk_reserve:
        raise Stays("the disk has no room for it")


def check_blockers(connection: qmp.Connection) -> None:
    """Raise Stays for what QEMU says prevents saving, before the machine is stopped for it."""
    reasons: Sequence[str] = connection.execute("query-migrate").get("blocked-reasons", ())
    if reasons:
        raise Stays(MOUNTED if any("VirtFS" in reason for reason in reasons) else reasons[0])


def go_on(guest: Guest, draft: Path) -> None:
    """Have the machine run as before, and remove what was saved of it."""
    guest.command("cont")
    garage.unmark(guest.settings, guest.paths.session)
    guest.ports.plug("")
    ending.remove(draft)


def describe(settings: Settings, entry: Record, paths: Paths, draft: Paths) -> None:
    """Put all that is needed to wake a session beside its state; all of it is on the disk then."""
    for source, target in ((paths.token, draft.token), (paths.settings, draft.settings),
                           (paths.volumes, draft.volumes), (paths.screen, draft.screen)):
        if source.exists():
            shutil.copyfile(source, target)
    draft.sizes.write_text(json.dumps({path.name: path.stat().st_size
                                       for path in draft.directory.iterdir()}))
    draft.lock.touch(mode=0o600)
    until = time.time() + entry.deadline - process.boottime() if entry.deadline else 0.0
    disk = settings.dir_snapshots / paths.session
    said = garage.mark(settings, paths.session, until)
    for path in (*draft.directory.iterdir(), disk / snapshot.DISK, disk / snapshot.VARS, said,
                 disk):
        if path.exists():
            durable.sync(path)
    parked_entry = replace(entry, state=State.PARKED, reason="", viewers=0, until=until,
                           keeper=None, qemu=None, network=None)
    record.write(draft.directory, parked_entry)
