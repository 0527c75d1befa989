"""An installation that meets trouble on its way: what it says, what it leaves, how it goes on.

One system for all of it, as in test_life.py. Its administrator keeps the machines on another disk.
"""

import os

import pytest
from install.debian import CLONE, Debian
from install.desk import Desk, password
from install.listing import difference, listing
from service.until import until

LIB = "/var/lib/remote-desktop"


@pytest.fixture(scope="module")
def nothing(trixie: Debian) -> dict[str, str]:
    """What was on the disk before anything was installed."""
    trixie.run(f"mkdir -p /srv/machines {LIB} && ln -s /srv/machines {LIB}/machines && "
               "echo mine > /srv/machines/mine.txt")
    return listing(trixie)


def test_not_root(trixie: Debian, nothing: dict[str, str]) -> None:
    said = trixie.run(f"{CLONE}/apache/install", "ann", check=False)
    assert "must be run by root (sudo apache/install); nothing was changed." in said
    assert difference(nothing, listing(trixie)) == []


def test_no_network(trixie: Debian, nothing: dict[str, str]) -> None:
    said = trixie.run(f"unshare --net {CLONE}/apache/install", check=False)
    assert "python3 cannot be installed; nothing was changed. Is there a network?" in said
    assert difference(nothing, listing(trixie)) == []


def test_what_would_be_done_is_printed(trixie: Debian, nothing: dict[str, str]) -> None:
    said = trixie.install("--print", check=False)
    assert "this needs Python" in said
    assert difference(nothing, listing(trixie)) == []


def test_interrupted_again_and_again(trixie: Debian, nothing: dict[str, str]) -> None:
    """It is killed in each of its longer steps; the disk of machines is full at first."""
    trixie.run("mount -t tmpfs -o size=1M tmpfs /srv/machines")
    for step in ("Python is missing", "packages", "environment", "programs"):
        killed_in(trixie, step)
    full = trixie.install(check=False)
    assert "machine       failed" in full and "No space left" in full
    trixie.run("umount /srv/machines")
    killed_in(trixie, "machine")


def killed_in(system: Debian, step: str) -> None:
    """Kill the installer, and what it runs, when it has begun a step."""
    log = "/tmp/install.log"
    system.run(f"rm -f {log} /tmp/install.pid; touch {log}")
    system.run(f"setsid sh -c 'echo $$ > /tmp/install.pid; exec {CLONE}/apache/install' "
               f"> {log} 2>&1 < /dev/null &")
    until(lambda: step in system.path(log).read_text(), 300, step)
    pid = system.path("/tmp/install.pid").read_text().strip()
    system.run(f"kill -s KILL -- -{pid}", check=False)
    until(lambda: not os.path.exists(system.path(f"/proc/{pid}/exe")), 30, "its end")


def test_the_next_run_completes_it(trixie: Debian) -> None:
    said = trixie.install()
    assert "Open https://" in said
    assert trixie.path("/srv/machines/tiny.iso").exists()
    desk = Desk(trixie, password(said))
    before = desk.pids()
    trixie.run("systemctl restart apache2")
    assert desk.pids() == before
    assert desk.screen_answers()


def test_purged_it_leaves_what_was_there(trixie: Debian, nothing: dict[str, str]) -> None:
    trixie.install("--purge")
    assert difference(nothing, listing(trixie)) == []
