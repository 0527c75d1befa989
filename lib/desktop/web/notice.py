"""The mail that tells the owner of a session that it ends: a program that keepers start.

In: the session's directory. Out: the mail is with the site's server, or the session's log says why
not. It leads to the session's page, and opens nothing by itself: who reads it signs in there.
"""

import faulthandler
import logging
import os
from email.message import EmailMessage
from pathlib import Path

from desktop import configuration
from desktop import log as logs
from desktop.errors import Refusal
from desktop.mail import sending
from desktop.session import extension, record
from desktop.session.record import MAILED, Corrupt, Record
from desktop.settings import Settings
from desktop.web import card, gateway, page

log = logging.getLogger("notice")
PATIENCE = 60  # seconds, also for what no alarm interrupts, such as a silent DNS


def main(directory: Path) -> int:
    """Mail the owner of this session; return the exit status."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    logs.set_up("notice")
    try:
        settings = configuration.load(os.environ)
        entry = record.read(directory)
        sending.send(settings, letter(settings, entry))
    except (Refusal, Corrupt, OSError) as problem:
        log.error("%s: its end cannot be mailed: %s", directory.name, problem)
        return 1
    log.info("%s: its end was mailed to %s", entry.name, entry.owner)
    return 0


def letter(settings: Settings, entry: Record) -> EmailMessage:
    """Return the mail; who has no password here is not sent to a page that asks for one."""
    facts = card.public(settings, entry, False) | {"link": "", "more": None}
    if settings.server_name and entry.method != MAILED:
        facts |= {"link": f"{gateway.public(settings).address}monitor?session={entry.session}",
                  "more": extension.offer(settings, entry)}
    text, html = (page.fill(settings.dir_state / "pages", f"notice.{kind}", {"s": facts})
                  for kind in ("txt", "html"))
    return sending.compose(settings, entry.mail, f"Your machine ends soon: {entry.title}",
                           text, html)
