"""The life of an installation under systemd: its begin, Apache's restarts, updates, its end.

One system for all of it: the tests go on from each other, in the order in which they stand.
"""

import pytest
from install.debian import CLONE, Debian
from install.desk import RUN, Desk, password, visitor
from install.listing import WRITTEN, difference, listing
from service.until import until

ETC, SHARE, LIB = "/etc/remote-desktop", "/usr/share/remote-desktop", "/var/lib/remote-desktop"
SITE_FILES = {  # what a site edits, and where it comes from
    f"{ETC}/desktop.ini": "apache/desktop.ini",
    f"{SHARE}/html/index.html": "html/index.html",
    f"{SHARE}/html/terms.html": "html/terms.html",
    f"{SHARE}/html/logo.svg": "html/logo.svg",
    f"{LIB}/machines/tiny.ini": "machines/tiny.ini",
    "/etc/apache2/conf-available/remote-desktop.conf": "apache/remote-desktop.conf",
    "/etc/systemd/system/apache2.service.d/remote-desktop.conf": "apache/apache2.service.conf"}


@pytest.fixture(scope="module")
def nothing(bookworm: Debian) -> dict[str, str]:
    """What was on the disk before anything was installed."""
    return listing(bookworm)


@pytest.fixture(scope="module")
def secret(bookworm: Debian, nothing: dict[str, str]) -> str:
    """An installation on a new system; the password of its administrator."""
    said = bookworm.install()
    assert "Open https://" in said
    return password(said)


@pytest.fixture(scope="module")
def desk(bookworm: Debian, secret: str) -> Desk:
    """A session on it."""
    return Desk(bookworm, secret)


def test_a_desktop_is_there_from_nothing(desk: Desk) -> None:
    assert desk.screen_answers()
    assert desk.pids()


def test_a_second_run_changes_nothing(bookworm: Debian, desk: Desk) -> None:
    before = listing(bookworm, *WRITTEN)
    said = bookworm.install("--print")
    assert [line for line in said.splitlines() if " would " in line] == [
        "desktop       would    start tiny as a browser does, look at its screen, stop it"]
    assert " changed " not in bookworm.install()
    assert difference(before, listing(bookworm, *WRITTEN)) == []


def test_apache_ends_alone_and_sessions_are_not_in_its_tmp(bookworm: Debian, desk: Desk) -> None:
    unit = bookworm.run("systemctl show apache2 -p KillMode -p PrivateTmp -p PIDFile")
    assert set(unit.split()) == {"KillMode=process", "PrivateTmp=yes",
                                 "PIDFile=/run/apache2/apache2.pid"}
    assert bookworm.path(f"{RUN}/{desk.id}/ws.sock").is_socket()


@pytest.mark.parametrize("command", [
    "systemctl reload apache2", "systemctl restart apache2",
    "apt-get -q -y -o DPkg::Lock::Timeout=600 install --reinstall apache2 apache2-bin < /dev/null",
    f"{CLONE}/apache/install"])
def test_a_session_goes_on_over(command: str, bookworm: Debian, desk: Desk) -> None:
    before = desk.pids()
    bookworm.run(command)
    assert bookworm.run("systemctl is-active apache2") == "active\n"
    assert desk.pids() == before
    assert desk.screen_answers()


def test_the_timer_has_a_killed_keeper_replaced(bookworm: Debian, desk: Desk) -> None:
    before = desk.pids()
    bookworm.run(f"kill -KILL {before['keeper']}")
    until(lambda: desk.record()["keeper"]["pid"] != before["keeper"], 180, "another keeper")
    until(desk.screen_answers, 30)
    assert desk.pids()["qemu"] == before["qemu"]
    bookworm.run("systemctl start remote-desktop.service")  # ends, and its keeper does not
    assert desk.screen_answers()


def test_an_update_keeps_what_the_site_edited(bookworm: Debian, desk: Desk) -> None:
    for path in SITE_FILES:
        bookworm.run(f"echo '# ours' >> {path}")
    for source in (*SITE_FILES.values(), "lib/desktop/errors.py"):
        bookworm.run(f"echo '# newer' >> {CLONE}/{source}")
    bookworm.run(f"echo newer > {CLONE}/lib/desktop/newer.py; echo newer > {CLONE}/html/newer.js")
    before = desk.pids()
    said = bookworm.install()
    assert "edited here and kept" in said
    for path in SITE_FILES:
        assert bookworm.path(path).read_text().endswith("# ours\n"), path
        assert bookworm.path(f"{path}.new").read_text().endswith("# newer\n"), path
    assert bookworm.path(f"{SHARE}/lib/desktop/newer.py").exists()
    assert bookworm.path(f"{SHARE}/html/newer.js").exists()
    assert desk.pids() == before
    assert desk.screen_answers()
    assert "edited here" not in bookworm.install(), "it is told once"


def test_what_is_no_longer_shipped_goes(bookworm: Debian, desk: Desk) -> None:
    bookworm.clone()
    before = desk.pids()
    bookworm.install()
    assert not bookworm.path(f"{SHARE}/lib/desktop/newer.py").exists()
    assert "# newer" not in bookworm.path(f"{SHARE}/lib/desktop/errors.py").read_text()
    assert desk.pids() == before
    assert desk.screen_answers()


def test_settings_that_are_not_known_are_reported(bookworm: Debian, desk: Desk) -> None:
    settings = bookworm.path(f"{ETC}/desktop.ini")
    text = settings.read_text()
    settings.write_text(f"{text}snapshot_memory = 512\novercommit_cpu = much\n")
    before = listing(bookworm, *WRITTEN)
    said = bookworm.install(check=False)
    assert difference(before, listing(bookworm, *WRITTEN)) == []
    settings.write_text(text)
    lines = len(text.splitlines())
    assert f"line {lines + 1}: unknown setting 'snapshot_memory'" in said
    assert "Did you mean snapshot_alloc_mem?" in said
    assert f"line {lines + 2}: overcommit_cpu = 'much' is not a number" in said
    assert "nothing was changed" in said


def test_uninstalled_it_keeps_what_people_made(bookworm: Debian, desk: Desk, secret: str) -> None:
    said = bookworm.install("--uninstall")
    assert "1 running, ended" in said
    assert not bookworm.path(RUN).exists() or not list(bookworm.path(RUN).iterdir())
    assert "qemu-system" not in bookworm.run("ps -e -o args")
    for path in (f"{ETC}/desktop.ini", f"{ETC}/htpasswd", f"{LIB}/machines/tiny.iso",
                 "/var/log/remote-desktop/history.jsonl"):
        assert bookworm.path(path).exists(), path
    for path in (f"{SHARE}/lib", f"{SHARE}/cgi-bin", "/usr/lib/remote-desktop",
                 "/etc/systemd/system/remote-desktop.timer", "/etc/cron.d/remote-desktop"):
        assert not bookworm.path(path).exists(), path
    assert bookworm.run("systemctl is-active apache2") == "active\n"
    assert visitor(bookworm).get("/").status == 200
    assert visitor(bookworm).get("/desktop/").status == 404
    assert not bookworm.run("systemctl --failed --no-legend")
    assert " removed " not in bookworm.install("--uninstall"), "again, nothing is to be done"


def test_installed_again_it_is_as_it_was(bookworm: Debian, secret: str) -> None:
    bookworm.install()
    assert bookworm.path(f"{ETC}/desktop.ini").read_text().endswith("# ours\n")
    assert Desk(bookworm, secret).screen_answers()


def test_purged_it_leaves_nothing(bookworm: Debian, secret: str, nothing: dict[str, str]) -> None:
    said = bookworm.install("--purge")
    assert "1 running, ended" in said
    assert difference(nothing, listing(bookworm)) == []
