"""Ending sessions, and removing all that is theirs; each step is harmless a second time."""

import logging
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from desktop import process, together
from desktop.machine import qmp
from desktop.process import Process
from desktop.session import control, garage, history, lock, sessions
from desktop.session.paths import Paths
from desktop.session.record import Corrupt, Record, State
from desktop.settings import Settings

log = logging.getLogger("ending")
PATIENCE = 10.0  # seconds for a keeper to end its session
HELPER_TIME = 5.0  # seconds for the network helper to notice that QEMU is gone
END_TIME = 3.0  # seconds for a process to end when it is told to, and when it is killed
POLITE = 30.0  # seconds for a guest to shut itself down
CHANGES = 3  # how often a session that ends is looked for again: parked, woken


def stop(settings: Settings, entry: Record, *, how: str = "stopped") -> None:
    """End a session; return when all of it is gone.

    `how` goes into the history. One that is just being parked or woken is ended as what it
    becomes.
    """
    for _ in range(CHANGES):
        let_go(settings, entry, how=how)
        try:
            entry = sessions.read(settings, entry.session)
        except (OSError, Corrupt):
            return


def let_go(settings: Settings, entry: Record, *, how: str) -> None:
    """End a session as this record has it; one that could not be woken stays parked."""
    if entry.state is not State.PARKED:  # nobody keeps that
        ask_to_stop(settings, entry, how)
    paths = sessions.paths(settings, entry)
    see_off(settings, paths, [entry.keeper] if entry.keeper else keepers(paths), entry, how)


def ask_to_stop(settings: Settings, entry: Record, how: str, *, polite: bool = False) -> None:
    """Have the keeper end its session; one that does not answer is dealt with by see_off."""
    try:
        control.ask(sessions.paths(settings, entry), "stop", polite=polite, how=how)
    except control.Silent as problem:
        log.warning("%s: its processes are ended", problem)


def stop_unread(settings: Settings, paths: Paths, how: str) -> None:
    """End a session whose record tells nothing; its keeper is known by its arguments."""
    with suppress(control.Silent):
        control.ask(paths, "stop", how=how)
    see_off(settings, paths, keepers(paths), None, how)


def keepers(paths: Paths) -> list[Process]:
    """Return the keeper of a session that no record names; one that begins has not yet said so."""
    return owned(b"\0keeper\0" + os.fsencode(paths.directory) + b"\0")


def see_off(settings: Settings, paths: Paths, those: Sequence[Process], entry: Record | None,
            how: str) -> None:
    """Wait until keepers that were asked to stop are gone, else end them and their session."""
    for one in those:
        process.wait(one, PATIENCE)
    try:
        handle = lock.take(paths.lock)
        if handle is None:  # the keeper hangs
            for one in (*those, *(recorded(entry) if entry else ())):
                end(one)
            handle = lock.take(paths.lock, wait=True)
    except FileNotFoundError:
        return
    assert handle is not None
    try:
        finish(settings, paths, entry, how)
    finally:
        os.close(handle)


def finish(settings: Settings, paths: Paths, entry: Record | None, how: str) -> None:
    """End what still runs of a session and remove its files; the caller holds its lock.

    One that is parked, or could not be woken, stays so: disk and history are of that one.
    """
    tell_qemu(paths, "quit")
    vnc = b"\0unix:" + os.fsencode(paths.vnc).replace(b",", b",,") + b","
    for one in {*owned(vnc), *(recorded(entry) if entry else ())}:
        end(one)
    # The network helper goes by itself once QEMU is gone. Killed while it starts, pasta leaves a
    # child behind that waits for ever.
    for one in owned(b"\0" + os.fsencode(paths.network_log) + b"\0"):
        process.wait(one, HELPER_TIME)
        end(one)
    home = garage.home(settings, paths.session).directory
    if paths.directory == home or not garage.has(settings, paths.session):
        remove(settings.dir_snapshots / paths.session)
        if entry:
            history.add(settings, entry, how)
    remove(paths.directory)


def recorded(entry: Record) -> list[Process]:
    """Return the QEMU that a record names, if it is still that."""
    ours = entry.boot == process.boot_id()
    return [entry.qemu] if entry.qemu and ours and process.alive(entry.qemu) else []


def owned(mark: bytes) -> list[Process]:
    """Return the processes of this user whose arguments have a mark of the session.

    A keeper that is killed right after it started one has not written down which it is.
    """
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            one = process.identify(int(entry.name))
            try:
                ours = entry.stat().st_uid == os.geteuid()  # anybody may call a program like that
                if one and ours and mark in Path(entry.path, "cmdline").read_bytes():
                    found.append(one)
            except OSError:
                pass  # it is another user's, or gone
    return found


def tell_qemu(paths: Paths, command: str) -> bool:
    """Have QEMU do something, by the socket that a hanging keeper does not occupy."""
    try:
        connection = qmp.Connection(paths.qmp2)
        try:
            connection.negotiate(2)
            connection.execute(command, timeout=2)
        finally:
            connection.close()
    except qmp.Error:
        return False
    return True


def end(one: Process | None) -> None:
    """Terminate a process, kill it when it does not go, and wait until it is gone."""
    if one is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not process.send(one, number):
            return
        process.wait(one, END_TIME)


def remove(directory: Path) -> None:
    """Remove a directory of a session; links in it are removed, never followed."""
    shutil.rmtree(directory, ignore_errors=True)
    if os.path.lexists(directory):
        log.error("%s cannot be removed", directory)


def stop_all(settings: Settings, entries: Sequence[Record], how: str) -> None:
    """End sessions, all at once: one whose keeper hangs keeps nobody waiting for the others."""
    together.each(lambda entry: stop(settings, entry, how=how), entries)
