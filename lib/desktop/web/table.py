"""The table of all sessions: its columns, what of it is shown and in which order; as text too.

`?sort=user`, or `-user` for the other way round, `&find=words` and `&state=running` say so, for
people without scripts and for the page's own (html/table.js) alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop.errors import Refusal
from desktop.finding import visible
from desktop.session.record import State

QUERY = ("sort", "find", "state")
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: its title, what rows are sorted by, and what a terminal shows."""

    title: str
    key: Callable[[Facts], Any]
    text: Callable[[Facts], str] = lambda one: ""


def mode(one: Facts) -> str:
    """Return whether a session outlives its viewer."""
    return "persistent" if one["persistent"] else "single-shot"


def word(name: str) -> Column:
    """Return a column of words, sorted as people look them up."""
    return Column(name.capitalize(), lambda one: one[name].casefold(), lambda one: one[name])


def status(one: Facts) -> str:
    """Return what a session does, and why."""
    return f"{one['state']} ({one['reason']})" if one["reason"] else str(one["state"])


def number(title: str, name: str, unit: str = "") -> Column:
    """Return a column of numbers."""
    return Column(title, lambda one: one[name], lambda one: f"{one[name]}{unit}")


COLUMNS: Mapping[str, Column] = {
    "start": Column("Start", lambda one: one["start"], lambda one: one["start"]),
    "name": word("name"), "machine": word("machine"), "user": word("user"),
    "source": Column("From", lambda one: one["source"], lambda one: one["source"] or "-"),
    "cpu": number("CPU", "cpu"), "memory": number("Memory", "memory", " MB"),
    "grown": number("Disk grown", "grown", " MB"),
    "gpu": Column("GPU", lambda one: len(one["gpu"]), lambda one: "yes" if one["gpu"] else "no"),
    "mode": Column("Mode", mode, mode), "viewers": number("Viewers", "viewers"),
    "state": Column("State", lambda one: one["state"], status),
    "processes": Column("Processes", lambda one: sum(each["memory"] for each in one["processes"]),
                        lambda one: f"{sum(each['memory'] for each in one['processes'])} MB"),
    "ends": Column("Ends", lambda one: one["expires"] or "never",
                   lambda one: one["expires"] or "never")}


@dataclass(frozen=True)
class View:
    """What somebody wants to see of the table."""

    sort: str = "start"
    find: str = ""
    state: str = ""

    @property
    def column(self) -> str:
        """Return the column that the rows are sorted by."""
        return self.sort.removeprefix("-")

    def order(self, name: str) -> str:
        """Return how a column is sorted, in the words of aria-sort; nothing when it is not."""
        if name != self.column:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    def turn(self, name: str) -> str:
        """Return what a click on a column's title sorts by: that, or the other way round."""
        return f"-{name}" if self.sort == name else name


def view(query: Mapping[str, str]) -> View:
    """Return the view that a query asks for; raise Refusal for one that there is not."""
    found = View(query.get("sort") or "start", query.get("find", "").strip(),
                 query.get("state", ""))
    if found.column not in COLUMNS:
        raise Refusal(f"sort = {found.sort!r} is not one of {', '.join(COLUMNS)}.")
    if found.state and found.state not in list(State):
        raise Refusal(f"state = {found.state!r} is not one of {', '.join(State)}.")
    return found


def rows(wanted: View, sessions: Sequence[Facts]) -> list[Facts]:
    """Return the sessions that a view shows, in its order: each word is somewhere in a row."""
    words = wanted.find.casefold().split()
    shown = [one for one in sessions if (not wanted.state or one["state"] == wanted.state)
             and (not words or all(part in haystack(one) for part in words))]
    found = sorted(shown, key=COLUMNS[wanted.column].key)
    return found[::-1] if wanted.sort.startswith("-") else found


def haystack(one: Facts) -> str:
    """Return all words of a row."""
    return " ".join([*(one[name] for name in ("name", "machine", "title", "user", "source",
                                              "state", "reason")), mode(one),
                     *one["gpu"], one["session"]]).casefold()


def text(facts: Facts) -> str:
    """Return an overview as text for a terminal."""
    host = facts["host"]
    lines = [f"{host['sessions']} sessions of {host['max_sessions'] or 'any number'}. "
             f"{host['cpus']} CPUs, {host['load']:.0%} busy, {host['accel']}. "
             f"Memory {host['available']} of {host['memory']} MB available, "
             f"{host['promised']} MB promised. {host['disk_free']:.1f} GB of disk free.",
             ", ".join(f"{name} {version}" for name, version in host["versions"].items()
                       if version) + ".",
             *(f"GPU {one['address']}: {gpu(one)}" for one in host["gpus"]), *host["warnings"]]
    grid = [[column.title.upper() for column in COLUMNS.values()],
            *([visible(column.text(one)) for column in COLUMNS.values()]
              for one in facts["sessions"])]
    lines += [f"The record {one['session']} of {one['when']} cannot be used: "
              f"{visible(one['problem'])}; --session_stop={one['session']} removes it."
              for one in facts["corrupt"]]
    widths = [max(map(len, column)) for column in zip(*grid)]
    if facts["sessions"]:
        lines += ["", *("  ".join(map(str.ljust, row, widths)).rstrip() for row in grid)]
    return "\n".join(lines)


def gpu(card: Facts) -> str:
    """Return who has a GPU, or why nobody can."""
    if card["user"]:
        return f"{card['user']}, {card['name']}"
    return str(card["problem"] or "free")
