"""A connection to the site's SMTP server, for messages and for passwords to be checked.

The only importer of smtplib. It is encrypted or leads to this computer itself, whatever the
server says of STARTTLS: who sits between may have struck that out.
"""

import re
import smtplib
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from ssl import SSLContext

from desktop import tls
from desktop.errors import Refusal
from desktop.patience import within
from desktop.settings import Settings

PATIENCE = 10.0  # seconds for all of a conversation
PUBLIC = re.compile(r"(?:https?://)?((?:[A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*)(?:[:/].*)?")
READY, SIGNED_IN, GO_ON, WRONG = 220, 235, 334, 535  # RFC 5321, RFC 4954


class Connection(smtplib.SMTP):
    """One that is connected, and encrypted from the start where it is given `secure`."""

    def __init__(self, host: str, port: int, name: str, secure: SSLContext | None) -> None:
        self.secure = secure
        super().__init__(host, port, name, PATIENCE)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = tls.connect(host, port)
        made.settimeout(timeout)
        return self.secure.wrap_socket(made, server_hostname=host) if self.secure else made


@contextmanager
def connected(settings: Settings, port: int = 0) -> Iterator[Connection]:
    """Give a connection to smtp_server, at another port than smtp_port if one is said.

    Raises Refusal (503), in words for the log, for whatever goes wrong until it is left.
    """
    host, port, how = settings.smtp_server, port or settings.smtp_port, settings.smtp_use_ssl
    if not host:
        raise Refusal("smtp_server is not set.", 503)
    context = tls.context(settings, "smtp")
    try:
        with within(PATIENCE):
            post = Connection(host, port, ours(settings), context if how == "ssl" else None)
            try:
                post.ehlo_or_helo_if_needed()
                if how == "starttls":
                    encrypt(post, context)
                elif how == "none":
                    tls.must_be_here(post.sock, "smtp_use_ssl")
                yield post
                with suppress(OSError):  # all is said; smtplib's errors are OSErrors
                    post.quit()
            finally:
                post.close()
    except (OSError, ValueError) as error:
        raise Refusal(f"{host}:{port}: {said(settings, error)}.", 503) from error


def ours(settings: Settings) -> str:
    """Return what this server calls itself (RFC 5321, 4.1.1.1), without asking the DNS."""
    found = PUBLIC.fullmatch(settings.server_name)
    name = found[1] if found else socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def encrypt(post: Connection, context: SSLContext) -> None:
    """Begin TLS; raise OSError when the server does not."""
    if not post.has_extn("starttls"):
        raise OSError("it does not offer STARTTLS, or somebody between struck it out")
    code, _ = post.starttls(context=context)
    if code != READY:
        raise OSError(f"it answers {code} to STARTTLS")
    post.ehlo()


def signs_in(post: Connection, user: str, password: str) -> bool:
    """Tell whether the server accepts this name and password.

    Not by smtplib, which knows ASCII alone. Raises OSError when the server does not tell.
    """
    offered = post.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        code, _ = post.docmd("AUTH", "PLAIN " + encoded(f"\0{user}\0{password}"))
    elif "LOGIN" in offered:
        code, _ = post.docmd("AUTH", "LOGIN")
        for word in (user, password):
            if code == GO_ON:
                code, _ = post.docmd(encoded(word))
    else:
        raise OSError("it checks no passwords here (AUTH PLAIN or LOGIN)")
    if code not in (SIGNED_IN, WRONG):
        raise OSError(f"it answers {code} to a password")  # its text may repeat what it was shown
    return code == SIGNED_IN


def encoded(words: str) -> str:
    """Return a text as SASL sends it (RFC 4616: UTF-8)."""
    return b64encode(words.encode()).decode()


def take(post: Connection, message: EmailMessage) -> None:
    """Hand over a message; raise OSError when it is not taken."""
    post.send_message(message)


def said(settings: Settings, error: Exception) -> str:
    """Return what a server said, or what went wrong before it could."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return f"it refuses the address: {list(error.recipients.values())}"
        case smtplib.SMTPResponseException():
            return f"it says {error.smtp_code} {error.smtp_error!r}"
        case smtplib.SMTPServerDisconnected() if isinstance(error.__context__, TimeoutError):
            return tls.explain(settings, "smtp", error.__context__)
    return tls.explain(settings, "smtp", error)
