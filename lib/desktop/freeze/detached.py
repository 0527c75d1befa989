"""Freezing a machine for somebody who does not wait: machines/freeze, let go of and watched."""

import os
import sys
import time
from pathlib import Path

from desktop import process
from desktop.errors import Refusal
from desktop.finding import visible
from desktop.freeze import draft, making, shelf
from desktop.launch import detach
from desktop.session import claim, lock, sessions
from desktop.session.wish import Wish
from desktop.settings import ROOT, Settings

PROGRAM = ROOT / "machines/freeze"
LOG = ".freeze.log"  # in dir_templates: the words of the last run
BEGIN_TIME = 10.0  # seconds until it tells how far it is
PAUSE = 0.05  # seconds between two looks


def start(settings: Settings, wish: Wish) -> None:
    """Have a machine frozen from now on; return when that has begun. Raises Refusal."""
    if found := draft.seen(settings):
        raise draft.busy(found.machine)
    hardware, _ = shelf.wanted(settings, wish)
    name = hardware.machine.name
    claim.check_unchanged(settings, sessions.all(settings), name)
    log = settings.dir_templates / LOG
    with draft.writable(settings):
        making.check_room(settings, hardware)
        handle = lock.take(log)
    if handle is None:  # somebody else begins just now
        raise draft.busy()
    try:
        os.truncate(handle, 0)
        await_it(settings, process.detach(
            [sys.executable, "-I", str(PROGRAM), f"--name={name}", f"--cpu={hardware.cpu}",
             f"--memory={hardware.memory}", f"--video={hardware.video}"],
            log, detach.site(), ()), log)
    finally:
        os.close(handle)


def await_it(settings: Settings, pid: int, log: Path) -> None:
    """Wait until this process says how far it is; raise Refusal when it ends instead."""
    begin = time.monotonic()
    while time.monotonic() - begin < BEGIN_TIME:
        found = draft.seen(settings)
        if found and found.by and found.by.pid == pid:
            return
        if not process.identify(pid):
            if found:  # by hand, a moment before
                raise draft.busy(found.machine)
            words = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise Refusal(visible(words[0]) if words else "It ended without a word.", 500)
        time.sleep(PAUSE)
