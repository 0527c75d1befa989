"""Mail addresses, of the kind that people have (RFC 5321, 4.1.2, without its quoted strings).

What a server may take for a route or a command is none: `%`, `!`, `|`, quotes, lists.
"""

import re
from dataclasses import dataclass

ATOM = r"[A-Za-z0-9_&'=+-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"({ATOM}(?:\.{ATOM})*)@({LABEL}(?:\.{LABEL})+)")
LONGEST, LONGEST_LOCAL = 254, 64  # RFC 5321, 4.5.3.1


@dataclass(frozen=True)
class Address:
    """An address as it was typed, its domain in lower case."""

    local: str
    domain: str

    def __str__(self) -> str:
        """Return it as it stands in a mail."""
        return f"{self.local}@{self.domain}"

    @property
    def mailbox(self) -> str:
        """Return the one spelling of all addresses that lead into one mailbox.

        Capitals make no difference, nor does what follows a plus sign (RFC 5233).
        """
        return f"{self.local.lower().partition('+')[0]}@{self.domain}"


def parse(text: str) -> Address | None:
    """Return the address that a text is, blanks around it aside, or None."""
    found = ADDRESS.fullmatch(text.strip(" "))
    if not found or len(found[0]) > LONGEST or len(found[1]) > LONGEST_LOCAL:
        return None
    return None if found[1].startswith("+") else Address(found[1], found[2].lower())
