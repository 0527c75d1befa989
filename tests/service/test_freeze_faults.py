"""Freezing that is killed, interrupted or out of disk: no half template, and nothing left."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service import disk, orphans
from service.frost import FREEZE, READY, booted, sector, start, template
from service.installation import ENVIRONMENT, USER, Installation
from service.until import until

STEPS = ("starts", "is ready, calms", "is ready and being frozen", "is packed")
CLEARED = 130  # the exit status of who was interrupted


@pytest.fixture
def quick(site: Installation) -> Iterator[Installation]:
    """An installation with a machine that is ready within the second, and nothing frozen."""
    path = site.add_machine("quick.raw", sector(), ready=READY)
    yield site
    path.unlink()
    path.with_suffix(".ini").unlink()


@contextmanager
def freezing(site: Installation) -> Iterator["subprocess.Popen[str]"]:
    """Freeze quick.raw meanwhile."""
    with subprocess.Popen(
            ["env", "--default-signal=INT",  # a shell's background job would ignore it
             site.goods.share / "cgi-bin" / FREEZE, "quick.raw", "--memory=16"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/",
            user=USER if os.geteuid() == 0 else None, group=USER if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            env={**ENVIRONMENT, "REMOTE_DESKTOP_INI": str(site.ini)}) as child:
        try:
            yield child
        finally:
            child.kill()


def await_step(child: "subprocess.Popen[str]", step: str) -> None:
    """Read what it tells, up to a step."""
    assert child.stdout
    said = []
    for line in child.stdout:
        said.append(line)
        if step in line:
            return
    raise AssertionError(f"it never said {step!r}, but {said}")


def running(site: Installation) -> list[str]:
    """Return what runs of freezing: QEMU is a child of it, or an orphan."""
    everything = [*orphans.adopted(), *orphans.descendants(os.getpid())]
    return [words for pid in everything if (words := orphans.command(pid))
            and str(site.templates) in words]


def nothing_left(site: Installation) -> bool:
    return not running(site) and not [path for path in site.templates.iterdir()
                                      if path.name not in (".lock", ".failure.json")]


def swept(site: Installation) -> None:
    done = site.script("admin.py", "--housekeeping=1")
    assert done.returncode == 0, done


@pytest.mark.parametrize(("step", "delay"), [
    ("starts", 0), ("starts", 0.1), ("starts", 0.5), ("is ready, calms", 0),
    ("is ready and being frozen", 0), ("is ready and being frozen", 0.02),
    ("is packed", 0), ("is packed", 0.02), ("is packed", 0.05)])
def test_killed_at_any_step(quick: Installation, step: str, delay: float) -> None:
    with freezing(quick) as child:
        await_step(child, step)
        time.sleep(delay)
        child.kill()
    if step != "starts":  # where it may not have learned of that yet
        until(lambda: not running(quick), 5, "QEMU goes with who froze it")
    made = [path for path in quick.templates.iterdir() if not path.name.startswith(".")]
    assert not made or not booted(quick, start(quick)), "half a template is there"
    swept(quick)
    quick.clear()
    assert made or nothing_left(quick), list(quick.templates.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("step", STEPS)
def test_interrupted_at_any_step(quick: Installation, step: str, number: signal.Signals) -> None:
    with freezing(quick) as child:
        await_step(child, step)
        child.send_signal(number)
        assert child.wait(10) == CLEARED, child
    until(lambda: nothing_left(quick), 3, "nothing is left")


def test_the_next_run_clears_up_after_one_that_was_killed(quick: Installation) -> None:
    with freezing(quick) as child:
        await_step(child, "calms")
        child.kill()
    assert (quick.templates / ".draft").exists()
    desktop = start(quick)
    assert booted(quick, desktop)
    desktop.stop()
    done = quick.script(FREEZE, "quick.raw", "--memory=16")
    assert done.returncode == 0, done
    assert not (quick.templates / ".draft").exists()
    assert not booted(quick, start(quick))


def test_a_qemu_that_dies_is_named(quick: Installation) -> None:
    with freezing(quick) as child:
        await_step(child, "calms")
        qemu, = [pid for pid in orphans.descendants(child.pid) if "-vnc" in orphans.command(pid)]
        os.kill(qemu, signal.SIGKILL)
        out, _ = child.communicate(timeout=20)
    assert child.returncode == 1 and "could not be frozen: QEMU is gone" in out, out
    assert nothing_left(quick)


def test_an_image_that_is_replaced_meanwhile_is_not_frozen(quick: Installation) -> None:
    image = quick.machines / "quick.raw"
    with freezing(quick) as child:
        await_step(child, "calms")
        image.with_suffix(".new").write_bytes(sector())
        image.with_suffix(".new").rename(image)
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 1 and "its image was changed meanwhile" in out, out
    assert nothing_left(quick)


def test_how_far_it_is_can_be_seen_until_the_template_is_there(quick: Installation) -> None:
    def seen() -> bool:
        return (quick.templates / ".draft/progress.json").exists()

    def there() -> bool:
        return any(not path.name.startswith(".") for path in quick.templates.iterdir())
    with freezing(quick) as child:
        await_step(child, "calms")
        while child.poll() is None:
            assert seen() or there()
    assert child.returncode == 0 and not list(template(quick).glob("progress*"))


def test_two_at_once_are_one_after_the_other(quick: Installation) -> None:
    with freezing(quick) as child:
        await_step(child, "calms")
        other = quick.script(FREEZE, "quick.raw", "--memory=16")
        assert other.returncode == 1 and "is being frozen already" in other.stderr, other
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 0, out
    assert template(quick)


def test_a_full_disk(quick: Installation) -> None:
    with disk.small(900) as place:
        quick.configure(dir_templates=place, host_disk_reserve=0)
        with freezing(quick) as child:
            await_step(child, "calms")
            disk.fill(place, 0)
            out, _ = child.communicate(timeout=60)
        assert child.returncode == 1 and "disk" in out and "is full" in out, out
        assert {path.name for path in place.iterdir()} == {"filling", ".lock", ".failure.json"}
        assert "is full" in json.loads((place / ".failure.json").read_text())["words"]
        assert not running(quick)
        desktop = start(quick)
        assert booted(quick, desktop)
        desktop.stop()
        (place / "filling").unlink()
        done = quick.script(FREEZE, "quick.raw", "--memory=16")
        assert done.returncode == 0, done
        desktop = start(quick)
        assert not booted(quick, desktop)
        disk.fill(place, 0)
        desktop.view().look()
        desktop.stop()
        quick.gone(desktop.id)


def test_no_room_is_said_before_it_begins(quick: Installation, small_disk: Path) -> None:
    quick.configure(dir_templates=small_disk)
    done = quick.script(FREEZE, "quick.raw", "--memory=16")
    assert done.returncode == 1 and "GB free in" in done.stderr, done
    assert {path.name for path in small_disk.iterdir()} <= {".lock", ".failure.json"}


def test_sessions_start_while_a_machine_is_frozen_anew(quick: Installation) -> None:
    """Whatever they meet, template or none, or one that is being removed: it is a desktop."""
    over = threading.Event()
    statuses, kinds = [], set()

    def people() -> None:
        person = quick.person()
        while not over.is_set():
            reply = person.try_create(machine="quick.raw", memory="16")
            statuses.append(str(reply) if reply.status != 201 else "")
            if reply.status == 201:
                kinds.add(bool(quick.record(reply.json["session"])["template"]))
                person.stop(reply.json["session"])

    crowd = [threading.Thread(target=people) for _ in range(2)]
    for one in crowd:
        one.start()
    try:
        for _ in range(3):
            done = quick.script(FREEZE, "quick.raw", "--memory=16")
            assert done.returncode == 0, done
            until(lambda: True in kinds, 20, "a copy of it")
            for _ in range(40):
                gone = quick.script(FREEZE, "--remove", "quick.raw")
                if gone.returncode == 0:
                    break
                assert "sessions are copies" in gone.stderr, gone
    finally:
        over.set()
        for one in crowd:
            one.join(60)
    assert len(statuses) > 10 and not any(statuses), statuses
    assert kinds == {True, False}
