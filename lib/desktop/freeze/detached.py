"""Freezing a machine for somebody who does not wait: machines/freeze, let go of and watched."""

import sys
import time

from desktop import process
from desktop.errors import Refusal
from desktop.finding import visible
from desktop.freeze import draft, making, shelf
from desktop.launch import detach
from desktop.session import claim, sessions
from desktop.session.wish import Wish
from desktop.settings import ROOT, Settings

PROGRAM = ROOT / "machines/freeze"
LOG = ".freeze.log"  # in dir_templates: the words of the last run
BEGIN_TIME = 10.0  # seconds until it tells how far it is
PAUSE = 0.05  # seconds between two looks


def start(settings: Settings, wish: Wish) -> None:
    """Have a machine frozen from now on; return when that has begun. Raises Refusal."""
    if found := draft.seen(settings):
        raise Refusal(f"{found.machine} is being frozen already.", 409,
                      "One at a time: wait for it.")
    hardware, _ = shelf.wanted(settings, wish)
    name = hardware.machine.name
    claim.check_unchanged(settings, sessions.all(settings), name)
    log = settings.dir_templates / LOG
    with draft.writable(settings):
        making.check_room(settings, hardware)
        log.unlink(missing_ok=True)
        pid = process.detach(
            [sys.executable, "-I", str(PROGRAM), f"--name={name}", f"--cpu={hardware.cpu}",
             f"--memory={hardware.memory}", f"--video={hardware.video}"], log, detach.site(), ())
    begin = time.monotonic()
    while time.monotonic() - begin < BEGIN_TIME and not draft.seen(settings):
        if not process.identify(pid):
            words = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise Refusal(visible(words[0]) if words else "It ended without a word.", 500)
        time.sleep(PAUSE)
