"""Apache's virtual hosts as it lists them, and the one line in their files that is ours."""

from pathlib import Path

import pytest

import before
import sites

TEXT = """\
<VirtualHost *:80>
    ServerName a.example
</VirtualHost>
# \xe9: not UTF-8 everywhere
<IfModule mod_ssl.c>
\t<VirtualHost *:443>
\tServerName b.example
\tServerAlias www.b.example *.b.example
\tSSLEngine On
\t</VirtualHost >
</IfModule>
"""
LISTED = """\
VirtualHost configuration:
*:80                   is a NameVirtualHost
         default server a.example ({0}:1)
         port 80 namevhost a.example ({0}:1)
         port * namevhost c.example ({1}:1)
                 alias www.c.example
*:443                  b.example ({0}:6)
ServerRoot: "/etc/apache2"
"""


@pytest.fixture
def hosts(tmp_path: Path) -> list[sites.Host]:
    (tmp_path / "a.conf").write_bytes(TEXT.encode("latin-1"))
    (tmp_path / "c.conf").write_text("<VirtualHost *>\nServerName c.example\n</VirtualHost>\n")
    return sites.parse(LISTED.format(tmp_path / "a.conf", tmp_path / "c.conf"))


def test_what_apache_lists(hosts: list[sites.Host]) -> None:
    assert [(host.site, host.line, host.port, host.names, host.tls) for host in hosts] == [
        ("a", 1, 80, ("a.example",), False), ("c", 1, 0, ("c.example",), False),
        ("a", 6, 443, ("b.example", "www.b.example", "*.b.example"), True)]


def test_our_line_comes_once_and_goes(hosts: list[sites.Host], tmp_path: Path) -> None:
    then = before.remember(tmp_path)
    assert sites.include(hosts) == [tmp_path / "a.conf", tmp_path / "c.conf"]
    lines = (tmp_path / "a.conf").read_bytes().splitlines()
    ours = sites.INCLUDE.encode()
    assert [number for number, line in enumerate(lines) if line.strip() == ours] == [2, 10]
    again = sites.parse(LISTED.format(tmp_path / "a.conf", tmp_path / "c.conf").replace(":6)",
                                                                                        ":7)"))
    assert sites.include(again) == []
    assert sites.withdraw([tmp_path / "a.conf", tmp_path / "c.conf", tmp_path / "gone"])
    assert before.remember(tmp_path) == then


def test_directories_are_put_back(tmp_path: Path) -> None:
    (tmp_path / "available").mkdir()
    (tmp_path / "available/a").write_text("a")
    (tmp_path / "available/a").chmod(0o640)
    (tmp_path / "enabled").mkdir()
    (tmp_path / "enabled/a").symlink_to("../available/a")
    then = before.remember(tmp_path)
    (tmp_path / "available/a").write_text("Include remote-desktop.conf")
    (tmp_path / "available/remote-desktop.conf").write_text("new")
    (tmp_path / "enabled/a").unlink()
    (tmp_path / "enabled/b").symlink_to("../available/b")
    assert before.remember(tmp_path) != then
    before.put_back(then, tmp_path)
    assert before.remember(tmp_path) == then
    assert not (tmp_path / "enabled/b").is_symlink()
