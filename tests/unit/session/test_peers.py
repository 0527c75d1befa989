"""The sides of a connection's opening."""

import socket
import threading
from pathlib import Path

import pytest

from desktop.session import peers


def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "vnc.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        first = peers.dial(path)
        with socket.socket(socket.AF_UNIX) as hasty, pytest.raises(BlockingIOError):
            hasty.settimeout(10)
            hasty.connect(str(path))
        found: list[socket.socket] = []
        waits = threading.Thread(target=lambda: found.append(peers.dial(path)))
        waits.start()
        taken = [listener.accept()[0], listener.accept()[0]]
        waits.join(10)
        assert found and found[0].gettimeout() == peers.PATIENCE
        for one in (first, *found, *taken):
            one.close()


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        peers.dial(tmp_path / "vnc.sock")
