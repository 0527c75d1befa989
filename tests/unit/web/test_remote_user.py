"""People whom Apache has authenticated."""

from dataclasses import replace
from pathlib import Path

import pytest
from asking import Make

from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import login


@pytest.fixture
def believing(settings: Settings) -> Settings:
    return replace(settings, check_user_with_remote_user=True)


def test_apache_is_believed_when_that_is_on(ask: Make, settings: Settings,
                                            believing: Settings) -> None:
    person = login.who(ask(REMOTE_USER="eve@EXAMPLE.ORG"), believing)
    assert person and (person.name, person.method) == ("eve@EXAMPLE.ORG", "remote_user")
    assert not person.admin and not person.cookie
    assert login.who(ask(REMOTE_USER="eve"), settings) is None


def test_administrators_are_compared_exactly(ask: Make, believing: Settings) -> None:
    for name in ("ada", "Ada", "ada@example.org"):
        person = login.who(ask(REMOTE_USER=name), believing)
        assert person and person.admin == (name == "ada")


def test_headers_are_not(ask: Make, believing: Settings) -> None:
    for header in ("HTTP_REMOTE_USER", "HTTP_X_REMOTE_USER", "HTTP_X_FORWARDED_USER",
                   "REDIRECT_REMOTE_USER", "HTTP_OIDC_CLAIM_SUB", "OIDC_CLAIM_sub"):
        assert login.who(ask(**{header: "ada"}), believing) is None
    assert login.who(ask(REMOTE_USER=""), believing) is None


def test_it_counts_before_the_cookie_and_what_is_typed(ask: Make, believing: Settings) -> None:
    bob = login.who(ask({"user": "bob", "password": "bob-secret"}), believing)
    assert bob
    cookie = bob.cookie.split(";")[0]
    person = login.who(ask(HTTP_COOKIE=cookie, REMOTE_USER="eve"), believing)
    assert person and person.name == "eve"
    person = login.who(ask({"user": "bob", "password": "bob-secret"}, REMOTE_USER="eve"),
                       believing)
    assert person and person.name == "eve"
    person = login.who(ask(HTTP_COOKIE=cookie), believing)
    assert person and person.name == "bob"


@pytest.mark.parametrize("name", [
    "https://issuer.example.org/subject", "a b", "a\nb", "*", "a)(cn=*", "x" * 200, "\udcff", " "])
def test_a_name_that_nobody_can_have(ask: Make, believing: Settings, name: str) -> None:
    with pytest.raises(Refusal) as problem:
        login.who(ask(REMOTE_USER=name), believing)
    assert problem.value.status == 403


def test_alone(ask: Make, believing: Settings) -> None:
    alone = replace(believing, check_user_with_htpasswd=False)
    assert login.who(ask(), alone) is None  # and not: nobody can sign in here yet
    assert login.who(ask({"user": "ada", "password": "ada-secret"}), alone) is None
    assert login.who(ask(REMOTE_USER="eve"), alone)


def test_a_program_may_refuse_them(ask: Make, believing: Settings, tmp_path: Path) -> None:
    path = tmp_path / "check"
    path.write_text(f"#!/bin/sh\nread user; echo $user >> {tmp_path}/asked; [ $user = eve ]\n")
    path.chmod(0o755)
    asking = replace(believing, check_user_custom=str(path), check_user_custom_mode="and")
    with pytest.raises(Refusal) as problem:
        login.who(ask(REMOTE_USER="mallory"), asking)
    assert problem.value.status == 403
    person = login.who(ask(REMOTE_USER="eve"), asking)
    assert person and person.cookie
    cookie = person.cookie.split(";")[0]
    assert login.who(ask(REMOTE_USER="eve", HTTP_COOKIE=cookie), asking)  # asked once
    assert login.who(ask(HTTP_COOKIE=cookie), asking) is None  # and worth nothing alone
    with pytest.raises(Refusal):
        login.who(ask(REMOTE_USER="mallory", HTTP_COOKIE=cookie), asking)
    assert (tmp_path / "asked").read_text().split() == ["mallory", "eve", "mallory"]
