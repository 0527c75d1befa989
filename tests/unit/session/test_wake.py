"""What was saved of a session is looked at before it is woken."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from samples import Maker

from desktop import maintenance
from desktop.errors import Refusal
from desktop.host import capacity
from desktop.session import aside, claim, ending, garage, parking, record, wake
from desktop.session.paths import Paths
from desktop.session.record import State
from desktop.settings import Settings


@pytest.fixture
def saved(site: Settings, make: Maker) -> Paths:
    """Return where a session is parked, as the keeper leaves it."""
    paths = make()
    paths.token.write_text("abcdefgh")
    paths.volumes.write_text("[]")
    home = garage.home(site, paths.session)
    home.directory.mkdir(mode=0o700)
    home.state.write_bytes(b"QEVM" * 9)
    parking.describe(site, record.read(paths.directory), paths, home)
    return home


def test_what_is_whole_is_taken(saved: Paths) -> None:
    wake.check_whole(saved)
    saved.sizes.unlink()  # an older version wrote none
    wake.check_whole(saved)


@pytest.mark.parametrize("name", ["token", "settings.ini", "volumes.json", "state"])
@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_what_is_not_whole_is_refused(saved: Paths, caplog: pytest.LogCaptureFixture, name: str,
                                      harm: str) -> None:
    path = saved.directory / name
    content = path.read_bytes()
    path.unlink()
    if harm == "cut":
        path.write_bytes(content[:-1])
    refused(saved)
    assert f"{saved.session} cannot go on: {name} " in caplog.text


@pytest.mark.parametrize("name", ["settings.ini", "volumes.json", "sizes.json"])
@pytest.mark.parametrize("text", ["{", "[3]", "[{}]", '[{"path": "/"}]', "\udcff"])
def test_what_cannot_be_understood_is_refused(saved: Paths, name: str, text: str) -> None:
    if name != "sizes.json":
        saved.sizes.unlink()
    (saved.directory / name).write_text(text, errors="surrogateescape")
    refused(saved)


def refused(saved: Paths) -> None:
    """See that the refusal says what is the matter, and nothing of the server's."""
    with pytest.raises(Refusal, match="saved of this machine is damaged") as refusal:
        wake.check_whole(saved)
    assert refusal.value.status == 500 and "/" not in str(refusal.value)


def test_where_there_is_no_room_nothing_is_lost(site: Settings, saved: Paths,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    entry, paths = record.read(saved.directory), Paths(site.dir_cfg / "new")
    for full, hint in ((capacity.full("Full."), wake.KEPT),
                       (capacity.full("Full.", "Stop one.", status=429),
                        f"{wake.KEPT} Stop one.")):
        monkeypatch.setattr(claim, "again", Mock(side_effect=full))
        with pytest.raises(Refusal, match="Full.") as refused:
            wake.make_room(site, entry, paths, saved)
        assert (refused.value.status, refused.value.hint, refused.value.retry_after) == (
            full.status, hint, 60)


def test_maintenance_says_that_it_stays(site: Settings, saved: Paths) -> None:
    maintenance.change(site, "New disks.")
    with pytest.raises(Refusal, match="not woken now. New disks.") as refused:
        wake.wake(site, record.read(saved.directory))
    assert "stays parked" in refused.value.hint


def test_nobody_is_asked_to_stop_what_is_parked(site: Settings, saved: Paths,
                                                caplog: pytest.LogCaptureFixture) -> None:
    (site.dir_cfg / saved.session).rename(site.dir_cfg / "away")
    ending.stop(site, record.read(saved.directory))
    assert not saved.directory.exists() and not caplog.text


def test_without_its_record_it_is_removed_by_an_administrator(site: Settings, saved: Paths,
                                                              ) -> None:
    assert record.read(saved.directory).state is State.PARKED
    (site.dir_cfg / saved.session / "session.json").unlink()
    Path(site.dir_cfg / saved.session).rename(site.dir_cfg / "away")
    saved.record.unlink()
    one, = aside.all(site, ())
    assert (one.session, one.state, one.problem) == (saved.session, "parked", "it is missing")
    assert aside.remove(site, saved.session)
    assert not saved.directory.exists() and not list(site.dir_snapshots.iterdir())
