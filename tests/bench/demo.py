"""The demo machine with 1 GB: frozen, resumed as copies, parked and woken."""

import os
import shutil
import statistics
import subprocess
import time

from bench import instant
from bench.crowd import Row
from service import frost
from service.conftest import machine_image
from service.installation import ROOT, Installation
from service.parking import parked, wake
from service.until import until

WISH = {"machine": "demo.iso", "cpu": "2", "memory": "1024"}
PARK = 2  # seconds
TURNS = 3
SAVED = "is ready and being frozen"  # what machines/freeze says when the boot is over


def figures(site: Installation, row: Row, rounds: int) -> None:
    """Print the rows of the demo machine."""
    shutil.copyfile(machine_image("demo.iso"), site.machines / "demo.iso")
    shutil.copyfile(ROOT / "machines/demo.ini", site.machines / "demo.ini")
    row("freezing the demo machine of 1 GB, beyond its boot", freeze(site), None, "s", "15 s")
    place = frost.template(site)
    person = site.person()
    person.create(**WISH).stop()
    ours, least = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        desktop = person.create(**WISH)
        ours.append(time.perf_counter() - start)
        assert site.record(desktop.id)["template"], "it has booted"
        words = instant.argv(site, desktop)
        desktop.stop()
        least.append(instant.bare(site, place, words))
    row("POST -> the demo desktop runs, from its template", statistics.median(ours),
        statistics.median(least), "s", "0.5 s, 2.5x bare QEMU")
    instant.together(site, row, WISH, "desktops of 1 GB")
    rest(site, row)


def freeze(site: Installation) -> float:
    """Freeze it as an administrator does; return the seconds after it was ready."""
    environment = {"REMOTE_DESKTOP_INI": str(site.ini), "PATH": os.environ["PATH"]}
    command = [str(site.goods.share / "machines/freeze"), "demo.iso", "--cpu=2", "--memory=1024"]
    ready = 0.0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if SAVED in line:
                ready = time.perf_counter()
    assert child.returncode == 0 and ready
    return time.perf_counter() - ready


def rest(site: Installation, row: Row) -> None:
    """Park a desktop and wake it, as its viewer does."""
    site.configure(park_after=PARK, overcommit_cpu=0)
    desktop = site.person().create(**WISH)
    parkings, wakings = [], []
    for _ in range(TURNS):
        viewer = desktop.view()
        time.sleep(10)
        viewer.leave()
        until(lambda: (site.parked / f".{desktop.id}").exists(), 30)
        start = time.perf_counter()
        parked(site, desktop, 60)
        parkings.append(time.perf_counter() - start)
        start = time.perf_counter()
        assert wake(site.stranger(), desktop, token=desktop.token).status == 200
        wakings.append(time.perf_counter() - start)
    row("parking it, until its memory is free", statistics.median(parkings), None, "s", "5 s")
    row("waking it", statistics.median(wakings), None, "s", "1.5 s")
    desktop.stop()
    site.configure(park_after=0)
