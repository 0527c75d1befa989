"""A keeper's first steps: QEMU is started before the rest of the keeper is even read."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from desktop import process
from desktop.launch import detach
from desktop.launch.detach import NUMBERS
from desktop.session.paths import Paths

QEMU = ("disk", "qmp", "card")  # the descriptors it inherits


class First:
    """What a keeper begins with: QEMU, what else it may start, and the state to go on from.

    `qemu` is None with a `problem` when it could not be started; with neither, the session has
    lost its keeper and is adopted. Where there is a command `boot`, that is what to do when the
    machine does not go on from the state.
    """

    def __init__(self, paths: Paths, handed: set[str], commands: Mapping[str, Sequence[str]],
                 incoming: Mapping[str, Any] | None) -> None:
        self.paths = paths
        self.commands = commands
        self.incoming = incoming
        self.kept = [NUMBERS[name] for name in QEMU if name in handed]
        self.qemu: process.Child | None = None
        self.problem: process.Failed | None = None
        try:
            if "qemu" in commands:
                self.qemu = self.start("qemu")
        except process.Failed as error:
            self.problem = error
        if "boot" not in commands:
            self.release()

    def start(self, name: str) -> process.Child:
        """Start QEMU; raise process.Failed."""
        return process.start(self.commands[name], self.paths.qemu_log, self.kept)

    def release(self) -> None:
        """Close what QEMU has: its copy is the last then, and its end tells."""
        for number in self.kept:
            os.close(number)
        self.kept = []


def main(directory: Path) -> int:
    """Keep the session of this directory, once it is handed over; return the exit status."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # Apache's threads leave SIGTERM blocked
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.umask(0o077)
    line = socket.socket(fileno=int(os.environ.pop(detach.LINE)))
    line.set_inheritable(False)
    handed, commands, incoming = detach.receive(line)
    if not handed:
        return 0
    paths = Paths(directory)
    write_to(paths.keeper_log)
    first = First(paths, handed, commands, incoming)
    from desktop.session import beginning  # 30 ms, while QEMU starts
    return beginning.keep(paths, line, first)


def write_to(log: Path) -> None:
    """Send standard output and error to a file from now on."""
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
