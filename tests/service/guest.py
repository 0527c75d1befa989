"""Inside a machine: run commands in it, over a virtio-serial port that tests add to it.

In: the directory of a session. The port is plugged in through qmp2.sock, the QMP socket that
waits for recovery; `reporter` in the machines of machines/ serves it (see machines/README.md).
"""

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.until import until
from service.websocket import Closed, Stream, dial

BOOT = 90  # seconds, on two busy cores without KVM


@dataclass(frozen=True)
class Ran:
    """What a command in the machine did."""

    status: int
    output: str


def lines(stream: Stream) -> Any:
    """Return the next line, a JSON text, as what it says."""
    line = b""
    while not line.endswith(b"\n"):
        line += stream.read(1)
    return json.loads(line)


def qmp(path: Path, execute: str, **arguments: Any) -> Any:
    """Do one QMP command on a socket of its own connection; return its answer."""
    with dial(path) as sock:
        stream = Stream(sock)
        while "QMP" not in (said := lines(stream)):  # events may come before the greeting
            assert "event" in said, said
        for command in ({"execute": "qmp_capabilities"},
                        {"execute": execute, "arguments": arguments}):
            stream.write(json.dumps(command).encode())
            answer = lines(stream)
            while "event" in answer:
                answer = lines(stream)
            assert "return" in answer, f"{execute}: {answer}"
    return answer["return"]


class Guest:
    """A running machine, with a shell in it."""

    def __init__(self, directory: Path, boot: float = BOOT) -> None:
        """Plug the port in and wait until the machine answers, at most `boot` seconds.

        It is called as the keeper calls its own, so that parking takes it out again.
        """
        path = directory / "test.sock"
        self.control = control = directory / "qmp2.sock"
        qmp(control, "chardev-add", id="test-line", backend={"type": "socket", "data": {
            "addr": {"type": "unix", "data": {"path": str(path)}}, "server": True,
            "wait": False}})
        qmp(control, "device_add", driver="virtserialport", id="test", chardev="test-line",
            name="org.remote-desktop.report")
        self.stream = Stream(dial(path))
        self.boots = 0
        self.expect("ready", boot)

    def expect(self, event: str, timeout: float) -> Any:
        """Return the next report of this kind."""
        end = time.monotonic() + timeout
        while True:
            self.stream.socket.settimeout(max(0.01, end - time.monotonic()))
            said = lines(self.stream)
            self.boots += said["event"] == "ready"
            if said["event"] == event:
                return said

    def run(self, command: str, timeout: float = 30) -> Ran:
        """Run a command in the machine, by its shell, as its root."""
        self.stream.write(command.encode() + b"\n")
        said = self.expect("ran", timeout)
        return Ran(said["status"], said["output"])

    def say(self, command: str) -> None:
        """Run a command whose end is not awaited (poweroff)."""
        self.stream.write(command.encode() + b"\n")

    def wait(self, command: str, timeout: float = 30) -> Ran:
        """Run a command again and again until it succeeds."""
        end = time.monotonic() + timeout
        while (done := self.run(command, timeout)).status:
            assert time.monotonic() < end, f"{command}: {done}"
            time.sleep(0.2)
        return done

    def clock(self) -> float:
        """Return how many seconds its clock is ahead."""
        return float(self.run("date +%s").output) + 0.5 - time.time()

    def frozen(self, word: str) -> None:
        """Tell it, as the keeper does, that it was frozen; return when it has acted on that."""
        control = self.control
        qmp(control, "chardev-add", id=word, backend={"type": "null", "data": {}})
        qmp(control, "device_add", driver="virtserialport", id=f"{word}-port", chardev=word,
            name=f"org.remote-desktop.{word}")

        def listening() -> bool:
            return any(found["frontend-open"] for found in qmp(control, "query-chardev")
                       if found["label"] == word)
        until(listening, 60, f"the guest listens to {word}")
        until(lambda: not listening(), 60, f"the guest has listened to {word}")
        qmp(control, "device_del", id=f"{word}-port")

    def booted_again(self, timeout: float = BOOT) -> None:
        """Wait until the machine has started once more."""
        self.expect("ready", timeout)

    def gone(self, timeout: float = 30) -> None:
        """Wait until the machine is no more."""
        self.stream.socket.settimeout(timeout)
        try:
            while True:
                self.stream.read(1)
        except (Closed, ConnectionResetError):
            pass


def descriptors(pid: int) -> set[str]:
    """Return what a process has open: targets of /proc/PID/fd."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(os.readlink(path))
        except FileNotFoundError:
            pass
    return found


def connected(path: Path) -> bool:
    """Tell whether somebody accepts connections on a unix socket."""
    try:
        dial(path, 2).close()
    except (OSError, socket.timeout):
        return False
    return True
