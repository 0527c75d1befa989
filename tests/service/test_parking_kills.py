"""A keeper that is killed, and a disk that is full, while a machine is parked or woken."""

import os
import signal
import time

import pytest
from service import disk, orphans
from service.guest import BOOT
from service.installation import Installation
from service.parking import parked, reachable, wake
from service.until import until

BLUE = (0x1d, 0x4e, 0x89)


def test_a_full_disk_while_saving_leaves_it_running(lot: Installation) -> None:
    with disk.small(160) as small_disk:
        lot.configure(park_after=2, dir_parked=small_disk, host_disk_reserve=0.001)
        ada = lot.person()
        desktop = ada.create(machine="tiny.iso", memory="128")
        viewer = desktop.view()
        viewer.wait(lambda seen: seen.pixel(5, 5) == BLUE, BOOT)
        viewer.leave()
        end = time.monotonic() + 20
        while not (small_disk / f".{desktop.id}").exists():  # for some 50 ms
            assert time.monotonic() < end
        disk.fill(small_disk, 0)
        until(lambda: "not parked" in ada.sessions()[0]["reason"], 30)
        desktop.view().wait(lambda seen: seen.pixel(5, 5) == BLUE, 5)
        assert [path.name for path in small_disk.iterdir()] == ["filling"]
        desktop.stop()
        lot.configure()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8])
def test_a_keeper_killed_while_it_parks_loses_nothing(lot: Installation, delay: float) -> None:
    ada = lot.person()
    desktop = ada.create(machine="tiny.iso", memory="128")
    desktop.view().leave()
    pids = lot.pids(desktop.id)
    until(lambda: (lot.parked / f".{desktop.id}").exists()
          or (lot.parked / desktop.id).exists(), 20)
    time.sleep(delay)
    try:
        os.kill(pids["keeper"], signal.SIGKILL)
    except ProcessLookupError:
        pass  # it was done
    lot.configure(park_after=0)
    assert lot.script("admin.py", "--housekeeping").returncode == 0
    saved = (lot.parked / desktop.id).exists()
    assert saved != (lot.run / desktop.id).exists()
    if saved:
        parked(lot, desktop)
        assert wake(ada, desktop).status == 200
    until(lambda: reachable(desktop), 10, "it is there")
    assert [path.name for path in lot.parked.iterdir()] in ([], [desktop.id])


@pytest.mark.parametrize("delay", [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4])
def test_a_keeper_killed_while_it_wakes_loses_nothing(lot: Installation, delay: float) -> None:
    ada = lot.person()
    desktop = ada.create(machine="tiny.iso", memory="128")
    parked(lot, desktop)
    lot.configure(park_after=0)
    pid = os.fork()
    if pid == 0:
        try:
            wake(ada, desktop)
        finally:
            os._exit(0)
    until(lambda: (lot.run / desktop.id).exists(), 10)
    time.sleep(delay)
    for one in orphans.keepers(desktop.id):
        os.kill(one, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert lot.script("admin.py", "--housekeeping").returncode == 0
    assert ada.sessions(), "it is lost"
    reply = wake(ada, desktop)
    assert reply.status == 200, str(reply)
    until(lambda: reachable(desktop), 10, "it is there")
