"""Accounts of an IMAP server: who has a mailbox there may enter."""

from desktop.auth import certificate, mailbox
from desktop.auth.credentials import REJECTED, Credentials, Verdict
from desktop.finding import Finding
from desktop.settings import Settings


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Tell whether the server accepts the password; raise Refusal (503) when it does not tell."""
    from desktop.mail import imap  # 32 ms, and a cookie does not need it
    account = mailbox.find(credentials.user, settings.imap_domain)
    if not account:
        return REJECTED
    credentials.account(account.account)
    with imap.connected(settings) as client:
        right = imap.signs_in(client, account.login, credentials.password)
    return Verdict(True, account.name, "imap", mail=account.mail) if right else REJECTED


def standing(settings: Settings, name: str) -> str | None:
    """Return what a sign-in hangs on: that this very server is asked."""
    return f"{settings.imap_server} {settings.imap_domain}"


def probe(settings: Settings) -> list[Finding]:
    """Say whether the server answers; raise Refusal (503) when it does not."""
    from desktop.mail import imap
    with imap.connected(settings) as client:
        return [certificate.judge("imap", f"{settings.imap_server}:{settings.imap_port}",
                                  certificate.shown(client.socket()))]
