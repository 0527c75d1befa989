"""The opening of RFB: who is let in, and how fast one may guess."""

import threading

import pytest

from desktop.session import rfb

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
    rfb.open_connection(one, server, rfb.Tries(), "here")
    assert one.told.endswith(CHALLENGE + rfb.ACCEPTED)
    assert server.told == b"RFB 003.008\n" + b"\2" + b"R" * 16


def test_the_wrong_token_does_not() -> None:
    one = viewer()
    with pytest.raises(rfb.Refused, match="not right"):
        rfb.open_connection(one, qemu(rfb.REFUSED), rfb.Tries(), "here")
    assert rfb.REFUSED in one.told and b"not right" in one.told


@pytest.mark.parametrize("one", [viewer(choice=b"\1"), viewer(version=b"RFB 003.003\n"),
                                 viewer(version=b"GET / HTTP/1"), viewer(choice=b"\0")])
def test_nobody_gets_round_the_token(one: Script) -> None:
    server = qemu(rfb.ACCEPTED)
    with pytest.raises(rfb.Refused):
        rfb.open_connection(one, server, rfb.Tries(), "here")
    assert rfb.ACCEPTED not in one.told


def test_a_qemu_without_authentication_is_not_shown() -> None:
    with pytest.raises(rfb.Refused, match="does not ask"):
        rfb.open_connection(viewer(), Script(b"RFB 003.008\n\1\1"), rfb.Tries(), "here")


def test_many_tries_at_once_count_one_after_the_other() -> None:
    tries, judged, refused = rfb.Tries(), [], []

    def guess() -> None:
        try:
            tries.judge("here", lambda: bool(judged.append(1)))
        except rfb.Refused as reason:
            refused.append(str(reason))

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(judged) == 1 and len(refused) == 30
    assert sum("wait" in reason for reason in refused) == 29


def test_each_wrong_token_makes_the_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(rfb.time, "monotonic", lambda: clock[0])
    tries, judged = rfb.Tries(), []
    for _ in range(3600):
        clock[0] += 1
        with pytest.raises(rfb.Refused):
            tries.judge("here", lambda: bool(judged.append(1)))
    assert 60 < len(judged) < 75  # an hour at one a minute, after the first few
    clock[0] += 61
    tries.judge("here", lambda: True)
    with pytest.raises(rfb.Refused, match="not right"):  # a new start after a right one
        tries.judge("here", lambda: False)


def test_many_sources_share_the_ceiling_and_fill_no_memory(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfb.time, "monotonic", lambda: 0.0)
    tries, judged = rfb.Tries(), []
    for number in range(1000):
        with pytest.raises(rfb.Refused):
            tries.judge(f"source {number}", lambda: bool(judged.append(1)))
    assert len(judged) == rfb.Tries.PER_MINUTE
    assert len(tries._wrong) <= rfb.Tries.SOURCES
