"""What it costs to look at the pictures of many sessions, with all that makes and brings them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.crowd import TICKS, Row
from service import orphans
from service.installation import Installation
from service.person import Person

PAUSE = 5  # seconds between two looks, as on the page
PAGES = 2  # that show all sessions
ROUNDS = 6


def pictures(site: Installation, row: Row, count: int) -> None:
    """Compare sessions whose pictures two pages show with the same while nobody looks.

    Apache has the MPM prefork here: with event nobody waits for scripts, so that what they use is
    not to be seen afterwards.
    """
    person = site.person()
    for _ in range(count):
        person.create()
    time.sleep(15)  # firmwares come to rest
    alone = share(site, lambda: time.sleep(PAUSE * ROUNDS))
    listed = share(site, lambda: follow(site, listing))
    seen = share(site, lambda: follow(site, show))
    row(f"{count} sessions, {PAGES} pages: share of a core for their pictures", seen - listed,
        None, "%", "10 %")
    print(f"    {alone:.1f} % while nobody looks, {listed:.1f} % with the pages alone, "
          f"{seen:.1f} % with pictures")
    site.clear()


def follow(site: Installation, look: Callable[[Person], object]) -> None:
    """Have all pages look again and again, not at the same moment."""
    def keep_up(page: int) -> None:
        time.sleep(PAUSE * page / PAGES)
        for turn in range(ROUNDS):
            begin = time.monotonic()
            look(site.person())
            if turn < ROUNDS - 1:
                time.sleep(max(0, begin + PAUSE - time.monotonic()))
    with ThreadPoolExecutor(PAGES) as pool:
        list(pool.map(keep_up, range(PAGES)))


def listing(person: Person) -> int:
    """Ask how all sessions do, as a page does; return how many there are."""
    return len(person.facts("monitor")["sessions"])


def show(person: Person) -> None:
    """Ask for all pictures too."""
    assert len(person.facts("monitor?screens=mine")["screens"]) == listing(person)


def share(site: Installation, work: Callable[[], object]) -> float:
    """Return the share of a core, in percent, that the service uses while something is done."""
    before, begin = used(site), time.monotonic()
    work()
    return 100 * (used(site) - before) / (time.monotonic() - begin)


def used(site: Installation) -> float:
    """Return the CPU seconds of Apache, of the scripts it has run, of keepers and machines."""
    apache = int((site.directory / "apache.pid").read_text())
    pids = {apache, *orphans.descendants(apache)}.union(
        *(site.processes(path.name) for path in site.directories()))
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # a script that has just ended: its parent knows
        ticks += sum(map(int, fields[11:15]))  # its own, and of children that have ended
    return ticks / TICKS
