"""Following one session by hand: a live line at a terminal, a line a change in a pipe."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from service.test_by_hand import Checkout, checkout, clone, view
from service.until import until

__all__ = ["checkout", "clone"]
WIDE = 120
LINE = re.compile(r"tiny-\w{4} running, [01] viewers?, CPU (\d+)% of 1, "
                  r"memory (\d+) of 32 MB, (\d+:\d\d:\d\d) left *")


class Terminal:
    """A terminal, so many columns wide, at which a command was typed."""

    def __init__(self, checkout: Checkout, columns: int, *words: str) -> None:
        self.keyboard, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(**{**checkout.command(*words), "stdin": inside},
                                        stdout=inside, stderr=inside, start_new_session=True)
        os.close(inside)
        self.said = ""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self) -> None:
        """Take what is shown until the command ends."""
        try:
            while data := os.read(self.keyboard, 4096):
                self.said += data.decode()
        except OSError:
            pass  # how a terminal ends

    def shown(self, what: Callable[[str], Any]) -> str:
        """Wait until the line that can be seen is such a one; return it."""
        until(lambda: what(self.said.rpartition("\r")[2]), 20, "a line")
        return self.said.rpartition("\r")[2]

    def end(self) -> int:
        """Wait for the end of the command; return its status."""
        status = self.process.wait(20)
        self.thread.join(20)
        os.close(self.keyboard)
        return status


@pytest.fixture
def watched(checkout: Checkout) -> Iterator[tuple[dict[str, Any], Terminal]]:
    """Return a session, and a terminal where it is followed."""
    facts = checkout.start("--lifetime=3000", "--persistent=1")
    terminal = Terminal(checkout, WIDE, "monitor", f"--session_watch={facts['name']}")
    yield facts, terminal
    if terminal.process.poll() is None:
        terminal.process.kill()
        terminal.end()


def test_one_line_tells_all_and_stays_in_its_place(
        checkout: Checkout, watched: tuple[dict[str, Any], Terminal]) -> None:
    facts, terminal = watched
    line = terminal.shown(LINE.fullmatch)
    found = LINE.fullmatch(line)
    assert found and "0 viewers" in line and 0 < int(found[2]) < 400
    assert "0:45:00" < found[3] <= "0:50:00"
    terminal.shown(lambda line: (found := LINE.fullmatch(line)) and int(found[1]))  # it boots
    viewer = view(facts)
    terminal.shown(lambda line: "1 viewer, " in line)
    viewer.leave()
    terminal.shown(lambda line: "0 viewers, " in line)
    assert checkout.type("admin", f"--session_extend={facts['name']}").returncode == 0
    terminal.shown(lambda line: re.search(" 1:[45].:", line))
    assert "\n" not in terminal.said and "\x1b" not in terminal.said
    assert {len(line) for line in terminal.said.split("\r")[1:-1]} == {WIDE - 1}
    assert checkout.type("admin", f"--session_stop={facts['name']}").returncode == 0
    assert terminal.end() == 0
    last = terminal.said.rpartition("over.")
    assert last[0].endswith(f"\r{facts['name']} is ") and last[2].strip(" ") == "\r\n"


def test_interrupted_it_leaves_the_session_alone(
        checkout: Checkout, watched: tuple[dict[str, Any], Terminal]) -> None:
    facts, terminal = watched
    terminal.shown(LINE.fullmatch)
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130 and terminal.said.endswith("\r\n")
    assert "Traceback" not in terminal.said
    assert (checkout.directory / "cfg" / facts["session"]).is_dir()


def test_a_narrow_terminal_has_one_line_too(checkout: Checkout) -> None:
    facts = checkout.start()
    terminal = Terminal(checkout, 30, "monitor", f"--session_watch={facts['name']}")
    terminal.shown(lambda line: "viewers" in line)
    checkout.type("admin", f"--session_stop={facts['name']}")
    assert terminal.end() == 0
    lines = terminal.said.split("\r")[1:]
    assert "is over." in lines[-2] and {len(line) for line in lines[:-1]} == {29}


def test_a_pipe_hears_of_changes_alone(checkout: Checkout) -> None:
    facts = checkout.start("--persistent=1")
    name = facts["name"]
    watch = subprocess.Popen(**checkout.command("monitor", f"--session_watch={name}"),
                             stdout=subprocess.PIPE)
    assert watch.stdout and watch.stdout.readline() == f"{name} running, 0 viewers\n"
    viewer = view(facts)
    assert watch.stdout.readline() == f"{name} running, 1 viewer\n"
    viewer.leave()
    assert watch.stdout.readline() == f"{name} running, 0 viewers\n"
    checkout.type("admin", f"--session_stop={name}")
    rest = watch.stdout.read().splitlines()
    assert rest[-1] == f"{name} is over." and len(rest) < 3
    assert watch.wait(10) == 0
    watch.stdout.close()
