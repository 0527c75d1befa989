"""What the monitor shows: all sessions, or what a name in the query asks for."""

from collections.abc import Callable, Mapping
from typing import Any

from desktop import maintenance
from desktop.errors import Refusal
from desktop.session import housekeeping, sessions
from desktop.web import access, card, freezing, page, past, stock, table, watch
from desktop.web.login import Person
from desktop.web.page import Answer
from desktop.web.visit import Visit

REFRESH = 60  # seconds
View = Callable[[Visit, Person, str], Answer]


def all(visit: Visit, person: Person) -> Answer:
    """Return a person's sessions, to administrators all and the server."""
    settings, wanted = visit.settings, table.view(visit.request.query)
    facts = card.overview(settings, housekeeping.sweep(settings), person.name, visit.place,
                          everybody=person.admin)
    rows = table.rows(wanted, facts["sessions"])
    if visit.request.json:
        return page.data(200, card.listing(facts | {"sessions": rows}, visit.ticket))
    return page.html(200, visit.frame, "sessions.html", "Sessions", refresh=REFRESH, rows=rows,
                     view=wanted, columns=table.COLUMNS, lately=past.lately(visit, person),
                     **facts)


def one(visit: Visit, person: Person, session: str) -> Answer:
    """Return a session of a person's own, with all that opens it."""
    entry = access.find(visit.settings, session, person)
    facts = card.own(visit.settings, entry, visit.place)
    if person.admin:
        facts["boot_reason"] = entry.boot_reason
    return visit.show(200, card.summary(facts, visit.ticket), "session.html", facts["title"],
                      s=facts)


def look(visit: Visit, person: Person, session: str) -> Answer:
    """Return the page with the screen of a session; an administrator's look at others' is logged.

    Not each picture, and not what the page asks for as JSON while it is open.
    """
    entry = access.seen(visit.settings, session, person)
    facts = card.public(visit.settings, entry, False) | card.pictured(entry)
    if visit.request.json:
        return page.data(200, card.summary(facts, visit.ticket))
    access.note(person, "look at", entry, visit.request.source)
    return page.html(200, visit.frame, "look.html", f"Screen of {entry.name}", s=facts)


def screen(visit: Visit, person: Person, session: str) -> Answer:
    """Return the picture of the screen of a session."""
    return page.png(watch.screen(visit.settings, access.seen(visit.settings, session, person)))


def screens(visit: Visit, person: Person, whose: str) -> Answer:
    """Return the pictures of the screens of all sessions of a person's own, for programs."""
    if whose != "mine":
        raise Refusal("Only screens=mine can be asked for.")
    mine = [entry for entry in sessions.all(visit.settings) if entry.owner == person.name]
    return page.data(200, {"screens": watch.screens(visit.settings, mine)})


def administration(visit: Visit) -> Answer:
    """Return what an administrator may do beyond one's sessions."""
    access.must_be_admin(visit.must())
    facts: dict[str, Any] = {"count": len(sessions.all(visit.settings)),
                             "maintenance": maintenance.text(visit.settings)}
    return visit.show(200, facts | {"tickets": visit.tickets("maintain", "purge")},
                      "admin.html", "Administration", **facts)


VIEWS: Mapping[str, View] = {"session": one, "look": look, "screen": screen,
                             "screens": screens, "history": past.answer,
                             "machines": stock.answer, "freezing": freezing.answer}
