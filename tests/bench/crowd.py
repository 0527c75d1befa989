"""Many sessions: how fast they start at once, what they hold, what they cost while idle."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service.installation import USER, Installation

from desktop.session.record import new_id

Row = Callable[..., None]
MEMORY = 48  # MB of the guest whose memory is left out of the account
TICKS = os.sysconf("SC_CLK_TCK")


def add_records(site: Installation, count: int) -> None:
    """Put records of sessions on another host into the directory: nobody here may judge them."""
    desktop = site.person().create()
    facts = site.record(desktop.id) | {"host": "elsewhere", "launcher": "another"}
    desktop.stop()
    for _ in range(count):
        session = new_id()
        path = site.run / session
        path.mkdir(mode=0o700)
        (path / "session.json").write_text(json.dumps(facts | {"session": session}))
        for each in (path, path / "session.json"):
            shutil.chown(each, USER, USER)


def memory(site: Installation, row: Row) -> None:
    """What one session holds with one viewer at the firmware's screen, outside guest memory."""
    desktop = site.person().create(memory=str(MEMORY))
    viewer = desktop.view()
    viewer.look()
    time.sleep(2)  # the firmware has drawn what it draws
    pids = site.pids(desktop.id)
    held = {role: proportional(pid, MEMORY) for role, pid in pids.items()}
    row("memory of QEMU and keeper, one viewer, without the guest's", held["qemu"]
        + held["keeper"], held["qemu"], "MB", "65 MB")
    print("    " + ", ".join(f"{role} {size:.1f} MB" for role, size in held.items()))
    viewer.leave()
    desktop.stop()


def proportional(pid: int, guest: int) -> float:
    """Return the proportional memory of a process in MB, without the mapping of the guest's."""
    total, size = 0, 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if line.startswith("Size:"):
            size = int(line.split()[1])
        if line.startswith("Pss:") and size != guest * 1024:
            total += int(line.split()[1])
    return total / 1024


def at_once(site: Installation, row: Row, count: int) -> None:
    """Send as many forms at once; the time until the last is answered."""
    people = [site.person() for _ in range(count)]
    for person in people:
        person.timeout = 300
    start = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        statuses = list(pool.map(lambda person: person.try_create().status, people))
    took = time.perf_counter() - start
    row(f"{count} creates at once: all answered ({statuses.count(201)} desktops)", took, None,
        "s", "all usable")
    site.clear()


def idle(site: Installation, row: Row, count: int) -> None:
    """What sessions cost beyond QEMU while nobody looks and nothing happens."""
    person = site.person()
    pids: list[dict[str, int]] = []
    for _ in range(count):
        pids.append(site.pids(person.create().id))
    time.sleep(15)  # firmwares come to rest
    ours = [pid for each in pids for role, pid in each.items() if role != "qemu"]
    machines = [each["qemu"] for each in pids]
    before, machines_before, start = used(ours), used(machines), time.monotonic()
    time.sleep(20)
    took = time.monotonic() - start
    row(f"{count} idle sessions: share of a core beyond QEMU's own",
        100 * (used(ours) - before) / took, 100 * (used(machines) - machines_before) / took, "%",
        "2 % (50); floor: QEMU's own")
    site.clear()


def used(pids: Iterable[int]) -> float:
    """Return the CPU seconds that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS
