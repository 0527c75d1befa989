"""Putting right what a killed keeper, a full disk or a reboot left; at each request and by timer.

Removes only what is provably dead: nobody holds the lock, and the launcher and host that the
record names are ours to judge. A machine that still runs gets a new keeper instead.
"""

import logging
import os
import time
from dataclasses import replace
from pathlib import Path

from desktop import process, together
from desktop.launch import detach
from desktop.session import aside, control, ending, garage, history, lock, record, sessions
from desktop.session.paths import Paths
from desktop.session.record import LOST, Corrupt, Record, State
from desktop.settings import Settings

log = logging.getLogger("housekeeping")
YOUNG = 60  # seconds for which a disk may not be locked yet
OVERDUE = 60  # seconds after its deadline at which a session is ended over its keeper's head


def sweep(settings: Settings) -> list[Record]:
    """Look after every session nobody looks after, and every disk without a session.

    Return the sessions there are then, oldest first.
    """
    kept = []
    for directory in sessions.directories(settings):
        try:
            if entry := look_after(settings, Paths(directory)):
                kept.append(entry)
        except OSError as error:
            log.warning("%s is left alone: %s", directory, error)
    try:
        sweep_snapshots(settings)
    except OSError as error:
        log.warning("%s is left alone: %s", settings.dir_snapshots, error)
    kept += sweep_parked(settings, {entry.session for entry in kept})
    return sorted(kept, key=lambda entry: entry.start)


def each_minute(settings: Settings) -> None:
    """Do what the timer is for: look after sessions, note how the host does, tidy the history."""
    from desktop.host import capacity, trend  # requests do without
    from desktop.session import claim
    entries = sweep(settings)
    try:
        trend.note(settings, capacity.measure(settings), list(map(claim.promise, entries)))
    except OSError as error:
        log.warning("how the host does is not noted: %s", error)
    history.tidy(settings)


def purge(settings: Settings) -> int:
    """End all sessions and remove every left-over; return how many sessions there were.

    A record that cannot be used is first put right by its keeper, or removed with its session,
    as when that keeper hangs.
    """
    sweep(settings)
    entries = sessions.all(settings)
    ending.stop_all(settings, entries, "purged")
    ending.stop_all(settings, sessions.all(settings), "purged")  # what was being woken
    unread = list(aside.unread(settings, ()))
    together.each(lambda one: aside.remove(settings, one.session), unread)
    return len(entries) + len(unread)


def look_after(settings: Settings, paths: Paths) -> Record | None:
    """Give a session without a keeper a new one, or end it; return the record if it lives."""
    entry = read(paths)
    if entry and not sessions.ours(entry):
        return entry
    if lock.held(paths.lock):
        if entry is None:
            ask_to_write(paths)
        elif entry.deadline and overdue(entry):
            ending.stop(settings, entry, how="its time was over")
            return None
        return entry
    handle = lock.take(paths.lock)
    if handle is None:
        return entry
    try:
        entry = read(paths)
        if entry and not sessions.ours(entry):
            return entry
        runs = entry and (entry.state in (State.RUNNING, State.PAUSED)
                          or os.path.lexists(garage.woken(settings, paths.session)))
        saved = garage.has(settings, paths.session)
        if entry and runs and not saved and ending.recorded(entry):
            log.warning("%s lost its keeper and gets another", entry.name)
            with detach.summon(paths.directory) as line:
                detach.hand_over(line, {"lock": handle}, {})
            return replace(entry, reason=entry.reason or LOST)
        log.warning("%s is %s", paths.session, "parked" if saved else "dead and removed")
        if entry is None:
            aside.keep(settings, paths)
        ending.finish(settings, paths, entry, "lost")
        return None
    finally:
        os.close(handle)


def overdue(entry: Record) -> bool:
    """Tell whether a session should long have been ended by its keeper."""
    return (entry.boot == process.boot_id()
            and process.boottime() > entry.deadline + OVERDUE + ending.POLITE)


def read(paths: Paths) -> Record | None:
    """Return the record, or None when it cannot be used; that is logged."""
    try:
        return record.read(paths.directory)
    except FileNotFoundError:
        return None
    except Corrupt as problem:
        log.error("the record of %s cannot be used: %s", paths.session, problem)
        return None


def ask_to_write(paths: Paths) -> None:
    """Have the keeper, who knows better, replace a record that cannot be used."""
    try:
        control.ask(paths, "write", timeout=1)
    except control.Silent as problem:
        if paths.record.exists():  # else it is being removed, this very moment
            log.error("%s; its record cannot be used", problem)


def sweep_parked(settings: Settings, awake: set[str]) -> list[Record]:
    """End parked sessions whose time is over, remove left-overs; return the others."""
    kept = []
    for entry in garage.all(settings):
        if entry.session in awake:
            continue
        if garage.overdue(entry):
            ending.stop(settings, entry, how="its time was over")
        else:
            kept.append(entry)
    for path in garage.leftovers(settings):
        log.warning("%s is left of a session and removed", path)
        ending.remove(path)
    return kept


def sweep_snapshots(settings: Settings) -> None:
    """Remove disks whose session is gone.

    Their directory is locked by keeper and QEMU for as long as either lives, so that the disk of
    a session that belongs to another dir_cfg is safe. So is one that is parked elsewhere, as
    where dir_parked is not mounted now.
    """
    if not settings.dir_snapshots.is_dir():
        return
    for entry in os.scandir(settings.dir_snapshots):
        orphan = (record.ID.fullmatch(entry.name)
                  and not (settings.dir_cfg / entry.name).exists()
                  and not (settings.dir_parked / entry.name).exists())
        if (orphan and entry.is_dir(follow_symlinks=False)
                and time.time() - entry.stat().st_mtime > YOUNG
                and not garage.claims(Path(entry.path))
                and not lock.held(Path(entry.path))):
            log.warning("the disk of %s has no session and is removed", entry.name)
            ending.remove(Path(entry.path))
