"""Wrong passwords are counted, and make whoever goes on wait longer.

Per source address, which may be a whole class: growing delays after many failures. Per name:
growing delays after few. And where a server of the institution is asked, which may lock an
account on its own, it sees auth_max_failures wrong passwords of a name in a WINDOW and no more.
A stranger who uses that up must not keep out the owner: networks that a name signed in from have
counters of their own, and a share of the window that is theirs alone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from desktop import whereabouts
from desktop.auth.counters import NETWORKS, Count, Entry, held, mark
from desktop.errors import Refusal
from desktop.settings import Settings

FIRST = 10  # seconds to wait after the last failure that is free
LONGEST = 900
WINDOW = 900  # seconds
CROWD = 3  # times more failures per address: a whole class sits behind one
LEAK = 120  # seconds in which an address is forgiven a failure


@dataclass
class Attempt:
    """One try; whoever checks the password says here whether it was right."""

    settings: Settings
    key: bytes
    place: str
    outside: bool
    right: bool | None = None
    accounts: list[str] = field(default_factory=list)

    def account(self, name: str) -> None:
        """Count the try for an account, whatever it was called, as wrong until it is right.

        Once for each server that is about to see the password: they may share the account. Apart
        from the names: whoever holds one of them waits here for a moment, never the other way
        round. Raises Refusal (429) when the account must wait.
        """
        who = mark(self.key, f"account {name.casefold()}")
        if not self.settings.auth_max_failures:
            return
        with held(self.settings, "account", who) as entry:
            if who in self.accounts:
                self.check_shown(entry)
                self.show(entry)
            else:
                self.check(entry)
                self.blame(entry)
                self.accounts.append(who)

    def check(self, entry: Entry) -> None:
        """Raise Refusal (429) when this name must wait."""
        wait(entry.counts.get(entry.place(self.place)), self.settings.auth_max_failures)
        if self.outside:
            self.check_shown(entry)

    def check_shown(self, entry: Entry) -> None:
        """Raise Refusal (429) when servers of the institution have seen enough of this name."""
        limit = self.settings.auth_max_failures
        fill([moment for moment, _ in entry.tries], limit)
        if self.place not in entry.known:
            reserved = limit // 2 if entry.known else 0
            fill([moment for moment, known in entry.tries if not known], limit - reserved)

    def blame(self, entry: Entry) -> None:
        """Count a failure of this name."""
        count(entry, entry.place(self.place))
        self.show(entry)

    def show(self, entry: Entry) -> None:
        """Note that a server of the institution may see a wrong password of this name."""
        entry.tries = [*entry.tries, (time.time(), int(self.place in entry.known))]
        entry.tries = entry.tries[-self.settings.auth_max_failures:]

    def welcome(self, entry: Entry) -> None:
        """Clear what is counted of this name, and remember where it is at home."""
        entry.counts, entry.tries = {}, []
        entry.known[self.place] = time.time()
        for oldest in sorted(entry.known, key=lambda one: entry.known[one])[:-NETWORKS]:
            del entry.known[oldest]


@contextmanager
def attempt(settings: Settings, key: bytes, user: str, source: str, *,
            outside: bool = False) -> Iterator[Attempt]:
    """Count one try: the password is checked inside, while nobody else tries this name.

    So a hundred guesses at once do not slip through while the first is still being checked.
    `outside`: a server of the institution may be asked. It may have counted a password that it
    did not answer to in time, so a Refusal counts for the name then. Raises Refusal (429) before
    all that when the name or the address must wait.
    """
    limit, place = settings.auth_max_failures, mark(key, f"from {whereabouts.network(source)}")
    one = Attempt(settings, key, place, outside)
    if not limit:
        yield one
        return
    with held(settings, "address", place) as entry:
        wait(entry.counts.get(""), limit * CROWD)
    with held(settings, "name", mark(key, f"name {user.casefold()}")) as entry:
        one.check(entry)
        try:
            yield one
        except Refusal as problem:
            if outside and problem.status == 503:
                one.blame(entry)
            raise
        if one.right:
            one.welcome(entry)
            for who in one.accounts:
                with held(settings, "account", who) as account:
                    one.welcome(account)
        elif one.right is False:
            one.blame(entry)
    if one.right is False:
        with held(settings, "address", place) as entry:
            count(entry, "", LEAK)


def count(entry: Entry, place: str, leak: float = 0) -> None:
    """Count a failure; one of the earlier ones is forgiven every `leak` seconds, if any."""
    now, old = time.time(), entry.counts.get(place, Count())
    forgiven = max(0, now - old.last) / leak if leak else 0
    entry.counts[place] = Count(max(0, old.failures - forgiven) + 1, now)


def wait(counted: Count | None, limit: int) -> None:
    """Raise Refusal when there were so many failures that one must still wait."""
    if counted and counted.failures >= limit:
        delay = min(FIRST * 2 ** min(counted.failures - limit, 20), LONGEST)
        # A clock that was set back makes nobody wait longer.
        left = min(counted.last + delay - time.time(), delay)
        if left > 0:
            refuse(left)


def fill(moments: list[float], room: int) -> None:
    """Raise Refusal when there is no room for one more moment within the last WINDOW."""
    now = time.time()
    recent = sorted(moment for moment in moments if moment > now - WINDOW)
    if len(recent) >= room:
        refuse(min(recent[len(recent) - room] + WINDOW - now, WINDOW))


def refuse(seconds: float) -> NoReturn:
    """Raise the Refusal of somebody who must wait."""
    left = int(seconds) + 1
    raise Refusal("There were too many wrong passwords.", 429,
                  f"Try again in {left} seconds." if left < 120
                  else f"Try again in {left // 60 + 1} minutes.", retry_after=left)
