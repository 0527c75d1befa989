"""What people used: the history as a page, as JSON and as a table for spreadsheets."""

import csv
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from desktop.errors import Refusal
from desktop.session import history
from desktop.session.history import Ended
from desktop.web import card, page
from desktop.web.login import Person
from desktop.web.page import Answer
from desktop.web.visit import Visit

SHOWN = 200  # sessions on the page; JSON and CSV have all
LATELY = 32 << 10  # bytes at the history's end: the last hundred sessions or so
COLUMNS = ("start", "end", "hours", "name", "machine", "user", "source", "cpu", "memory", "gpu",
           "persistent", "how")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets run texts that begin so


def answer(visit: Visit, person: Person, form: str) -> Answer:
    """Return the history of a person, an administrator's of all; `form` is `1` or `csv`."""
    if form not in ("1", "csv"):
        raise Refusal(f"history = {form!r} is not one of 1, csv.")
    ended = history.read(visit.settings, None if person.admin else person.name)
    if form == "csv":
        return page.attachment("history.csv", "text/csv; charset=utf-8", table(ended))
    facts: dict[str, Any] = {
        "totals": totals(ended, person.admin), "count": len(ended), "all": person.admin,
        "kept": visit.settings.history_days, "named": visit.settings.history_anonymise_days}
    rows = list(map(row, ended))
    return visit.show(200, facts | {"sessions": rows}, "history.html", "History",
                      sessions=rows[:SHOWN], **facts)


def lately(visit: Visit, person: Person, most: int = 5) -> list[dict[str, Any]]:
    """Return the sessions of a person that ended last."""
    return [row(one) for one in history.read(visit.settings, person.name, LATELY)[:most]]


def row(one: Ended) -> dict[str, Any]:
    """Return a session as pages and programs are told of it."""
    return asdict(one) | {"user": one.owner, "hours": round(one.hours, 2),
                          "start": card.moment(one.start), "end": card.moment(one.end)}


def totals(ended: Sequence[Ended], everybody: bool) -> dict[str, list[dict[str, Any]]]:
    """Return sessions and hours by machine and month, with `everybody` also by user."""
    kinds: dict[str, Callable[[Ended], str]] = {
        "machine": lambda one: one.machine,
        "month": lambda one: time.strftime("%Y-%m", time.gmtime(one.start))}
    if everybody:
        kinds["user"] = lambda one: one.owner
    return {kind: total(ended, key) for kind, key in kinds.items()}


def total(ended: Iterable[Ended], key: Callable[[Ended], str]) -> list[dict[str, Any]]:
    """Return sessions and hours by what `key` says of a session, most hours first."""
    sums: defaultdict[str, list[float]] = defaultdict(list)
    for one in ended:
        sums[key(one)].append(one.hours)
    rows = [{"name": name, "sessions": len(hours), "hours": round(sum(hours), 2)}
            for name, hours in sums.items()]
    return sorted(rows, key=lambda row: (-row["hours"], row["name"]))


def table(ended: Iterable[Ended]) -> str:
    """Return the history as CSV (RFC 4180); no text in it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in map(row, ended):
        writer.writerow([harmless(one[column]) for column in COLUMNS])
    return text.getvalue()


def harmless(value: Any) -> Any:
    """Return a value that a spreadsheet shows and does not run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
