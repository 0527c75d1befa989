"""Full disks, broken files, recycled pids, moved clocks: each has a defined end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from service import orphans
from service.conftest import Install
from service.disk import fill
from service.guest import Guest
from service.installation import ENVIRONMENT, USER, Installation
from service.until import until

FULL = 1_500_000  # bytes of the small disk that are left to a guest


def state(site: Installation, session: str) -> tuple[str, str]:
    record = site.record(session)
    return record["state"], record["reason"]


def test_a_full_disk_pauses_machines_until_there_is_room(small_disk: Path,
                                                         site: Installation) -> None:
    site.configure(dir_snapshots=small_disk, host_disk_reserve=0, snapshot_alloc_disk=1)
    desktop = site.person().create(machine="tiny.iso", memory="128")
    guest = Guest(site.run / desktop.id)
    guest.wait("grep /disk /proc/mounts")
    filling = fill(small_disk, FULL)
    guest.say("dd if=/dev/urandom of=/disk/big bs=64k count=256; sync; echo done > /run/written")
    until(lambda: state(site, desktop.id) == ("paused", "disk full"), 60)
    listed, = site.person().sessions()
    assert (listed["state"], listed["reason"]) == ("paused", "disk full")
    assert "disk full" in site.person().get("monitor").text
    desktop.view().leave()
    filling.unlink()
    until(lambda: state(site, desktop.id)[0] == "running", 30)
    guest.expect("ran", 60)
    guest.wait("grep done /run/written")
    assert guest.run("stat -c %s /disk/big").output == str(64 * 1024 * 256)
    assert guest.run("dmesg | grep -i 'i/o error'").status, "the guest noticed something"
    assert desktop.stop().status in (200, 303)
    site.gone(desktop.id)
    assert not list(small_disk.iterdir())


def test_a_full_disk_refuses_new_sessions(small_disk: Path, site: Installation) -> None:
    site.configure(dir_snapshots=small_disk, host_disk_reserve=1)
    reply = site.person().try_create()
    assert reply.status == 503 and "disk" in reply.json["message"], str(reply)
    site.configure(dir_snapshots=small_disk, host_disk_reserve=0)
    filling = fill(small_disk, 4096)
    reply = site.person().try_create()
    assert reply.status in (500, 503), str(reply)
    until(lambda: not list(site.leftovers()), 15)
    filling.unlink()


def test_a_full_place_for_records_harms_no_running_machine(small_disk: Path,
                                                           install: Install) -> None:
    run = small_disk / "run"
    run.mkdir(mode=0o700)
    shutil.chown(run, USER, USER)
    site = install(run_at=run)
    desktop = site.person().create()
    filling = fill(small_disk, 0)
    for _ in range(3):
        desktop.view().leave()  # each is a change that cannot be written down
    assert site.script("admin.py", "--housekeeping=1").returncode == 0
    assert site.person().try_create().status in (500, 503)
    desktop.view().look()
    filling.unlink()
    until(lambda: site.record(desktop.id)["viewers"] == 1, 45)
    assert desktop.stop().status in (200, 303)
    site.gone(desktop.id)


@pytest.mark.parametrize("content", [
    b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"version": 1}', b'{"version": 99}', b"A" * 100000,
    b'{"version": 1, "session": "../../etc"}'], ids=lambda content: repr(content[:16]))
def test_a_corrupt_record_is_set_aside_and_the_rest_works(site: Installation,
                                                          content: bytes) -> None:
    broken, other = site.person("bob").create(), site.person("ada").create()
    pids = site.pids(broken.id)
    (site.run / broken.id / "session.json").write_bytes(content)
    assert [one["session"] for one in site.person("ada").sessions()] == [other.id]
    assert site.person("root").get("monitor").status == 200
    assert site.script("admin.py", "--housekeeping=1").returncode == 0
    third = site.person("ada").create()
    for desktop in (other, third):
        desktop.view().leave()
    # Its keeper lives and knows better; what it wrote anew is right.
    until(lambda: site.record(broken.id)["session"] == broken.id, 10)
    assert site.pids(broken.id) == pids


def test_a_corrupt_record_of_a_dead_session_is_kept_for_whoever_asks(site: Installation) -> None:
    desktop = site.person().create()
    pids = site.pids(desktop.id)
    for role in ("keeper", "qemu", "network"):
        os.kill(pids[role], signal.SIGKILL)
    (site.run / desktop.id / "session.json").write_text("{ half a rec")
    assert site.script("admin.py", "--housekeeping=1").returncode == 0
    site.gone(desktop.id)
    assert (site.log / f"{desktop.id}.corrupt").read_text() == "{ half a rec"


def test_a_pid_that_was_given_to_another_is_never_signalled(site: Installation) -> None:
    sleeper = subprocess.Popen(["sleep", "600"], user=USER if os.geteuid() == 0 else None)
    try:
        for change in ({}, {"boot": "another-boot"}, {"started": "right"}):
            desktop = site.person().create()
            pids = site.pids(desktop.id)
            path = site.run / desktop.id / "session.json"
            record = json.loads(path.read_text())
            for role in ("keeper", "qemu", "network"):
                os.kill(pids[role], signal.SIGKILL)
                record[role] = {"pid": sleeper.pid, "started": 12345}
                if "started" in change:
                    ticks = Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2]
                    record[role]["started"] = int(ticks.split()[19])
                    record["boot"] = "before this one"
            until(lambda: not set(pids.values()) & set(orphans.adopted()))
            path.write_text(json.dumps({**record, **{
                name: value for name, value in change.items() if name != "started"}}))
            assert site.script("admin.py", "--housekeeping=1").returncode == 0
            site.script("admin.py", f"--session_stop={desktop.id}")
            site.script("admin.py", "--session_purge=1")
            assert sleeper.poll() is None, f"the sleeper was signalled ({change})"
            site.gone(desktop.id)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_record_of_an_earlier_boot_is_removed(site: Installation) -> None:
    session = "b" * 26
    desktop = site.person().create()
    facts = site.record(desktop.id)
    facts |= {"session": session, "boot": "of-yesterday", "keeper": None, "qemu": None,
              "network": None}
    (site.run / session).mkdir(mode=0o700)
    (site.run / session / "session.json").write_text(json.dumps(facts))
    shutil.chown(site.run / session, USER, USER)
    assert site.script("admin.py", "--housekeeping=1").returncode == 0
    assert not (site.run / session).exists()
    desktop.view().leave()


def test_records_of_other_hosts_are_left_alone(site: Installation) -> None:
    session = "c" * 26
    desktop = site.person().create()
    facts = site.record(desktop.id) | {"session": session, "host": "another.example"}
    (site.run / session).mkdir(mode=0o700)
    (site.run / session / "session.json").write_text(json.dumps(facts))
    shutil.chown(site.run / session, USER, USER)
    assert site.script("admin.py", "--housekeeping=1").returncode == 0
    assert (site.run / session).exists()
    shutil.rmtree(site.run / session)


def test_strange_things_in_the_directories_disturb_nobody(site: Installation) -> None:
    things = [site.run / "not-a-session", site.run / ("d" * 25), site.snapshots / "README"]
    for thing in things:
        thing.mkdir()
        (thing / "x").write_text("")
    (site.run / ("e" * 26)).write_text("a file")
    (site.machines / "notes.txt").write_text("not a machine")
    (site.machines / "a-directory.iso").mkdir()
    os.mkfifo(site.machines / "fifo.raw")
    try:
        site.person().create().view().leave()
        assert site.person("root").get("monitor").status == 200
        assert site.script("admin.py", "--housekeeping=1").returncode == 0
        names = {one["name"] for one in
                 site.person().get("create", Accept="application/json").json["machines"]
                 if not one["problem"]}
        assert names == {"tiny.iso", "empty.raw"}
        assert all(thing.exists() for thing in things)
    finally:
        for thing in [*things, site.machines / "a-directory.iso"]:
            shutil.rmtree(thing)
        for name in ("notes.txt", "fifo.raw"):
            (site.machines / name).unlink()
        (site.run / ("e" * 26)).unlink(missing_ok=True)


SHIFTED = """
import runpy, sys, time
real, shift = time.time, float(sys.argv[1])
time.time = lambda: real() + shift
sys.argv[:] = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_clock_set_to_another_day_ends_nothing(site: Installation) -> None:
    desktop = site.person().create(lifetime="3600")
    viewer = desktop.view()
    for days in (-3, 3):
        for script, option in (("admin", "--housekeeping=1"), ("monitor", "--json")):
            done = subprocess.run(
                [sys.executable, "-c", SHIFTED, str(days * 86400),
                 site.goods.share / "cgi-bin" / f"{script}.py", option],
                user=USER if os.geteuid() == 0 else None, cwd="/", capture_output=True,
                text=True, env={**ENVIRONMENT, "REMOTE_DESKTOP_INI": str(site.ini)}, check=False)
            assert done.returncode == 0, done
    viewer.look()
    assert state(site, desktop.id)[0] == "running"


def test_sigterm_to_the_keeper_ends_the_session(site: Installation) -> None:
    desktop = site.person().create()
    os.kill(site.pids(desktop.id)["keeper"], signal.SIGTERM)
    start = time.monotonic()
    site.gone(desktop.id)
    assert time.monotonic() - start < 5
