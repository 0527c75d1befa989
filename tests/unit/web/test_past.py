"""The history as people and programs see it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from test_stories import ADA, BOB, Web, cookie, web

from desktop.session import history
from desktop.settings import Settings

__all__ = ["web"]


def line(owner: str, machine: str, start: float, hours: float, name: str) -> str:
    """Return a line of the history."""
    return json.dumps({
        "session": "a" * 26, "name": name, "owner": owner, "method": "htpasswd",
        "source": "192.0.2.9", "machine": machine, "cpu": 2, "memory": 512, "gpu": [],
        "persistent": True, "start": start, "end": start + hours * 3600, "how": "stopped"}) + "\n"


@pytest.fixture(autouse=True)
def past(settings: Settings) -> Iterator[Path]:
    """Let three sessions be over."""
    settings.dir_log.mkdir(parents=True)
    settings.dir_state.mkdir(parents=True)
    file = history.path(settings)
    file.write_text(line("bob", "tiny.iso", 1e9, 2, "tiny-a")
                    + line("ada", "=1+1.raw", 1e9, 1, "x")
                    + line("bob", "tiny.iso", 1.1e9, 4, "tiny-b"))
    yield file


def asked(web: Web, who: Mapping[str, str], form: str, **changes: str) -> tuple[int, str]:
    """Return status and text of the history as somebody asks for it."""
    status, _, text = web("monitor", HTTP_COOKIE=cookie(web, who),
                          QUERY_STRING=f"history={form}", **changes)
    return status, text


def test_everybody_sees_what_was_theirs(web: Web) -> None:
    status, text = asked(web, BOB, "1")
    assert status == 200 and "tiny-a" in text and "tiny-b" in text and "1+1" not in text
    facts = json.loads(asked(web, BOB, "1", HTTP_ACCEPT="application/json")[1])
    assert facts["totals"] == {
        "machine": [{"name": "tiny.iso", "sessions": 2, "hours": 6.0}],
        "month": [{"name": "2004-11", "sessions": 1, "hours": 4.0},
                  {"name": "2001-09", "sessions": 1, "hours": 2.0}]}
    _, _, text = web("monitor", HTTP_COOKIE=cookie(web, BOB))
    assert "tiny-b" in text and "stopped" in text


def test_administrators_see_all_and_what_it_comes_to(web: Web) -> None:
    facts = json.loads(asked(web, ADA, "1", HTTP_ACCEPT="application/json")[1])
    assert [one["name"] for one in facts["sessions"]] == ["tiny-b", "x", "tiny-a"]
    assert facts["totals"]["user"][0] == {"name": "bob", "sessions": 2, "hours": 6.0}
    status, text = asked(web, ADA, "1")
    assert status == 200 and "bob" in text and "By user" in text


def test_spreadsheets_get_texts_and_no_formulas(web: Web) -> None:
    status, text = asked(web, ADA, "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert status == 200 and [row["user"] for row in rows] == ["bob", "ada", "bob"]
    assert rows[1]["machine"] == "'=1+1.raw" and rows[0]["hours"] == "4.0"


def test_strangers_and_other_forms_get_nothing(web: Web) -> None:
    assert web("monitor", QUERY_STRING="history=csv")[0] == 401
    assert asked(web, ADA, "xml")[0] == 400


def test_machines_are_hidden_and_shown_by_administrators(web: Web, settings: Settings) -> None:
    settings.dir_machines.mkdir(exist_ok=True)
    (settings.dir_machines / "tiny.raw").write_bytes(bytes(1 << 20))

    def machines(who: Mapping[str, str] = ADA) -> tuple[int, str]:
        status, _, text = web("monitor", HTTP_COOKIE=cookie(web, who),
                              QUERY_STRING="machines=1", HTTP_ACCEPT="application/json")
        return status, text

    def offer(who: Mapping[str, str], aside: str, name: str = "tiny.raw") -> int:
        return web("admin", {**who, "action": "offer", "machine": name, "aside": aside})[0]

    assert machines(BOB)[0] == 403 and offer(BOB, "1") == 403
    one, = json.loads(machines()[1])["machines"]
    assert (one["name"], one["sessions"], one["aside"]) == ("tiny.raw", 0, False)
    assert [offer(ADA, "1", name) for name in ("../tiny.raw", "other.raw", "")] == [404] * 3
    assert offer(ADA, "") == 400
    assert offer(ADA, "1") == 303
    assert json.loads(web("create")[2])["machines"] == []
    assert web("create", {**ADA, "machine": "tiny.raw", "terms": "1"})[0] == 404
    assert json.loads(machines()[1])["machines"][0]["aside"] is True
    assert offer(ADA, "0") == 303
    assert [one["name"] for one in json.loads(web("create")[2])["machines"]] == ["tiny.raw"]
