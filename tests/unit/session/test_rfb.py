"""The opening of RFB: who is let in."""

import pytest

from desktop.session import rfb
from desktop.session.tries import Refused, Tries

CHALLENGE = bytes(range(16))


class Script:
    """A peer that says given bytes and remembers what it is told."""

    def __init__(self, says: bytes) -> None:
        self.says = says
        self.told = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes of the script."""
        data, self.says = self.says[:size], self.says[size:]
        if len(data) < size:
            raise ConnectionError("the script is over")
        return data

    def write(self, data: bytes) -> None:
        """Remember."""
        self.told += data


def qemu(verdict: bytes) -> Script:
    """Return QEMU's side of an opening."""
    return Script(b"RFB 003.008\n" + b"\1\2" + CHALLENGE + verdict)


def viewer(version: bytes = b"RFB 003.008\n", choice: bytes = b"\2") -> Script:
    """Return a viewer's side of an opening."""
    return Script(version + choice + b"R" * 16)


def test_the_right_token_lets_in() -> None:
    one, server = viewer(), qemu(rfb.ACCEPTED)
    rfb.open_connection(one, server, Tries(), "here")
    assert one.told.endswith(CHALLENGE + rfb.ACCEPTED)
    assert server.told == b"RFB 003.008\n" + b"\2" + b"R" * 16


def test_the_wrong_token_does_not() -> None:
    one = viewer()
    with pytest.raises(Refused, match="not right"):
        rfb.open_connection(one, qemu(rfb.REFUSED), Tries(), "here")
    assert rfb.REFUSED in one.told and b"not right" in one.told


@pytest.mark.parametrize("one", [viewer(choice=b"\1"), viewer(version=b"RFB 003.003\n"),
                                 viewer(version=b"GET / HTTP/1"), viewer(choice=b"\0")])
def test_nobody_gets_round_the_token(one: Script) -> None:
    server = qemu(rfb.ACCEPTED)
    with pytest.raises(Refused):
        rfb.open_connection(one, server, Tries(), "here")
    assert rfb.ACCEPTED not in one.told


def test_a_qemu_without_authentication_is_not_shown() -> None:
    with pytest.raises(Refused, match="does not ask"):
        rfb.open_connection(viewer(), Script(b"RFB 003.008\n\1\1"), Tries(), "here")
