#!/usr/bin/env python3
"""Start a machine: what the form may offer (GET), a session from the form (POST), one by hand."""

import json
import os
import sys

sys.path[:1] = [os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib")]

from desktop.commandline import Command
from desktop.session.start import start
from desktop.web import access, edge, form, mailed, page
from desktop.web.page import Answer
from desktop.web.script import Errand, Script
from desktop.web.visit import Visit

COMMANDS = (
    Command("cpu", "N", "Virtual CPUs."),
    Command("memory", "MB", "Memory."),
    Command("video", "CARD", "Video card."),
    Command("gpu", "1", "With a GPU of its own."),
    Command("persistent", "1", "Goes on when its viewer leaves."),
    Command("lifetime", "SECONDS", "Time until it is stopped."),
    Command("json", "", "Print the session as JSON."))
ADMINISTRATION = {"[ADMIN] monitor": "monitor", "[ADMIN] purge": "admin"}


def web(visit: Visit) -> Answer:
    """Say what can be had; or start it, and answer when its screen does."""
    settings, fields = visit.settings, visit.request.fields
    if visit.request.method == "GET":
        # Who follows a link, or comes back to the answer of a POST, wants the form itself.
        from desktop.web import offer  # a POST does without
        return page.see("./") if visit.request.html else page.data(200, offer.offer(visit))
    if mailed.wanted(visit):
        return mailed.start(visit)
    person = visit.must()
    if fields.get("machine") in ADMINISTRATION:
        access.must_be_admin(person)
        return page.see(ADMINISTRATION[fields["machine"]])
    form.check_terms(fields)
    wish = form.wish(fields)
    visit.meant("create")
    entry = start(settings, wish, person.name, source=visit.request.source,
                  method=person.method, mail=person.mail, admin=person.admin,
                  meanwhile=lambda: page.warm_up(visit.frame))
    from desktop.web import card  # half of it was read while start() waited
    facts = card.own(settings, entry, visit.place)
    return visit.show(201, card.summary(facts, visit.ticket), "session.html", facts["title"],
                      s=facts)


def by_hand(errand: Errand) -> None:
    """Start what was asked for and print its address."""
    from desktop.web import card, server
    settings, line = errand.settings, errand.line
    for warning in server.warnings(settings):
        print(warning, file=sys.stderr)
    entry = start(settings, form.wish(line.commands), errand.user, method="hand",
                  admin=True, direct=True)
    facts = card.own(settings, entry, None)
    print(json.dumps(card.brief(facts)) if line.on("json") else facts["url"])


SCRIPT = Script(
    name="create", about="Start a machine and print its address.", web=web, by_hand=by_hand,
    commands=COMMANDS, fields=form.FIELDS, data=True)

if __name__ == "__main__":
    edge.run(SCRIPT)
