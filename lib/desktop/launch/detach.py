"""Keepers as detached processes of this host: works anywhere, for anybody, with nothing to set up.

A keeper is summoned before its session exists, so that both programs are read at the same time;
it waits on a socket for the descriptors of its session, and goes when that is closed without any.

They live in the control group of whoever started them: under systemd, apache2.service must not
kill its group when it stops (KillMode=process; the installer sees to it).
"""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from desktop import process

NAME = "detach"
LIBRARY = Path(__file__).resolve().parents[2]
LINE = "REMOTE_DESKTOP_LINE"  # in a keeper's environment: the number of its socket
INI = "REMOTE_DESKTOP_INI"  # there too: the settings file of the site, if it has another one
MESSAGE = 128 << 10  # bytes of orders, at most
# What a keeper is handed, and the number of each descriptor there: command lines name some.
NUMBERS = {"lock": 100, "listener": 101, "disk": 102, "qmp": 103, "card": 104, "helper": 105}


def summon(directory: Path) -> socket.socket:
    """Start a keeper for the session of this directory; return the line to it.

    -I shields it from the caller's environment and directory; with a directory as its program
    Python runs lib/__main__.py, from a checkout and installed alike.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process.detach(program("keeper", directory), Path(os.devnull),
                       {LINE: str(theirs.fileno()), **site()}, [theirs.fileno()])
    return ours


def program(name: str, directory: Path) -> list[str]:
    """Return the command line of a program that looks after the session of this directory."""
    return [sys.executable, "-I", str(LIBRARY), name, str(directory)]


def site() -> dict[str, str]:
    """Return what tells a program where the settings of the site are, if not at their usual place.

    A session has its own, as they were at its start, without the passwords.
    """
    return {INI: os.path.abspath(os.environ[INI])} if os.environ.get(INI) else {}


def hand_over(line: socket.socket, descriptors: Mapping[str, int],
              commands: Mapping[str, Sequence[str]],
              incoming: Mapping[str, object] | None = None) -> None:
    """Give a keeper its session: descriptors by their names in NUMBERS, and what to start.

    `incoming` is the state that the machine goes on from, if it does not boot.
    """
    orders = {"descriptors": list(descriptors), "commands": commands, "incoming": incoming}
    socket.send_fds(line, [json.dumps(orders).encode()], list(descriptors.values()))


def receive(line: socket.socket) -> tuple[set[str], dict[str, list[str]], dict[str, Any] | None]:
    """Return what a keeper was handed, what it is to start, and the state to go on from.

    Nothing when nobody wants it. The descriptors are open under their NUMBERS then, and inherited
    by nobody.
    """
    message, received, _, _ = socket.recv_fds(line, MESSAGE, len(NUMBERS))
    if not message:
        return set(), {}, None
    orders = json.loads(message)
    for name, number in zip(orders["descriptors"], received):
        os.dup2(number, NUMBERS[name], inheritable=False)
        os.close(number)
    return set(orders["descriptors"]), orders["commands"], orders["incoming"]


def hear(line: socket.socket) -> dict[str, Any]:
    """Return what a keeper tells of its start; nothing when it ended without a word."""
    try:
        facts: dict[str, Any] = json.loads(line.recv(MESSAGE) or b"{}")
    except ConnectionError:
        return {}
    return facts


def tell_problem(line: socket.socket, problem: Exception) -> None:
    """Tell the request that waits why there is no session."""
    tell(line, {"problem": getattr(problem, "message", str(problem)),
                "hint": getattr(problem, "hint", ""), "status": getattr(problem, "status", 500)})


def tell(line: socket.socket, answer: Mapping[str, object]) -> None:
    """Tell the request that waits how the start went; it may have gone away."""
    with line, suppress(BrokenPipeError):
        line.sendall(json.dumps(answer).encode())


def host() -> str:
    """Return the name under which the host of a keeper stands in its record."""
    return socket.gethostname()


def judges(launcher: str, where: str) -> bool:
    """Tell whether a session of this launcher and host may be declared dead from here."""
    return launcher == NAME and where == host()
