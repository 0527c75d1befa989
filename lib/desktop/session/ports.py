"""The virtio-serial ports of a running machine: clipboard, agent, and word of what has happened.

They are plugged in over QMP, never on the command line: a clipboard blocks saving a machine, and
what a frozen machine has not seen yet tells it that it runs again.
"""

import json
import socket
import time
from typing import Any, Protocol

from desktop.session.paths import Paths

BUS = "agent.0"
LINE = "-line"  # behind the name of a port: what it is connected to
AGENT = "guest-agent"
COPIED, WOKEN = "copied", "woken"  # what is told to a machine that did not boot
GONE = 20  # looks at whether a port has gone, PAUSE seconds between them
PAUSE = 0.02


class Command(Protocol):
    """What runs a QMP command and returns None when it fails."""

    def __call__(self, name: str, arguments: dict[str, Any], *, quiet: bool = False) -> Any: ...


class Ports:
    """The ports of one machine."""

    def __init__(self, paths: Paths, command: Command) -> None:
        self.paths = paths
        self.command = command
        self.agent: socket.socket | None = None

    def tell(self, word: str) -> None:
        """Tell a machine that does not run yet that it was COPIED or WOKEN.

        Before it has a network card, by which it would tell others the name of its template.
        """
        self.add(word, f"org.remote-desktop.{word}", {"type": "null", "data": {}})

    def plug(self, word: str) -> None:
        """Plug in the clipboard; after a resume, which has a `word`, also the guest's agent."""
        self.add("clipboard", "com.redhat.spice.0",
                 {"type": "qemu-vdagent", "data": {"clipboard": True, "mouse": False}})
        if word:
            self.paths.agent.unlink(missing_ok=True)
            place = {"type": "unix", "data": {"path": str(self.paths.agent)}}
            self.add(AGENT, "org.qemu.guest_agent.0",
                     {"type": "socket", "data": {"addr": place, "server": True, "wait": False}})

    def changed(self, name: str, opened: bool) -> None:
        """Act on a port that the guest has opened or let go of."""
        if name == AGENT and opened and not self.agent:  # a guest may open it again and again
            self.set_time()
        elif name in (COPIED, WOKEN) and not opened:
            self.remove(name)  # it has heard it, and must not hear it again after a reboot

    def set_time(self) -> None:
        """Have the guest's agent set the clock, which lags behind; what it answers is not read.

        Now that the agent listens, since the time is that of now (QEMU documentation, qga).
        """
        request = {"execute": "guest-set-time", "arguments": {"time": time.time_ns()}}
        self.agent = socket.socket(socket.AF_UNIX)  # open until it has been read
        self.agent.settimeout(1)
        try:
            self.agent.connect(str(self.paths.agent))
            self.agent.sendall(json.dumps(request).encode() + b"\n")
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
        """Take all ports out again."""
        if self.agent:
            self.agent.close()
            self.agent = None
        for name in self.there():
            self.remove(name)

    def remove(self, name: str) -> None:
        """Take a port out; it goes when the guest's side has let go of it."""
        self.command("device_del", {"id": name})
        line = {"id": f"{name}{LINE}"}
        for _ in range(GONE):
            if self.command("chardev-remove", line, quiet=True) is not None:
                return
            time.sleep(PAUSE)
