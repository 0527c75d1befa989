"""Several sessions at once: what is done to those that somebody selected, and what became of each.

One that is unknown or has ended keeps nobody from the rest: it is told beside what was done.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from desktop import together
from desktop.errors import Refusal
from desktop.session import ending, extension, news, sessions
from desktop.session.record import Record
from desktop.web import access, card, page
from desktop.web.card import SELECTED
from desktop.web.page import Answer
from desktop.web.ticket import Unmeant
from desktop.web.visit import Visit

Step = Callable[[Visit, Record], dict[str, Any]]


def stop(visit: Visit, entry: Record) -> dict[str, Any]:
    """Stop a session; somebody else may be at it, or may just have done it."""
    ending.stop(visit.settings, entry)
    return {"state": "ended"}


def extend(visit: Visit, entry: Record) -> dict[str, Any]:
    """Put off the end of a session, an hour when nothing is said."""
    seconds = extension.wanted(visit.request.fields.get("seconds", ""))
    given = extension.extend(visit.settings, entry, seconds, admin=visit.must().admin)
    return {"seconds": given, "expires": card.moment(sessions.expires(entry) + given)}


def message(visit: Visit, entry: Record) -> dict[str, Any]:
    """Lay a message over the desktop of a session."""
    person = visit.must()
    sender = person.name if person.name == entry.owner else news.ADMINISTRATION
    return {"viewers": news.send(visit.settings, entry, visit.request.fields.get("text", ""),
                                 sender)}


STEPS: Mapping[str, Step] = {"stop": stop, "extend": extend, "message": message}


def chosen(visit: Visit) -> list[str]:
    """Return the sessions that a form names, each once."""
    return list(dict.fromkeys(visit.request.fields.get("session", "").split()))


def asked(visit: Visit) -> bool:
    """Tell whether a form is about a selection: it names several, or has the ticket for them."""
    if len(chosen(visit)) > 1:
        return True
    with suppress(Unmeant):
        visit.meant(SELECTED)
        return not visit.must().fresh  # who has just typed a password needs no ticket
    return False


def do(visit: Visit, action: str) -> Answer:
    """Do it to each; a browser goes on to the monitor, or reads what could not be done."""
    person = visit.must()
    visit.meant(SELECTED)
    if not chosen(visit):
        raise Refusal("No session is selected.", 400, "Tick one at least.")
    if action == "message":
        news.tidy(visit.request.fields.get("text", ""))  # wrong for one is wrong for all

    def one(session: str) -> dict[str, Any]:
        try:
            entry = access.find(visit.settings, session, person, admins=True)
            access.note(person, action, entry, visit.request.source)
            return {"session": session, "name": entry.name, **STEPS[action](visit, entry)}
        except Refusal as problem:
            return {"session": session, "status": problem.status, "problem": str(problem)}

    told = together.each(one, chosen(visit))
    if visit.request.json or any("problem" in each for each in told):
        return visit.show(200, {"sessions": told}, "told.html", "Not all could be done",
                          told=told)
    return page.see("monitor")
