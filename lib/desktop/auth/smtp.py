"""Accounts of an SMTP server: who may send mail by it may enter."""

from desktop.auth import certificate, mailbox
from desktop.auth.credentials import REJECTED, Credentials, Verdict
from desktop.finding import Finding
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


def probe(settings: Settings) -> list[Finding]:
    """Say whether the server answers and checks passwords; raise Refusal (503) when it does not.

    Some check them only at another port.
    """
    from desktop.mail import smtp
    where = f"{settings.smtp_server}:{settings.smtp_port}"
    with smtp.connected(settings) as post:
        if not post.has_extn("auth"):
            return [Finding("smtp", f"{where} answers, and checks no passwords here", False,
                            "smtp_port is mostly 587 with starttls, or 465 with ssl.")]
        return [certificate.judge("smtp", where, certificate.shown(post.sock))]
