"""Ending a session, and removing what is its."""

from pathlib import Path

from desktop.session import ending


def test_removing_twice_is_fine(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "disk.qcow2").touch()
    ending.remove(tmp_path / "s")
    ending.remove(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "link").symlink_to(tmp_path / "precious")
    (tmp_path / "t").symlink_to(tmp_path / "precious")
    ending.remove(tmp_path / "s")
    ending.remove(tmp_path / "t")
    assert not (tmp_path / "s").exists()
    assert (tmp_path / "precious" / "file").exists()
