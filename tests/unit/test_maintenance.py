"""Maintenance: on while a file says why."""

from pathlib import Path

import pytest

from desktop import maintenance
from desktop.errors import Refusal
from desktop.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(dir_state=tmp_path / "state")


def test_it_begins_and_ends(settings: Settings) -> None:
    maintenance.check(settings)
    assert maintenance.text(settings) == ""
    assert maintenance.change(settings, " New disks until 14:00. ") is True
    assert maintenance.text(settings) == "New disks until 14:00."
    with pytest.raises(Refusal, match="New disks until 14:00") as refusal:
        maintenance.check(settings)
    assert refusal.value.status == 503 and refusal.value.retry_after
    for word in ("0", "off"):
        assert maintenance.change(settings, word) is False
        maintenance.check(settings)


@pytest.mark.parametrize("words", ["", "  ", "a\nb", "x" * 301, "\x1b[2J", "\u2028"])
def test_a_text_is_one_line(settings: Settings, words: str) -> None:
    with pytest.raises(Refusal, match="one line"):
        maintenance.change(settings, words)
    maintenance.check(settings)


def test_whatever_lies_there_is_a_text(settings: Settings) -> None:
    settings.dir_state.mkdir()
    maintenance.path(settings).write_bytes(b"")
    assert maintenance.text(settings)
    maintenance.path(settings).write_bytes(b"\xff\x00\nback at noon\n" + b"z" * 9999)
    assert "back at noon" in maintenance.text(settings)
    assert len(maintenance.text(settings)) <= maintenance.LONGEST
    assert "\n" not in maintenance.text(settings)
