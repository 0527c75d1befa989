"""What a real QEMU knows, into a file and back: whole, or refused with its words."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from desktop.machine import migration, qmp

SECTOR = b"\xf4\xeb\xfd".ljust(32, b"\x90") + b"what the guest knows"  # halts for ever
PLACE, AGAIN = 0x7c00, 10.0  # where a boot sector lies; seconds
Start = Callable[..., qmp.Connection]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A way to start QEMUs of one kind, which end with the test."""
    (tmp_path / "disk").write_bytes(SECTOR.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    made: list[tuple[subprocess.Popen[bytes], qmp.Connection]] = []

    def run(*words: str, incoming: bool = False) -> qmp.Connection:
        place = tmp_path / f"qmp{len(made)}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place))
            listener.listen(1)
            number = listener.fileno()
            child = subprocess.Popen(
                ["qemu-system-x86_64", "-accel", "tcg", "-nodefaults", "-display", "none", "-m",
                 "16",
                 "-drive", f"file={tmp_path}/disk,format=raw,if=ide,snapshot=on", "-chardev",
                 f"socket,id=qmp,fd={number},server=on", "-mon", "chardev=qmp,mode=control",
                 *words, *(["-incoming", "defer"] if incoming else [])],
                pass_fds=[number], stderr=subprocess.DEVNULL)
        connection = qmp.Connection(place)
        made.append((child, connection))
        connection.negotiate(AGAIN)
        return connection
    yield run
    for child, connection in made:
        connection.close()
        child.kill()
        child.wait()


def known(connection: qmp.Connection, tmp_path: Path) -> bytes:
    """Return what lies where the boot sector was loaded."""
    connection.execute("pmemsave", {"val": PLACE, "size": len(SECTOR),
                                    "filename": str(tmp_path / "seen")})
    return (tmp_path / "seen").read_bytes()


def booted(connection: qmp.Connection, tmp_path: Path) -> qmp.Connection:
    """Return a machine once it has booted, stopped."""
    while known(connection, tmp_path) != SECTOR:
        pass
    connection.execute("stop")
    return connection


def shared(tmp_path: Path, share: str) -> tuple[str, ...]:
    return ("-machine", "pc,memory-backend=pc.ram", "-object",
            f"memory-backend-file,id=pc.ram,size=16M,mem-path={tmp_path}/memory,share={share}")


def test_a_state_is_all_there_is(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "state"
    migration.save(booted(start(), tmp_path), path, AGAIN)
    assert path.stat().st_mode & 0o777 == 0o600
    other = start(incoming=True)
    migration.load(other, path, AGAIN)
    assert known(other, tmp_path) == SECTOR
    assert not other.execute("query-status")["running"]
    other.execute("cont")
    assert other.execute("query-status")["running"]


def test_memory_in_a_file_stays_there(start: Start, tmp_path: Path) -> None:
    path, memory = tmp_path / "state", tmp_path / "memory"
    first = booted(start(*shared(tmp_path, "on")), tmp_path)
    migration.save(first, path, AGAIN, shared=True)
    with pytest.raises(qmp.Error):
        first.execute("quit")
        first.execute("query-status")
    assert path.stat().st_size < 1 << 20
    before = sha256(memory.read_bytes()).digest()
    for _ in range(2):
        copy = start(*shared(tmp_path, "off"), incoming=True)
        migration.load(copy, path, AGAIN, shared=True)
        assert known(copy, tmp_path) == SECTOR
        copy.execute("cont")
        copy.execute("system_reset")
        copy.execute("query-status")
    assert sha256(memory.read_bytes()).digest() == before


def test_no_file_is_written_over(start: Start, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("of somebody else")
    with pytest.raises(FileExistsError):
        migration.save(start(), tmp_path / "state", AGAIN)
    assert (tmp_path / "state").read_text() == "of somebody else"


@pytest.mark.parametrize("harm", [
    lambda state: b"", lambda state: bytes(len(state)), lambda state: state[:len(state) // 2]])
def test_what_is_no_state_is_an_error(start: Start, tmp_path: Path,
                                      harm: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "state"
    migration.save(booted(start(), tmp_path), path, AGAIN)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(qmp.Error):
        migration.load(start(incoming=True), path, AGAIN)


def test_a_missing_state_is_an_error(start: Start, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        migration.load(start(incoming=True), tmp_path / "state", AGAIN)


def test_what_takes_too_long_is_given_up(start: Start, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the machine, which goes on, would be stopped when QEMU comes to the end of it."""
    monkeypatch.setattr(migration, "BANDWIDTH", 1 << 16)
    machine = booted(start(), tmp_path)
    with pytest.raises(qmp.Error, match="in time"):
        migration.save(machine, tmp_path / "state", 0.1)
    machine.execute("cont")
    assert machine.execute("query-migrate")["status"] == "cancelled"
    assert machine.execute("query-status")["running"]
    monkeypatch.undo()
    machine.execute("stop")
    migration.save(machine, tmp_path / "again", AGAIN)


class Slow:
    """A QEMU that never comes to an end, or fails at once."""

    def __init__(self, **facts: str) -> None:
        self.facts = facts

    def execute(self, *_: object, **__: object) -> Any:
        return self.facts


def test_it_does_not_take_for_ever() -> None:
    with pytest.raises(qmp.Error, match="in time"):
        migration.wait(Slow(status="active"), 0.05)  # type: ignore[arg-type]
    with pytest.raises(qmp.Error, match="no space"):
        migration.wait(Slow(status="failed", **{"error-desc": "no space"}),  # type: ignore
                       AGAIN)
