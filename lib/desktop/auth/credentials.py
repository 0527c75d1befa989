"""What somebody shows to prove who they are, and what comes of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from unicodedata import normalize

LONGEST_PASSWORD = 1024
NAME = re.compile(r"[\w.@+-]{1,128}")  # letters of any script; no colon, blank, quote or slash
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Credentials:
    """What was typed, and from where; the user's name is canonical already.

    A server may know one account by several names. Who has found out the account's own one says
    it to `account` before showing the password: wrong ones are counted there too. It raises
    Refusal (429), to be let through, when there were too many.
    """

    user: str
    password: str
    source: str
    account: Callable[[str], None] = field(default=lambda name: None, compare=False)

    def __repr__(self) -> str:
        """Show no password, wherever this ends up."""
        return f"Credentials({self.user!r}, ..., {self.source!r})"


@dataclass(frozen=True)
class Verdict:
    """Whether a method accepts somebody, and what is known of them from here on.

    Attributes:
        name: what they are called, canonical; owner of sessions, counted in limits.
        method: who accepted, as in the settings: htpasswd, ldap.
        admin: whether the institution says that they administer; until they sign in again.
        mail: their address for messages, or nothing.
    """

    accepted: bool
    name: str = ""
    method: str = ""
    admin: bool = False
    mail: str = ""


REJECTED = Verdict(False)


def canonical(user: str) -> str:
    """Return the one spelling of a name, or nothing when no account can have it.

    Phones add a blank after a word; keyboards differ in how they compose accents.
    """
    name = normalize("NFC", user.strip(" "))
    return name if NAME.fullmatch(name) else ""


def possible(credentials: Credentials) -> bool:
    """Tell whether a method may be asked: a blank password binds anonymously in LDAP."""
    return bool(credentials.user and credentials.password.strip()
                and len(credentials.password) <= LONGEST_PASSWORD
                and not CONTROL.search(credentials.password))
