"""kill -9 of each process at random moments: recovered or cleanly ended, and nothing left."""

import os
import random
import signal
import threading
import time

import pytest
from service import orphans
from service.installation import Installation
from service.parking import reachable
from service.person import Desktop, Person
from service.until import until

SEEDS = (1, 2, 3)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def sweep(site: Installation) -> None:
    """What the timer does."""
    done = site.script("admin.py", "--housekeeping=1")
    assert done.returncode == 0, done


@pytest.mark.parametrize("how", ["timer", "request"])
def test_a_killed_keeper_is_replaced(site: Installation, how: str) -> None:
    ada = site.person()
    desktop, other = ada.create(), site.person("bob").create()
    before = site.pids(desktop.id)
    desktop.view().look()
    kill(before["keeper"])
    if how == "timer":
        sweep(site)
    else:
        ada.get("monitor")
    until(lambda: reachable(desktop), 10)
    after = site.pids(desktop.id)
    assert after["qemu"] == before["qemu"] and after["keeper"] != before["keeper"]
    assert reachable(other)
    assert desktop.stop().status in (200, 303)
    site.gone(desktop.id)
    assert set(before.values()).isdisjoint(orphans.adopted())


def test_a_killed_qemu_ends_its_session_alone(site: Installation) -> None:
    desktop, other = site.person().create(), site.person("bob").create()
    kill(site.pids(desktop.id)["qemu"])
    site.gone(desktop.id)
    assert reachable(other)
    sweep(site)
    assert [path.name for path in site.directories()] == [other.id]


def test_a_killed_network_helper_harms_no_other(site: Installation) -> None:
    desktop, other = site.person().create(), site.person("bob").create()
    kill(site.pids(desktop.id)["network"])
    sweep(site)
    assert reachable(other)
    desktop.stop()
    site.gone(desktop.id)


def test_all_processes_of_a_session_killed(site: Installation) -> None:
    desktop = site.person().create()
    for pid in site.pids(desktop.id).values():
        kill(pid)
    sweep(site)
    site.gone(desktop.id)


def test_a_keeper_killed_twice_and_its_lifetime_still_ends(site: Installation) -> None:
    desktop = site.person().create(lifetime="6")
    for _ in range(2):
        kill(site.pids(desktop.id)["keeper"])
        sweep(site)
        until(lambda: reachable(desktop), 5)
    site.gone(desktop.id, 15)


def test_a_hanging_keeper_is_ended_with_its_session(site: Installation) -> None:
    desktop = site.person().create()
    os.kill(site.pids(desktop.id)["keeper"], signal.SIGSTOP)
    start = time.monotonic()
    done = site.script("admin.py", f"--session_stop={desktop.id}")
    assert done.returncode == 0, done
    assert time.monotonic() - start < 30
    site.gone(desktop.id)


def attempt(person: Person) -> None:
    """Send the form; the connection may be cut."""
    try:
        person.try_create()
    except (OSError, Exception):
        pass


def scripts() -> list[int]:
    """Return the scripts that answer a request to create now."""
    return [pid for pid in orphans.descendants(os.getpid())
            if "cgi-bin/create.py" in orphans.command(pid)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_script_killed_at_any_moment(any_site: Installation, seed: int) -> None:
    chance = random.Random(seed)
    ada = any_site.person()
    for _ in range(4):
        request = threading.Thread(target=attempt, args=(ada,))
        request.start()
        victims = until(scripts, 5, "a script to kill")
        time.sleep(chance.uniform(0, 0.3))
        orphans.end(victims)
        request.join(30)
    settled(any_site)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_keeper_killed_while_it_starts(any_site: Installation, seed: int) -> None:
    chance = random.Random(seed)
    ada = any_site.person()
    for _ in range(4):
        known = set(orphans.adopted())
        request = threading.Thread(target=attempt, args=(ada,))
        request.start()
        keeper = until(lambda: [pid for pid, words in running().items()
                                if pid not in known and " keeper " in words], 5, "a keeper")
        time.sleep(chance.uniform(0, 0.15))
        orphans.end(keeper)
        request.join(30)
    settled(any_site)


def running() -> dict[int, str]:
    """Return every process of the tests' Apaches and what detached itself from them."""
    return {**orphans.adopted(), **{pid: orphans.command(pid)
                                    for pid in orphans.descendants(os.getpid())}}


def settled(site: Installation) -> None:
    """After housekeeping, each session there is can be looked at, and nothing else is there."""
    sweep(site)
    until(lambda: all(path.name in {entry["session"] for entry in listed(site)}
                      for path in site.directories()), 20, "every session is known")
    for entry in listed(site):
        token = (site.run / entry["session"] / "token").read_text()
        desktop = Desktop(site.person(), {"session": entry["session"], "token": token})
        assert until(lambda desktop=desktop: reachable(desktop), 10)
    until(lambda: set(orphans.adopted()) == wanted(site), 10, "nothing else runs")
    assert {path.name for path in site.snapshots.iterdir()} == {
        path.name for path in site.directories()}


def wanted(site: Installation) -> set[int]:
    """Return the processes of the sessions there are; an old passt runs within pasta."""
    named = {pid for path in site.directories() for pid in site.pids(path.name).values()}
    return named | {inner for pid in named for inner in orphans.descendants(pid)}


def listed(site: Installation) -> list[dict[str, object]]:
    return site.person("root").sessions()
