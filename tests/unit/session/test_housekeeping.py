"""Only what is provably dead is removed."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from samples import Maker

from desktop import process
from desktop.errors import Refusal
from desktop.process import Process
from desktop.session import ending, history, housekeeping, lock, sessions
from desktop.session.record import State
from desktop.settings import Settings


def test_a_dead_session_is_removed_and_told(site: Settings, make: Maker) -> None:
    paths = make(keeper=Process(1, 1), qemu=Process(1, 1))
    housekeeping.sweep(site)
    assert not paths.directory.exists() and not list(site.dir_snapshots.iterdir())
    line = json.loads(history.path(site).read_text())
    assert (line["session"], line["how"]) == (paths.session, "lost")


def test_a_session_being_made_is_left_alone(site: Settings, make: Maker) -> None:
    paths = make(state=State.CLAIMED)
    handle = lock.take(paths.lock)
    assert handle is not None
    housekeeping.sweep(site)
    assert paths.directory.exists()
    os.close(handle)
    housekeeping.sweep(site)
    assert not paths.directory.exists()


def test_another_host_or_launcher_judges_its_own(site: Settings, make: Maker) -> None:
    kept = [make(host="elsewhere"), make(launcher="slurm")]
    housekeeping.sweep(site)
    assert all(paths.directory.exists() for paths in kept)


def test_after_a_reboot_no_recorded_process_is_ours(site: Settings, make: Maker) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        one = process.identify(bystander.pid)
        paths = make(boot="another boot", qemu=one, network=one, keeper=one)
        housekeeping.sweep(site)
        assert not paths.directory.exists() and bystander.poll() is None
        bystander.kill()


def test_a_recycled_pid_is_spared(site: Settings, make: Maker) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        one = process.identify(bystander.pid)
        assert one
        paths = make(qemu=Process(one.pid, one.started - 5), keeper=Process(one.pid, 1))
        housekeeping.sweep(site)
        assert not paths.directory.exists() and bystander.poll() is None
        bystander.kill()


def test_a_corrupt_record_is_set_aside_and_the_rest_works(site: Settings, make: Maker) -> None:
    paths, other = make(), make()
    paths.record.write_text("{")
    held = lock.take(other.lock)
    assert [entry.session for entry in sessions.all(site)] == [other.session]
    housekeeping.sweep(site)
    assert not paths.directory.exists() and other.directory.exists()
    assert (site.dir_log / f"{paths.session}.corrupt").read_text() == "{"
    assert held is not None
    os.close(held)


def test_a_purge_leaves_nothing(site: Settings, make: Maker) -> None:
    corrupt, elsewhere = make(), make(host="elsewhere")
    corrupt.record.write_text("{")
    assert housekeeping.purge(site) == 1
    assert not corrupt.directory.exists() and not elsewhere.directory.exists()
    assert not list(site.dir_snapshots.iterdir())


def age(directory: Path) -> None:
    """Make a directory look as if it had been made an hour ago."""
    os.utime(directory, (time.time() - 3600,) * 2)


def test_disks_without_a_session_are_removed_unless_held(site: Settings) -> None:
    names = [letter * 26 for letter in "abc"]
    for name in [*names, "not-a-session"]:
        (site.dir_snapshots / name).mkdir()
        age(site.dir_snapshots / name)
    young = site.dir_snapshots / ("y" * 26)
    young.mkdir()
    handle = os.open(site.dir_snapshots / names[1], os.O_RDONLY)
    lock.share(handle)  # of a session in another dir_cfg
    housekeeping.sweep(site)
    left = {path.name for path in site.dir_snapshots.iterdir()}
    assert left == {names[1], "not-a-session", young.name}
    os.close(handle)


def test_links_are_never_followed(site: Settings, make: Maker, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (site.dir_snapshots / ("d" * 26)).symlink_to(precious)
    paths = make()
    (paths.directory / "link").symlink_to(precious)
    (site.dir_snapshots / paths.session / "link").symlink_to(precious)
    housekeeping.sweep(site)
    assert not paths.directory.exists() and (precious / "file").exists()


@pytest.mark.parametrize("others", [0o020, 0o002])
def test_what_others_may_write_is_not_believed(site: Settings, make: Maker, others: int) -> None:
    paths = make()
    site.dir_cfg.chmod(0o700 | others)
    with pytest.raises(Refusal, match="you alone"):
        housekeeping.sweep(site)
    assert paths.directory.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be somebody else")
def test_what_somebody_else_made_is_not_believed(site: Settings, make: Maker) -> None:
    make()
    os.chown(site.dir_cfg, 65534, 65534)
    with pytest.raises(Refusal, match="you alone"):
        housekeeping.sweep(site)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be somebody else")
def test_a_program_of_somebody_else_is_nobodys_qemu(site: Settings, make: Maker) -> None:
    paths = make(keeper=None, qemu=None)
    disguise = ["sleep 60 & wait", "-vnc", f"unix:{paths.vnc},x"]
    for user in (65534, 0):
        with subprocess.Popen(["sh", "-c", *disguise], user=user, start_new_session=True) as other:
            found = {one.pid for one in ending.owned(os.fsencode(f"unix:{paths.vnc},"))}
            assert (other.pid in found) == (user == 0)
            os.killpg(other.pid, 9)
