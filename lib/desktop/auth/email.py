"""People who have no password here, but a mailbox: the machine they start is mailed to them.

They are not signed in by it: the mail opens that one machine and nothing else. Who types an
address may be anybody, so few mails go into a mailbox, and few are sent for one network.
"""

import time
from dataclasses import dataclass

from desktop import whereabouts
from desktop.auth import certificate
from desktop.auth.counters import held, mark
from desktop.auth.throttle import count
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.mail import address
from desktop.mail.address import Address
from desktop.settings import Settings

HOUR = 3600  # seconds
NAME = "email"


@dataclass(frozen=True)
class Counted:
    """A mail that is to be sent, among those of an hour."""

    moment: float
    entries: tuple[tuple[str, str], ...]  # kind and mark, as counters.held takes them


def owner(to: Address) -> str:
    """Return whose the machine is; no account has a name with a colon."""
    return f"mailto:{to.mailbox}"


def admit(settings: Settings, typed: str) -> Address:
    """Return the address that somebody typed; raise Refusal (400, 403) when it cannot be used."""
    found = address.parse(typed)
    if not found:
        raise Refusal("That is not a mail address.", 400, "It looks like ann@example.org.")
    if not settings.email_domains:
        raise Refusal("No mail address can be used here yet.", 403,
                      "The administrator sets email_domains.")
    known = [domain.lower() for domain in settings.email_domains]
    if "*" not in known and found.domain not in known:
        raise Refusal(f"Addresses at {found.domain} cannot be used here.", 403,
                      f"Use yours at {' or '.join(known)}.")
    return found


def take(settings: Settings, key: bytes, to: Address, source: str) -> Counted:
    """Count a mail before it is sent; raise Refusal (429) when there were enough."""
    bounds = (("mailbox", to.mailbox, settings.email_max_per_address),
              ("mailer", whereabouts.network(source), settings.email_max_per_source))
    counted = Counted(time.time(), ())
    for kind, who, most in bounds:
        if not most:
            continue
        with held(settings, kind, mark(key, f"{kind} {who}")) as entry:
            recent = [one for one in entry.tries if one[0] > counted.moment - HOUR]
            if len(recent) < most:
                entry.tries = [*recent, (counted.moment, 0)]
                count(entry, "")  # so that it is not among the first to be forgotten
                counted = Counted(counted.moment,
                                  (*counted.entries, (kind, mark(key, f"{kind} {who}"))))
                continue
            left = max(1, int(recent[-most][0] + HOUR - counted.moment))
        give_back(settings, counted)
        raise Refusal("Enough mails were sent for now.", 429,
                      f"Try again in {left // 60 + 1} minutes.", retry_after=left)
    return counted


def give_back(settings: Settings, counted: Counted) -> None:
    """Count a mail no more: there was nothing to send."""
    for kind, who in counted.entries:
        with held(settings, kind, who) as entry:
            if (counted.moment, 0) in entry.tries:
                entry.tries.remove((counted.moment, 0))


def probe(settings: Settings) -> list[Finding]:
    """Say whether mails can be sent, and to whom; raise Refusal (503) when they cannot."""
    from desktop.mail import sending  # 15 ms
    sending.known(settings.email_from, "email_from")
    found = []
    if not settings.email_domains:
        found.append(Finding(NAME, "no address can be used: email_domains is empty", False,
                             "email_domains = example.org, or * for all."))
    with sending.at_work(settings) as post:
        return [*found, certificate.judge(NAME, settings.smtp_server,
                                          certificate.shown(post.sock))]
