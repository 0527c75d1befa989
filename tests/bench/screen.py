"""How many frames of a full-screen animation a viewer gets, through us and from QEMU itself."""

import statistics
import time
from collections.abc import Callable

from service.guest import BOOT, Guest
from service.installation import Installation
from service.rfb import Viewer
from service.websocket import Stream, dial

SECONDS = 5
BLUE = (0x1d, 0x4e, 0x89)


def frames(site: Installation, row: Callable[..., None], rounds: int) -> None:
    """Count updates per second, by turns through Apache and keeper and at QEMU's own socket."""
    desktop = site.person().create(machine="tiny.iso", memory="256")
    viewer = desktop.view()
    viewer.wait(lambda seen: seen.pixel(8, 8) == BLUE, BOOT)
    viewer.leave()
    guest = Guest(site.run / desktop.id)
    guest.say(f"animate {rounds * 2 * (SECONDS + 2) + 10} > /dev/null 2>&1 &")
    guest.expect("ran", 30)
    ours, direct = [], []
    for turn in range(2 * rounds):
        if turn % 2:
            looking = desktop.view()
        else:
            looking = Viewer(Stream(dial(site.run / desktop.id / "vnc.sock")), desktop.token)
        (ours if turn % 2 else direct).append(rate(looking))
        looking.leave()
    row("frames of a full-screen animation", statistics.median(ours),
        statistics.median(direct), "f/s", "0.8 of direct")
    desktop.stop()


def rate(viewer: Viewer) -> float:
    """Return updates per second, each asked for when the last has come."""
    viewer.look()
    viewer.stream.socket.settimeout(30)
    start, seen = time.monotonic(), viewer.updates
    while time.monotonic() - start < SECONDS:
        viewer.ask()
        while viewer.message():
            pass
    return (viewer.updates - seen) / (time.monotonic() - start)
