"""What the monitor shows besides the list of sessions, by the name in the query that asks."""

from collections.abc import Callable, Mapping

from desktop.web import access, card, page, past, stock, watch
from desktop.web.login import Person
from desktop.web.page import Answer
from desktop.web.visit import Visit

View = Callable[[Visit, Person, str], Answer]


def one(visit: Visit, person: Person, session: str) -> Answer:
    """Return a session of a person's own, with all that opens it."""
    facts = card.own(visit.settings, access.find(visit.settings, session, person), visit.place)
    return visit.show(200, card.summary(facts, visit.ticket), "session.html", facts["title"],
                      s=facts)


def screen(visit: Visit, person: Person, session: str) -> Answer:
    """Return the picture of the screen of a session of a person's own."""
    return page.png(watch.screen(visit.settings, access.find(visit.settings, session, person)))


VIEWS: Mapping[str, View] = {"session": one, "screen": screen, "history": past.answer,
                             "machines": stock.answer}
