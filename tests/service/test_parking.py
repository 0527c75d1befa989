"""Parked sessions: saved when nobody looks, awake again when somebody comes, never in between."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import disk
from service.guest import BOOT, Guest
from service.installation import Installation, short_directory
from service.parking import parked, restart_keeper, wake
from service.until import until

BLUE = (0x1d, 0x4e, 0x89)


def test_it_goes_on_where_it_was(lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create(machine="tiny.iso", memory="128")
    viewer, guest = desktop.view(), Guest(lot.run / desktop.id)
    guest.wait("[ -s /run/dhcp-eth0 ]", BOOT)
    guest.run("echo kept > /run/here; echo kept > /disk/here; sync")
    facts = "hostname; ip -4 -o address; cat /run/here /disk/here"
    before, uptime = guest.run(facts).output, float(guest.run("cut -d' ' -f1 /proc/uptime").output)
    record = lot.record(desktop.id)
    viewer.leave()
    home = parked(lot, desktop)
    assert {path.stat().st_mode & 0o077 for path in (home, *home.iterdir())} == {0}
    [listed] = ada.sessions()
    assert (listed["state"], listed["token"]) == ("parked", desktop.token)
    assert listed["expires"] == desktop.facts["expires"]
    assert ada.get(f"monitor?screen={desktop.id}").body.startswith(b"\x89PNG")
    time.sleep(3)
    begin = time.monotonic()
    reply = wake(ada, desktop)
    assert reply.status == 200 and reply.json["woken"], str(reply)
    assert time.monotonic() - begin < 3
    viewer = desktop.view()
    assert viewer.wait(lambda seen: seen.pixel(5, 5) == BLUE, 1)
    guest = Guest(lot.run / desktop.id)
    assert uptime < float(guest.run("cut -d' ' -f1 /proc/uptime").output) < uptime + 30
    assert guest.run(facts).output == before
    assert abs(guest.clock()) < 2
    assert guest.wait("wget -q -O /dev/null http://127.0.0.1:1 || true").status == 0
    assert not list(lot.parked.iterdir())
    again = lot.record(desktop.id)
    assert again["state"] == "running" and abs(again["deadline"] - record["deadline"]) < 2
    viewer.leave()
    parked(lot, desktop)
    assert desktop.stop().status == 200
    assert not list(lot.parked.iterdir()) and not (lot.snapshots / desktop.id).exists()
    assert "stopped" in (lot.log / "history.jsonl").read_text()


def test_only_persistent_sessions_without_a_viewer(lot: Installation) -> None:
    watched, single = lot.person().create(), lot.person("bob").create(persistent="0")
    viewer, other = watched.view(), single.view()
    time.sleep(3)
    assert {path.name for path in lot.directories()} == {watched.id, single.id}
    viewer.leave()
    parked(lot, watched)
    other.leave()


def test_what_nobody_ever_looked_at_ends(lot: Installation) -> None:
    lot.configure(park_after=1, first_connect_timeout=4)
    desktop = lot.person().create()
    lot.gone(desktop.id)
    assert not list(lot.parked.iterdir())
    assert "nobody connected" in (lot.log / "history.jsonl").read_text()


def test_room_is_looked_for_again(lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create()
    parked(lot, desktop)
    lot.configure(park_after=2, service_max_instance_nb=1)
    other = lot.person("bob").create()
    viewer = other.view()
    reply = wake(ada, desktop)
    assert reply.status == 503 and "All 1 places are taken" in reply.text
    parked(lot, desktop)
    assert ada.sessions()[0]["state"] == "parked"
    viewer.leave()
    other.stop()
    assert wake(ada, desktop).status == 200


def test_maintenance_wakes_nobody(lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create()
    parked(lot, desktop)
    assert lot.script("admin.py", "--service_maintenance=New disks.").returncode == 0
    reply = wake(ada, desktop)
    assert reply.status == 503 and "New disks." in reply.text, str(reply)
    assert "stays parked" in reply.json["hint"] and "new machine" not in reply.text
    assert lot.script("admin.py", "--service_maintenance=0").returncode == 0
    assert wake(ada, desktop).status == 200


def test_a_parked_session_takes_no_place(lot: Installation) -> None:
    lot.configure(park_after=2, service_max_instance_nb=1, service_max_session_nb_per_user=2)
    ada = lot.person()
    first = ada.create()
    parked(lot, first)
    second = ada.create()
    parked(lot, second)
    assert ada.try_create().status == 429  # it does a place of hers


def test_what_is_for_running_ones_is_refused(lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create()
    parked(lot, desktop)
    for action, more in (("extend", {}), ("message", {"text": "Hi"}), ("restart", {}),
                         ("shutdown", {})):
        reply = ada.post("monitor", {"action": action, "session": desktop.id, **more})
        assert reply.status == 409 and "is parked" in reply.text, str(reply)


def test_its_time_goes_on(lot: Installation) -> None:
    desktop = lot.person().create(lifetime="6")
    parked(lot, desktop)
    time.sleep(6)
    assert lot.script("admin.py", "--housekeeping").returncode == 0
    assert not lot.parked.joinpath(desktop.id).exists()
    assert not (lot.snapshots / desktop.id).exists()
    assert "its time was over" in (lot.log / "history.jsonl").read_text()


def test_it_outlives_a_reboot(lot: Installation) -> None:
    """All that is in memory goes: processes, and dir_cfg, which lies in /run."""
    desktop = lot.person().create()
    home = parked(lot, desktop)
    record = json.loads((home / "session.json").read_text())
    (home / "session.json").write_text(json.dumps(record | {"boot": "another", "deadline": 5.0}))
    for name in os.listdir(lot.run):
        (lot.run / name).unlink()
    assert lot.script("admin.py", "--housekeeping").returncode == 0
    assert wake(lot.person(), desktop).status == 200
    desktop.view().leave()
    assert lot.person().sessions()[0]["expires"] == desktop.facts["expires"]


@pytest.fixture(scope="module")
def media() -> Iterator[Path]:
    """A directory that machines may mount."""
    directory = short_directory()
    (directory / "media").mkdir()
    yield directory / "media"
    shutil.rmtree(directory)


def test_a_mounted_volume_prevents_it_and_one_that_is_gone_does_not(
        lot: Installation, media: Path) -> None:
    lot.configure(park_after=2, dir_mounts=media)
    ada = lot.person()
    desktop = ada.create(machine="tiny.iso", memory="128")
    viewer, guest = desktop.view(), Guest(lot.run / desktop.id)
    guest.wait("mount | grep /mnt/media", BOOT)
    viewer.leave()
    until(lambda: "a volume is mounted" in ada.sessions()[0]["reason"], 20)
    assert "a volume is mounted" in ada.get("monitor").text
    guest = Guest(lot.run / desktop.id)  # the port was taken out and is not put in again
    assert guest.run("umount /mnt/media").status == 0
    viewer = desktop.view()
    until(lambda: not ada.sessions()[0]["reason"], 5)
    viewer.leave()
    restart_keeper(lot, desktop)  # which tries again at once
    parked(lot, desktop)
    lot.configure(park_after=60)
    moved = media.rename(media.with_name("away"))
    try:
        assert wake(ada, desktop).status == 200
        assert Guest(lot.run / desktop.id).run("ls /sys/bus/virtio/drivers/9pnet_virtio | "
                                               "grep virtio").status == 0
    finally:
        moved.rename(media)


def test_no_room_on_the_disk_leaves_it_running(lot: Installation, small_disk: Path) -> None:
    lot.configure(park_after=2, dir_parked=small_disk, host_disk_reserve=0.01)
    disk.fill(small_disk, 20 << 20)
    ada = lot.person()
    desktop = ada.create()
    desktop.view().leave()
    until(lambda: "no room" in ada.sessions()[0]["reason"], 20)
    desktop.view().leave()
    assert not [path for path in small_disk.iterdir() if path.is_dir()]


def test_a_changed_image_is_said(lot: Installation) -> None:
    lot.add_machine("box.raw")
    ada = lot.person()
    desktop = ada.create(machine="box.raw")
    parked(lot, desktop)
    os.utime(lot.machines / "box.raw", ns=(7, 7))
    reply = wake(ada, desktop)
    assert reply.status == 409 and "was changed" in reply.text
    assert ada.create(machine="box.raw").stop().status == 200
    assert desktop.stop().status == 200
    (lot.machines / "box.raw").unlink()


def test_what_could_not_be_woken_is_not_parked(lot: Installation) -> None:
    lot.add_machine("box.raw")
    ada, image = lot.person(), lot.machines / "box.raw"
    desktop = ada.create(machine="box.raw")
    desktop.view().leave()
    shutil.copy(image, lot.machines / "new")
    (lot.machines / "new").rename(image)
    until(lambda: "not parked: its image was changed" in ada.sessions()[0]["reason"], 20)
    assert ada.sessions()[0]["reason"].count("image") == 1
    desktop.stop()
    image.unlink()


def test_purge_ends_parked_ones_too(lot: Installation) -> None:
    desktop = lot.person().create()
    parked(lot, desktop)
    done = lot.script("admin.py", "--session_purge")
    assert done.returncode == 0 and "1 sessions" in done.stdout
    assert not list(lot.parked.iterdir())
