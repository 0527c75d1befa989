"""What lies in dir_parked: whose it must be, and what is safe while it is not there."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from samples import sample

from desktop import process
from desktop.session import garage, housekeeping, record, sessions
from desktop.session.parking import Stays, check_place
from desktop.session.record import State
from desktop.settings import Settings


def park(site: Settings) -> str:
    """Leave a parked session there, as it would be."""
    entry = sample(state=State.PARKED)
    home = garage.home(site, entry.session).directory
    home.mkdir(mode=0o700)
    record.write(home, entry)
    disk = site.dir_snapshots / entry.session
    disk.mkdir(mode=0o700)
    garage.mark(site, entry.session, 0.0)
    os.utime(disk, (time.time() - 3600,) * 2)
    return entry.session


def test_one_is_found(site: Settings) -> None:
    session = park(site)
    assert [entry.session for entry in housekeeping.sweep(site)] == [session]
    assert sessions.read(site, session).state is State.PARKED


@pytest.mark.parametrize("word", ["", ".", "../parked/{}", "{}/", "{}/.", "{}\n"])
def test_what_is_no_id_is_no_session(site: Settings, word: str) -> None:
    session = park(site)
    with pytest.raises(FileNotFoundError):
        sessions.read(site, word.format(session))


@pytest.mark.parametrize("others", [0o020, 0o002])
def test_what_others_may_write_is_not_believed(site: Settings, others: int) -> None:
    session = park(site)
    site.dir_parked.chmod(0o700 | others)
    assert housekeeping.sweep(site) == [] and not garage.has(site, session)
    with pytest.raises(FileNotFoundError):
        sessions.read(site, session)
    with pytest.raises(Stays, match="others may write"):
        check_place(site, sample())
    site.dir_parked.chmod(0o700)
    assert [entry.session for entry in housekeeping.sweep(site)] == [session]
    assert (site.dir_snapshots / session).exists()


def test_a_disk_outlives_a_directory_that_is_not_mounted(site: Settings, tmp_path: Path) -> None:
    session = park(site)
    away = site.dir_parked.rename(tmp_path / "away")
    for missing in (True, False):
        if not missing:
            site.dir_parked.mkdir(mode=0o700)
        assert housekeeping.sweep(site) == []
        assert (site.dir_snapshots / session).exists()
    site.dir_parked.rmdir()
    away.rename(site.dir_parked)
    assert [entry.session for entry in housekeeping.sweep(site)] == [session]


def test_but_not_its_time(site: Settings) -> None:
    session = park(site)
    garage.mark(site, session, time.time() - 1)
    os.utime(site.dir_snapshots / session, (time.time() - 3600,) * 2)
    garage.home(site, session).record.unlink()
    garage.home(site, session).directory.rmdir()
    housekeeping.sweep(site)
    assert not (site.dir_snapshots / session).exists()


@pytest.mark.parametrize("jump", [-86400, 86400])
def test_a_clock_set_to_another_day_ends_nothing(jump: float) -> None:
    end = time.time() + 100
    entry = sample(state=State.PARKED, deadline=process.boottime() + 100, until=end + jump)
    assert not garage.overdue(entry)
    assert abs(sessions.expires(entry) - end) < 5
    assert garage.overdue(replace(entry, deadline=process.boottime() - 1))
    assert garage.overdue(replace(entry, boot="another")) == (jump < 0)
    assert not garage.overdue(replace(entry, boot="another", until=0.0))


@pytest.mark.parametrize("name", ["dir_cfg", "dir_snapshots"])
def test_nothing_is_parked_where_something_else_is(site: Settings, name: str) -> None:
    same = Settings(**{**vars(site), "dir_parked": getattr(site, name)})
    with pytest.raises(Stays, match="of its own"):
        check_place(same, sample())


def test_a_place_that_cannot_be_made_is_an_error(site: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    wrong = Settings(**{**vars(site), "dir_parked": tmp_path / "file" / "parked"})
    with pytest.raises(OSError):
        check_place(wrong, sample())
    assert not garage.has(wrong, sample().session)
