"""Waking a parked session by request: for its owner, or for whoever has its address and token.

The token is what lets people in to the screen, so it also has the screen come back; wrong ones are
counted like wrong passwords.
"""

import hmac

from desktop.auth import throttle
from desktop.errors import Refusal
from desktop.session import sessions, wake
from desktop.session.record import Corrupt, Record, State
from desktop.settings import Settings
from desktop.web import access, card, key, page
from desktop.web.page import Answer
from desktop.web.visit import Visit


def answer(visit: Visit) -> Answer:
    """Have a session go on that is parked; one that is not stays as it is.

    Of that one, whoever has its address alone learns no more than that.
    """
    fields, settings = visit.request.fields, visit.settings
    if "token" in fields:
        entry = find(settings, fields.get("session", ""))
        if entry.state is State.PARKED:
            check(settings, entry, fields["token"], visit.request.source)
    else:
        person = visit.must()
        entry = access.find(settings, fields.get("session", ""), person, admins=True)
        visit.meant("wake", entry.session)
        access.note(person, "wake", entry, visit.request.source)
    parked, told = entry.state is State.PARKED, "token" not in fields
    if parked:
        entry = wake.wake(settings, entry)
    return page.done(visit.request.json, {
        "session": entry.session, "state": str(entry.state), "woken": parked,
        "expires": card.moment(sessions.expires(entry)) if parked or told else ""})


def find(settings: Settings, word: str) -> Record:
    """Return the session with this id, whosever it is; raise Refusal (404)."""
    try:
        return sessions.read(settings, word)
    except (OSError, Corrupt):
        raise gone() from None


def gone() -> Refusal:
    """Return the refusal for a session that there is not."""
    return Refusal("There is no such session.", 404, "It may have ended.")


def check(settings: Settings, entry: Record, token: str, source: str) -> None:
    """Raise Refusal (403) unless this is the token of a session."""
    saved = sessions.paths(settings, entry)
    try:
        right = saved.token.read_bytes()
    except OSError as error:
        if saved.directory.exists():
            wake.check_whole(saved)
        raise gone() from error
    with throttle.attempt(settings, key.read(settings), f"session {entry.session}",
                          source) as attempt:
        attempt.right = bool(token) and hmac.compare_digest(token.encode(), right)
    if not attempt.right:
        raise Refusal("This machine is parked.", 403, "The right token has it go on.")
