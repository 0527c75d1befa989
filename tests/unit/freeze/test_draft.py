"""What can be seen of a machine that is being frozen, and what of one that could not be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import process
from desktop.errors import Refusal
from desktop.freeze import draft, failure
from desktop.freeze.draft import Progress
from desktop.process import Process
from desktop.settings import Settings

OURS = process.identify(os.getpid())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(dir_templates=tmp_path / "templates", dir_snapshots=tmp_path)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits to be ended."""
    with subprocess.Popen(["sleep", "60"]) as found:
        yield found
        found.kill()


def told(settings: Settings, by: Process | None) -> Progress:
    """Tell how far something is, as whoever freezes does."""
    place = settings.dir_templates / draft.NAME
    place.mkdir(parents=True)
    progress = Progress("box.iso", 1, 64, time.time(), "boots", by)
    draft.tell(place, progress)
    return progress


def test_what_is_told_is_seen_while_who_tells_it_lives(settings: Settings) -> None:
    assert draft.seen(settings) is None
    assert told(settings, OURS) == draft.seen(settings)
    assert draft.hasten(settings).machine == "box.iso"
    assert (settings.dir_templates / draft.NAME / draft.NOW).exists()


@pytest.mark.parametrize("words", ["", "[]", "{}", '{"by": 1}', '{"by": {"pid": 1}}', "\xff"])
def test_what_cannot_be_understood_is_nothing(settings: Settings, words: str) -> None:
    told(settings, OURS)
    (settings.dir_templates / draft.NAME / draft.PROGRESS).write_text(words, encoding="latin-1")
    assert draft.seen(settings) is None


def test_nobody_is_asked_when_nothing_is_being_frozen(settings: Settings) -> None:
    for ask in (draft.hasten, draft.cancel):
        with pytest.raises(Refusal) as problem:
            ask(settings)
        assert problem.value.status == 409


def test_cancelling_ends_that_very_process(settings: Settings,
                                           child: "subprocess.Popen[bytes]") -> None:
    told(settings, process.identify(child.pid))
    draft.cancel(settings)
    assert child.wait(5) == -signal.SIGTERM


def test_cancelling_ends_no_other_that_has_got_its_number(
        settings: Settings, child: "subprocess.Popen[bytes]") -> None:
    told(settings, Process(child.pid, 1))
    with pytest.raises(Refusal):
        draft.cancel(settings)
    assert child.poll() is None


def test_who_was_killed_is_remembered_and_swept_away(settings: Settings) -> None:
    told(settings, Process(os.getpid(), 1))
    assert draft.seen(settings) is None
    draft.sweep(settings)
    assert not (settings.dir_templates / draft.NAME).exists()
    found = failure.seen(settings)
    assert found and (found.machine, found.words) == ("box.iso", "It was killed.")


def test_one_at_a_time(settings: Settings) -> None:
    with draft.claimed(settings), draft.lent(settings):
        told(settings, OURS)
        draft.sweep(settings)
        assert draft.seen(settings)
        with pytest.raises(Refusal) as problem, draft.claimed(settings):
            pass
        assert problem.value.status == 409
    assert draft.seen(settings) is None


def test_a_failure_is_there_until_the_next_time(settings: Settings) -> None:
    settings.dir_templates.mkdir()

    def attempt(problem: BaseException | None) -> str:
        try:
            with failure.noted(settings, "box.iso", 1, 64):
                if problem:
                    raise problem
        except BaseException as raised:
            assert raised is problem
        found = failure.seen(settings)
        return found.words if found else ""
    assert attempt(Refusal("No.", 500, "Why not?")) == "No. Why not?"
    assert attempt(ZeroDivisionError()) == "Something went wrong that should not."
    assert attempt(KeyboardInterrupt()) == ""
    assert attempt(Refusal("No.")) == "No."
    assert attempt(None) == ""
    failure.path(settings).write_text("{")
    assert failure.seen(settings) is None


def test_importing_it_costs_a_request_little() -> None:
    done = subprocess.run([sys.executable, "-c", "import desktop.web.views, sys; "
                           "print('desktop.freeze.making' in sys.modules)"],
                          capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(Path(draft.__file__).parents[2])})
    assert done.stdout == "False\n"
