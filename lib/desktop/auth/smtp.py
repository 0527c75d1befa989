"""Accounts of an SMTP server: who may send mail by it may enter."""

from desktop.auth import mailbox
from desktop.auth.credentials import REJECTED, Credentials, Verdict
from desktop.settings import Settings


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Tell whether the server accepts the password; raise Refusal (503) when it does not tell."""
    from desktop.mail import smtp  # 15 ms, and a cookie does not need it
    account = mailbox.find(credentials.user, settings.smtp_domain)
    if not account:
        return REJECTED
    credentials.account(account.account)
    with smtp.connected(settings) as post:
        right = smtp.signs_in(post, account.login, credentials.password)
    return Verdict(True, account.name, "smtp", mail=account.mail) if right else REJECTED


def standing(settings: Settings, name: str) -> str | None:
    """Return what a sign-in hangs on: that this very server is asked."""
    return f"{settings.smtp_server} {settings.smtp_domain}"
