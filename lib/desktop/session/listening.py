"""The socket viewers come to: bound before anybody is told its address, so there is no race.

Behind Apache it is a unix socket; by hand a TCP port on 127.0.0.1.
"""

import socket
from collections.abc import Sequence

from desktop.errors import Refusal
from desktop.session.paths import Paths
from desktop.session.record import Record
from desktop.settings import Settings

BACKLOG = 64
# Ports above 1023 that browsers refuse (Fetch standard, "port blocking").
REFUSED_BY_BROWSERS = frozenset({1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
                                 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080})


def behind_apache(paths: Paths) -> socket.socket:
    """Return a listening unix socket."""
    paths.websocket.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(paths.websocket))
    listener.listen(BACKLOG)
    return listener


def by_hand(settings: Settings) -> socket.socket:
    """Return a listening TCP socket on a port that is free and that browsers accept."""
    for port in ports(settings):
        listener = socket.socket(socket.AF_INET)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        if listener.getsockname()[1] in REFUSED_BY_BROWSERS:
            listener.close()
            continue
        listener.listen(BACKLOG)
        return listener
    raise Refusal(f"No port from service_min_port = {settings.service_min_port} on is free.", 503,
                  "--service_min_port=0 takes any free port.")


def ports(settings: Settings) -> Sequence[int]:
    """Return the ports to try; 0 stands for any."""
    first = settings.service_min_port
    if first == 0:
        return [0] * 32  # until one is not among those that browsers refuse
    return range(first, min(first + (settings.service_max_instance_nb or 1000), 65536))


def endpoint(listener: socket.socket | None, paths: Paths) -> str:
    """Return the address as the record names it: of this socket, or of the one behind Apache."""
    return "{}:{}".format(*listener.getsockname()) if listener else str(paths.websocket)


def again(entry: Record, paths: Paths) -> socket.socket:
    """Return a socket at the address that a killed keeper had."""
    if entry.endpoint == str(paths.websocket):
        return behind_apache(paths)
    host, _, port = entry.endpoint.rpartition(":")
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its old viewers linger
    listener.bind((host, int(port)))
    listener.listen(BACKLOG)
    return listener
