"""The pages, given the worst that people may type."""

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest

import desktop.web
from desktop.web import table

TEMPLATES = Path(desktop.web.__file__).parent / "templates"
HTML = Path(__file__).parents[3] / "html"
BAD = "<script>\"'&"
SESSION: dict[str, Any] = {
    "session": "a" * 26, "name": BAD, "machine": BAD, "title": BAD, "user": BAD, "source": BAD,
    "state": "running", "reason": BAD, "href": BAD, "address": BAD, "token": BAD, "grown": 12,
    "start": "2030-01-02T03:04:05Z", "expires": "2030-01-02T05:04:05Z", "remaining": 7200,
    "persistent": True, "cpu": 1, "memory": 1536, "disk": 1.5, "accel": "tcg", "gpu": [BAD],
    "began": "booted", "boot_reason": BAD,
    "viewers": 1, "warn": 600, "screen": BAD, "used": {"cpu": 1.5, "memory": 99},
    "extension": {"seconds": 3600, "problem": ""},
    "processes": [{"name": BAD, "pid": 7, "memory": 60, "cpu": 0.1}],
    "volumes": [{"path": BAD, "tag": BAD, "writable": True, "command": BAD}]}
HOST = {"cpus": 2, "load": 0.5, "memory": 4096, "promised": 1024, "available": 2048,
        "disk_free": 9.5, "sessions": 1, "max_sessions": 10, "accel": "tcg", "warnings": [BAD],
        "accel_reason": BAD, "versions": {BAD: BAD, "QEMU": ""},
        "gpus": [{"address": BAD, "user": user, "name": BAD, "problem": problem}
                 for user, problem in ((BAD, ""), ("", BAD), ("", ""))],
        "graphs": {name: {"words": BAD, "lines": [BAD]}
                   for name in ("sessions", "load", "memory", "disk")}}
ENDED = {"name": BAD, "machine": BAD, "user": BAD, "how": BAD, "hours": 1.25,
         "start": "2030-01-02T03:04:05Z", "end": "2030-01-02T05:04:05Z"}
DRAFT = {"machine": BAD, "cpu": 1, "memory": 256, "words": BAD}
TEMPLATE = {"template": BAD, "title": BAD, "machine": BAD, "cpu": 1, "memory": 256, "video": BAD,
            "size": 99, "sessions": 0, "stale": BAD, "superseded": False, "rests": False,
            "trouble": BAD, "failed": "2030-01-02T03:04:05Z", "made": "2030-01-02T03:04:05Z",
            "seconds": 75}
PAGES: dict[str, dict[str, Any]] = {
    "session.html": {"s": SESSION},
    "sessions.html": {"sessions": [SESSION], "all": True, "host": HOST, "lately": [ENDED],
                      "rows": [SESSION],
                      "corrupt": [{"session": BAD, "problem": BAD, "state": state,
                                   "when": "2030-01-02T03:04:05Z"}
                                  for state in ("running", "parked", "over")],
                      "view": table.View(find=BAD),
                      "columns": table.COLUMNS},
    "look.html": {"s": SESSION},
    "told.html": {"told": [{"session": BAD, "problem": BAD}, {"session": BAD, "name": BAD}]},
    "history.html": {"sessions": [ENDED], "all": True, "count": 2, "kept": 9, "named": 3,
                     "totals": {"user": [{"name": BAD, "sessions": 2, "hours": 1.5}]}},
    "sign_in.html": {"action": "monitor", "message": BAD, "kept": {"machine": BAD}, "user": BAD,
                     "enter": {"user": True, "password": True, "email": True},
                     "words": {"user": BAD, "password": BAD, "help": BAD}},
    "confirm.html": {"action": "create", "message": BAD, "kept": {"machine": BAD},
                     "wanted": ("create", BAD), "does": BAD},
    "refusal.html": {"status": 503, "message": BAD, "hint": BAD, "incident": BAD,
                     "retry_after": 5, "back": "./"},
    "mailed.html": {"title": BAD, "mail": BAD, "wait": 3600},
    "letter.html": {"s": SESSION | {"link": BAD, "host": BAD, "wait": 3600}},
    "notice.html": {"s": SESSION | {"link": BAD, "more": {"seconds": 0, "problem": BAD}}},
    "machines.html": {"machines": [{
        "title": BAD, "name": BAD, "problem": problem, "hidden": False, "aside": True,
        "users": [BAD], "size": 1.5, "format": BAD, "sessions": 1, "uses": 2,
        "used": "2030-01-02T03:04:05Z", "cpu": {"default": 1, "max": 2},
        "memory": {"default": 256, "max": 512}} for problem in ("", BAD)],
        "templates": [TEMPLATE, {**TEMPLATE, "stale": "", "machine": "", "made": ""},
                      {**TEMPLATE, "superseded": True}],
        "freezing": {**DRAFT, "since": "2030-01-02T03:04:05Z"}, "failure": None},
    "admin.html": {"count": 2, "maintenance": BAD}}


def render(name: str, **facts: Any) -> str:
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True,
                             undefined=jinja2.StrictUndefined)
    common = {"page": {"title": BAD, "refresh": None},
              "person": {"name": BAD, "admin": True, "sign_out": None},
              "ticket": lambda action, session="": f"{BAD}{action} {session}",
              "notices": [BAD], "service": {"version": "0"}, "inline_css": None}
    return env.get_template(name).render(**{**common, **PAGES[name], **facts})


@pytest.mark.parametrize("name", PAGES)
def test_escapes_everything(name: str) -> None:
    assert BAD not in render(name)
    assert "<script>" not in render(name)


@pytest.mark.parametrize("name", PAGES)
def test_runs_nothing_that_the_policy_forbids(name: str) -> None:
    page = render(name)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|https?://", page)
    for file in re.findall(r'(?:src|href)="([\w/.-]+\.(?:js|css|svg|html))"', page):
        assert (HTML / file).is_file(), file


@pytest.mark.parametrize("state", ["claimed", "starting", "running", "paused", "parked",
                                   "stopping", "ended", "failed"])
def test_only_a_live_session_can_be_opened(state: str) -> None:
    page = render("session.html", s=SESSION | {"state": state, "href": "viewer#x"})
    live = state in ("claimed", "starting", "running", "paused", "parked")
    assert ("viewer#x" in page) == live


@pytest.mark.parametrize("name", ["session.html", "sessions.html"])
def test_a_page_tells_of_the_end_when_it_is_near(name: str) -> None:
    for left, shown in ((601, False), (600, True), (59, True)):
        one = SESSION | {"remaining": left, "reason": ""}
        page = render(name, s=one, sessions=[one])
        notice = re.search(r'<p class="notice warn" data-ending="600"(.*?)>It ends in\s*'
                           r"<span>(.*?)</span>", page)
        assert notice and (notice[1] != " hidden") == shown, page
    assert "<span>59 s</span>. Save your work elsewhere, or extend it." in page
    over = render(name, s=one | {"extension": {"seconds": 0, "problem": "No."}}, sessions=[])
    assert "or extend it" not in over


@pytest.mark.parametrize("name", ["session.html", "sessions.html"])
def test_a_parked_one_can_be_woken_and_holds_nothing(name: str) -> None:
    for state, parked in (("parked", True), ("running", False)):
        one = SESSION | {"state": state, "processes": [], "used": None, "reason": ""}
        page = render(name, s=one, sessions=[one], rows=[one])
        assert ('name="action" value="wake"' in page) == parked
        assert ("elsewhere or gone" in page) == (name == "sessions.html" and not parked)
        assert ("none: it is parked" in page) == (name == "sessions.html" and parked)
        assert (", promised 1.5&nbsp;GB" in page) == (name == "sessions.html" and not parked)


@pytest.mark.parametrize("name", ["session.html", "sessions.html"])
def test_why_it_is_so_is_a_remark_of_its_own(name: str) -> None:
    one = SESSION | {"state": "running", "reason": "not parked: no room"}
    page = render(name, s=one, sessions=[one], rows=[one])
    assert "data-reason>not parked: no room</small>" in page and "running:" not in page


def test_only_what_boots_takes_minutes() -> None:
    assert "takes minutes" in render("session.html", s=SESSION)
    assert "takes minutes" not in render("session.html", s=SESSION | {"began": "resumed"})


def test_without_a_token_or_an_end() -> None:
    page = render("session.html", s=SESSION | {"token": None, "expires": "", "remaining": 0})
    assert "No token is asked" in page
    assert "No limit" in page


def test_what_is_not_ones_own_can_be_stopped_but_not_opened() -> None:
    page = render("sessions.html", **dict.fromkeys(("sessions", "rows"), [SESSION | {"href": ""}]))
    assert 'value="stop"' in page
    assert "monitor?session=" not in page


def test_a_page_by_itself_needs_no_other_file() -> None:
    page = render("sessions.html", inline_css="p { color: red }", person=None)
    assert "<style>p { color: red }</style>" in page
    assert not re.search(r"<form|<link|<script|src=|href=", page)


def test_the_form_names_its_files_and_nothing_else() -> None:
    for page in (HTML / "index.html", HTML / "terms.html"):
        text = page.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>|https?://", text)
        for file in re.findall(r'(?:src|href)="([\w/-]+\.\w+)"', text):
            assert (HTML / file).is_file(), file


def test_machines_are_frozen_one_at_a_time() -> None:
    def page(**facts: Any) -> str:
        idle = {"freezing": None, **facts}
        return render("machines.html", **idle)
    assert page().count("Freeze it now") == 0  # each is aside, or has a problem
    able = [PAGES["machines.html"]["machines"][0] | {"aside": False}]
    assert page(machines=able).count("Freeze it now") == 1
    assert "It is ready" not in page(machines=able)
    assert "Freeze it now" not in page(machines=able, freezing=PAGES["machines.html"]["freezing"])
    failed = page(machines=able, failure={**DRAFT, "at": "2030-01-02T03:04:05Z"})
    assert "could not\nbe frozen" in failed and "Freeze it now" in failed


def test_a_template_in_use_is_not_removed() -> None:
    one = TEMPLATE | {"stale": "", "trouble": "", "failed": ""}

    def page(**facts: Any) -> str:
        return render("machines.html", templates=[one | facts], freezing=None)
    assert 'value="discard"' in page() and "Freeze again" not in page()
    assert 'value="discard"' not in page(sessions=1)
    assert "Freeze again" in page(stale="gone") and "Freeze again" in page(trouble="silent")
    assert "Freeze again" not in page(stale="newer", superseded=True)
    assert "sessions start at once" in page()
    assert "sessions boot until" in page(rests=True) and "at once</span>" not in page(rests=True)


def test_a_session_says_how_it_began() -> None:
    assert "it was there at once" in render("session.html", s=SESSION | {"began": "resumed"})
    assert "with its boot" in render("session.html")
    assert "booted instead: no answer" in render(
        "session.html", s=SESSION | {"boot_reason": "no answer"})
    assert "booted instead" not in render("session.html", s=SESSION | {"boot_reason": ""})
