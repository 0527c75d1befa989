#!/usr/bin/env python3
"""Sessions: one's own, an administrator's all; their screens, their history, signing in."""

import json
import os
import sys

sys.path[:1] = [os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib")]

from desktop.commandline import Command
from desktop.errors import Refusal
from desktop.session import housekeeping, sessions
from desktop.web import actions, card, edge, metrics, page, table, views, watch
from desktop.web.page import Answer
from desktop.web.script import Errand, Script
from desktop.web.visit import Visit

COMMANDS = (
    Command("service_monitor", "", "All sessions and the server, as without it."),
    Command("session_watch", "SESSION", "Follow one, by id, name or record, until it ends."),
    Command("json", "", "Print JSON."))


def web(visit: Visit) -> Answer:
    """Show one's sessions, one of them, its screen, or what is over."""
    if visit.request.method == "POST":
        return actions.do(visit, actions.MONITOR)
    query = visit.request.query
    if len(query) > 1 and not query.keys() <= set(table.QUERY):
        raise Refusal(f"Ask for one thing, not for {' and '.join(query)}.")
    if "format" in query:
        return metrics.answer(visit, query["format"])
    person = visit.must()
    for name in filter(views.VIEWS.__contains__, query):
        return views.VIEWS[name](visit, person, query[name])
    return views.all(visit, person)


def by_hand(errand: Errand) -> None:
    """Print a table, a page, or what becomes of one session."""
    settings, line = errand.settings, errand.line
    if "session_watch" in line.commands:
        entry = sessions.find(settings, line.commands["session_watch"])
        if sys.stdout.isatty():
            return watch.rewrite(watch.live(settings, entry))
        for words in watch.follow(settings, entry):
            print(words, flush=True)
        return None
    entries = housekeeping.sweep(settings)
    facts = card.overview(settings, entries, errand.user, None, everybody=True)
    if line.on("json"):
        print(json.dumps(card.listing(facts)))
    elif sys.stdout.isatty():
        print(table.text(facts))
    else:
        print(page.by_itself(settings, "sessions.html", "Sessions", rows=facts["sessions"],
                             view=table.View(), columns=table.COLUMNS, **facts))


SCRIPT = Script(
    name="monitor", about="Show the sessions and the server.", web=web, by_hand=by_hand,
    commands=COMMANDS, query=("format", *views.VIEWS, *table.QUERY), many=("session",),
    fields=("action", "session", "seconds", "text", "token", "user", "password", "ticket"))

if __name__ == "__main__":
    edge.run(SCRIPT)
