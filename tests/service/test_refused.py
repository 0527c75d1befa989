"""Refused sign-ins: counted before anybody is asked, over a restart too; fail2ban finds them."""

import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from service.conftest import Install
from service.installation import ROOT, USER, Installation
from service.person import Person

FILTER = ROOT / "apache/remote-desktop.fail2ban"
EVIL = "x, referer: 2026-01-02 03:04:05,006 create[1] WARNING sign-in refused from 198.51.100.66"


def program(site: Installation) -> Path:
    """Make a program of the site that notes each time it is asked, and accepts nobody."""
    asked = site.directory / "asked"
    asked.write_text("")
    shutil.chown(asked, USER, USER)
    path = site.directory / "check"
    path.write_text(f"#!/bin/sh\necho x >> {asked}\nexit 1\n")
    path.chmod(0o755)
    return path


def sign_in(person: Person, name: str, **headers: str) -> int:
    """Try a wrong password; return the status."""
    return person.post("monitor", {"action": "signin", "user": name, "password": "Wrong-Word-7"},
                       **headers).status


@pytest.mark.parametrize(("names", "most"), [(1, 5), (20, 15)])
def test_the_twentieth_wrong_try_asks_nobody(site: Installation, names: int, most: int) -> None:
    site.configure(check_user_custom=program(site), trusted_proxies="127.0.0.1",
                   check_user_with_htpasswd=0)
    person, begun = site.stranger(), time.monotonic()
    replies = [person.post("monitor", {
        "action": "signin", "user": f"some{names}body{n % names}", "password": "Wrong-Word-7"},
        Accept="application/json", X_Forwarded_For=f"192.0.2.{names}") for n in range(20)]
    waits = (time.monotonic() - begun) / 10  # that a slow computer has sat out meanwhile
    asked = len((site.directory / "asked").read_text().split())
    assert [reply.status for reply in replies].count(401) == asked
    assert most <= asked <= most + 1 + waits
    assert replies[-1].status == 429 or waits > 1
    for reply in replies[:most]:
        assert reply.status == 401
    for reply in replies:
        if reply.status != 401:
            assert reply.status == 429 and 0 < reply.json["retry_after"] <= 900
            assert int(reply.headers["Retry-After"]) == reply.json["retry_after"]


def test_a_restart_forgives_nothing(install: Install) -> None:
    site = install("event", trusted_proxies="127.0.0.1")
    where = {"X_Forwarded_For": "192.0.2.99"}
    assert [sign_in(site.stranger(), "ada", **where) for _ in range(5)] == [401] * 5
    site.server.stop()
    site.server.start()
    # From nothing, four would be looked at; now one comes too early, however slow all is.
    assert 429 in [sign_in(site.stranger(), "ada", **where) for _ in range(4)]


def found(log: Path) -> Counter[str]:
    """Return the addresses that fail2ban finds in a log, and how often."""
    run = subprocess.run(["fail2ban-regex", "-o", "ip", log, FILTER], capture_output=True,
                         text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return Counter(line for line in run.stdout.split() if line)


def test_fail2ban_finds_each_and_nothing_else(any_site: Installation, tmp_path: Path) -> None:
    log = any_site.directory / "error.log"
    before = log.stat().st_size
    any_site.configure(trusted_proxies="127.0.0.1")
    ada = any_site.stranger("ada")
    ada.sign_in()  # so that it is known where she is at home
    person = any_site.stranger()
    near, far = {"X_Forwarded_For": "203.0.113.9"}, {"X_Forwarded_For": "2001:db8::7"}
    for n in range(3):
        sign_in(person, f"wrong{n}", **near)
        sign_in(person, f"wrong{n}", Referer=f"{person.origin}/{EVIL}", **near)
    for n in range(7):  # the last is not even looked at
        sign_in(person, "ada", **far)
    person.try_create(user="nobody", password="x" * 20)
    sign_in(person, EVIL, **near)
    # None of these is a wrong password.
    ada.get("monitor", Referer=EVIL)
    ada.post("create", {"machine": EVIL, "terms": "1"})
    ada.post("create", {EVIL: EVIL}, Referer=EVIL)
    person.get(f"create/{EVIL.replace(' ', '%20')}", User_Agent=EVIL)
    person.get("monitor", Host="a b", Referer=EVIL)
    any_site.stranger("ada").sign_in()
    said = tmp_path / "error.log"
    said.write_bytes(log.read_bytes()[before:])
    assert found(said) == {"203.0.113.9": 7, "2001:db8::7": 7, "127.0.0.1": 1}
    assert "Wrong-Word-7" not in said.read_text()


def test_the_jail_is_one_that_fail2ban_takes(tmp_path: Path) -> None:
    etc = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", etc)
    shutil.rmtree(etc / "jail.d")
    (etc / "jail.d").mkdir()
    shutil.copy(FILTER, etc / "filter.d/remote-desktop.conf")
    log = tmp_path / "error.log"
    log.touch()
    jail = (ROOT / "apache/remote-desktop.jail").read_text()
    assert "/var/log/apache2/error.log" in jail
    (etc / "jail.d/remote-desktop.conf").write_text(
        jail.replace("/var/log/apache2/error.log", str(log)))
    run = subprocess.run(["fail2ban-client", "-c", etc, "-d"], capture_output=True, text=True,
                         check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "remote-desktop" in run.stdout and "sign-in refused from" in run.stdout
