"""A keeper waits for its session, and goes when nobody has one for it."""

import os
import select
import socket
import time
from pathlib import Path

from desktop import process
from desktop.launch import detach
from desktop.process import Process

PATIENCE = 20


def keeper_of(directory: Path) -> Process:
    """Return the keeper that was summoned for a directory; its arguments show a moment later."""
    deadline = time.monotonic() + PATIENCE
    while not (one := look_for_keeper(directory)):
        assert time.monotonic() < deadline, "no keeper"
    return one


def look_for_keeper(directory: Path) -> Process | None:
    """Return the keeper of this directory, if it is there."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if words[-3:-1] == [b"keeper", os.fsencode(directory)]:
            return process.identify(int(name))
    return None


def test_a_keeper_without_a_session_goes(tmp_path: Path) -> None:
    line = detach.summon(tmp_path / ("a" * 26))
    with line:
        one = keeper_of(tmp_path / ("a" * 26))
        assert process.alive(one) and os.getsid(one.pid) == one.pid
    assert process.wait(one, PATIENCE)
    assert not list(tmp_path.iterdir())


def test_a_keeper_that_cannot_work_closes_its_line(tmp_path: Path) -> None:
    directory = tmp_path / ("b" * 26)
    directory.mkdir()
    with detach.summon(directory) as line:
        handle = os.open(os.devnull, os.O_RDONLY)
        detach.hand_over(line, {"lock": handle}, {})
        os.close(handle)
        assert select.select([line], [], [], PATIENCE)[0]
        assert line.recv(100) == b""
    assert "session.json" in (directory / "keeper.log").read_text()  # why, for administrators


def test_descriptors_arrive_under_their_numbers() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        reader, writer = os.pipe()
        detach.hand_over(ours, {"lock": reader, "qmp": writer}, {"qemu": ["a,b", "é"]})
        os.close(reader)
        os.close(writer)
        handed, commands, _ = detach.receive(theirs)
        assert handed == {"lock", "qmp"} and commands == {"qemu": ["a,b", "é"]}
        os.write(detach.NUMBERS["qmp"], b"through")
        assert os.read(detach.NUMBERS["lock"], 99) == b"through"
        for name in handed:
            assert not os.get_inheritable(detach.NUMBERS[name])
            os.close(detach.NUMBERS[name])
        ours.close()
        assert detach.receive(theirs) == (set(), {}, None)
