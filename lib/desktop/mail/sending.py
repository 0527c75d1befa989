"""Messages of the service: composed so that any program can read them, and sent.

In: the address somebody has, a subject, a text and the same as a page. Out: the message is with
the site's server, or a Refusal says in words for the log why not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from pathlib import Path

from desktop import secret
from desktop.errors import Refusal
from desktop.mail import address, smtp
from desktop.settings import Settings

NAME = "Remote desktop"
PLAIN_PORT = 25


def compose(settings: Settings, to: str, subject: str, text: str, html: str) -> EmailMessage:
    """Return a message that no program will answer by itself.

    Raises Refusal (503) when email_from is no address, or a header could not be one.
    """
    message = EmailMessage(policy=SMTP)
    by = known(settings.email_from, "email_from")
    message["From"] = Address(NAME, by.local, by.domain)
    whom = known(to, "the address")
    message["To"] = Address("", whom.local, whom.domain)
    try:
        message["Subject"] = subject
    except ValueError as error:  # a line break
        raise Refusal(f"A mail about {subject!r} cannot be written: {error}.", 503) from error
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=by.domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def known(text: str, what: str) -> address.Address:
    """Return the address that a text is; raise Refusal (503) when it is none."""
    found = address.parse(text)
    if not found:
        raise Refusal(f"{what} {text!r} is not a mail address.", 503)
    return found


def send(settings: Settings, *messages: EmailMessage) -> None:
    """Send messages in one connection; raise Refusal (503) when one of them is not taken."""
    with at_work(settings) as post:
        for message in messages:
            smtp.take(post, message)


@contextmanager
def at_work(settings: Settings) -> Iterator[smtp.Connection]:
    """Give a connection to the server that sends, signed in to where there is a password.

    Raises Refusal (503) for whatever goes wrong until it is left.
    """
    method, word = settings.email_method, password(settings)
    with smtp.connected(settings, PLAIN_PORT if method == "simple" else 0) as post:
        if (method == "SSL" or method == "auto" and word) and not smtp.signs_in(
                post, settings.email_user or settings.email_from, word):
            raise OSError("it does not accept email_from with email_passwd")
        yield post


def password(settings: Settings) -> str:
    """Return the password of the service's own account, or nothing; raise Refusal (503)."""
    word = settings.email_passwd
    return secret.read(Path(word), "email_passwd") if word.startswith("/") else word
