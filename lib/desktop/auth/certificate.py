"""How long a certificate is good for: of an institution's server, and of our own."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from desktop.finding import Finding

if TYPE_CHECKING:  # ssl takes 4 ms, and the ways in are loaded for every cookie
    from socket import socket

SOON = 14  # days: Let's Encrypt renews 30 days before the end, others by hand


def shown(connection: "socket | None") -> Mapping[str, Any] | None:
    """Return the certificate, verified by now, of who is at the other end; None without TLS."""
    from ssl import SSLSocket
    return connection.getpeercert() if isinstance(connection, SSLSocket) else None


def judge(name: str, server: str, certificate: Mapping[str, Any] | None) -> Finding:
    """Return what is to be said of a server that answered, and has shown this or nothing."""
    if not certificate:
        return Finding(name, f"{server} answers, without TLS")
    valid, good = validity(certificate["notAfter"])
    return Finding(name, f"{server} answers; its certificate is {valid}", good, "" if good else
                   "Whoever looks after that server renews it, or nobody can sign in.")


def validity(end: str) -> tuple[str, bool]:
    """Return until when a certificate is valid, in words, and whether that is not SOON.

    `end` is the date as OpenSSL writes it.
    """
    from ssl import cert_time_to_seconds
    moment = cert_time_to_seconds(end)
    days = int((moment - time.time()) / 86400)
    until = time.strftime("%Y-%m-%d", time.gmtime(moment))
    return f"valid until {until}, {days} days", days >= SOON
