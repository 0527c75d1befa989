"""Wrong passwords are counted, per name and per address, and make whoever goes on wait longer.

Counters live in small files in dir_state/throttle, one per bucket of names or addresses, so that
they survive a request, stay bounded, and one name's passwords are tried one at a time: a hundred
guesses at once do not slip through while the first is still being checked. Names are stored as
keyed hashes, since people type passwords into the wrong field.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TextIO

from desktop.errors import Refusal
from desktop.settings import Settings

FIRST = 10  # seconds to wait after the last failure that is free
LONGEST = 900
FORGET = 3600  # seconds after the last failure
CROWD = 10  # times more failures per address: a whole class sits behind one
BUCKETS = 256
MOST = 256  # counters in a bucket

Table = dict[str, list[float]]  # by hashed name: failures, Unix time of the last


@dataclass
class Attempt:
    """One try; whoever checks the password says here whether it was right."""

    right: bool | None = None


@contextmanager
def attempt(settings: Settings, key: bytes, user: str, source: str) -> Iterator[Attempt]:
    """Count one try: the password is checked inside, while nobody else tries this name.

    Raises Refusal (429) before that when the name or the address must wait.
    """
    limit, one = settings.auth_max_failures, Attempt()
    if not limit:
        yield one
        return
    person, place = mark(key, f"name {user.casefold()}"), mark(key, f"from {network(source)}")
    with held(settings, "address", place) as table:
        refuse_early(table, place, limit * CROWD)
    with held(settings, "name", person) as table:
        refuse_early(table, person, limit)
        yield one
        if one.right:
            table.pop(person, None)
        elif one.right is False:
            count(table, person)
    if one.right is False:
        with held(settings, "address", place) as table:
            count(table, place)


def refuse_early(table: Table, who: str, limit: int) -> None:
    """Raise Refusal when this one must still wait."""
    failures, last = table.get(who, (0, 0))
    if failures < limit:
        return
    delay = min(FIRST * 2 ** min(failures - limit, 20), LONGEST)
    left = min(last + delay - time.time(), delay)  # a clock set back makes nobody wait longer
    if left > 0:
        raise Refusal("There were too many wrong passwords.", 429,
                      f"Try again in {left + 1:.0f} seconds.", retry_after=int(left) + 1)


def count(table: Table, who: str) -> None:
    """Count a failure; make room by forgetting whom it matters least to remember."""
    failures = table.get(who, [0])[0]
    table[who] = [failures + 1, time.time()]
    for old in sorted(table, key=lambda one: (*table[one],))[:max(0, len(table) - MOST)]:
        if old != who:
            del table[old]


@contextmanager
def held(settings: Settings, kind: str, who: str) -> Iterator[Table]:
    """Give the table of a bucket while nobody else has it; what was changed is written."""
    directory = settings.dir_state / "throttle"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory / f"{kind}-{int(who[:8], 16) % BUCKETS:02x}",
                         os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refusal(error) from error
    with open(handle, "r+", encoding="ascii", errors="replace") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = file.read()
        table = decode(before)
        try:
            yield table
        finally:
            after = json.dumps(table)
            if after != before:
                write(file, after)


def write(file: TextIO, text: str) -> None:
    """Replace the content of a file."""
    try:
        file.seek(0)
        file.truncate()
        file.write(text)
        file.flush()
    except OSError as error:
        raise refusal(error) from error


def refusal(error: OSError) -> Refusal:
    """Return the reason why nobody can sign in: tries that are not counted are not allowed."""
    return Refusal(f"Sign-ins cannot be counted: {error.strerror}.", 503,
                   "The administrator looks at dir_state.")


def decode(text: str) -> Table:
    """Return the counters that still matter; a file cut off by a crash has none."""
    now = time.time()
    try:
        return {who: [float(failures), min(float(last), now)]
                for who, (failures, last) in json.loads(text or "{}").items()
                if float(last) > now - FORGET}
    except (ValueError, TypeError, AttributeError):
        return {}


def mark(key: bytes, text: str) -> str:
    """Return a name or an address as the counters know it."""
    return blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=10).hexdigest()


def network(source: str) -> str:
    """Return the address, or of IPv6 the /64 network: each customer has at least one."""
    from ipaddress import IPv6Address, ip_address  # 4 ms, for a sign-in only
    try:
        address = ip_address(source.partition("%")[0])
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{int(address) >> 64:x}/64"
    return str(address)
