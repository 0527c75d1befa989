"""The ports Apache listens on, as ports.conf says, and whether another program has them."""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from report import Problem

PORTS = Path("/etc/apache2/ports.conf")
UNSET = "Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\n"  # before there is an Apache
LISTEN = re.compile(r"\s*listen\s+(?:(\S+):)?([0-9]+)(?:\s+(\w+))?\s*", re.I)


@dataclass(frozen=True)
class Listen:
    """An address Apache listens on; an empty host is all of them."""

    host: str
    port: int
    tls: bool

    @property
    def reach(self) -> str:
        """Return the address under which this server reaches it."""
        return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)


def listens() -> list[Listen]:
    """Return what ports.conf says: with TLS is what stands in the section of a TLS module."""
    text = PORTS.read_text(encoding="utf-8", errors="replace") if PORTS.exists() else UNSET
    found, inside = [], ""
    for line in text.splitlines():
        if opened := re.match(r"\s*<IfModule\s+\"?(\S+?)\"?>", line, re.I):
            inside = opened[1]
        elif re.match(r"\s*</IfModule", line, re.I):
            inside = ""
        elif (said := LISTEN.fullmatch(line)) and "gnutls" not in inside:
            tls = "ssl" in inside or said[3] == "https" or (not said[3] and said[2] == "443")
            found.append(Listen((said[1] or "").strip("[]"), int(said[2]), tls))
    return found


def plain() -> Listen:
    """Return the first that speaks HTTP."""
    for one in listens():
        if not one.tls:
            return one
    raise Problem(f"{PORTS} has no Listen for plain HTTP.", "Add one, such as Listen 80.")


def of(number: int) -> Listen:
    """Return the one with this port; where ports.conf has none a site's own file does."""
    return next((one for one in listens() if one.port == number), Listen("", number, True))


def secure() -> Listen:
    """Return the first that speaks HTTPS."""
    for one in listens():
        if one.tls:
            return one
    raise Problem(f"{PORTS} has no Listen for TLS.",
                  "Add one, such as Listen 443, within <IfModule ssl_module>; or --tls=off.")


def must_be_free(those: list[Listen]) -> None:
    """Raise Problem when a program other than Apache has one of these ports."""
    for one in those:
        if not free(one):
            raise Problem(f"port {one.port} is in use by {user(one.port)}; nothing was changed.",
                          f"Stop that, or name another port in {PORTS} (of the package apache2).")


def free(one: Listen) -> bool:
    """Tell whether one could listen there."""
    family = socket.AF_INET if one.host and ":" not in one.host else socket.AF_INET6
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError:  # a kernel without IPv6
        family, sock = socket.AF_INET, socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(one.host)))
        try:
            sock.bind((one.host, one.port))
            sock.listen()
        except OSError:
            return False
    return True


def user(port: int) -> str:
    """Name the program that listens on a port, from /proc: other tools may not be there."""
    inodes = {line.split()[9] for table in ("tcp", "tcp6")
              for line in read(Path("/proc/net", table)).splitlines()[1:]
              if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
        except OSError:  # it has ended, or closed it
            continue
        if target in wanted:
            process = link.parents[1]
            return f"{read(process / 'comm').strip()} (process {process.name})"
    return "another program"


def read(path: Path) -> str:
    """Return a small file of /proc, or nothing."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
