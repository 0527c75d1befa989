"""Accounts in a file of Apache's kind: `name:hash` lines, bcrypt only.

The only importer of bcrypt. The service reads the file; auth/accounts.py changes it.
"""

import re

import bcrypt

from desktop.auth.credentials import REJECTED, Credentials, Verdict, canonical
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.settings import Settings

HASH = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
LONGEST = 72  # bytes: bcrypt looks at no more
COST = 10  # of new hashes: 64 ms
NO_ACCOUNT = "$2b$10$" + "." * 53


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Tell whether the password is the one of the file.

    The time does not tell whether the name is known: there is always one look at a hash of the
    greatest cost in the file.
    """
    accounts = read(settings)
    stored = accounts.get(credentials.user, "")
    costly = max(accounts.values(), key=cost, default=NO_ACCOUNT)
    password = credentials.password.encode()
    right = matches(password, stored) if stored else False
    if not stored or cost(stored) < cost(costly):
        matches(password, costly)
    return Verdict(True, credentials.user, "htpasswd") if right else REJECTED


def matches(password: bytes, stored: str) -> bool:
    """Tell whether a hash is the password's; one that is too long is nobody's."""
    right = bcrypt.checkpw(password[:LONGEST], stored.encode())
    return right and len(password) <= LONGEST


def cost(stored: str) -> int:
    """Return the cost of a hash: its time doubles with each."""
    return int(stored[4:6])


def standing(settings: Settings, name: str) -> str | None:
    """Return the hash of the account: who gets a new password signs in anew."""
    return read(settings).get(name)


def probe(settings: Settings) -> list[Finding]:
    """Say how many accounts there are, and which lines of the file are none."""
    found = len(read(settings))
    lines = settings.file_htpasswd.read_text(encoding="utf-8", errors="replace").splitlines()
    others = [number for number, line in enumerate(lines, 1)
              if line.strip() and not line.startswith("#") and not account(line)]
    text = f"{found} accounts in {settings.file_htpasswd}"
    if others:
        return [Finding("htpasswd", f"{text}; line {others[0]} is none", False,
                        "A line is name:hash, with bcrypt (htpasswd -B); admin.py --user_add.")]
    return [Finding("htpasswd", text, found > 0, "" if found else "Add one: admin.py --user_add.")]


def read(settings: Settings) -> dict[str, str]:
    """Return the hashes by name; of two lines with one name the first counts, as in Apache."""
    try:
        text = settings.file_htpasswd.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Refusal("The accounts cannot be read.", 503,
                      "The administrator looks at file_htpasswd.") from error
    found: dict[str, str] = {}
    for name, stored in filter(None, map(account, text.splitlines())):
        found.setdefault(name, stored)
    return found


def account(line: str) -> tuple[str, str] | None:
    """Return the name and the hash of a line, None when it is no account."""
    user, _, stored = line.strip().partition(":")
    name = canonical(user)
    return (name, stored) if name and HASH.fullmatch(stored) else None


def hash_password(password: str) -> str:
    """Return the hash of a new password of at most LONGEST bytes."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()
