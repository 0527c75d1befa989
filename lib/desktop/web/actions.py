"""What the forms of the pages do: sign in and out; stop, extend, tell a session; administer.

What somebody does to a session of another is a line in the log.
"""

import logging
from collections.abc import Callable, Mapping

from desktop import maintenance
from desktop.errors import Refusal
from desktop.machine import catalogue
from desktop.session import ending, extension, housekeeping, news, sessions
from desktop.session.record import Record
from desktop.web import access, card, login, page
from desktop.web.page import Answer
from desktop.web.visit import Visit

log = logging.getLogger("actions")
Action = Callable[[Visit], Answer]


def do(visit: Visit, known: Mapping[str, Action]) -> Answer:
    """Do what the field `action` names."""
    action = known.get(visit.request.fields.get("action", ""))
    if not action:
        raise Refusal("There is no such action.", 400, f"There are {', '.join(known)}.")
    return action(visit)


def sign_in(visit: Visit) -> Answer:
    """Let somebody in."""
    return page.done(visit.request.json, {"person": visit.must().name})


def sign_out(visit: Visit) -> Answer:
    """Let the browser forget who uses it."""
    if visit.who():
        visit.meant("signout")
    return page.see("./").plus("Set-Cookie", login.sign_out(visit.request, visit.settings))


def stop(visit: Visit) -> Answer:
    """Stop a session of one's own, or as an administrator anybody's."""
    entry = steered(visit, "stop")
    ending.stop(visit.settings, entry)
    return page.done(visit.request.json, {"session": entry.session, "state": "ended"})


def extend(visit: Visit) -> Answer:
    """Put off the end of a session, an hour when nothing is said."""
    entry = steered(visit, "extend")
    seconds = extension.wanted(visit.request.fields.get("seconds", ""))
    given = extension.extend(visit.settings, entry, seconds, admin=visit.must().admin)
    expires = sessions.expires(entry) + given
    return page.done(visit.request.json, {
        "session": entry.session, "seconds": given, "expires": card.moment(expires)})


def message(visit: Visit) -> Answer:
    """Lay a message over the desktop of a session."""
    entry, person = steered(visit, "message"), visit.must()
    sender = person.name if person.name == entry.owner else news.ADMINISTRATION
    viewers = news.send(visit.settings, entry, visit.request.fields.get("text", ""), sender)
    return page.done(visit.request.json, {"session": entry.session, "viewers": viewers})


def shut_down(visit: Visit) -> Answer:
    """Ask a guest to shut itself down; its keeper ends it when it does not, and nobody waits."""
    entry = steered(visit, "shutdown")
    ending.ask_to_stop(visit.settings, entry, True, "shut down")
    return page.done(visit.request.json, {"session": entry.session, "state": "stopping"})


def restart(visit: Visit) -> Answer:
    """Reset a machine, as its button would; its disk stays."""
    entry = steered(visit, "restart")
    if not ending.tell_qemu(sessions.paths(visit.settings, entry), "system_reset"):
        raise Refusal("The machine does not answer.", 503, "Stopping it still works.")
    return page.done(visit.request.json, {"session": entry.session, "state": str(entry.state)})


def steered(visit: Visit, action: str) -> Record:
    """Return the session that this is meant for: one's own, as an administrator anybody's."""
    person = visit.must()
    entry = access.find(visit.settings, visit.request.fields.get("session", ""), person,
                        admins=True)
    visit.meant(action, entry.session)
    if person.name != entry.owner:
        log.info("%s: %s %s of %s, from %s", person.name, action, entry.name, entry.owner,
                 visit.request.source)
    return entry


def purge(visit: Visit) -> Answer:
    """Stop all sessions, for an administrator who typed the word."""
    access.must_be_admin(visit.must())
    if visit.request.fields.get("confirm") != "purge":
        raise Refusal("The purge is not confirmed.", 400, "Type the word purge.")
    visit.meant("purge")
    return page.done(visit.request.json, {"purged": housekeeping.purge(visit.settings)})


def offer(visit: Visit) -> Answer:
    """Take a machine from offer, or back, for an administrator."""
    person, fields = visit.must(), visit.request.fields
    access.must_be_admin(person)
    name, aside = fields.get("machine", ""), fields.get("aside", "")
    if aside not in ("0", "1"):
        raise Refusal(f"aside = {aside!r} is not one of 0, 1.")
    visit.meant("offer", name)
    catalogue.put_aside(visit.settings, name, aside == "1")
    log.info("%s %s the machine %s from %s", person.name,
             "hides" if aside == "1" else "shows", name, visit.request.source)
    return page.done(visit.request.json, {"machine": name, "aside": aside == "1"},
                     "monitor?machines=1")


def maintain(visit: Visit) -> Answer:
    """Begin maintenance with a text, or end it with 0, for an administrator."""
    person = visit.must()
    access.must_be_admin(person)
    visit.meant("maintain")
    words = visit.request.fields.get("text", "")
    on = maintenance.change(visit.settings, words)
    log.info("%s %s from %s", person.name, f"began maintenance: {words}," if on
             else "ended maintenance", visit.request.source)
    return page.done(visit.request.json, {"maintenance": maintenance.text(visit.settings)})


MONITOR: Mapping[str, Action] = {"stop": stop, "shutdown": shut_down, "restart": restart,
                                 "extend": extend, "message": message, "signin": sign_in,
                                 "signout": sign_out}
ADMIN: Mapping[str, Action] = {"purge": purge, "stop": stop, "maintain": maintain, "offer": offer}
