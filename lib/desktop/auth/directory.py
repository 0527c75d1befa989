"""A conversation with one server of the directory: find an entry, try a password.

The only importer of ldap3, which is used for what is said, not for how: connecting, TLS and the
time a server has are ours, as it checks no certificates unless told, and limits each wait but not
their sum. Referrals are not followed, nor aliases: who comes in is an entry here.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import ldap3
from ldap3.core.exceptions import LDAPExceptionError, LDAPInvalidFilterError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from desktop import tls
from desktop.errors import Refusal
from desktop.patience import within
from desktop.settings import Settings

PATIENCE = 10.0  # seconds that one server has for everything
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


class Conversation:
    """A connection to a server. Every question may raise Unanswered."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self.settings = settings
        self.host = host
        self.port = port
        self.told = False
        self.connection = ldap3.Connection(
            ldap3.Server("127.0.0.1", get_info=ldap3.NONE), auto_referrals=False,
            check_names=False, auto_escape=False, return_empty_attributes=False)

    def begin(self) -> None:
        """Connect, and encrypt as the settings say."""
        how = self.settings.ldap_tls
        context = tls.context(self.settings, "ldap") if how != "none" else None
        with self.answering():
            self.use(tls.connect(self.host, self.port))
            if context and how == "starttls":
                self.connection.extended(START_TLS)
                self.expect("StartTLS", DONE)
            sock = self.connection.socket
            if context:
                sock = context.wrap_socket(sock, server_hostname=self.host)
                self.connection.socket = sock
            elif not self.settings.ldap_allow_unencrypted:
                tls.must_be_here(sock, "ldap_tls")
            sock.settimeout(PATIENCE)  # up to here it has the time to connect, for each step

    def use(self, sock: socket.socket) -> None:
        """Have ldap3 talk through this socket instead of connecting itself."""
        def opened(*_: object, **__: object) -> None:
            self.connection.socket = sock
            self.connection.closed = False
        self.connection.strategy._open_socket = opened
        self.connection.open(read_server_info=False)

    def end(self) -> None:
        """Say good-bye and close; nobody waits for an answer."""
        if not self.connection.closed:
            with suppress(OSError, LDAPExceptionError):
                self.connection.unbind()

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


@contextmanager
def conversation(settings: Settings, host: str, port: int) -> Iterator[Conversation]:
    """Give a connection to a server, which has PATIENCE for everything.

    Raises Unanswered, also for what it is asked within; Refusal (503) for a CA file that is none.
    """
    talk = Conversation(settings, host, port)
    try:
        with within(PATIENCE):
            try:
                talk.begin()
                yield talk
            finally:
                talk.end()
    except TimeoutError as error:
        raise Unanswered("no answer in time", talk.told) from error
