"""What is remembered of wrong passwords and of mails, on disk: shared by all requests, bounded.

Small files in dir_state/throttle, one per bucket of names, accounts, addresses or mailboxes. These
are kept as keyed hashes, since people type passwords into the wrong field.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, TextIO

from desktop.errors import Refusal
from desktop.settings import Settings

BUCKETS = 256
MOST = 256  # entries in a bucket
NETWORKS = 8  # per name
FORGET = 3600  # seconds after the last failure
KNOWN = 90 * 86400  # seconds after the last sign-in from a network


@dataclass
class Count:
    """How many failures, and the Unix time of the last."""

    failures: float = 0
    last: float = 0


@dataclass
class Entry:
    """What is remembered of one name or address.

    Attributes:
        known: the networks this name signed in from, and the Unix time of the last sign-in.
        counts: failures by network for those in `known`, under "" for all others together.
        tries: Unix times of failures in any of `known` (1) or elsewhere (0).
    """

    known: dict[str, float] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    tries: list[tuple[float, int]] = field(default_factory=list)

    def place(self, network: str) -> str:
        """Return under what failures from this network are counted."""
        return network if network in self.known else ""

    def worth(self) -> tuple[bool, float, float]:
        """Return how much it matters to remember this one."""
        return (bool(self.known), max((count.failures for count in self.counts.values()),
                                      default=0), self.latest())

    def latest(self) -> float:
        """Return the Unix time of the last that happened."""
        return max([*self.known.values(), *(count.last for count in self.counts.values())],
                   default=0)


Table = dict[str, Entry]  # by hashed name or address


@contextmanager
def held(settings: Settings, kind: str, who: str) -> Iterator[Entry]:
    """Give the entry of a name or an address while nobody else has its bucket.

    What was changed is written. Raises Refusal (503) when it cannot be.
    """
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
        entry = table.setdefault(who, Entry())
        try:
            yield entry
        finally:
            if entry == Entry():
                del table[who]
            make_room(table, who)
            after = json.dumps({name: asdict(one) for name, one in table.items()})
            if after != before:
                write(file, after)


def make_room(table: Table, who: str) -> None:
    """Forget those whom it matters least to remember, but not the one just seen."""
    for old in sorted(table, key=lambda one: table[one].worth())[:max(0, len(table) - MOST)]:
        if old != who:
            del table[old]


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
    """Return the entries that still matter; a file cut off by a crash has none."""
    now = time.time()
    try:
        found = {str(who): revive(facts, now) for who, facts in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError, KeyError):
        return {}
    return {who: entry for who, entry in found.items() if entry != Entry()}


def revive(facts: dict[str, Any], now: float) -> Entry:
    """Return an entry without what is long ago; a clock that was set back hides nothing."""
    counts = {str(place): Count(float(count["failures"]), min(float(count["last"]), now))
              for place, count in facts["counts"].items()}
    return Entry(
        known={str(network): min(float(last), now) for network, last in facts["known"].items()
               if float(last) > now - KNOWN},
        counts={place: count for place, count in counts.items() if count.last > now - FORGET},
        tries=[(min(float(moment), now), int(known)) for moment, known in facts["tries"]
               if float(moment) > now - FORGET])


def mark(key: bytes, text: str) -> str:
    """Return a name or an address as the counters know it."""
    return blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=10).hexdigest()
