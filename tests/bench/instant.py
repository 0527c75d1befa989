"""Copies of a frozen machine: how fast they run, many at once, and what each holds in memory.

The floor is a QEMU without anything of ours around it that takes up the same template.
"""

import re
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import floor
from bench.crowd import Row, used
from service import frost
from service.frost import Frost
from service.guest import Guest
from service.installation import Installation
from service.person import Desktop
from service.until import until

from desktop.machine import migration, qmp

COUNT = 10
REST = 0.3  # CPU seconds in 3 s


def figures(site: Installation, row: Row, rounds: int) -> None:
    """Print the rows of the tiny machine."""
    directory = site.directory / "frost"
    directory.mkdir()
    made = frost.freeze(site, directory)
    row("freezing the tiny machine, beyond its boot", made.seconds - boot(site, made), None, "s",
        "15 s")
    place = made.settle(site, overcommit_cpu=0)
    wish = {"machine": "tiny.iso", "memory": str(frost.MEMORY["tiny.iso"])}
    person = site.person()
    person.create(**wish).stop()  # the form is open, what it is made of has been read
    ours, least = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        desktop = person.create(**wish)
        ours.append(time.perf_counter() - start)
        words = argv(site, desktop)
        desktop.stop()
        least.append(bare(site, place, words))
    row("POST -> a booted machine runs, from its template", statistics.median(ours),
        statistics.median(least), "s", "0.5 s, 2.5x bare QEMU")
    together(site, row, wish, "tiny machines")
    site.configure(overcommit_cpu=0)
    shutil.rmtree(place)


def boot(site: Installation, made: Frost) -> float:
    """Return the seconds from the start of a machine until it has booted."""
    site.configure(dir_machines=made.machines, dir_templates=site.directory / "none")
    start = time.perf_counter()
    desktop = site.person().create(machine="tiny.iso", memory=str(frost.MEMORY["tiny.iso"]))
    Guest(site.run / desktop.id)
    took = time.perf_counter() - start
    desktop.stop()
    return took


def together(site: Installation, row: Row, wish: dict[str, str], what: str) -> None:
    """Start many at once, and see what they hold."""
    person = site.person()
    first = person.create(**wish)
    rest(site, [first])
    alone = held(site, [first])
    first.stop()
    start = time.perf_counter()
    with ThreadPoolExecutor(COUNT) as pool:
        desktops = list(pool.map(lambda _: person.create(**wish), range(COUNT)))
    row(f"{COUNT} {what} at once: all run", time.perf_counter() - start, None, "s", "3 s")
    assert all(site.record(one.id)["template"] for one in desktops), "some have booted"
    row(f"memory of each of {COUNT} that have just started", held(site, desktops) / COUNT, None,
        "MB", "80 MB")
    rest(site, desktops)
    row(f"memory of one idle copy more, {what}",
        (held(site, desktops) - alone) / (COUNT - 1), None, "MB",
        "80 MB")
    site.clear()


def rest(site: Installation, desktops: list[Desktop]) -> None:
    """Wait until the machines have done what there is to do after a start."""
    pids = [site.pids(one.id)["qemu"] for one in desktops]

    def still() -> bool:
        before = used(pids)
        time.sleep(3)
        return used(pids) - before < REST * len(pids)
    until(still, 180, "the machines come to rest")


def held(site: Installation, desktops: list[Desktop]) -> float:
    """Return the MB that QEMUs and keepers hold, what they share counted once."""
    pids = [site.pids(one.id)[role] for one in desktops for role in ("qemu", "keeper")]
    return sum(int(size) for pid in pids for size in re.findall(
        r"(?m)^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())) / 1024


def argv(site: Installation, desktop: Desktop) -> list[str]:
    """Return the command line of a copy, as it would be elsewhere and by hand."""
    raw = Path(f"/proc/{site.pids(desktop.id)['qemu']}/cmdline").read_bytes().decode()
    text = raw.replace(str(site.run / desktop.id), str(site.directory / "bare"))
    text = text.replace(str(site.snapshots / desktop.id), str(site.directory / "bare"))
    text = re.sub("socket,id=qmp,fd=[0-9]+", f"socket,id=qmp,path={site.directory}/bare/qmp",
                  text)
    text = re.sub(",password-secret=token|-object\0secret,[^\0]*\0", "", text)
    return re.sub("-netdev\0[^\0]*", "-netdev\0user,id=net0", text).split("\0")[:-1]


def bare(site: Installation, place: Path, words: list[str]) -> float:
    """Have a bare QEMU take up a template; return the seconds until its screen answers."""
    here = site.directory / "bare"
    here.mkdir()
    start = time.perf_counter()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b",
                    place / "disk.qcow2", here / "disk.qcow2"], check=True)
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            connection = until(lambda: connected(here / "qmp"))
            connection.negotiate(10)
            migration.load(connection, place / "state", 10, shared=True)
            connection.execute("device_add", {"driver": "virtio-net-pci", "id": "card",
                                              "netdev": "net0", "bus": "port0"})
            connection.execute("cont")
            until(lambda: floor.banner(here / "vnc.sock"))
            took = time.perf_counter() - start
        finally:
            process.kill()
    shutil.rmtree(here)
    return took


def connected(path: Path) -> qmp.Connection | None:
    """Return a connection as soon as there can be one."""
    try:
        return qmp.Connection(path)
    except qmp.Error:
        return None
