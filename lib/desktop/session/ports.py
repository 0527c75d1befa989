"""The virtio-serial ports of a running machine: clipboard, agent, and word of what has happened.

They are plugged in over QMP, never on the command line: a clipboard blocks saving a machine, and
what a frozen machine has not seen yet tells it that it runs again.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

from desktop.session.paths import Paths

BUS = "agent.0"
LINE = "-line"  # behind the name of a port: what it is connected to
SET_TIME = b'{"execute":"guest-set-time"}\n'  # from its own clock chip, which is right
COPIED, WOKEN = "copied", "woken"  # what is told to a machine that did not boot
GONE = 20  # looks at whether a port has gone, PAUSE seconds between them
PAUSE = 0.02

Command = Callable[[str, dict[str, Any]], Any]


class Ports:
    """The ports of one machine; `command` runs a QMP command and returns None when it fails."""

    def __init__(self, paths: Paths, command: Command) -> None:
        self.paths = paths
        self.command = command
        self.agent: socket.socket | None = None

    def plug(self, word: str) -> None:
        """Plug in the clipboard; after a resume also word of it, and the guest's agent.

        `word` is COPIED, WOKEN or nothing. Who has neither agent nor a service of ours in the
        guest keeps the time of the freeze.
        """
        self.add("clipboard", "com.redhat.spice.0",
                 {"type": "qemu-vdagent", "data": {"clipboard": True, "mouse": False}})
        if word:
            self.add(word, f"org.remote-desktop.{word}", {"type": "null", "data": {}})
            self.set_time()

    def set_time(self) -> None:
        """Have the guest's agent set the clock, once there is one; what it answers is not read."""
        self.paths.agent.unlink(missing_ok=True)
        place = {"type": "unix", "data": {"path": str(self.paths.agent)}}
        self.add("guest-agent", "org.qemu.guest_agent.0",
                 {"type": "socket", "data": {"addr": place, "server": True, "wait": False}})
        try:
            self.agent = socket.socket(socket.AF_UNIX)
            self.agent.connect(str(self.paths.agent))
            self.agent.sendall(SET_TIME)
        except OSError:
            pass  # the clock is the guest's own business then

    def add(self, name: str, port: str, backend: dict[str, Any]) -> None:
        """Plug in one port, unless an earlier keeper has done so."""
        if name in self.there():
            return
        self.command("chardev-add", {"id": f"{name}{LINE}", "backend": backend})
        self.command("device_add", {"driver": "virtserialport", "id": name, "bus": BUS,
                                    "chardev": f"{name}{LINE}", "name": port})

    def there(self) -> list[str]:
        """Return the names of the ports that are plugged in."""
        labels = [line["label"] for line in self.command("query-chardev", {}) or ()]
        return [label.removesuffix(LINE) for label in labels if label.endswith(LINE)]

    def unplug(self) -> None:
        """Take all ports out again; they go when the guest's side has let go of them."""
        if self.agent:
            self.agent.close()
            self.agent = None
        for name in self.there():
            self.command("device_del", {"id": name})
            for _ in range(GONE):
                if self.command("chardev-remove", {"id": f"{name}{LINE}"}) is not None:
                    break
                time.sleep(PAUSE)
