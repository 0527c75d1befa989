"""Wrong tokens of a session: each makes whoever sent it wait longer before the next is looked at.

Guessing from many networks at once is limited as a whole, but keeps out neither somebody who comes
for the first time nor who was in before: these have tries that nobody else uses up.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from desktop import whereabouts

LONGEST = 60.0  # seconds a network waits at most
NETWORKS = 4096  # of which wrong tokens are remembered
FIRST_PER_MINUTE = 600  # tries of networks that were never wrong
PER_MINUTE = 20  # all tries of networks that were


class Refused(Exception):
    """The viewer was not let in; the text says why."""


class Tries:
    """Counts wrong tokens, per network and per session.

    The token has 40 random bits; at 620 tries a minute all session long, a day's guessing
    succeeds once in 3,000 years.
    """

    def __init__(self, owner: str = "") -> None:
        """`owner` is where the session was started from."""
        self._lock = threading.Lock()
        self._known = {whereabouts.network(owner)} if owner else set()
        self._wrong: dict[str, tuple[int, float]] = {}
        self._first: deque[float] = deque()
        self._again: deque[float] = deque()

    def judge(self, source: str, right: Callable[[], bool]) -> None:
        """Ask `right` for the verdict on one try; raise Refused when wrong or too early.

        One at a time, so that many sent together count one after the other; QEMU answers at once.
        """
        network = whereabouts.network(source)
        with self._lock:
            if wait := self._wait(network):
                raise Refused(f"Too many wrong tokens: wait {wait:.0f} s.")
            if right():
                self._wrong.pop(network, None)
                self._known.add(network)
                return
            now = time.monotonic()
            if network not in self._known:
                (self._again if network in self._wrong else self._first).append(now)
            count = self._wrong.pop(network, (0, 0.0))[0] + 1
            self._wrong[network] = (count, now + min(2.0 ** (count - 1), LONGEST))
            while len(self._wrong) > NETWORKS:
                del self._wrong[next(iter(self._wrong))]
        raise Refused("The token is not right.")

    def _wait(self, network: str) -> float:
        """Return the seconds a network must wait before its next try; 0: it may try."""
        now = time.monotonic()
        wait = self._wrong.get(network, (0, 0.0))[1] - now
        if network not in self._known:
            again = network in self._wrong
            recent, room = (self._again, PER_MINUTE) if again else (self._first, FIRST_PER_MINUTE)
            while recent and now - recent[0] >= 60:
                recent.popleft()
            if len(recent) >= room:
                wait = max(wait, recent[0] + 60 - now)
        return max(wait, 0)
