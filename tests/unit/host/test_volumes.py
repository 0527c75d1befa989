"""Which directories are offered to guests, and under which names."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.host import volumes
from desktop.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings whose directories are all in one place."""
    own = {name: tmp_path / "own" / name for name in (
        "dir_machines", "dir_snapshots", "dir_cfg", "dir_state", "dir_log", "dir_service",
        "dir_html")}
    return Settings(**own, file_htpasswd=tmp_path / "etc" / "htpasswd")


def offered(settings: Settings, *words: str) -> list[volumes.Volume]:
    """Return the volumes of a dir_mounts."""
    return volumes.find(replace(settings, dir_mounts=words))


def test_existing_directories_are_offered_read_only(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "media").mkdir()
    (volume,) = offered(settings, f"{tmp_path}/media", f"{tmp_path}/missing:rw")
    assert volume == volumes.Volume(tmp_path / "media", "host_media", False)
    assert volume.command == ("mount -t 9p -o trans=virtio,access=client,ro host_media "
                              f"{tmp_path}/media")


def test_writable_when_said(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "data").mkdir()
    (volume,) = offered(settings, f"{tmp_path}/data:rw")
    assert volume.writable
    assert ",ro" not in volume.command


def test_a_blank_in_a_path_is_quoted(tmp_path: Path) -> None:
    assert volumes.Volume(Path("/mnt/my data"), "host_my_data", True).command.endswith(
        "host_my_data '/mnt/my data'")


@pytest.mark.parametrize("word", ["/", "own", "own/dir_machines", "own/dir_state/deeper", "link",
                                  "etc"])
def test_the_service_s_own_directories_are_never_offered(
        tmp_path: Path, settings: Settings, word: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "own/dir_state/deeper").mkdir(parents=True)
    (tmp_path / "own/dir_machines").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "own/dir_machines")
    with caplog.at_level(logging.WARNING):
        assert offered(settings, str(tmp_path / word)) == []
    assert "is not offered" in caplog.text


def test_the_settings_directory_is_never_offered(settings: Settings) -> None:
    assert offered(settings, "/etc") == []


def test_tags_are_unique(tmp_path: Path, settings: Settings) -> None:
    for name in ("a/data", "b/data", "c/data"):
        (tmp_path / name).mkdir(parents=True)
    assert [volume.tag for volume in offered(
        settings, *(f"{tmp_path}/{name}/data" for name in "abc"))] == [
            "host_data", "host_data_2", "host_data_3"]


@given(st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1),
                max_size=12))
def test_any_name_makes_a_tag(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        tag = volumes.tag(Path("/x") / name, taken)
        assert tag not in taken
        assert tag.isascii() and len(tag) <= 31 and tag.startswith("host_")
        assert set(tag) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
        taken.add(tag)
