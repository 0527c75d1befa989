"""Print what things cost here, each beside the least it could cost, measured in the same run.

Machines are noisy: compare within a run; medians. Nothing is asserted: it is for people to read.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]),
                str(Path(__file__).resolve().parents[2] / "lib")]

from bench import crowd, demo, floor, instant, screen, signing, watching  # noqa: E402
from service import orphans, websocket  # noqa: E402
from service.conftest import make_goods  # noqa: E402
from service.installation import USER, Installation, short_directory  # noqa: E402


def main() -> None:
    """Measure everything and print the table."""
    orphans.settle()
    quick = "--quick" in sys.argv[1:]
    rounds = 5 if quick else 15
    print(f"{'work':<58}{'ours':>10}{'floor':>10}{'ratio':>8}   goal", flush=True)
    with service() as site:
        starting(site, rounds)
        monitor(site, rounds)
        signing.directory(site, row, timed, rounds)
        crowd.memory(site, row)
        instant.figures(site, row, rounds)
        if "--demo" in sys.argv[1:]:
            demo.figures(site, row, rounds)
        screen.frames(site, row, 3 if quick else 6)
    with service(overcommit_cpu=0, overcommit_memory=0, service_max_instance_nb=0) as site:
        crowd.at_once(site, row, 4)
        crowd.at_once(site, row, 20 if quick else 50)
        crowd.idle(site, row, 10 if quick else 50)
    with service("prefork", overcommit_cpu=0, overcommit_memory=0,
                 service_max_instance_nb=0) as site:
        watching.pictures(site, row, 20)


@contextmanager
def service(mpm: str = "event", **settings: object) -> Iterator[Installation]:
    """An installation with Apache; records in memory, as /run is in Debian."""
    directory, records = short_directory(), Path(tempfile.mkdtemp(prefix="rd.", dir="/dev/shm"))
    shutil.chown(records, USER, USER)
    try:
        with websocket.hanging_up(), Installation(make_goods(directory), mpm,
                                                  run_at=records, **settings) as site:
            site.person()
            yield site
    finally:
        shutil.rmtree(directory)
        shutil.rmtree(records)


def row(work: str, ours: float, least: float | None, unit: str, goal: str) -> None:
    """Print one line of the table."""
    floor_text = f"{least:.3g} {unit}" if least is not None else ""
    ratio = f"{ours / least:.2f}" if least else ""
    print(f"{work:<58}{f'{ours:.3g} {unit}':>10}{floor_text:>10}{ratio:>8}   {goal}", flush=True)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def starting(site: Installation, rounds: int) -> None:
    """From POST to a live screen, and to the end; the floor measured in turn."""
    person = site.person()
    posts, stops, pythons, images, machines, quits, sign_ins = ([] for _ in range(7))
    for _ in range(rounds):
        start = time.perf_counter()
        desktop = person.create()
        posts.append(time.perf_counter() - start)
        desktop.connect().read(12)
        stops.append(timed(desktop.stop))
        sign_ins.append(timed(site.stranger("ada").sign_in))
        pythons.append(timed(floor.python))
        images.append(timed(lambda: floor.image(site.directory)))
        machine, quitting = floor.machine(site.directory)
        machines.append(machine)
        quits.append(quitting)
    least = [statistics.median(values) for values in (pythons, images, machines)]
    row("POST by a signed-in person -> answer, screen live", statistics.median(posts),
        sum(least), "s", "0.2 s, 3x the floor")
    print("    floor: python {:.3f} s + qemu-img {:.3f} s + QEMU to its banner {:.3f} s"
          .format(*least))
    row("stop -> everything gone", statistics.median(stops), statistics.median(quits), "s",
        "0.3 s")
    row("sign-in (bcrypt is slow on purpose)", statistics.median(sign_ins), None, "s", "")


def monitor(site: Installation, rounds: int) -> None:
    """The administrator's page without sessions and with a thousand records."""
    root = site.person("root")
    least = statistics.median(timed(floor.python) for _ in range(rounds))
    empty = statistics.median(timed(lambda: root.get("monitor")) for _ in range(rounds))
    row("monitor page, no sessions", empty, least, "s", "0.12 s")
    crowd.add_records(site, 1000)
    full = statistics.median(timed(lambda: root.get("monitor")) for _ in range(rounds))
    row("monitor page, 1000 records", full, least, "s", "0.25 s")
    for path in site.directories():
        shutil.rmtree(path)


if __name__ == "__main__":
    main()
