"""html/openapi.json says what programs are told: all of it, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from running import load
from test_card import add
from test_stories import ADA, BOB, Web, cookie, web

from desktop import maintenance
from desktop.session import history
from desktop.settings import Settings
from desktop.web import actions, form

__all__ = ["web"]
DESCRIBED: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "html/openapi.json").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = DESCRIBED["components"]["schemas"]


def check(name: str, text: str) -> Any:
    """Check an answer against a schema; return what it says."""
    told = json.loads(text)
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{name}", **DESCRIBED})
    assert not [f"{'/'.join(map(str, error.instance_path))}: {error.message}"
                for error in validator.iter_errors(told)]
    return told


@pytest.mark.parametrize(("query", "who", "name"), [
    ("", BOB, "Sessions"), ("", ADA, "Sessions"), ("history=1", BOB, "History"),
    ("history=1", ADA, "History"), ("machines=1", ADA, "Machines"),
    ("machines=1", BOB, "Error"), ("session=x", BOB, "Error"), ("nonsense=1", BOB, "Error"),
    ("session={mine}", BOB, "Session"), ("look={mine}", BOB, "Session"),
    ("look={mine}", ADA, "Error"), ("history=1&machines=1", ADA, "Error")])
def test_what_the_monitor_tells(web: Web, settings: Settings, query: str, who: dict[str, str],
                                name: str) -> None:
    mine = add(settings, "bob")
    history.add(settings, add(settings, "bob"), "stopped")
    (settings.dir_log / f"{'b' * 26}.corrupt").write_text("{")
    status, _, text = web("monitor", QUERY_STRING=query.format(mine=mine.session),
                          HTTP_COOKIE=cookie(web, who), HTTP_ACCEPT="application/json")
    assert status == 200 or name == "Error"
    told = check(name, text)
    if name == "Sessions":
        assert len(told["corrupt"]) == (who is ADA)
    if name == "History":
        assert told["count"] == 1
    if name == "Sessions":
        assert len(told["sessions"]) == 2 and bool(told["host"]) == (who is ADA)


def test_what_else_is_told(web: Web, settings: Settings) -> None:
    for variables in ({}, {"HTTP_COOKIE": cookie(web, BOB)}):
        check("Offer", web("create", **variables)[2])
    maintenance.change(settings, "Back at noon.")
    told = check("Administration", web("admin", HTTP_COOKIE=cookie(web, ADA),
                                       HTTP_ACCEPT="application/json")[2])
    assert told["maintenance"] == "Back at noon." and all(told["tickets"].values())
    for fields in ({**ADA, "action": "maintain", "text": "0"}, {**ADA, "action": "signin"},
                   {**ADA, "action": "purge", "confirm": "purge"}):
        script = "monitor" if fields["action"] == "signin" else "admin"
        status, _, text = web(script, fields, HTTP_ACCEPT="application/json")
        assert status == 200 and check("Done", text)
    assert check("Error", web("create", BOB, HTTP_ACCEPT="application/json")[2])["status"] == 400


def test_what_is_taken_is_described() -> None:
    for name, fields in (("Wish", form.FIELDS), ("Steering", load("monitor").fields),
                         ("Administering", load("admin").fields)):
        assert set(SCHEMAS[name]["properties"]) == set(fields)
        assert SCHEMAS[name]["additionalProperties"] is False
    assert SCHEMAS["Steering"]["properties"]["action"]["enum"] == sorted(actions.MONITOR)
    assert SCHEMAS["Administering"]["properties"]["action"]["enum"] == sorted(actions.ADMIN)
    asked = DESCRIBED["paths"]["/monitor"]["get"]["parameters"]
    assert {one["name"] for one in asked} == set(load("monitor").query)
