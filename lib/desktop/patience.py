"""A time limit for a conversation as a whole: a server that says a letter a second keeps none.

Libraries limit each wait. This limits their sum, with the one alarm that a process has, so only
its main thread may be impatient.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError inside when it takes longer; again each second until it is left."""
    def ring(*_: object) -> None:
        raise TimeoutError(f"not done in {seconds:g} s")
    before = signal.signal(signal.SIGALRM, ring)
    # Apache may have started us with signals blocked.
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, before)
