"""What the forms of the pages do: sign in and out; stop, extend, tell a session; administer.

What somebody does to a session of another is a line in the log.
"""

import logging
from collections.abc import Callable, Mapping

from desktop import maintenance
from desktop.errors import Refusal
from desktop.machine import catalogue
from desktop.session import aside, ending, housekeeping, sessions
from desktop.session.record import Record
from desktop.web import access, freezing, login, page, selection
from desktop.web.page import Answer
from desktop.web.visit import Visit

log = logging.getLogger("actions")
Action = Callable[[Visit], Answer]


def do(visit: Visit, known: Mapping[str, Action]) -> Answer:
    """Do what the field `action` names, to one session or to a selection."""
    name = visit.request.fields.get("action", "")
    if name not in known:
        raise Refusal("There is no such action.", 400, f"There are {', '.join(known)}.")
    if name in selection.STEPS and selection.asked(visit):
        return selection.do(visit, name)
    return known[name](visit)


def sign_in(visit: Visit) -> Answer:
    """Let somebody in."""
    return page.done(visit.request.json, {"person": visit.must().name})


def sign_out(visit: Visit) -> Answer:
    """Let the browser forget who uses it."""
    if visit.who():
        visit.meant("signout")
    return page.see("./").plus("Set-Cookie", login.sign_out(visit.request, visit.settings))


def steer(visit: Visit) -> Answer:
    """Stop, extend or tell a session of one's own, or as an administrator anybody's."""
    action = visit.request.fields["action"]
    entry = steered(visit, action)
    return page.done(visit.request.json, {"session": entry.session,
                                          **selection.STEPS[action](visit, entry)})


def shut_down(visit: Visit) -> Answer:
    """Ask a guest to shut itself down; its keeper ends it when it does not, and nobody waits."""
    entry = steered(visit, "shutdown")
    sessions.must_be_awake(entry)
    ending.ask_to_stop(visit.settings, entry, "shut down", polite=True)
    return page.done(visit.request.json, {"session": entry.session, "state": "stopping"})


def restart(visit: Visit) -> Answer:
    """Reset a machine, as its button would; its disk stays."""
    entry = steered(visit, "restart")
    sessions.must_be_awake(entry)
    if not ending.tell_qemu(sessions.paths(visit.settings, entry), "system_reset"):
        raise Refusal("The machine does not answer.", 503, "Stopping it still works.")
    return page.done(visit.request.json, {"session": entry.session, "state": str(entry.state)})


def wake(visit: Visit) -> Answer:
    """Have a parked session go on."""
    from desktop.web import waking  # it reads as much as a start
    return waking.answer(visit)


def steered(visit: Visit, action: str) -> Record:
    """Return the session that this is meant for: one's own, as an administrator anybody's."""
    fields, person = visit.request.fields, visit.must()
    entry = access.find(visit.settings, fields.get("session", ""), person, admins=True)
    visit.meant(action, entry.session)
    access.note(person, action, entry, visit.request.source)
    return entry


def purge(visit: Visit) -> Answer:
    """Stop all sessions, for an administrator who typed the word."""
    person = visit.must()
    access.must_be_admin(person)
    if visit.request.fields.get("confirm") != "purge":
        raise Refusal("The purge is not confirmed.", 400, "Type the word purge.")
    visit.meant("purge")
    log.info("%s purges all sessions, from %s", person.name, visit.request.source)
    return page.done(visit.request.json, {"purged": housekeeping.purge(visit.settings)})


def remove(visit: Visit) -> Answer:
    """Remove a record that cannot be used, and what runs of its session, for an administrator."""
    person, session = visit.must(), visit.request.fields.get("session", "")
    access.must_be_admin(person)
    visit.meant("remove", session)
    if not aside.remove(visit.settings, session):
        raise Refusal("There is no such record.", 404, "Somebody else may have removed it.")
    log.info("%s removes the unusable record %s, from %s", person.name, session,
             visit.request.source)
    return page.done(visit.request.json, {"session": session, "state": "removed"})


def offer(visit: Visit) -> Answer:
    """Take a machine from offer, or back, for an administrator."""
    person, fields = visit.must(), visit.request.fields
    access.must_be_admin(person)
    name, word = fields.get("machine", ""), fields.get("aside", "")
    if word not in ("0", "1"):
        raise Refusal(f"aside = {word!r} is not one of 0, 1.")
    hide = word == "1"
    visit.meant("offer", name)
    catalogue.put_aside(visit.settings, name, hide)
    log.info("%s %s the machine %s from %s", person.name, "hides" if hide else "shows", name,
             visit.request.source)
    return page.done(visit.request.json, {"machine": name, "aside": hide},
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


MONITOR: Mapping[str, Action] = {**dict.fromkeys(selection.STEPS, steer), "shutdown": shut_down,
                                 "restart": restart, "wake": wake, "signin": sign_in,
                                 "signout": sign_out}
ADMIN: Mapping[str, Action] = {"purge": purge, "stop": steer, "maintain": maintain,
                               "offer": offer, "remove": remove, **freezing.ACTIONS}
