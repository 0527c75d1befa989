"""The two sides of a connection's opening, as rfb.open_connection wants them."""

import select
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.session.connection import Connection

PATIENCE = 10  # seconds for QEMU to take a connection, and for each of its words
HEARTBEAT = 25  # seconds; proxies cut connections that are quiet for 60


def dial(path: Path) -> socket.socket:
    """Return a connection to QEMU's screen; while many come at once it is waited for.

    By the kernel: a socket with a timeout of Python's does not block, and is then told EAGAIN
    when the queue is full (connect(2)). Raises OSError.
    """
    target = socket.socket(socket.AF_UNIX)
    try:
        target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE, 0))
        target.connect(str(path))
    except OSError:
        target.close()
        raise
    target.settimeout(PATIENCE)
    return target


class Browser:
    """The viewer's side of the opening."""

    def __init__(self, connection: "Connection", deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline
        self.rest = b""

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, pinging while the person types the token."""
        while len(self.rest) < size:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no token was given")
            if not select.select([self.connection.request], [], [], min(left, HEARTBEAT))[0]:
                self.connection.send_ping()
                continue
            bufs, closed = self.connection.recv_frames()
            if closed:
                raise ConnectionError("the viewer left")
            self.rest += b"".join(bufs)
            if len(self.rest) > 4096:
                raise ConnectionError("the viewer talks too much")
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def write(self, data: bytes) -> None:
        """Send all of it; the opening is small and fits any buffer."""
        self.connection.send_frames([data])


class Qemu:
    """QEMU's side of the opening."""

    def __init__(self, target: socket.socket) -> None:
        self.target = target

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        data = b""
        while len(data) < size:
            chunk = self.target.recv(size - len(data))
            if not chunk:
                raise ConnectionError("QEMU closed the connection")
            data += chunk
        return data

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self.target.sendall(data)
