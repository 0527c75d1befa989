"""When a machine that boots counts as ready: its own word, its looks, or somebody's."""

import time
from base64 import b64encode
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import Refusal
from desktop.freeze import boot, draft
from desktop.freeze.boot import Boot
from desktop.freeze.stillness import STILL


class Machine:
    """A QEMU as `Boot` sees it: what it shows and says at each look, and how busy it is."""

    def __init__(self, shows: Callable[[int], int], says: Callable[[int], str] = lambda look: "",
                 works: Callable[[int], float] = lambda look: 0.0) -> None:
        self.shows, self.says, self.works = shows, says, works
        self.looks = 0

    def execute(self, command: str, facts: dict[str, Any] | None = None) -> Any:
        if command == "screendump" and facts:
            if facts["format"] == "ppm":
                self.looks += 1
            rows = b"".join(bytes([row % self.shows(self.looks)]) * 12 for row in range(100))
            Path(facts["filename"]).write_bytes(b"P6\n4 100\n255\n" + rows)
        if command == "ringbuf-read" and facts:
            assert facts["format"] == "base64"
            return b64encode(self.says(self.looks).encode("latin-1")).decode()
        return []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass at once."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


def begin(machine: Machine, place: Path, monkeypatch: pytest.MonkeyPatch, ready: str) -> Boot:
    """Watch a machine; its CPUs are as busy as it says."""
    found = Boot(machine, 1, place, ready)  # type: ignore[arg-type]
    total = [0.0]

    def seconds() -> float:
        total[0] += machine.works(machine.looks)
        return total[0]
    monkeypatch.setattr(found, "seconds", seconds)
    return found


@pytest.mark.usefixtures("clock")
def test_its_own_word_counts_once_it_is_calm(tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(shows=lambda look: look + 1, says=lambda look: "re" if look == 3 else
                      "ady now" if look == 4 else "", works=lambda look: 1.0 if look < 8 else 0.1)
    said: list[str] = []
    begin(machine, tmp_path, monkeypatch, "ready").wait(said.append, lambda: False)
    assert machine.looks == 9
    assert said[0].startswith("boots") and said[-1].startswith("is ready, calms down")
    assert (tmp_path / draft.SCREEN).exists()


@pytest.mark.usefixtures("clock")
def test_after_a_minute_it_is_said_which_word_it_waits_for(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(shows=lambda look: 2, says=lambda look: "my: ready" if look == 99 else "")
    said: list[str] = []
    begin(machine, tmp_path, monkeypatch, "my: ready").wait(said.append, lambda: False)
    told = ["waits for the word 'my: ready' on the serial port: freeze it now" in words
            for words in said]
    assert told.index(True) == boot.WORDLESS - 1 and all(told[60:98]) and not any(told[98:])


@pytest.mark.usefixtures("clock")
def test_what_else_it_says_does_not_matter(tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(shows=lambda look: look, says=lambda look: "\0\xff ready" if look == 2 else
                      "x" * boot.SERIAL, works=lambda look: 1.0 if look < 6 else 0.1)
    begin(machine, tmp_path, monkeypatch, "ready").wait(lambda words: None, lambda: False)
    assert machine.looks == 5 + boot.CALM


@pytest.mark.usefixtures("clock")
def test_one_that_never_calms_down_is_not_awaited_for_ever(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(shows=lambda look: 2, says=lambda look: "ready" if look == 1 else "",
                      works=lambda look: 2.0)
    begin(machine, tmp_path, monkeypatch, "ready").wait(lambda words: None, lambda: False)
    assert machine.looks == boot.HURRY


@pytest.mark.usefixtures("clock")
def test_a_still_screen_counts_without_a_word(tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(shows=lambda look: 2 if look < 5 else 50)
    begin(machine, tmp_path, monkeypatch, "").wait(lambda words: None, lambda: False)
    assert machine.looks == 5 + STILL


@pytest.mark.usefixtures("clock")
def test_somebody_who_watches_may_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, asked = Machine(shows=lambda look: look + 1), count()
    begin(machine, tmp_path, monkeypatch, "never said").wait(
        lambda words: None, lambda: next(asked) == 3)
    assert machine.looks == 4


@pytest.mark.usefixtures("clock")
def test_it_ends_some_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(shows=lambda look: look + 1, works=lambda look: 1.0)
    with pytest.raises(Refusal, match="not ready after 30 minutes") as refusal:
        begin(machine, tmp_path, monkeypatch, "").wait(lambda words: None, lambda: False)
    assert refusal.value.status == 504
