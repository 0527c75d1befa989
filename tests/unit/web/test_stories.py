"""The stories of the three scripts, told to browsers and programs of all kinds."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from running import answer
from test_card import SECRET, add

from desktop import configuration, maintenance
from desktop.settings import Settings
from desktop.web import ticket
from desktop.web.login import Person

Web = Callable[..., tuple[int, Mapping[str, str], str]]
TICKET = re.compile(r"[0-9]+-[0-9a-f]{40}")  # tells the time
ADA = {"user": "ada", "password": "ada-secret"}
BOB = {"user": "bob", "password": "bob-secret"}


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Web:
    """Return what tells status, headers and text of an answer."""
    settings.dir_machines.mkdir(exist_ok=True)
    configuration.write(settings, tmp_path / "desktop.ini")
    return partial(answer, tmp_path / "desktop.ini")


def cookie(web: Web, who: Mapping[str, str]) -> str:
    """Return the cookie of somebody who signs in."""
    status, headers, _ = web("monitor", {"action": "signin", **who})
    assert (status, headers["Location"]) == (303, "monitor")
    return headers["Set-Cookie"].split(";")[0]


def ticketed(settings: Settings, name: str, **fields: str) -> dict[str, str]:
    """Return the fields of a form as our page sends them."""
    return {**fields, "ticket": ticket.make(settings, Person(name, False, "htpasswd"),
                                            fields["action"], fields.get("session", ""))}


def test_the_forms_facts(web: Web) -> None:
    status, headers, text = web("create")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(text)["enter"] == {"user": True, "password": True, "email": False}
    status, headers, _ = web("create", HTTP_ACCEPT="text/html,*/*;q=0.8")
    assert (status, headers["Location"]) == (303, "./")


@pytest.mark.parametrize(("fields", "status"), [
    ({}, 401), ({"machine": "tiny.iso"}, 401), ({"terms": "1"}, 401),
    ({**ADA, "password": "x", "terms": "1"}, 401), ({"user": "ada", "terms": "1"}, 401),
    (BOB, 400), ({**BOB, "terms": "0"}, 400), ({**BOB, "terms": ""}, 400),
    ({**BOB, "terms": "1", "cpu": "2\nrm"}, 400), ({**BOB, "terms": "1", "cpu": "²"}, 400),
    ({**BOB, "terms": "1", "memory": ""}, 400), ({**BOB, "terms": "1", "cpu": "-1"}, 400),
    ({**BOB, "terms": "1", "memory": "99999999"}, 400),
    ({**BOB, "terms": "1", "dir_cfg": "/"}, 400),
    ({**BOB, "terms": "1", "machine": "../../etc/passwd"}, 404),
    ({**BOB, "terms": "1", "machine": "<script>alert(1)</script>"}, 404),
    ({**BOB, "terms": "1", "machine": "a,readonly=off.qcow2"}, 404),
    ({**BOB, "terms": "1", "machine": "a\0"}, 400), ({**BOB, "terms": "1", "machine": ""}, 400),
    ({**BOB, "terms": "1", "session_purge": "1"}, 400),
    ({**BOB, "machine": "[ADMIN] purge"}, 403), ({"machine": "[ADMIN] monitor"}, 401)])
def test_what_starts_nothing(web: Web, settings: Settings, fields: dict[str, str],
                             status: int) -> None:
    (settings.dir_machines / "disk.raw").write_bytes(b"\0" * (1 << 20))
    fields = {"machine": "disk.raw", **fields} if "user" in fields else fields
    found, _, text = web("create", fields, HTTP_ACCEPT="text/html")
    assert found == status, text
    assert "<script>alert" not in text
    assert not settings.dir_cfg.exists() or not [
        path for path in settings.dir_cfg.iterdir() if path.is_dir()]


def test_administrators_are_sent_on(web: Web) -> None:
    for machine, where in (("[ADMIN] monitor", "monitor"), ("[ADMIN] purge", "admin")):
        status, headers, _ = web("create", {**ADA, "machine": machine})
        assert (status, headers["Location"]) == (303, where)


def test_a_name_is_not_a_pattern(web: Web, settings: Settings) -> None:
    for user in (".*", "...", "a.a", "ada|x", "[a]da"):
        assert web("create", {"user": user, "password": "x", "terms": "1"})[0] == 401


def test_the_monitor_asks_who_one_is(web: Web) -> None:
    status, headers, text = web("monitor", HTTP_ACCEPT="text/html")
    assert status == 401 and 'name="password"' in text
    assert web("monitor", HTTP_ACCEPT="application/json")[0] == 401
    status, _, text = web("monitor", {"action": "signin", "user": "ada", "password": "x"},
                          HTTP_ACCEPT="text/html")
    assert status == 401 and "wrong" in text


def test_ones_own_sessions(web: Web, settings: Settings) -> None:
    mine, other = add(settings, "bob"), add(settings, "ada")
    signed = {"HTTP_COOKIE": cookie(web, BOB)}
    _, _, text = web("monitor", HTTP_ACCEPT="text/html", **signed)
    assert mine.name in text and other.name not in text
    _, _, text = web("monitor", HTTP_ACCEPT="application/json", **signed)
    [facts] = json.loads(text)["sessions"]
    assert facts["token"] == SECRET and json.loads(text)["host"] is None
    status, _, text = web("monitor", QUERY_STRING=f"session={mine.session}", **signed)
    assert status == 200 and SECRET in text
    nothing_like_it = "a" * 26
    answers = set()
    for word in (other.session, nothing_like_it, other.name, str(settings.dir_cfg / other.session),
                 "..", ""):
        for what in ("session", "screen"):
            status, _, text = web("monitor", QUERY_STRING=f"{what}={word}", **signed)
            answers.add((status, TICKET.sub("", text)))
        status, _, text = web("monitor", {"action": "stop", "session": word},
                              HTTP_ORIGIN="http://desktop.example.org", **signed)
        answers.add((status, TICKET.sub("", text)))
    assert len(answers) == 1 and answers.pop()[0] == 404
    assert (settings.dir_cfg / other.session).is_dir()


def test_administrators_see_all_but_no_tokens(web: Web, settings: Settings) -> None:
    other = add(settings, "bob")
    signed = {"HTTP_COOKIE": cookie(web, ADA)}
    for accept in ("text/html", "application/json"):
        status, _, text = web("monitor", HTTP_ACCEPT=accept, **signed)
        assert status == 200 and other.name in text and SECRET not in text
    for what in ("session", "screen"):
        assert web("monitor", QUERY_STRING=f"{what}={other.session}", **signed)[0] == 404


def test_stopping(web: Web, settings: Settings) -> None:
    mine, other = add(settings, "bob"), add(settings, "ada")
    ours = {"HTTP_ORIGIN": "http://desktop.example.org"}
    bob, ada = cookie(web, BOB), cookie(web, ADA)
    assert web("monitor", {"action": "stop", "session": mine.session})[0] == 401
    for evil in ({"HTTP_ORIGIN": "http://evil.example"}, {"HTTP_ORIGIN": "null"}, {}):
        assert web("monitor", {"action": "stop", "session": mine.session},
                   HTTP_COOKIE=bob, **evil)[0] == 403
    for query in (f"action=stop&session={mine.session}", f"session_stop={mine.session}"):
        assert web("monitor", QUERY_STRING=query, HTTP_COOKIE=bob)[0] == 400
    assert (settings.dir_cfg / mine.session).is_dir()
    stop = ticketed(settings, "bob", action="stop", session=mine.session)
    for wrong in ({"ticket": ""}, ticketed(settings, "ada", action="stop", session=mine.session),
                  ticketed(settings, "bob", action="stop", session=other.session)):
        status, _, text = web("monitor", {**stop, **wrong, "session": mine.session},
                              HTTP_COOKIE=bob, HTTP_ACCEPT="text/html", **ours)
        assert status == 403 and mine.session in text
    assert (settings.dir_cfg / mine.session).is_dir()
    status, headers, _ = web("monitor", stop, HTTP_COOKIE=bob, **ours)
    assert (status, headers["Location"]) == (303, "monitor")
    assert not (settings.dir_cfg / mine.session).exists()
    mine = add(settings, "bob")
    status, _, text = web("admin", ticketed(settings, "ada", action="stop", session=mine.session),
                          HTTP_COOKIE=ada, HTTP_ACCEPT="application/json", **ours)
    assert (status, json.loads(text)["session"]) == (200, mine.session)
    assert (settings.dir_cfg / other.session).is_dir()


def test_purging(web: Web, settings: Settings) -> None:
    entry = add(settings, "bob")
    ours = {"HTTP_ORIGIN": "http://desktop.example.org"}
    bob, ada = ({"HTTP_COOKIE": cookie(web, who), **ours} for who in (BOB, ADA))
    purge = {"action": "purge", "confirm": "purge"}
    assert web("admin", purge)[0] == 401
    assert web("admin", purge, **bob)[0] == 403
    assert web("admin", HTTP_COOKIE=bob["HTTP_COOKIE"])[0] == 403
    assert web("admin", HTTP_ACCEPT="text/html")[0] == 401
    assert web("admin", {"action": "purge"}, **ada)[0] == 400
    assert web("admin", {"action": "purge", "confirm": "yes"}, **ada)[0] == 400
    assert web("admin", {"action": "user_add", "session": "eve"}, **ada)[0] == 400
    status, _, text = web("admin", HTTP_COOKIE=ada["HTTP_COOKIE"])
    assert status == 200 and "One session" in text
    assert (settings.dir_cfg / entry.session).is_dir()
    assert web("admin", purge, **ada)[0] == 403
    assert (settings.dir_cfg / entry.session).is_dir()
    assert web("admin", ticketed(settings, "ada", **purge), **ada)[0] == 303
    assert not (settings.dir_cfg / entry.session).exists()


def test_signing_out(web: Web, settings: Settings) -> None:
    signed = {"HTTP_COOKIE": cookie(web, BOB), "HTTP_ORIGIN": "http://desktop.example.org"}
    assert web("monitor", {"action": "signout"}, **signed)[0] == 403
    status, headers, _ = web("monitor", ticketed(settings, "bob", action="signout"), **signed)
    assert (status, headers["Location"]) == (303, "./")
    assert "Max-Age=0" in headers["Set-Cookie"]


def test_maintenance_is_said_and_nothing_new_starts(web: Web, settings: Settings) -> None:
    maintenance.change(settings, "New disks until 14:00.")
    facts = json.loads(web("create")[2])
    assert facts["free"]["sessions"] == 0 and facts["free"]["reason"] == "New disks until 14:00."
    assert facts["service"]["notices"][0] == "New disks until 14:00."
    status, headers, text = web("create", {**ADA, "machine": "x.iso", "terms": "1"})
    assert status == 503 and headers["Retry-After"] and "New disks until 14:00." in text
    assert "New disks until 14:00." in web("monitor", HTTP_COOKIE=cookie(web, BOB))[2]


def test_administrators_begin_and_end_maintenance(web: Web, settings: Settings) -> None:
    text = "Back at noon."
    assert web("admin", {**BOB, "action": "maintain", "text": text})[0] == 403
    assert maintenance.text(settings) == ""
    assert web("admin", {**ADA, "action": "maintain", "text": text})[0] == 303
    assert maintenance.text(settings) == text
    assert text in web("admin", HTTP_COOKIE=cookie(web, ADA))[2]
    assert web("admin", {"action": "maintain", "text": "0"},
               HTTP_COOKIE=cookie(web, ADA), HTTP_ORIGIN="http://desktop.example.org")[0] == 403
    assert maintenance.text(settings) == text, "there was no ticket"
    assert web("admin", {**ADA, "action": "maintain", "text": "0"})[0] == 303
    assert maintenance.text(settings) == ""
