"""QMP with a QEMU that answers late, or reports before it greets: each message finds its place."""

import json
import socket
import threading
from pathlib import Path

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
