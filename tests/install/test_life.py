"""The life of an installation under systemd: its begin, Apache's restarts, updates, its end.

One system for all of it: the tests go on from each other, in the order in which they stand.
"""

import pytest
from install.debian import Debian
from install.desk import Desk, password
from install.listing import listing


@pytest.fixture(scope="module")
def desk(bookworm: Debian) -> Desk:
    """An installation on a new system, and a session on it."""
    said = bookworm.install()
    assert "tiny.iso started" in said
    return Desk(bookworm, password(said))


def test_a_desktop_is_there_from_nothing(desk: Desk) -> None:
    assert desk.screen_answers()
    assert desk.pids()


def test_a_second_run_changes_nothing(desk: Desk) -> None:
    before = listing(desk.system)
    said = desk.system.install()
    assert " changed " not in said
    assert listing(desk.system) == before


@pytest.mark.parametrize("command", [
    "systemctl reload apache2", "systemctl restart apache2",
    "apt-get -q -y install --reinstall apache2 apache2-bin < /dev/null",
    "cd /home/ann/remote-desktop && apache/install"])
def test_a_session_goes_on_over(command: str, desk: Desk) -> None:
    before = desk.pids()
    desk.system.run(command)
    assert desk.system.run("systemctl is-active apache2") == "active\n"
    assert desk.pids() == before
    assert desk.screen_answers()
