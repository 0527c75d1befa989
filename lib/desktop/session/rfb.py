"""The opening of an RFB connection (RFC 6143, section 7.1), passed on message by message.

QEMU asks for the token and judges it; this relay only learns the verdict, so that wrong tokens
can be slowed and counted, and nobody counts as a viewer before QEMU has accepted them.
"""

from typing import Protocol

from desktop.session.tries import Refused, Tries

VNC_AUTHENTICATION = 2
ACCEPTED = b"\0\0\0\0"
REFUSED = b"\0\0\0\1"


class Peer(Protocol):
    """One side of the connection."""

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, or raise ConnectionError or TimeoutError."""

    def write(self, data: bytes) -> None:
        """Send all of it."""


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
