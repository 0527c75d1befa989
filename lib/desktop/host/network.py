"""What a machine's network card leads to, and the helper that carries its packets.

passt gives machines the internet without the server's own 127.0.0.1. Without passt, QEMU's user
network does, and there a guest reaches services of this computer through 10.0.2.2.
"""

import shutil

from desktop.process import ENVIRONMENT
from desktop.settings import Settings


def kind(settings: Settings) -> str:
    """Return passt, user, isolated or none."""
    if settings.guest_network != "internet":
        return settings.guest_network
    return "passt" if passt() else "user"


def passt() -> str:
    """Return the path of the program passt, or nothing."""
    return shutil.which("passt", path=ENVIRONMENT["PATH"]) or ""


def helper(fd: int) -> list[str]:
    """Return the command line of passt on a connected stream socket that it inherits.

    It stays in the foreground and ends when the other end is closed. Started by root, it becomes
    nobody; the socket is open already, so nothing more is needed. No port is forwarded.
    """
    return [passt() or "passt", "--foreground", "--quiet", "--no-map-gw", "--fd", str(fd)]


def netdev(kind: str, fd: int) -> str:
    """Return the value of QEMU's -netdev with id net0; `fd` is passt's other end."""
    if kind == "passt":
        return f"stream,id=net0,server=off,addr.type=fd,addr.str={fd}"
    if kind == "isolated":
        return "user,id=net0,restrict=on"
    if kind == "user":
        return "user,id=net0"
    raise ValueError(f"no network of kind {kind}")


def announce(kind: str) -> str:
    """Return what people must know about the network, or nothing."""
    if kind == "user":
        return ("Machines reach local services of this server through 10.0.2.2, because the "
                "program passt is not installed.")
    if kind == "isolated":
        return "Machines have a network card that leads nowhere."
    return "Machines have no network card." if kind == "none" else ""
