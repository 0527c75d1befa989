"""Who may do what, for every action and every view: owner, administrator, another one, nobody.

A new action or view without a line here fails.
"""

import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import kill
from urllib.parse import urlencode

import pytest
from service.installation import Installation
from service.person import Desktop, Reply
from service.until import until

from desktop.web import actions, views

NOWHERE = "a" * 26  # a session that there never was
TICKET = re.compile("[0-9]+-[0-9a-f]{40}")  # tells the time
Who = dict[str, int]
OWN: Who = {"": 401, "bob": 404, "ada": 200, "root": 200}  # ada is the owner, root administers
ALONE: Who = {**OWN, "root": 404}
ADMIN: Who = {"": 401, "bob": 403, "ada": 403, "root": 200}
ABSENT: Who = {**ADMIN, "root": 404}  # there is nothing to do it to
IDLE: Who = {**ADMIN, "root": 409}
ALL: Who = {"": 401, "bob": 200, "ada": 200, "root": 200}


@dataclass(frozen=True)
class Rule:
    """What an action of a form is answered, what it needs, does, and leaves in the log."""

    who: Who
    does: Callable[[Installation, str], object] = lambda site, session: True
    fields: dict[str, str] = field(default_factory=dict)
    log: str = ""


def ended(site: Installation, session: str) -> bool:
    """Tell whether a session is over, or about to be."""
    return (session not in {path.name for path in site.directories()}
            or site.record(session)["state"] == "stopping")


def aside(site: Installation, session: str) -> bool:
    """Tell whether a machine was taken from offer."""
    return "tiny.iso" not in {one["name"] for one in site.person().get(
        "create", Accept="application/json").json["machines"]}


STOP = Rule(OWN, ended, log="root: stop {name} of ada, from 127.0.0.1")
ACTIONS = {
    ("monitor", "stop"): STOP, ("admin", "stop"): STOP,
    ("monitor", "shutdown"): Rule(OWN, ended, log="root: shutdown {name} of ada, from 127.0.0.1"),
    ("monitor", "restart"): Rule(OWN, log="root: restart {name} of ada, from 127.0.0.1"),
    ("monitor", "extend"): Rule(OWN, lambda site, session: site.record(session)["extended"],
                                log="root: extend {name} of ada, from 127.0.0.1"),
    ("monitor", "message"): Rule(OWN, lambda site, session: site.record(session)["message"],
                                 {"text": "Hello"},
                                 "root: message {name} of ada, from 127.0.0.1"),
    ("monitor", "wake"): Rule(OWN, log="root: wake {name} of ada, from 127.0.0.1"),
    ("monitor", "signin"): Rule(ALL),
    ("monitor", "signout"): Rule({name: 303 for name in ALL}),
    ("admin", "purge"): Rule(ADMIN, lambda site, session: not site.directories(),
                             {"confirm": "purge"}, "root purges all sessions, from 127.0.0.1"),
    ("admin", "maintain"): Rule(ADMIN, lambda site, session: (site.state / "maintenance").exists(),
                                {"text": "Back at noon."},
                                "root began maintenance: Back at noon., from 127.0.0.1"),
    ("admin", "offer"): Rule(ADMIN, aside, {"machine": "tiny.iso", "aside": "1"},
                             "root hides the machine tiny.iso from 127.0.0.1"),
    ("admin", "remove"): Rule(ABSENT),
    ("admin", "freeze"): Rule(ABSENT, fields={"machine": "nothing.raw"}),
    ("admin", "hasten"): Rule(IDLE), ("admin", "cancel"): Rule(IDLE),
    ("admin", "discard"): Rule(ABSENT, fields={"template": "nothing"})}
VIEWS = {"session": ALONE, "look": ALONE, "screen": ALONE, "screens": ALL, "history": ALL,
         "machines": ADMIN, "freezing": ADMIN}
ROWS = [row for row in ACTIONS if row[1] not in ("signin", "signout")]


@pytest.fixture
def house(site: Installation) -> Iterator[Installation]:
    """Return a site whose maintenance ends and whose machines are on offer again."""
    yield site
    (site.state / "maintenance").unlink(missing_ok=True)
    site.person("root").post("admin", {"action": "offer", "machine": "tiny.iso", "aside": "0",
                                       **named(site, "root")})
    assert not aside(site, "")


def named(site: Installation, name: str) -> dict[str, str]:
    """Return what proves in a form who sends it; no ticket is needed then."""
    return {"user": name, "password": site.goods.passwords[name]} if name else {}


def send(site: Installation, row: tuple[str, str], session: str, name: str) -> Reply:
    """Send a form as somebody, from a browser that knows nobody."""
    script, action = row
    fields = {**ACTIONS[row].fields, "action": action, **named(site, name)}
    if ACTIONS[row].who is OWN:
        fields["session"] = session
    return site.stranger().post(script, fields, Accept="application/json")


def said(reply: Reply) -> tuple[int, str]:
    """Return what somebody is told, but for what tells the time."""
    return reply.status, TICKET.sub("", reply.text)


def test_each_action_and_each_view_has_its_rule() -> None:
    known = {"monitor": actions.MONITOR, "admin": actions.ADMIN}
    assert set(ACTIONS) == {(script, name) for script, names in known.items() for name in names}
    assert set(VIEWS) == set(views.VIEWS)


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_an_action(house: Installation, row: tuple[str, str]) -> None:
    rule = ACTIONS[row]
    desktop = house.person("ada").create()
    before = house.record(desktop.id)
    denied = [name for name, status in rule.who.items() if status != 200]
    for name in denied:
        reply = send(house, row, desktop.id, name)
        assert reply.status == rule.who[name], (name, str(reply))
        assert said(reply) == said(send(house, row, NOWHERE, name)), name
    fields = {**rule.fields, "action": row[1], "session": desktop.id}
    root = house.person("root")
    assert root.post(row[0], fields, Origin="https://evil.example").status == 403
    assert root.post(row[0], {**fields, "ticket": "x"}).status == 403
    assert root.get(f"{row[0]}?{urlencode(fields)}").status == 400
    for name in ("message", "extended", "keeper", "qemu"):
        assert house.record(desktop.id)[name] == before[name], name
    assert house.record(desktop.id)["state"] == "running" and not aside(house, "")
    assert not (house.state / "maintenance").exists()
    allowed(house, row, desktop)


def allowed(house: Installation, row: tuple[str, str], desktop: Desktop) -> None:
    """Do something as all who may; what an administrator does is in the log."""
    rule, name = ACTIONS[row], house.record(desktop.id)["name"]
    for person in (name for name, status in rule.who.items() if status == 200):
        house.pids(desktop.id)  # it runs
        reply = send(house, row, desktop.id, person)
        assert reply.status == 200, (person, str(reply))
        until(lambda: rule.does(house, desktop.id), 10, str(row))
        line = rule.log.format(name=name)
        assert (line in house.server.errors()) == (person == "root"), line
        if person == "ada":
            desktop = house.person("ada").create()
            name = house.record(desktop.id)["name"]


def test_the_button_that_hides_a_machine(house: Installation) -> None:
    root = house.person("root")
    page = root.get("monitor?machines=1").text
    ticket = re.search(r'value="tiny.iso">.*?name="ticket" value="(.*?)"', page, re.S)
    assert ticket and root.post("admin", {
        "action": "offer", "machine": "tiny.iso", "aside": "1",
        "ticket": ticket[1]}).status == 303
    assert aside(house, "")


@pytest.mark.parametrize("action", ["stop", "extend", "message"])
def test_many_at_once(site: Installation, action: str) -> None:
    """Sessions of others are answered like none also among one's own."""
    hers, his = site.person("ada").create(), site.person("bob").create()
    fields = [("action", action), ("session", hers.id), ("session", NOWHERE),
              ("session", his.id), *named(site, "bob").items()]
    fields += [("text", "Hello")] if action == "message" else []
    told = site.stranger().post("monitor", fields, Accept="application/json").json["sessions"]
    foreign, nothing, own = told
    assert foreign.pop("session") == hers.id and nothing.pop("session") == NOWHERE
    assert foreign == nothing and foreign["status"] == 404 and "problem" not in own
    record = site.record(hers.id)
    assert not record["extended"] and not record["message"] and not ended(site, hers.id)
    nobody = site.stranger().post("monitor", [pair for pair in fields if pair[0] not in (
        "user", "password")], Accept="application/json")
    assert nobody.status == 401
    fields[-1 if action != "message" else -2] = ("password", site.goods.passwords["root"])
    fields = [("user", "root") if name == "user" else (name, word) for name, word in fields]
    told = site.stranger().post("monitor", fields, Accept="application/json").json["sessions"]
    assert "problem" not in told[0] and told[1]["status"] == 404
    assert f"root: {action} {record['name']} of ada, from 127.0.0.1" in site.server.errors()


@pytest.mark.parametrize("action", ["signin", "signout"])
def test_signing_in_and_out(house: Installation, action: str) -> None:
    for name, status in ACTIONS["monitor", action].who.items():
        assert send(house, ("monitor", action), "", name).status == status, name


@pytest.mark.parametrize("view", VIEWS)
def test_a_view(site: Installation, view: str) -> None:
    old, desktop = site.person("ada").create(), site.person("ada").create()
    site.pids(old.id)
    old.stop()
    words = {**dict.fromkeys(("session", "look", "screen"), desktop.id),
             "history": "1", "machines": "1", "freezing": "1", "screens": "mine"}
    until(lambda: site.person("ada").get(f"monitor?screen={desktop.id}").status == 200, 10)
    for name, status in VIEWS[view].items():
        person = site.person(name) if name else site.stranger()
        for accept in ("text/html", "application/json"):
            reply = person.get(f"monitor?{view}={words[view]}", Accept=accept)
            leads = view == "freezing" and accept == "text/html" and status == 200  # to a page
            assert reply.status == (303 if leads else status), (name, str(reply))
            if VIEWS[view] is ALONE and status != 200:
                nothing = person.get(f"monitor?{view}={NOWHERE}", Accept=accept)
                assert said(reply) == said(nothing), name
            told = reply.body.decode(errors="replace")
            assert (desktop.token or "?") not in told or name == "ada" and view == "session"
            if view == "screens" and status == 200:
                assert list(reply.json["screens"]) == ([desktop.id] if name == "ada" else []), name
            if view == "history":
                assert (old.facts["name"] in told) == (name in ("ada", "root")), name


def test_the_lists(site: Installation) -> None:
    desktop = site.person("ada").create()
    for name, sees in {"bob": False, "ada": True, "root": True}.items():
        for accept in ("text/html", "application/json"):
            told = site.person(name).get("monitor", Accept=accept).text
            assert (desktop.facts["name"] in told) == sees, name
            assert ((desktop.token or "?") in told) == (name == "ada"), name
    assert site.stranger().get("monitor").status == 401
    for name, status in ADMIN.items():
        person = site.person(name) if name else site.stranger()
        assert person.get("admin").status == status, name
    for name in ALL:
        person = site.person(name) if name else site.stranger()
        assert person.get("monitor?format=prometheus").status == 403, name


def test_nothing_waits_for_the_session_of_somebody_else(site: Installation) -> None:
    """Who is told that there is none waits no longer than if there was none."""
    desktop = site.person("ada").create()
    pids = site.pids(desktop.id)
    bob = site.person("bob")
    bob.get("monitor")
    for pid in pids.values():
        kill(pid, signal.SIGSTOP)
    try:
        for view in ("session", "screen"):
            begun = time.monotonic()
            assert bob.get(f"monitor?{view}={desktop.id}").status == 404
            assert time.monotonic() - begun < 2
        for row in ROWS:
            if ACTIONS[row].who is OWN:
                begun = time.monotonic()
                assert send(site, row, desktop.id, "bob").status == 404
                assert time.monotonic() - begun < 2
    finally:
        for pid in pids.values():
            kill(pid, signal.SIGCONT)
