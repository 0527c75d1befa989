"""A connection to the site's IMAP server (RFC 9051), for passwords to be checked.

The only importer of imapclient. It is encrypted or leads to this computer itself, whatever the
server says of STARTTLS: who sits between may have struck that out.
"""

import imaplib
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from desktop import tls
from desktop.errors import Refusal
from desktop.patience import within
from desktop.settings import Settings

PATIENCE = 10.0  # seconds for all of a conversation
# RFC 5530: what a server says that has not looked at the password.
NOT_NOW = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|PRIVACYREQUIRED|CONTACTADMIN)\b")
BAD = "command error"  # as imaplib words a BAD


class Stream(imaplib.IMAP4):
    """A connection, encrypted from the start where it is given `secure`."""

    def __init__(self, host: str, port: int, secure: SSLContext | None) -> None:
        self.secure = secure
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made = tls.connect(self.host, self.port)
        made.settimeout(PATIENCE)
        return self.secure.wrap_socket(made, server_hostname=self.host) if self.secure else made


class Client(IMAPClient):  # type: ignore[misc]  # it has no types
    """An IMAPClient with such a connection."""

    def _create_IMAP4(self) -> Stream:
        return Stream(self.host, self.port, self.ssl_context if self.ssl else None)


@contextmanager
def connected(settings: Settings) -> Iterator[Client]:
    """Give a connection to imap_server, and log out at the end.

    Raises Refusal (503), in words for the log, for whatever goes wrong until then.
    """
    host, port, how = settings.imap_server, settings.imap_port, settings.imap_use_ssl
    if not host:
        raise Refusal("imap_server is not set.", 503)
    logging.getLogger("imapclient").setLevel(logging.WARNING)  # it tells of each connection
    context = tls.context(settings, "imap")
    try:
        with within(PATIENCE):
            client = Client(host, port, ssl=how == "ssl", ssl_context=context, timeout=PATIENCE)
            try:
                if how == "starttls":
                    client.starttls(context)
                elif how == "none":
                    tls.must_be_here(client.socket(), "imap_use_ssl")
                yield client
                with suppress(OSError, IMAPClientError):  # all is said
                    client.logout()
            finally:
                with suppress(OSError):  # it is closed already
                    client.shutdown()
    except (OSError, ValueError, IMAPClientError) as error:
        raise Refusal(f"{host}:{port}: {tls.explain(settings, 'imap', error)}.", 503) from error


def signs_in(client: Client, login: str, password: str) -> bool:
    """Tell whether the server accepts this name and password.

    PLAIN is preferred, as LOGIN knows ASCII alone. Raises OSError when the server does not tell.
    """
    plain = client.has_capability("AUTH=PLAIN")
    try:
        client.plain_login(login, password) if plain else client.login(login, password)
    except LoginError as error:
        said = str(error)
        if isinstance(error.__context__, IMAPClientAbortError):
            raise OSError("the connection ended before it answered") from error
        if BAD in said:  # its text may repeat what it was shown
            raise OSError("it does not understand how it is asked") from error
        if found := NOT_NOW.search(said):
            raise OSError(f"it says {found[1]}") from error
        return False
    return True
