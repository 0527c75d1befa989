"""Programs are run to their end, or known by pid and start."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from desktop import process
from desktop.process import Process


def test_run_returns_what_is_printed() -> None:
    assert process.run(["cat"]) == ""
    assert process.run(["echo", "-n", "hello"]) == "hello"


@pytest.mark.parametrize("argv, said", [
    (["sh", "-c", "echo first >&2; echo last >&2; exit 3"], "status 3: last"),
    (["/nonexistent/program"], "cannot be started"),
])
def test_failures_carry_the_last_words(argv: list[str], said: str) -> None:
    with pytest.raises(process.Failed, match=said):
        process.run(argv)


def test_run_does_not_wait_for_ever() -> None:
    start = time.monotonic()
    with pytest.raises(process.Failed, match="did not finish"):
        process.run(["sleep", "60"], timeout=0.2)
    assert time.monotonic() - start < 5


def test_a_recycled_pid_is_never_signalled() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        one = process.identify(child.pid)
        assert one and process.alive(one)
        former = Process(one.pid, one.started - 1)
        assert not process.alive(former)
        assert not process.send(former, signal.SIGKILL)
        assert process.wait(former, 60)
        assert child.poll() is None
        assert process.send(one, signal.SIGKILL)
        assert process.wait(one, 5)
    assert not process.send(one, signal.SIGKILL)
    assert process.wait(one, 5)


def test_detached_programs_keep_nothing_of_the_caller(tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_COOKIE", "secret")
    reader, writer = os.pipe()
    kept, log = os.open("/dev/null", os.O_RDONLY), tmp_path / "log"
    os.set_inheritable(kept, True)
    pid = process.detach(["sh", "-c", "ls -l /proc/self/fd; env; exec sleep 0.2"], log,
                         {"GIVEN": "1"}, [writer])
    os.close(writer)
    assert os.getsid(pid) == pid
    assert os.read(reader, 1) == b""  # when it has ended
    os.close(reader)
    os.close(kept)
    os.waitpid(pid, 0)
    text = log.read_text()
    assert "GIVEN=1" in text and "HTTP_COOKIE" not in text
    assert f" {kept} -> /dev/null" not in text and f" {writer} -> pipe" in text


def test_identify_knows_no_zombies() -> None:
    child = subprocess.Popen(["true"])
    handle = os.pidfd_open(child.pid)
    assert process.wait(Process(child.pid, 0), 5)
    os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOWAIT)
    assert process.identify(child.pid) is None
    child.wait()
    os.close(handle)
