"""The account on a mail server that a name means: what it is called here, and there.

Such servers do not tell. They take most names in any case, and often with and without the domain;
here all of these must be one person, with one share of sessions.
"""

from dataclasses import dataclass

from desktop.mail import address


@dataclass(frozen=True)
class Mailbox:
    """An account.

    Attributes:
        name: what its owner is called here.
        login: what the server is told.
        mail: where to write to, if that can be told.
        account: the same for all names that a server may know it by, for counting failures.
    """

    name: str
    login: str
    mail: str
    account: str


def find(user: str, domain: str) -> Mailbox | None:
    """Return the account that a canonical name means, or None when it can be none.

    A server with a `domain` is told whole addresses, and its people are called without.
    """
    name = user.lower()
    local, at, host = name.partition("@")
    if not local or (at and domain and host != domain.lower()):
        return None
    login = f"{local}@{domain.lower()}" if domain else name
    mail = login if address.parse(login) else ""
    return Mailbox(local if domain else name, login, mail, local)
