"""What of the table is shown, and in which order."""

from typing import Any

import pytest

from desktop.errors import Refusal
from desktop.web import table


def one(name: str, **facts: Any) -> dict[str, Any]:
    return {"session": name * 26, "name": name, "machine": "tiny.iso", "title": "Tiny",
            "user": "ann", "source": "192.0.2.7", "cpu": 1, "memory": 256, "grown": 0, "gpu": [],
            "persistent": True, "viewers": 0, "state": "running", "reason": "", "processes": [],
            "start": "2030-01-01T00:00:00Z", "expires": "", **facts}


def names(sessions: list[dict[str, Any]], **query: str) -> str:
    return "".join(row["name"] for row in table.rows(table.view(query), sessions))


@pytest.mark.parametrize(("column", "few", "many"), [
    ("start", {"start": "2029-12-31T23:59:59Z"}, {}), ("name", {}, {}),
    ("machine", {"machine": "Bsd.iso"}, {"machine": "tiny.iso"}),
    ("user", {"user": "Bob"}, {"user": "eve"}), ("source", {"source": ""}, {}),
    ("cpu", {"cpu": 2}, {"cpu": 10}), ("memory", {"memory": 512}, {"memory": 1024}),
    ("grown", {"grown": 9}, {"grown": 10}), ("gpu", {}, {"gpu": ["0000:01:00.0"]}),
    ("mode", {}, {"persistent": False}), ("viewers", {}, {"viewers": 1}),
    ("state", {"state": "paused"}, {}),
    ("processes", {}, {"processes": [{"memory": 60}]}),
    ("ends", {"expires": "2031-01-01T00:00:00Z"}, {"expires": ""})])
def test_each_column_sorts_both_ways(column: str, few: dict[str, Any],
                                     many: dict[str, Any]) -> None:
    sessions = [one("b", **many), one("a", **few)]
    assert names(sessions, sort=column) == "ab"
    assert names(sessions, sort=f"-{column}") == "ba"


def test_every_column_is_tried_above() -> None:
    tried = test_each_column_sorts_both_ways.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {row[0] for row in tried} == table.COLUMNS.keys()


def test_equals_keep_their_order() -> None:
    assert names([one("b"), one("c"), one("a")], sort="user") == "bca"
    assert names([one("b"), one("c"), one("a")], sort="-user") == "acb"


def test_each_word_is_looked_for_anywhere() -> None:
    sessions = [one("a", user="Ada"), one("b", state="paused", reason="disk full"),
                one("c", persistent=False, gpu=["0000:01:00.0"])]
    for find, found in (("", "abc"), ("ADA", "a"), ("full disk", "b"), ("192.0.2.7", "abc"),
                        ("single", "c"), ("01:00", "c"), ("tiny ada", "a"), ("ada full", ""),
                        ("a" * 26, "a"), ("  ", "abc"), ("%", "")):
        assert names(sessions, find=find) == found, find
    assert names(sessions, state="paused") == "b" and names(sessions, state="parked") == ""


@pytest.mark.parametrize("query", [{"sort": "x"}, {"sort": "--user"}, {"sort": "-"},
                                   {"state": "x"}, {"sort": "__class__"}])
def test_what_there_is_not_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        table.view(query)
    assert refused.value.status == 400


def test_a_title_sorts_and_turns() -> None:
    view = table.view({"sort": "user"})
    assert (view.order("user"), view.turn("user")) == ("ascending", "-user")
    assert (view.order("name"), view.turn("name")) == ("", "name")
    view = table.view({"sort": "-user"})
    assert (view.order("user"), view.turn("user")) == ("descending", "user")
    assert table.view({"sort": "", "find": "", "state": ""}) == table.View()


def test_a_terminal_is_told_why() -> None:
    state = table.COLUMNS["state"]
    assert state.text(one("a", reason="not parked: no room")) == "running (not parked: no room)"
    assert state.text(one("a")) == "running"
