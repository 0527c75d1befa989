"""The opening of an RFB connection (RFC 6143, section 7.1), passed on message by message.

QEMU asks for the token and judges it; this relay only learns the verdict, so that wrong tokens
can be slowed and counted, and nobody counts as a viewer before QEMU has accepted them.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

VNC_AUTHENTICATION = 2
ACCEPTED = b"\0\0\0\0"
REFUSED = b"\0\0\0\1"


class Refused(Exception):
    """The viewer was not let in; the text says why."""


class Peer(Protocol):
    """One side of the connection."""

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, or raise ConnectionError or TimeoutError."""

    def write(self, data: bytes) -> None:
        """Send all of it."""


class Tries:
    """Counts wrong tokens: per source, each makes the next wait longer; per session, a ceiling.

    The token has 40 random bits; at PER_MINUTE tries all session long, a day's guessing
    succeeds once in some 30 million days.
    """

    PER_MINUTE = 20
    LONGEST = 60.0
    SOURCES = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}
        self._recent: list[float] = []

    def judge(self, source: str, right: Callable[[], bool]) -> None:
        """Ask `right` for the verdict on one try; raise Refused when wrong or too early.

        One at a time, so that many sent together count one after the other; QEMU answers at once.
        """
        with self._lock:
            if wait := self._wait(source):
                raise Refused(f"Too many wrong tokens: wait {wait:.0f} s.")
            if right():
                self._wrong.pop(source, None)
                return
            now = time.monotonic()
            count = self._wrong.pop(source, (0, 0.0))[0] + 1
            self._wrong[source] = (count, now + min(2.0 ** (count - 1), self.LONGEST))
            self._recent.append(now)
            while len(self._wrong) > self.SOURCES:
                del self._wrong[next(iter(self._wrong))]
        raise Refused("The token is not right.")

    def _wait(self, source: str) -> float:
        """Return the seconds this source must wait before its next try; 0: it may try."""
        now = time.monotonic()
        self._recent = [moment for moment in self._recent if now - moment < 60]
        wait = self._wrong.get(source, (0, 0.0))[1] - now
        if len(self._recent) >= self.PER_MINUTE:
            wait = max(wait, self._recent[0] + 60 - now)
        return max(wait, 0)


def open_connection(viewer: Peer, server: Peer, tries: Tries, source: str) -> None:
    """Relay the opening until QEMU has accepted the viewer; raise Refused otherwise."""
    viewer.write(server.read(12))
    version = viewer.read(12)
    if version not in (b"RFB 003.007\n", b"RFB 003.008\n"):
        raise Refused(f"it speaks {version!r}")
    server.write(version)
    offered = server.read(server.read(1)[0])
    if VNC_AUTHENTICATION not in offered:
        raise Refused("QEMU does not ask for the token")
    viewer.write(bytes([1, VNC_AUTHENTICATION]))
    choice = viewer.read(1)
    if choice != bytes([VNC_AUTHENTICATION]):
        raise Refused("it does not want to give the token")
    server.write(choice)
    viewer.write(server.read(16))
    answer = viewer.read(16)

    def right() -> bool:
        server.write(answer)
        return server.read(4) == ACCEPTED

    try:
        tries.judge(source, right)
    except Refused as reason:
        text = str(reason).encode()
        viewer.write(REFUSED)
        if version == b"RFB 003.008\n":  # only this version tells why
            viewer.write(len(text).to_bytes(4, "big") + text)
        raise
    viewer.write(ACCEPTED)
