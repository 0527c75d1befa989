"""Waiting for events that can only be asked for, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(fact: Callable[[], T], timeout: float = 10, what: str = "") -> T:
    """Return the first true answer of `fact`; fail when there is none within `timeout` s."""
    end = time.monotonic() + timeout
    pause = 0.005
    while not (answer := fact()):
        assert time.monotonic() < end, f"not within {timeout:g} s: {what or fact}"
        time.sleep(pause)
        pause = min(0.1, pause * 1.5)
    return answer
