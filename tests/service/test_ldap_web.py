"""Signing in with the directory's password, through Apache and in Chromium."""

import random
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from service.apache import free_port
from service.authority import Authority
from service.between import Between, hangs
from service.chromium import browser
from service.conftest import Install
from service.installation import Installation
from service.person import Person, Reply
from service.slapd import LONG, ODD, Slapd
from service.test_secrets import everything_said
from service.until import until

PEOPLE, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"


@pytest.fixture
def known(slapd: Slapd, authority: Authority) -> dict[str, Any]:
    """The settings of a site that has this directory and nothing else."""
    return {"check_user_with_htpasswd": 0, "check_user_with_ldap": 1,
            "ldap_server": f"localhost:{slapd.port}", "ldap_ca_file": authority.ca,
            "ldap_domain": "example.org", "ldap_admin_group": f"cn=posix,{GROUPS}"}


def sign_in(site: Installation, name: str, password: str) -> tuple[Person, Reply]:
    """Return somebody who has tried to sign in, and what came of it."""
    person = Person(site.server.address, name, password)
    return person, person.sign_in()


def test_from_the_form_to_the_screen(install: Install, known: dict[str, Any]) -> None:
    site = install(**known)
    with browser() as page:
        page.open(f"{site.stranger().origin}/desktop/")
        page.find("label:has(input[value='tiny.iso'])").click()
        page.fill("#user", "Ada.Lovelace@example.org")
        page.fill("#password", "ada-secret")
        page.tick("#terms")
        until(lambda: page.find("#start").is_enabled())
        page.find("#start").click()
        page.new_tab(page.find("a.button[href*='view.html']", 60))
        until(lambda: page.screen() == (1280, 800), 120)
        session, = site.directories()
        record = site.record(session.name)
        assert (record["owner"], record["method"], record["mail"]) == (
            "ada", "ldap", "ada.lovelace@example.org")
        assert not page.complaints()
    assert "ada signed in by ldap from 127.0.0.1" in site.server.errors()
    assert not [where for where, words in everything_said(site).items() if "ada-secret" in words]


def test_whoever_it_is_and_is_not(install: Install, known: dict[str, Any], slapd: Slapd) -> None:
    site = install(auth_max_failures=0, **known)
    ada, reply = sign_in(site, "ADA", "ada-secret")
    assert reply.status == 303 and ada.get("admin").status == 200  # she administers
    for name, password in (("\u00fc", ODD), ("long", LONG), ("twin2", "twin-secret")):
        person, reply = sign_in(site, name, password)
        assert reply.status == 303, str(reply)
        assert person.get("admin").status == 403
    _, wrong = sign_in(site, "ada", "wrong")
    for name, password in (("nobody", "wrong"), ("twin", "twin-secret"), ("shadow", "wrong")):
        _, reply = sign_in(site, name, password)
        assert (reply.status, str(reply).replace(name, "ada")) == (401, str(wrong))
    before, chance = slapd.log(), random.Random(4)
    noise = "".join(map(chr, chance.randbytes(10000)))
    for name, password in (
            ("", "x"), ("ada", ""), ("ada", " "), ("*", "x"), ("a)(cn=*", "x"), ("\\2a", "x"),
            ("a b", "x"), ("ada\r\n", "ada-secret"), ("ada", "ada-secret\r\n"),
            ("ada\0", "ada-secret"), ("ada", "ada-secret\0"), ("ada", LONG + "x"),
            (noise, "x"), ("ada", noise), ("x" * 129, "x")):
        person, reply = sign_in(site, name, password)
        assert reply.status in (400, 401) and not person.cookies, (name, password)
    raw = chance.randbytes(10000)
    for body in (raw, b"action=signin&user=ada&password=" + quote_from_bytes(raw).encode(),
                 b"action=signin&password=ada-secret&user=" + quote_from_bytes(raw).encode()):
        reply = site.stranger().ask("POST", "monitor", body,
                                    Content_Type="application/x-www-form-urlencoded")
        assert reply.status in (400, 401), str(reply)
    assert slapd.log() == before
    site.configure(ldap_group=f"cn=desktop,{GROUPS}", auth_max_failures=0)
    assert ada.get("monitor").status == 401  # others may enter now: she signs in again
    assert sign_in(site, "ada", "ada-secret")[1].status == 303
    assert sign_in(site, "long", LONG)[1].status == 401


def test_wrong_tries_do_not_all_reach_the_directory(install: Install, known: dict[str, Any],
                                                    slapd: Slapd) -> None:
    site = install(**known)
    before = slapd.binds()
    statuses = [sign_in(site, ("ada", "Ada.Lovelace@example.org", "lovelace")[n % 3], f"wrong-{n}"
                        )[1].status for n in range(20)]
    assert set(statuses) == {401, 429} and statuses[-1] == 429
    assert slapd.binds()[len(before):] == [f"uid=ada,{PEOPLE}"] * 5


def test_while_no_server_answers(install: Install, known: dict[str, Any]) -> None:
    with Between(hangs) as between:
        site = install(**{**known, "ldap_server": f"localhost:{free_port()}, "
                                                  f"localhost:{between.port}",
                          "check_user_with_htpasswd": 1})
        ada, reply = sign_in(site, "ada", site.goods.passwords["ada"])
        assert reply.status == 303 and not between.visits  # another way was quicker
        stranger, reply = sign_in(site, "ada", "ada-secret")
        assert reply.status == 503 and not stranger.cookies
        for word in ("ldap", "directory", "localhost", str(between.port)):
            assert word not in reply.text.lower()
        assert ada.get("monitor").status == 200
    assert f"ldap_server localhost:{between.port}: no answer in time" in site.server.errors()
    assert b"ada-secret" not in between.heard
