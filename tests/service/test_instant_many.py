"""Two hundred sessions of one template: nothing is left of them, and it is as it was."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service import orphans
from service.frost import Frost, booted, digests, start
from service.installation import Installation
from service.person import Person

STARTS, AT_ONCE = 200, 4
GROW = {"history.jsonl"}  # what may: the account of what was


def test_two_hundred_sessions_leave_nothing_and_change_nothing(site: Installation,
                                                               frost: Frost) -> None:
    place = frost.settle(site, "quick.raw")
    first = start(site)
    assert not booted(site, first)
    first.stop()
    people = [site.person(name) for name in ("ada", "bob")]
    before = traces(site), digests(place)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        templates = list(pool.map(lambda number: once(site, people[number % 2]), range(STARTS)))
    assert templates == [place.name] * STARTS
    assert (traces(site), digests(place)) == before
    assert not list(site.leftovers())
    lines = (site.log / "history.jsonl").read_text().splitlines()
    assert sum('"stopped"' in line for line in lines[-STARTS:]) == STARTS


def once(site: Installation, person: Person) -> str:
    """Start a session and stop it; return the template it came from."""
    desktop = person.create(machine="quick.raw", memory="16")
    template: str = site.record(desktop.id)["template"]
    assert desktop.stop().status in (200, 303)
    return template


def traces(site: Installation) -> set[str]:
    """Return what there is of a service: files, sockets, locks, processes, mounts."""
    return {*files(site), *locks(site),
            *(line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()
              if str(site.directory) in line),
            *(words for words in orphans.adopted().values() if str(site.directory) in words)}


def files(site: Installation) -> Iterator[str]:
    """Yield the files of a service."""
    yield from (str(path) for path in site.directory.rglob("*") if path.name not in GROW)


def locks(site: Installation) -> Iterator[str]:
    """Yield the locks that are held on files of a service (proc(5), locks)."""
    inodes = {os.stat(name).st_ino for name in files(site)}
    for line in Path("/proc/locks").read_text().splitlines():
        if int(line.split()[-3].rpartition(":")[2]) in inodes:
            yield line.partition(":")[2]
