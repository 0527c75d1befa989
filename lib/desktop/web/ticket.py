"""Tickets: what our own forms carry, so that a form of somebody else's does nothing.

A browser says by itself who sends a form, which tells nothing of what that person wants. A ticket
is good for one person, one action and what that is about, a session or a machine, for as long as
a sign-in. Who types a password into the same form needs none: a stranger's page does not know it.
"""

import hmac
import json
import re
import time
from collections.abc import Callable
from functools import cache

from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import key
from desktop.web.login import Person

TICKET = re.compile("([0-9]{1,12})-([0-9a-f]{40})")


class Unmeant(Refusal):
    """A form without its ticket: whoever sent it is asked whether they meant it."""

    def __init__(self, action: str, about: str) -> None:
        super().__init__("This form was not opened by you, or long ago.", 403,
                         "Programs find a ticket in the answers to GET create and GET monitor.")
        self.wanted = (action, about)


def maker(settings: Settings, person: Person) -> Callable[..., str]:
    """Return what makes tickets for this person, of an action and what it is about, if anything.

    A page of a thousand sessions has thousands: the secret is read once, when it is needed.
    """
    now, mine = str(int(time.time())), cache(lambda: secret(settings))

    def make(action: str, about: str = "") -> str:
        return f"{now}-{seal(mine(), person, action, about, now)}"

    return make


def make(settings: Settings, person: Person, action: str, about: str = "") -> str:
    """Return a ticket for this person to do this, to this session or machine if any."""
    return maker(settings, person)(action, about)


def check(settings: Settings, person: Person, action: str, about: str, ticket: str) -> None:
    """Raise Unmeant unless the ticket is good for this; who has just typed a password needs none.

    One from the future is as bad as an old one: the clock was set back since.
    """
    if person.fresh:
        return
    match = TICKET.fullmatch(ticket)
    ours = match and seal(secret(settings), person, action, about, match[1])
    if not (match and ours and hmac.compare_digest(match[2], ours)
            and 0 <= time.time() - int(match[1]) <= settings.sign_in_lifetime):
        raise Unmeant(action, about)


def secret(settings: Settings) -> bytes:
    """Return what tickets are made with."""
    return hmac.digest(key.read(settings), b"ticket", "sha256")


def seal(secret: bytes, person: Person, action: str, about: str, moment: str) -> str:
    """Return what only this service can make of all that a ticket is good for."""
    words = json.dumps([moment, person.name, person.method, action, about])
    return hmac.digest(secret, words.encode(), "sha256")[:20].hex()
