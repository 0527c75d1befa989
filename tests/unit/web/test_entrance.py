"""What somebody is asked: no more than the methods need, in the site's words, and only once."""

import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import running

from desktop import configuration
from desktop.settings import Settings
from desktop.web import entrance

TYPED = {"user": 'ada "x" <b>', "password": "s3cret-typed", "machine": "disk.raw", "cpu": "2",
         "persistent": "1", "terms": "1", "form": "abc"}


def answer(settings: Settings, path: Path, name: str, fields: Mapping[str, str] | None,
           **changes: str) -> tuple[int, Mapping[str, str], str]:
    """Return status, headers and text of what a browser gets."""
    settings.dir_machines.mkdir(exist_ok=True)
    configuration.write(settings, path / "desktop.ini")
    return running.answer(path / "desktop.ini", name, fields,
                          **{"HTTP_ACCEPT": "text/html", **changes})


def fields_of(text: str) -> dict[str, str]:
    """Return what the form in the page would send, were nothing more typed."""
    found = {}
    form = text.partition("<main")[2]
    for tag in re.findall(r"<input[^>]*>", form):
        facts = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        found[facts["name"]] = unescape(facts.get("value", ""))
    return found


@pytest.mark.parametrize("name", ["create", "monitor", "admin"])
def test_all_that_was_typed_comes_again_but_the_password(settings: Settings, tmp_path: Path,
                                                         name: str) -> None:
    typed = TYPED if name == "create" else {
        **{key: TYPED[key] for key in ("user", "password")}, "action": "stop", "session": "x"}
    status, _, text = answer(settings, tmp_path, name, typed)
    assert status == 401 and "wrong" in text
    assert f'action="{name}"' in text
    assert fields_of(text) == {**typed, "password": ""}
    assert "s3cret-typed" not in text and "<b>" not in text


def test_the_name_is_kept_where_one_must_wait(settings: Settings, tmp_path: Path) -> None:
    for _ in range(settings.auth_max_failures):
        answer(settings, tmp_path, "create", {**TYPED, "user": "ada"})
    status, headers, text = answer(settings, tmp_path, "create", {**TYPED, "user": "ada"})
    assert status == 429 and int(headers["Retry-After"]) > 0
    assert fields_of(text) == {**TYPED, "user": "ada", "password": ""}


def test_what_one_does_not_see_is_asked_before(settings: Settings, tmp_path: Path) -> None:
    signed = {"HTTP_ORIGIN": "http://desktop.example.org"}
    _, headers, _ = answer(settings, tmp_path, "monitor", {
        "action": "signin", "user": "bob", "password": "bob-secret"})
    signed["HTTP_COOKIE"] = headers["Set-Cookie"].split(";")[0]
    typed = {"machine": "none.raw", "terms": "1", "cpu": "2", "form": "x"}
    status, _, text = answer(settings, tmp_path, "create", typed, **signed)
    assert status == 403 and "none.raw" in text
    again = fields_of(text)
    assert {**again, "ticket": ""} == {**typed, "ticket": ""}
    status, _, text = answer(settings, tmp_path, "create", again, **signed)
    assert status == 404  # meant, but there is no such machine
    status, _, text = answer(settings, tmp_path, "monitor", {"action": "signout"}, **signed)
    assert status == 403
    status, headers, _ = answer(settings, tmp_path, "monitor", fields_of(text), **signed)
    assert status == 303 and "Max-Age=0" in headers["Set-Cookie"]


def test_whatever_it_is_about(settings: Settings, tmp_path: Path) -> None:
    (settings.dir_machines).mkdir()
    (settings.dir_machines / "disk.raw").write_bytes(b"\0" * (1 << 20))
    _, headers, _ = answer(settings, tmp_path, "monitor", {
        "action": "signin", "user": "ada", "password": "ada-secret"})
    signed = {"HTTP_ORIGIN": "http://desktop.example.org",
              "HTTP_COOKIE": headers["Set-Cookie"].split(";")[0]}
    for typed in ({"action": "offer", "machine": "disk.raw", "aside": "1"},
                  {"action": "maintain", "text": "New disks."},
                  {"action": "purge", "confirm": "purge"}):
        status, _, text = answer(settings, tmp_path, "admin", typed, **signed)
        assert status == 403
        status, _, _ = answer(settings, tmp_path, "admin", fields_of(text), **signed)
        assert status == 303, typed


WAYS = {"htpasswd": {"check_user_with_htpasswd": True},
        "custom": {"check_user_custom": "/bin/true"},
        "remote_user": {"check_user_with_remote_user": True}}


@pytest.mark.parametrize(("ways", "user", "password"), [
    (("htpasswd",), True, True), (("custom",), True, True), (("remote_user",), False, False),
    (("remote_user", "htpasswd"), True, True)])
def test_only_what_is_needed(settings: Settings, tmp_path: Path, ways: tuple[str, ...], user: bool,
                             password: bool) -> None:
    changed = replace(settings, check_user_with_htpasswd=False)
    for way in ways:
        changed = replace(changed, **WAYS[way])
    assert entrance.enter(changed, True) == {"user": user, "password": password, "email": False}
    assert not any(entrance.enter(changed, False).values())
    status, _, text = answer(changed, tmp_path, "monitor", None)
    assert status == 401
    assert ('name="user"' in text, 'name="password"' in text) == (user, password)
    assert ("administrator" in text) == (ways == ("remote_user",))


def test_the_sites_own_words(settings: Settings, tmp_path: Path) -> None:
    assert entrance.words(settings) == {"user": "User", "password": "Password", "help": ""}
    ours = replace(settings, sign_in_user="Matricule", sign_in_password="Passphrase",
                   sign_in_help="As for <the> library.")
    _, _, text = answer(ours, tmp_path, "monitor", None)
    for word in ("Matricule", "Passphrase", "As for &lt;the&gt; library."):
        assert word in text


def test_apache_says_who_one_is(settings: Settings, tmp_path: Path) -> None:
    believing = replace(settings, check_user_with_htpasswd=False, check_user_with_remote_user=True)
    _, _, text = answer(believing, tmp_path, "monitor", None, REMOTE_USER="eve@EXAMPLE.ORG")
    assert "eve@EXAMPLE.ORG" in text and "Sign out" not in text
    leaving = replace(believing, remote_user_sign_out="/desktop/oidc?logout=%2Fdesktop%2F")
    _, _, text = answer(leaving, tmp_path, "monitor", None, REMOTE_USER="eve")
    assert '<a href="/desktop/oidc?logout=%2Fdesktop%2F">Sign out</a>' in text
    assert 'value="signout"' not in text


def test_only_a_machine_can_be_mailed(settings: Settings, tmp_path: Path) -> None:
    both = replace(settings, check_user_with_email=True)
    assert entrance.enter(both, True) == {"user": True, "password": True, "email": True}
    assert "link" in entrance.words(both)["help"]
    status, _, text = answer(both, tmp_path, "monitor", None)
    assert status == 401 and "link by mail" not in text and 'maxlength="1024" required' in text
    alone = replace(both, check_user_with_htpasswd=False)
    assert entrance.enter(alone, True) == {"user": True, "password": False, "email": True}
    status, _, text = answer(alone, tmp_path, "monitor", None)
    assert status == 401 and entrance.IN_MAIL in text and 'name="user"' not in text
