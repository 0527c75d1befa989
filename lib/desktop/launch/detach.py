"""Keepers as detached processes of this host: works anywhere, for anybody, with nothing to set up.

A keeper is summoned before its session exists, so that both programs are read at the same time;
it waits on a socket for the descriptors of its session, and goes when that is closed without any.

They live in the control group of whoever started them: under systemd, apache2.service must not
kill its group when it stops (KillMode=process; the installer sees to it).
"""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop import process

NAME = "detach"
LIBRARY = Path(__file__).resolve().parents[2]
LINE = "REMOTE_DESKTOP_LINE"  # in a keeper's environment: the number of its socket


def summon(directory: Path) -> socket.socket:
    """Start a keeper for the session of this directory; return the line to it.

    -I shields it from the caller's environment and directory; with a directory as its program
    Python runs lib/__main__.py, from a checkout and installed alike.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process.detach([sys.executable, "-I", str(LIBRARY), "keeper", str(directory)],
                       Path(os.devnull), {LINE: str(theirs.fileno())}, [theirs.fileno()])
    return ours


def hand_over(line: socket.socket, descriptors: Mapping[str, int]) -> None:
    """Give a keeper its session: the lock, and the listening socket of a new one."""
    socket.send_fds(line, [",".join(descriptors).encode()], list(descriptors.values()))


def receive(line: socket.socket) -> dict[str, int]:
    """Return what a keeper is given; nothing when nobody wants it any more."""
    names, numbers, _, _ = socket.recv_fds(line, 256, 8)
    for number in numbers:
        os.set_inheritable(number, False)
    return dict(zip(names.decode().split(","), numbers)) if names else {}


def judges(launcher: str, host: str) -> bool:
    """Tell whether this launcher, on this host, may say that a session is dead."""
    return launcher == NAME and host == socket.gethostname()
