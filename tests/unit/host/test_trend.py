"""A ring of samples: a place for each minute of some hours."""

import time
from pathlib import Path

import pytest

from desktop.host import trend
from desktop.host.capacity import Host, Promise
from desktop.settings import Settings

HOST = Host(cpus=2, load=0.25, memory=4096, available=1024, disk_free=9.5)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(dir_state=tmp_path)


def at(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    monkeypatch.setattr(time, "time", lambda: moment)


def test_samples_come_back_in_order(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in (3, 1, 2):
        at(monkeypatch, 1e9 + 60 * minute)
        trend.note(settings, HOST, [Promise("ann", 1, 512, 1.0)] * minute)
    at(monkeypatch, 1e9 + 240)
    found = trend.read(settings)
    assert [one.sessions for one in found] == [1, 2, 3]
    assert found[0] == trend.Sample(1e9 + 60, 0.25, 3072, 512, 1, 9.5)


def test_the_file_never_grows_and_forgets(settings: Settings,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in range(0, 24 * 60, 7):
        at(monkeypatch, 1e9 + 60 * minute)
        trend.note(settings, HOST, [])
    assert trend.path(settings).stat().st_size <= trend.HOURS * 60 * trend.LAYOUT.size
    found = trend.read(settings)
    assert len(found) == pytest.approx(trend.HOURS * 60 / 7, abs=1)
    assert found[0].moment > 1e9 + 60 * (24 * 60 - 7) - trend.HOURS * 3600 - 60
    at(monkeypatch, 1e9)  # a clock that was set back shows nothing of the future
    assert len(trend.read(settings)) <= 1


def test_whatever_lies_there_is_no_error(settings: Settings) -> None:
    assert trend.read(settings) == []
    trend.path(settings).write_bytes(b"\xff" * 1000)
    assert trend.read(settings) == []
