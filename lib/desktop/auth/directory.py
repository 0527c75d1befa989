"""A conversation with one server of the directory: find an entry, try a password.

The only importer of ldap3, which is used for what is said, not for how: connecting, TLS and the
time a server has are ours, since its own certificates are not checked unless told, and its limits
count from each packet. Referrals are not followed, nor aliases: who comes in is an entry here.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from ssl import SSLContext
from types import TracebackType

import ldap3
from ldap3.core.exceptions import LDAPExceptionError, LDAPInvalidFilterError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from desktop.auth import tls
from desktop.errors import Refusal
from desktop.settings import Settings

PATIENCE = 10.0  # seconds that one server has for everything
MOST = 1 << 20  # bytes it may say
START_TLS = "1.3.6.1.4.1.1466.20037"
DONE, TOO_MANY, REFERRAL, NO_SUCH_OBJECT = 0, 4, 10, 32  # of RFC 4511, 4.1.9
UNKNOWN = (1, 50)  # how Active Directory and OpenLDAP tell nobody in particular to sign in
# Of a bind: also no password at all, an account that is locked, a name that is no DN.
WRONG = frozenset({49, 48, 53, 19, 34, NO_SUCH_OBJECT, REFERRAL})

value = escape_filter_chars
rdn = escape_rdn


class Unanswered(Exception):
    """A server that did not answer as it should; `told`: it has been shown a person's password."""

    def __init__(self, problem: str, told: bool) -> None:
        super().__init__(problem)
        self.told = told


@dataclass(frozen=True)
class Entry:
    """Somebody or something in the directory; names of attributes are in lower case."""

    dn: str
    attributes: Mapping[str, tuple[str, ...]]

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of an attribute."""
        return self.attributes.get(name.lower(), ())


class Channel:
    """A socket, as far as ldap3 uses one, whose other side has PATIENCE and says at most MOST."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.end = time.monotonic() + PATIENCE
        self.heard = 0

    def timed(self) -> socket.socket:
        """Return the socket, with the time that is left; raise TimeoutError when none is."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self.sock.settimeout(left)
        return self.sock

    def recv(self, size: int) -> bytes:
        """Receive something."""
        data = self.timed().recv(size)
        self.heard += len(data)
        if self.heard > MOST:
            raise OSError("it does not stop talking")
        return data

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self.timed().sendall(data)

    def encrypt(self, context: SSLContext, host: str) -> None:
        """Go on in TLS with whoever proves to be this host."""
        self.sock = context.wrap_socket(self.timed(), server_hostname=host)

    def shutdown(self, how: int) -> None:
        """Say no more."""
        self.sock.shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


class Conversation:
    """A connection to a server; use it as a context. Every question may raise Unanswered."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self.settings = settings
        self.host = host
        self.port = port
        self.told = False
        self.connection = ldap3.Connection(
            ldap3.Server("127.0.0.1", get_info=ldap3.NONE), auto_referrals=False,
            check_names=False, auto_escape=False, return_empty_attributes=False)

    def __enter__(self) -> "Conversation":
        """Connect, and encrypt as the settings say."""
        encrypted = encryption(self.settings, self.host)
        context = tls.context(self.settings, "ldap") if encrypted != "none" else None
        with self.answering():
            channel = Channel(tls.connect(self.host, self.port))
            try:
                if context and encrypted == "ldaps":
                    channel.encrypt(context, self.host)
                self.use(channel)
                if context and encrypted == "starttls":
                    self.connection.extended(START_TLS)
                    self.expect("StartTLS", DONE)
                    channel.encrypt(context, self.host)
            except BaseException:
                channel.close()
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Say good-bye; nobody waits for an answer."""
        with suppress(OSError, LDAPExceptionError):
            self.connection.unbind()

    def use(self, channel: Channel) -> None:
        """Have ldap3 talk through this channel instead of connecting itself."""
        def opened(*_: object, **__: object) -> None:
            self.connection.socket = channel
            self.connection.closed = False
        self.connection.strategy._open_socket = opened
        self.connection.open(read_server_info=False)

    def bind(self, dn: str, password: str, of_a_person: bool = True) -> bool:
        """Tell whether this is the password of `dn`; who has it asks on from here."""
        self.told |= of_a_person
        with self.answering():
            self.connection.authentication = ldap3.SIMPLE
            self.connection.user = dn
            # Bytes are sent as they are; a text that SASLprep empties would bind as nobody.
            self.connection.password = password.encode()
            self.connection.bind(read_server_info=False)
            return self.expect("a bind", DONE, *WRONG) == DONE

    def search(self, base: str, filter: str, *attributes: str,
               beneath: bool = True) -> list[Entry]:
        """Return the entries that match at or, `beneath`, also below the base: two at most.

        Raises Refusal (503) for a filter that is none.
        """
        with self.answering():
            try:
                self.connection.search(
                    base, filter, ldap3.SUBTREE if beneath else ldap3.BASE, ldap3.DEREF_NEVER,
                    list(attributes), size_limit=2, time_limit=int(PATIENCE))
            except LDAPInvalidFilterError as error:
                raise Refusal("ldap_filter is not an LDAP filter.", 503) from error
            code = self.expect("a search", DONE, TOO_MANY, NO_SUCH_OBJECT, REFERRAL)
            found = [Entry(str(one["dn"]), {
                name.lower(): tuple(raw.decode(errors="replace") for raw in values)
                for name, values in one["raw_attributes"].items()})
                for one in self.connection.response if one["type"] == "searchResEntry"]
        # Of too many, a server with a limit of its own may have sent one, or none.
        return [Entry("", {})] * 2 if code == TOO_MANY else found

    def expect(self, what: str, *good: int) -> int:
        """Return the code of the last result; raise Unanswered when it is none of these."""
        result = self.connection.result
        code = int(result["result"])
        if code not in good:
            said = str(result["message"]).strip("\0\n ")[:200]
            hint = "; ldap_bind_dn names who may" if code in UNKNOWN and what == "a search" else ""
            raise Unanswered(f"it answers {what} with {result['description']} ({code})"
                             f"{': ' if said else ''}{said}{hint}", self.told)
        return code

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn whatever goes wrong into Unanswered: ldap3 reads garbage without any care."""
        try:
            yield
        except (Refusal, Unanswered):
            raise
        except OSError as error:
            raise Unanswered(tls.explain(self.settings, "ldap", error), self.told) from error
        except LDAPExceptionError as error:
            raise Unanswered(str(error)[:200], self.told) from error
        except Exception as error:
            raise Unanswered(f"it does not speak LDAP ({type(error).__name__})",
                             self.told) from error


def encryption(settings: Settings, host: str) -> str:
    """Return how to talk to a host; raise Refusal (503) where passwords could be overheard."""
    if settings.ldap_tls == "none" and not settings.ldap_allow_unencrypted and not here(host):
        raise Refusal(f"ldap_tls = none would show passwords on the way to {host}.", 503,
                      "ldap_tls = starttls, or ldap_allow_unencrypted = 1.")
    return settings.ldap_tls


def here(host: str) -> bool:
    """Tell whether a host is this computer."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
