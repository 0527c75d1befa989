"""The README's way without the installer, typed as it stands there."""

import re

from install.debian import CLONE, ROOT, Debian
from install.desk import Desk


def test_without_the_installer(bookworm: Debian) -> None:
    bookworm.run("apt-get -qq update && apt-get -qq -y install python3 < /dev/null")
    plain, secure = bookworm.ports
    typed = commands()
    for usual, here in (  # ports that are free on this machine
            ("apt-get install", "apt-get -qq -y -o Dpkg::Options::=--force-confold install"),
            ("%%{SERVER_NAME}", f"%%{{SERVER_NAME}}:{secure}"), ("PLAIN 80", f"PLAIN {plain}"),
            ("systemctl restart", f"sed -i s/:443/:{secure}/ "
             "/etc/apache2/sites-available/default-ssl.conf\nsystemctl restart")):
        assert usual in typed
        typed = typed.replace(usual, here)
    said = bookworm.run(f"cd {CLONE}\nset -e\n{typed}")
    found = re.search(r"^admin,(\S+)$", said, re.M)
    assert found, said
    desk = Desk(bookworm, found[1])
    before = desk.pids()
    bookworm.run("systemctl restart apache2")
    assert desk.pids() == before
    assert desk.screen_answers()
    assert bookworm.run("systemctl is-active remote-desktop.timer") == "active\n"


def commands() -> str:
    """Return what the README tells to type."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- without the installer:.*?-->\n(.*?)<!-- /without", readme, re.S)
    assert found
    return "\n".join(line.removeprefix("    ") for line in found[1].splitlines())
