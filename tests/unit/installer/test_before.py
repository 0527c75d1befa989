"""Putting Apache's configuration back: what we changed, and nothing of anybody else's."""

from pathlib import Path

import before


def test_what_is_ours_is_undone_and_the_rest_stays(tmp_path: Path) -> None:
    site, key = tmp_path / "site.conf", tmp_path / "key.pem"
    site.write_text("ServerName a\n")
    site.chmod(0o640)
    key.write_text("old")
    (tmp_path / "mods-enabled").mkdir()
    (tmp_path / "mods-enabled/alias.load").symlink_to("../alias.load")
    then = before.remember(tmp_path)
    site.write_text("ServerName a\nIncludeOptional conf-available/remote-desktop.conf\n")
    key.write_text("renewed")
    (tmp_path / "fresh.pem").write_text("new")
    (tmp_path / "remote-desktop.conf").write_text("ours")
    (tmp_path / "mods-enabled/proxy.load").symlink_to("../proxy.load")
    (tmp_path / "mods-enabled/alias.load").unlink()
    before.put_back(then, tmp_path)
    assert site.read_text() == "ServerName a\n" and site.stat().st_mode & 0o777 == 0o640
    assert key.read_text() == "renewed" and (tmp_path / "fresh.pem").exists()
    assert not (tmp_path / "remote-desktop.conf").exists()
    assert [path.name for path in (tmp_path / "mods-enabled").iterdir()] == ["alias.load"]
    assert (tmp_path / "mods-enabled/alias.load").is_symlink()
    assert not list(tmp_path.rglob(".*"))
