"""QMP with a QEMU that answers late, or reports before it greets: each message finds its place."""

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from desktop.machine import qmp


def test_a_late_answer_is_not_taken_for_another(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "qmp"))
    listener.listen(1)
    go_on = threading.Event()

    def play() -> None:
        theirs, _ = listener.accept()
        with theirs, theirs.makefile("rb") as lines:
            slow = json.loads(lines.readline())["id"]
            go_on.wait(10)
            theirs.sendall(json.dumps({"return": "slow", "id": slow}).encode() + b"\n")
            quick = json.loads(lines.readline())["id"]
            for message in ({"event": "STOP"}, {"return": "quick", "id": quick},
                            {"return": "slow", "id": slow}, {"event": "RESUME"}):
                theirs.sendall(json.dumps(message).encode() + b"\n")
            lines.readline()

    qemu = threading.Thread(target=play)
    qemu.start()
    connection = qmp.Connection(tmp_path / "qmp")
    with pytest.raises(qmp.Error, match="does not answer"):
        connection.execute("screendump", timeout=0.1)
    go_on.set()
    assert connection.execute("query-status") == "quick"
    events = []
    while len(events) < 2:
        events += connection.take()
    assert [event["event"] for event in events] == ["STOP", "RESUME"]
    connection.close()
    qemu.join(10)
    listener.close()


def test_a_question_stays_open_until_anything_is_answered(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "qmp"))
    listener.listen(1)
    connection = qmp.Connection(tmp_path / "qmp")
    theirs, _ = listener.accept()
    with theirs, theirs.makefile("rb") as lines:
        connection.ping(3600)
        assert connection.waited() is None, "it has not been silent for so long"
        for _ in range(3):
            connection.ping(0)
        assert connection.waited() is not None
        asked = json.loads(lines.readline())
        assert asked["execute"] == "query-status"
        assert connection.take() == [] and connection.waited() is not None
        with pytest.raises(qmp.Silent):
            connection.execute("stop", timeout=0.1)
        later = json.loads(lines.readline())["id"]
        assert later == asked["id"] + 1, "asked once"
        assert (connection.waited() or 0) >= 0.1
        theirs.sendall(json.dumps({"return": {}, "id": asked["id"]}).encode() + b"\n")
        assert connection.take() == [] and connection.waited() is None
        with pytest.raises(qmp.Silent):
            connection.execute("cont", timeout=0.1)
        assert (connection.waited() or 0) >= 0.1, "a command that was given up is a question too"
    connection.close()
    listener.close()


def test_reports_may_come_before_the_greeting(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "qmp"))
    listener.listen(1)

    def play() -> None:
        theirs, _ = listener.accept()
        with theirs, theirs.makefile("rb") as lines:
            theirs.sendall(b'{"event": "VNC_CONNECTED"}\n{"QMP": {}}\n')
            number = json.loads(lines.readline())["id"]
            theirs.sendall(json.dumps({"return": {}, "id": number}).encode() + b"\n")
            lines.readline()

    qemu = threading.Thread(target=play)
    qemu.start()
    connection = qmp.Connection(tmp_path / "qmp")
    connection.negotiate(10)
    assert connection.take() == [{"event": "VNC_CONNECTED"}]
    connection.close()
    qemu.join(10)
    listener.close()


def test_what_qemu_reports_last_is_not_lost(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "qmp"))
        listener.listen(1)
        connection = qmp.Connection(tmp_path / "qmp")
        theirs, _ = listener.accept()
        theirs.sendall(b'{"event": "SHUTDOWN"}\n')
        theirs.close()
    assert connection.take() == [{"event": "SHUTDOWN"}]
    with pytest.raises(qmp.Error, match="gone"):
        connection.take()
    connection.close()


def test_qemu_may_be_gone_as_soon_as_it_was_told_to_quit(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "qmp"))
        listener.listen(1)
        connection = qmp.Connection(tmp_path / "qmp")
        theirs, _ = listener.accept()
    send = socket.send_fds

    def quick(*words: Any) -> int:
        sent = send(*words)
        theirs.recv(4096)
        theirs.sendall(b'{"return": {}, "id": 1}\n')
        theirs.close()
        return sent
    monkeypatch.setattr(qmp.socket, "send_fds", quick)
    assert connection.execute("quit") == {}
    connection.close()
