"""How long the certificate of an institution's server is good for."""

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
    from ssl import cert_time_to_seconds
    end = cert_time_to_seconds(certificate["notAfter"])
    days = int((end - time.time()) / 86400)
    text = (f"{server} answers; its certificate is valid until "
            f"{time.strftime('%Y-%m-%d', time.gmtime(end))}, {days} days")
    return Finding(name, text, days >= SOON, "" if days >= SOON else
                   "Whoever looks after that server renews it, or nobody can sign in.")
