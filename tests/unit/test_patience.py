"""A time limit for everything within it."""

import signal
import socket
import time

import pytest

from desktop.patience import within


def test_it_ends_what_takes_long_and_nothing_else() -> None:
    before = signal.getsignal(signal.SIGALRM)
    one, other = socket.socketpair()
    with one, other:
        with pytest.raises(TimeoutError, match="not done in 0.1 s"), within(0.1):
            while True:
                other.sendall(b"x")
                one.recv(1)
                time.sleep(0.01)
        with within(20):
            other.sendall(b"y")
            assert b"y" in one.recv(4096)
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_also_where_signals_are_blocked() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    try:
        with pytest.raises(TimeoutError), within(0.05):
            time.sleep(30)
        assert signal.SIGALRM in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
