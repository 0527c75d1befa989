"""Who is asking: passwords, cookies, guests, and all that ends a cookie."""

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest
from asking import Make

from desktop.auth import accounts, htpasswd
from desktop.auth.credentials import Verdict
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import key, login
from desktop.web.login import Person


def signed_in(ask: Make, settings: Settings, name: str = "ada") -> Person:
    """Return somebody who typed the right password."""
    person = login.who(ask({"user": name, "password": f"{name}-secret"}), settings)
    assert person
    return person


def cookie_of(person: Person) -> str:
    """Return what the browser sends from now on."""
    return person.cookie.split(";")[0]


def remembered(ask: Make, settings: Settings, cookie: str) -> Person | None:
    """Return who comes back with a cookie."""
    return login.who(ask(HTTP_COOKIE=cookie), settings)


def test_signing_in_once_is_enough(ask: Make, settings: Settings) -> None:
    person = signed_in(ask, settings)
    assert (person.name, person.admin, person.method) == ("ada", True, "htpasswd")
    assert remembered(ask, settings, cookie_of(person)) == replace(person, cookie="", fresh=False)
    assert not signed_in(ask, settings, "bob").admin


@pytest.mark.parametrize(("changes", "server_name", "words"), [
    ({}, "", "Path=/desktop; Max-Age=28800; HttpOnly; SameSite=Lax"),
    ({"SCRIPT_NAME": "/create"}, "", "Path=/; Max-Age=28800; HttpOnly; SameSite=Lax"),
    ({"HTTPS": "on"}, "", "Path=/desktop; Max-Age=28800; HttpOnly; SameSite=Lax; Secure"),
    ({}, "https://outer", "Path=/desktop; Max-Age=28800; HttpOnly; SameSite=Lax; Secure")])
def test_the_cookie(ask: Make, settings: Settings, changes: dict[str, str], server_name: str,
                    words: str) -> None:
    person = login.who(ask({"user": "bob", "password": "bob-secret"}, **changes),
                       replace(settings, server_name=server_name))
    assert person and person.cookie.partition("; ")[2] == words


@pytest.mark.parametrize("fields", [
    {"user": "ada", "password": "bob-secret"}, {"user": "ada", "password": ""},
    {"user": "", "password": "ada-secret"}, {"user": "nobody", "password": "x"},
    {"user": "ada", "password": " "}, {"user": "ADA", "password": "ada-secret"},
    {"user": "ada:x", "password": "ada-secret"}, {"user": ".*", "password": "ada-secret"},
    {"user": "a.a", "password": "ada-secret"}, {"user": "ada\u202e", "password": "ada-secret"}])
def test_refused_alike(ask: Make, settings: Settings, fields: dict[str, str]) -> None:
    with pytest.raises(Refusal) as problem:
        login.who(ask(fields), settings)
    assert problem.value.status == 401
    assert problem.value.message == "Name or password are wrong."


def test_what_is_typed_counts_before_the_cookie(ask: Make, settings: Settings) -> None:
    cookie = cookie_of(signed_in(ask, settings))
    person = login.who(ask({"user": "bob", "password": "bob-secret"}, HTTP_COOKIE=cookie),
                       settings)
    assert person and person.name == "bob"
    with pytest.raises(Refusal):
        login.who(ask({"user": "bob", "password": "wrong"}, HTTP_COOKIE=cookie), settings)
    empty = login.who(ask({"user": "", "password": ""}, HTTP_COOKIE=cookie), settings)
    assert empty and empty.name == "ada"


def test_a_stranger(ask: Make, settings: Settings) -> None:
    assert login.who(ask(), settings) is None
    assert login.who(ask({}), settings) is None
    assert login.who(ask({}, REMOTE_USER="ada", HTTP_AUTHORIZATION="Basic YWRhOmFkYS1zZWNyZXQ="),
                     settings) is None


def test_forged_and_damaged_cookies(ask: Make, settings: Settings, tmp_path: Path) -> None:
    good = cookie_of(signed_in(ask, settings))
    other = replace(settings, dir_state=tmp_path / "another")
    assert remembered(ask, settings, cookie_of(signed_in(ask, other))) is None
    for bad in ("remote-desktop=", "remote-desktop=a.b.c", good[:-1], good + "A", good.upper(),
                good.replace("remote-desktop", "remote-desktop2"), "remote-desktop=" + "." * 5000,
                "remote-desktop=\xff\udcff", good[:30] + good[31:]):
        assert remembered(ask, settings, bad) is None, bad
    # Signed by us, but with another meaning or shape.
    for payload in (["ada", "guest", "", False, ""], ["ada", "ldap", "", False, ""], ["ada"],
                    "ada", {"a": 1}, None, ["ada", "htpasswd", 5, True, ""], ["ada", "htpasswd"],
                    ["ada", ["htpasswd"], "x", True, ""], [5, "htpasswd", "x", True, ""]):
        signed = login.serializer(settings).dumps(payload)
        assert remembered(ask, settings, f"remote-desktop={signed!s}") is None, payload


def test_a_cookie_ends_with_its_time(ask: Make, settings: Settings,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = cookie_of(signed_in(ask, settings))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + settings.sign_in_lifetime - 2)
    assert remembered(ask, settings, cookie)
    monkeypatch.setattr(time, "time", lambda: now + settings.sign_in_lifetime + 2)
    assert remembered(ask, settings, cookie) is None


def test_a_cookie_ends_with_its_account(ask: Make, settings: Settings) -> None:
    ada, bob = (cookie_of(signed_in(ask, settings, name)) for name in ("ada", "bob"))
    accounts.remove(settings, "bob")
    assert remembered(ask, settings, bob) is None
    accounts.add(settings, {"bob": "bob-secret"})
    assert remembered(ask, settings, bob) is None  # a new account, though of the same name
    assert remembered(ask, settings, ada)
    text = settings.file_htpasswd.read_text().replace(
        "ada:", f"ada:{bcrypt.hashpw(b'new', bcrypt.gensalt(4)).decode()}\n#")
    settings.file_htpasswd.write_text(text)
    assert remembered(ask, settings, ada) is None


def test_a_cookie_ends_with_the_key(ask: Make, settings: Settings) -> None:
    cookie = cookie_of(signed_in(ask, settings))
    (settings.dir_state / "cookie.key").unlink()
    assert remembered(ask, settings, cookie) is None
    assert remembered(ask, settings, cookie_of(signed_in(ask, settings)))


def test_a_cookie_ends_with_its_method(ask: Make, settings: Settings) -> None:
    cookie = cookie_of(signed_in(ask, settings))
    off = replace(settings, check_user_with_htpasswd=False, allow_unauthenticated=True)
    person = remembered(ask, off, cookie)
    assert person and person.method == "guest" and not person.admin


def test_who_is_no_administrator_any_more_is_none_at_once(ask: Make, settings: Settings) -> None:
    cookie = cookie_of(signed_in(ask, settings))
    person = remembered(ask, replace(settings, user_admin=()), cookie)
    assert person and not person.admin


def test_an_administrator_of_the_institution_is_one_until_signing_in_again(
        ask: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = Verdict(True, "bob", "htpasswd", admin=True, mail="bob@example.org")
    monkeypatch.setattr(htpasswd, "check", lambda *_: verdict)
    person = signed_in(ask, settings, "bob")
    assert person.admin and person.mail == "bob@example.org"
    assert remembered(ask, settings, cookie_of(person)) == replace(person, cookie="", fresh=False)
    monkeypatch.setattr(htpasswd, "check", lambda *_: replace(verdict, admin=False))
    assert not signed_in(ask, settings, "bob").admin


def test_without_a_method_nobody_comes_in(ask: Make, settings: Settings) -> None:
    off = replace(settings, check_user_with_htpasswd=False)
    for request in (ask(), ask({}), ask({"user": "ada", "password": "ada-secret"})):
        with pytest.raises(Refusal) as problem:
            login.who(request, off)
        assert problem.value.status == 403
        assert "check_user_with_htpasswd" in problem.value.hint


def test_an_open_service_tells_browsers_apart(ask: Make, settings: Settings) -> None:
    still_open = replace(settings, check_user_with_htpasswd=False, allow_unauthenticated=True,
                         user_admin=("guest",))
    first, second = (login.who(ask({}), still_open) for _ in range(2))
    assert first and second and first.name != second.name
    assert not first.admin and first.name.startswith("guest-")
    again = remembered(ask, still_open, cookie_of(first))
    assert again and again.name == first.name and again.cookie
    # Closed again: a guest is nobody.
    assert remembered(ask, settings, cookie_of(first)) is None


def test_an_open_service_still_lets_people_sign_in(ask: Make, settings: Settings) -> None:
    assert signed_in(ask, replace(settings, allow_unauthenticated=True)).admin


def test_signing_out(ask: Make, settings: Settings) -> None:
    assert login.sign_out(ask({}), settings) == (
        "remote-desktop=; Path=/desktop; Max-Age=0; HttpOnly; SameSite=Lax")


def test_the_key_is_made_once_and_is_ours_alone(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key.read(settings), range(32)))
    assert len(keys) == 1
    path = settings.dir_state / "cookie.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["cookie.key"]
    path.write_bytes(b"short")
    with pytest.raises(Refusal, match="damaged"):
        key.read(settings)


def test_a_state_that_cannot_be_kept_lets_nobody_in(ask: Make, settings: Settings,
                                                    tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal) as problem:
        login.who(ask({"user": "ada", "password": "ada-secret"}),
                  replace(settings, dir_state=tmp_path / "file"))
    assert problem.value.status == 500


def test_too_many_wrong_passwords(ask: Make, settings: Settings,
                                  caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(settings.auth_max_failures):
        with pytest.raises(Refusal) as problem:
            login.who(ask({"user": "bob", "password": "hunter2"}), settings)
        assert problem.value.status == 401
    with pytest.raises(Refusal) as problem:
        login.who(ask({"user": "bob", "password": "bob-secret"}), settings)
    assert problem.value.status == 429 and problem.value.retry_after
    assert signed_in(ask, settings)
    assert "hunter2" not in caplog.text and "bob-secret" not in caplog.text
    kept = b"".join(path.read_bytes() for path in settings.dir_state.rglob("*-*"))
    assert b"bob" not in kept and b"192.0.2.7" not in kept


def test_passwords_are_nowhere_to_be_seen(ask: Make, settings: Settings) -> None:
    from desktop.auth.credentials import Credentials
    assert "s3cret" not in repr(Credentials("ada", "s3cret", "192.0.2.7"))
    assert "ada-secret" not in repr(signed_in(ask, settings))


def test_a_cookie_that_was_signed_out_is_worth_nothing(ask: Make, settings: Settings) -> None:
    cookie, other = cookie_of(signed_in(ask, settings)), cookie_of(signed_in(ask, settings, "bob"))
    for forged in (cookie[:-9] + "A" * 9, "remote-desktop=x", ""):
        login.sign_out(ask(HTTP_COOKIE=forged), settings)
    assert not (settings.dir_state / "signed-out").exists()
    old = settings.dir_state / "signed-out" / "old"
    assert remembered(ask, settings, cookie)
    login.sign_out(ask(HTTP_COOKIE=cookie), settings)
    assert remembered(ask, settings, cookie) is None and remembered(ask, settings, other)
    old.touch()
    os.utime(old, (1, 1))
    login.sign_out(ask(HTTP_COOKIE=other), settings)
    assert remembered(ask, settings, other) is None and not old.exists()
