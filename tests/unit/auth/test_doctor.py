"""What an administrator is told of the ways in, and a name that is tried."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.auth import certificate, chain, doctor, throttle
from desktop.auth.credentials import Credentials, Verdict
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.settings import Settings


class Directory:
    """A server of the institution that knows ada, or does not answer."""

    def __init__(self, answers: bool = True) -> None:
        self.answers = answers

    def check(self, settings: Settings, credentials: Credentials) -> Verdict:
        if not self.answers:
            raise Refusal("ldap.example.org does not answer.", 503, "Look at ldap_server.")
        return Verdict(credentials.password == "right", credentials.user, admin=True, mail="a@b.c")

    def standing(self, settings: Settings, name: str) -> str | None:
        return "yes"

    def probe(self, settings: Settings) -> Sequence[Finding]:
        if not self.answers:
            raise Refusal("ldap.example.org does not answer.", 503, "Look at ldap_server.")
        return [Finding("ldap", "ldap.example.org answers")]


def use(monkeypatch: pytest.MonkeyPatch, directory: Directory) -> None:
    """Put a directory after the accounts of the file."""
    methods = chain.methods
    monkeypatch.setattr(chain, "methods", lambda settings: {
        **methods(settings), "ldap": directory})


def lines(settings: Settings) -> list[tuple[str, bool]]:
    """Return what is found, without the cures."""
    return [(f"{one.name}: {one.text}", one.good) for one in doctor.look(settings)]


def test_accounts(settings: Settings) -> None:
    assert lines(settings) == [(f"htpasswd: 2 accounts in {settings.file_htpasswd}", True)]
    with settings.file_htpasswd.open("a") as file:
        file.write("# a comment\n\neve:$apr1$x$y\n")
    [(text, good)] = lines(settings)
    assert not good and "2 accounts" in text and "line 5 is none" in text
    settings.file_htpasswd.write_text("")
    assert lines(settings) == [(f"htpasswd: 0 accounts in {settings.file_htpasswd}", False)]
    settings.file_htpasswd.unlink()
    assert lines(settings) == [("htpasswd: The accounts cannot be read.", False)]


def test_a_program(settings: Settings, tmp_path: Path) -> None:
    ours = replace(settings, check_user_with_htpasswd=False, check_user_custom="/usr/bin/true")
    assert lines(ours) == [("custom: /usr/bin/true is one way in", True)]
    assert ("custom: /usr/bin/true may refuse people", True) in lines(
        replace(ours, check_user_with_htpasswd=True, check_user_custom_mode="and"))
    for path in ("true", "/etc/passwd", str(tmp_path)):
        assert lines(replace(ours, check_user_custom=path)) == [
            (f"custom: {path} cannot be run by the service", False)]


def test_no_way_in(settings: Settings) -> None:
    off = replace(settings, check_user_with_htpasswd=False)
    [(text, good)] = lines(off)
    assert not good and "everybody is refused" in text
    assert lines(replace(off, check_user_with_remote_user=True)) == [
        ("remote_user: Apache says who people are", True)]
    [(text, good)] = lines(replace(off, allow_unauthenticated=True))
    assert good and "everybody is let in" in text


def test_a_server_that_does_not_answer_hides_no_other(monkeypatch: pytest.MonkeyPatch,
                                                      settings: Settings) -> None:
    use(monkeypatch, Directory(answers=False))
    assert lines(settings)[1:] == [("ldap: ldap.example.org does not answer.", False)]
    assert [one.cure for one in doctor.look(settings)] == ["", "Look at ldap_server."]


def attempt(settings: Settings, user: str, password: str) -> list[tuple[str, bool]]:
    """Return what the ways answer to a name and a password."""
    return [(f"{one.name}: {one.text}", one.good)
            for one in doctor.attempt(settings, user, password)]


def test_a_name_is_tried(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    assert attempt(settings, " ada ", "ada-secret") == [
        ("htpasswd: accepts; the name is ada", True)]
    use(monkeypatch, Directory())
    no = ("htpasswd: does not know this name and this password", False)
    assert attempt(settings, "ada", "right") == [
        no, ("ldap: accepts; the name is ada, mail a@b.c, administrator", True)]
    assert attempt(settings, "ada", "wrong") == [
        no, ("ldap: does not know this name and this password", False)]
    use(monkeypatch, Directory(answers=False))
    [(text, good)] = attempt(settings, "ada", "right")[1:2]
    assert not good and "cannot be asked: ldap.example.org does not answer" in text
    assert ("htpasswd: accepts; the name is bob, administrator", True) in attempt(
        replace(settings, user_admin=("bob",)), "bob", "bob-secret")


def test_a_program_that_may_refuse_is_asked_too(settings: Settings) -> None:
    ours = replace(settings, check_user_custom="/usr/bin/false", check_user_custom_mode="and")
    assert attempt(ours, "ada", "ada-secret")[-1] == ("custom: refuses this person", False)
    assert attempt(replace(ours, check_user_custom="/usr/bin/true"), "ada",
                   "ada-secret")[-1] == ("custom: agrees", True)


@pytest.mark.parametrize(("user", "password"), [("a b", "x"), ("", "x"), ("ada", " "),
                                                ("ada", "a\0")])
def test_what_nobody_can_be(settings: Settings, user: str, password: str) -> None:
    with pytest.raises(Refusal):
        attempt(settings, user, password)


def test_nothing_is_counted_and_nobody_waits(settings: Settings) -> None:
    for _ in range(20):
        attempt(settings, "ada", "wrong")
    assert not settings.dir_state.exists()
    for _ in range(20):
        try:
            with throttle.attempt(settings, b"key", "ada", "192.0.2.1") as one:
                one.right = False
        except Refusal:
            break
    else:
        raise AssertionError("the throttle lets everything through")
    assert attempt(settings, "ada", "ada-secret")[0][1]


@pytest.mark.parametrize(("days", "good"), [(40, True), (14.5, True), (13, False)])
def test_certificates_that_end_soon(days: float, good: bool) -> None:
    end = time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(time.time() + days * 86400 + 60))
    found = certificate.judge("ldap", "ldap.example.org:636", {"notAfter": end})
    assert found.good == good and bool(found.cure) == (not good)
    assert re.search(rf"valid until \d{{4}}-\d\d-\d\d, {int(days)} days", found.text)


def test_without_a_certificate() -> None:
    assert certificate.judge("ldap", "127.0.0.1:389", None) == Finding(
        "ldap", "127.0.0.1:389 answers, without TLS")
