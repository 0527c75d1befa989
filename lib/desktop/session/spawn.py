"""A keeper's first steps: QEMU is started before the rest of the keeper is even read."""

import os
import signal
import socket
from pathlib import Path

from desktop import process
from desktop.launch import detach
from desktop.session.paths import Paths


def main(directory: Path) -> int:
    """Keep the session of this directory, once it is handed over; return the exit status."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # Apache's threads leave SIGTERM blocked
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.umask(0o077)
    line = socket.socket(fileno=int(os.environ.pop(detach.LINE)))
    line.set_inheritable(False)
    handed, commands = detach.receive(line)
    if not handed:
        return 0
    paths = Paths(directory)
    write_to(paths.keeper_log)
    qemu, problem = None, None
    try:
        if "qemu" in commands:
            kept = [detach.NUMBERS[name] for name in ("disk", "qmp", "card") if name in handed]
            qemu = process.start(commands["qemu"], paths.qemu_log, kept)
    except process.Failed as error:
        problem = error
    for name in handed & {"disk", "qmp", "card"}:  # QEMU's copy is the last: its end tells
        os.close(detach.NUMBERS[name])
    from desktop.session import keeper  # 30 ms, while QEMU starts
    return keeper.keep(paths, line, qemu, commands.get("network"), problem)


def write_to(log: Path) -> None:
    """Send standard output and error to a file from now on."""
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
