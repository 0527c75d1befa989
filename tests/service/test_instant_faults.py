"""A template that is no good, or a QEMU that is none with it: the machine boots and it is said."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from service import orphans
from service.frost import FREEZE, Frost, booted, recall, start
from service.guest import Guest
from service.installation import Installation
from service.person import Desktop, Person
from service.until import until
from service.websocket import Closed, Refused


@pytest.fixture
def quick(site: Installation, frost: Frost) -> Path:
    """The template of quick.raw, in the usual installation."""
    return frost.settle(site, "quick.raw")


def log(site: Installation) -> str:
    return (site.directory / "error.log").read_text()


def listed(site: Installation) -> str:
    """Return what administrators are told of templates."""
    done = site.script(FREEZE, "--list")
    assert done.returncode == 0, done
    return done.stdout


def patch(path: Path, change: Callable[[bytearray], object]) -> None:
    """Change a part of a template behind its back; it stays whose it was, as long and as old."""
    content, facts = bytearray(path.read_bytes()), path.stat()
    change(content)
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def rewrite(content: bytearray) -> None:
    content[:] = bytes(len(content))


def flip(content: bytearray) -> None:
    content[5] ^= 0x40


def halve(content: bytearray) -> None:
    content[len(content) // 2:] = bytes(len(content) - len(content) // 2)


def test_it_is_used_when_nothing_is_wrong(site: Installation, quick: Path) -> None:
    """Else the tests below could not fail."""
    desktop = start(site)
    assert not booted(site, desktop)
    desktop.view().look()
    assert "sessions start at once" in listed(site)


@pytest.mark.parametrize("name, content, words", [
    ("memory", None, "memory is not as it was"),
    ("state", b"", "state is not as it was"),
    ("manifest.json", b"{", "manifest cannot be understood"),
    ("manifest.json", b'{"version": 7}', "manifest cannot be understood"),
    ("disk.qcow2", b"QFI\xfb", "disk.qcow2 is not as it was")])
def test_what_is_not_whole_is_not_used(site: Installation, quick: Path, name: str,
                                       content: bytes | None, words: str) -> None:
    path = quick / name
    if content is None:
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.write_bytes(content)
    desktop = start(site)
    assert booted(site, desktop)
    desktop.view().look()
    assert words in listed(site) or words in log(site)
    if name != "manifest.json":
        assert words in log(site)


@pytest.mark.parametrize("harm", [rewrite, flip, halve])
def test_a_state_that_qemu_does_not_take(site: Installation, quick: Path,
                                         harm: Callable[[bytearray], object]) -> None:
    patch(quick / "state", harm)
    desktop = start(site)
    assert booted(site, desktop)
    desktop.view().look()
    record = site.record(desktop.id)
    assert record["boot_reason"]
    assert "boots, its template failed" in (site.run / desktop.id / "keeper.log").read_text()
    assert "it failed at" in listed(site)
    again = start(site, "bob")
    assert booted(site, again) and not site.record(again.id)["boot_reason"]
    facts = json.loads((quick / "problem.json").read_text())
    (quick / "problem.json").write_text(json.dumps({**facts, "at": time.time() - 3600}))
    desktop.stop()
    assert site.record(start(site).id)["boot_reason"], "it was not tried again"


@pytest.mark.parametrize("part", ["state", "memory", "disk.qcow2"])
def test_any_flipped_byte_ends_in_a_desktop(site: Installation, quick: Path, part: str) -> None:
    size = (quick / part).stat().st_size
    for place in range(size // 7, size, size // 4):
        patch(quick / part, lambda content, place=place: content.__setitem__(
            place, content[place] ^ 0xff))
        desktop = start(site)
        desktop.view().look()
        assert desktop.stop().status in (200, 303)
        site.gone(desktop.id)
        (quick / "problem.json").unlink(missing_ok=True)


def program(site: Installation, text: str) -> Path:
    """Return a QEMU that does something else on some occasion."""
    path = site.directory / "qemu"
    path.write_text(f'#!/bin/sh\n{text}\nexec qemu-system-x86_64 "$@"\n')
    path.chmod(0o755)
    return path


def test_another_version_of_qemu_boots(site: Installation, quick: Path) -> None:
    site.configure(**{**site.settings, "qemu_exec": program(
        site, '[ "$1" != -version ] || { echo QEMU emulator version 7.9.9; exit; }')})
    desktop = start(site)
    assert booted(site, desktop)
    assert "it is of QEMU " in listed(site)


def test_a_qemu_that_ends_when_it_resumes(site: Installation, quick: Path) -> None:
    site.configure(**{**site.settings, "qemu_exec": program(
        site, 'case "$*" in *-incoming*) echo qemu: no luck today >&2; exit 1;; esac')})
    desktop = start(site)
    assert booted(site, desktop)
    assert "no luck today" in site.record(desktop.id)["boot_reason"]
    assert "no luck today" in listed(site)


def test_a_qemu_that_hangs_when_it_resumes(site: Installation, quick: Path) -> None:
    site.configure(**{**site.settings, "qemu_exec": program(
        site, 'case "$*" in *-incoming*) kill -STOP $$;; esac')})
    begin = time.monotonic()
    desktop = start(site)
    assert 5 < time.monotonic() - begin < 25
    assert booted(site, desktop)
    desktop.view().look()
    assert len([pid for pid, words in orphans.adopted().items() if "-incoming" in words]) == 0
    assert desktop.stop().status in (200, 303)
    site.gone(desktop.id)


@pytest.mark.parametrize("delay", [0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3])
def test_a_keeper_killed_while_it_resumes(site: Installation, quick: Path, delay: float) -> None:
    known = set(orphans.adopted())
    ada = site.person()
    request = threading.Thread(target=attempt, args=(ada,))
    request.start()
    keeper = until(lambda: [pid for pid, words in everything().items()
                            if pid not in known and " keeper " in words], 10, "a keeper")
    time.sleep(delay)
    orphans.end(keeper)
    request.join(30)
    swept(site)
    for path in site.directories():
        desktop = recall(site, path.name)
        until(lambda desktop=desktop: reachable(desktop), 10)
        assert not booted(site, desktop)
        desktop.stop()
        site.gone(path.name)
    assert not set(orphans.adopted()) - known
    assert not list(site.snapshots.iterdir())
    assert not booted(site, start(site)), "the template suffered"


def test_a_copy_whose_keeper_is_killed_at_once_is_told_all_the_same(icy: Installation) -> None:
    desktop = start(icy, machine="tiny.iso")
    os.kill(icy.pids(desktop.id)["keeper"], signal.SIGKILL)
    swept(icy)
    until(lambda: reachable(desktop), 10)
    guest = Guest(icy.run / desktop.id)
    assert guest.wait("hostname | grep -- -").output != "tiny"


def everything() -> dict[int, str]:
    return {**orphans.adopted(), **{pid: orphans.command(pid)
                                    for pid in orphans.descendants(os.getpid())}}


def reachable(desktop: Desktop) -> bool:
    try:
        desktop.view().look().leave()
    except (Refused, Closed, OSError):
        return False
    return True


def attempt(person: Person) -> None:
    """Send the form; it may be refused."""
    person.try_create(machine="quick.raw", memory="16")


def swept(site: Installation) -> None:
    done = site.script("admin.py", "--housekeeping=1")
    assert done.returncode == 0, done


def test_a_machine_that_was_replaced_boots(site: Installation, frost: Frost) -> None:
    place = frost.settle(site, "quick.raw")
    kept = start(site)
    image = frost.machines / "quick.raw"
    before = image.stat()
    try:
        os.utime(image, (5, 5))
        assert site.person("bob").try_create(machine="quick.raw", memory="16").status == 409
        assert "its machine was changed" in listed(site)
        assert place.exists(), "it is in use, and says what is to be frozen anew"
        kept.stop()
        assert booted(site, start(site, "bob"))
        assert place.exists()
    finally:
        os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_copy_outlives_a_restart_of_apache(site: Installation, quick: Path) -> None:
    desktop = start(site)
    site.server.stop()
    site.server.start()
    assert not booted(site, desktop)
    desktop.view().look()
    desktop.stop()
    site.gone(desktop.id)
