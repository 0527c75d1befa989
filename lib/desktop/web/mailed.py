"""A machine for somebody who has no password here, only a mailbox: the mail opens it, alone.

In: a request of the form with a mail address and no password. Out: a page that tells where the
mail went, and nothing by which the machine, or another one of that address, could be seen. The
browser stays a stranger's.
"""

import logging
import os
import re
from typing import TYPE_CHECKING

from desktop.auth import chain, email, remote_user
from desktop.auth.credentials import Credentials
from desktop.errors import Refusal
from desktop.machine import catalogue
from desktop.mail.address import Address
from desktop.session import sessions
from desktop.session import start as starting
from desktop.session.claim import limits
from desktop.session.paths import Paths
from desktop.session.record import MAILED, Record
from desktop.session.wish import Wish
from desktop.settings import Settings
from desktop.web import form, gateway, key, page
from desktop.web.gateway import Place
from desktop.web.page import Answer
from desktop.web.visit import Visit

if TYPE_CHECKING:
    from email.message import EmailMessage

log = logging.getLogger("mail")
HERE = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?")


def wanted(visit: Visit) -> bool:
    """Tell whether somebody without a password asks for a machine."""
    settings, user = visit.settings, visit.request.fields.get("user", "")
    return (settings.check_user_with_email and bool(user)
            and not visit.request.fields.get("password")
            and ("@" in user or not chain.methods(settings))
            and not remote_user.speaks(settings, visit.request.remote_user))


def start(visit: Visit) -> Answer:
    """Start a machine and mail what opens it; raise Refusal when either cannot be done."""
    settings, request = visit.settings, visit.request
    form.check_terms(request.fields)
    to = email.admit(settings, request.fields["user"])
    where = public(visit)
    if form.wish(request.fields).persistent:
        raise Refusal("A machine that is mailed cannot be persistent.", 403,
                      "Choose a single-shot session: it ends when you leave it.")
    must_be_usual(settings, form.wish(request.fields), to)
    if not chain.agreed(settings, Credentials(str(to), "", request.source)):
        raise Refusal("You may not enter here.", 403, "Ask your administrator.")
    counted = email.take(settings, key.read(settings), to, request.source)
    try:
        entry = begin(visit, to)
        first = claim(Paths(settings.dir_cfg / entry.session))
    except BaseException:
        email.give_back(settings, counted)
        raise
    if first:
        deliver(settings, entry, to, where)
        log.info("%s: %s was mailed, asked for from %s", entry.name, entry.owner, request.source)
    else:
        email.give_back(settings, counted)
    return answer(visit, entry, to)


def must_be_usual(settings: Settings, wish: Wish, to: Address) -> None:
    """Raise Refusal (403) for more than a machine usually has: anybody may ask, for anybody."""
    machine = catalogue.find(settings, settings.machine if wish.machine is None else wish.machine,
                             email.owner(to))
    usual = limits(settings, machine)
    if wish.gpu or (wish.cpu or 0) > usual.cpu[0] or (wish.memory or 0) > usual.memory[0]:
        raise Refusal("A machine that is mailed has its usual size, and no GPU.", 403,
                      f"It has {usual.cpu[0]} CPUs and {usual.memory[0]} MB of memory.")


def public(visit: Visit) -> Place:
    """Return where mails lead: never to wherever a browser says that this server is."""
    settings, host = visit.settings, visit.place.host
    here = HERE.fullmatch(host) and HERE.fullmatch(visit.request.source)
    aliases = {alias.lower() for alias in settings.server_aliases}
    if not (settings.server_name or visit.request.host in aliases or here):
        raise Refusal("No machine can be mailed from this address.", 503,
                      "The administrator sets server_name.")
    return visit.place


def begin(visit: Visit, to: Address) -> Record:
    """Start the machine, or find the one that this very form has started.

    What is said of others of this address is not for a stranger.
    """
    try:
        return starting.start(visit.settings, form.wish(visit.request.fields), email.owner(to),
                              source=visit.request.source, method=MAILED, mail=str(to),
                              meanwhile=lambda: page.warm_up(visit.frame))
    except Refusal as problem:
        if problem.status == 429:
            raise Refusal("There is no further machine for this address now.", 429,
                          "Open one that was mailed, and end it.",
                          problem.retry_after) from problem
        raise


def claim(paths: Paths) -> bool:
    """Tell whether it is ours to send the mail: the same form twice sends one."""
    try:
        os.close(os.open(paths.mailed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise Refusal("The machine ended as soon as it was started.", 503,
                      "Try again.") from error
    return True


def deliver(settings: Settings, entry: Record, to: Address, where: Place) -> None:
    """Mail what opens a machine; when that fails, end it and raise Refusal (503)."""
    from desktop.mail import sending  # smtplib takes 15 ms, for this alone
    try:
        sending.send(settings, letter(settings, entry, to, where))
    except BaseException as problem:
        from desktop.session import ending  # only when something went wrong
        ending.stop(settings, entry, how="its mail could not be sent")
        if not isinstance(problem, Refusal):
            raise
        log.error("mail: %s", problem)
        raise Refusal("The mail could not be sent, so the machine was ended.", 503,
                      "Is the address right? If so, tell your administrator.") from problem


def letter(settings: Settings, entry: Record, to: Address, where: Place) -> "EmailMessage":
    """Return the mail that opens a machine."""
    from desktop.mail import sending
    from desktop.web import card
    facts = card.own(settings, entry, where)
    facts |= {"link": gateway.address(where, entry.session, facts["secret"], wait=True),
              "host": where.host, "wait": settings.email_connect_timeout}
    text, html = (page.fill(settings.dir_state / "pages", f"letter.{kind}", {"s": facts})
                  for kind in ("txt", "html"))
    return sending.compose(settings, str(to), f"Your machine: {entry.title}", text, html)


def answer(visit: Visit, entry: Record, to: Address) -> Answer:
    """Tell where to look. The id is part of what opens the machine, and is not told."""
    from desktop.web import card
    wait = visit.settings.email_connect_timeout
    told = {"session": "", "name": entry.name, "machine": entry.machine, "url": "",
            "websocket": "", "token": None, "expires": card.moment(sessions.expires(entry)),
            "persistent": False, "mail": str(to), "wait": wait}
    return visit.show(201, told, "mailed.html", "Look into your mailbox", mail=str(to),
                      title=entry.title, wait=wait)
