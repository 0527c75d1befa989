"""Many at once, in their order."""

import threading
import time

import pytest

from desktop import together


def test_they_wait_at_the_same_time() -> None:
    meet = threading.Barrier(together.MOST, timeout=10)  # broken unless all are there together

    def wait(number: int) -> int:
        meet.wait()
        time.sleep(0.001 * (7 - number % 7))
        return number
    numbers = list(range(2 * together.MOST))
    assert together.each(wait, numbers) == numbers


def test_one_needs_no_thread() -> None:
    assert together.each(lambda _: threading.current_thread(), [1]) == [threading.main_thread()]
    assert together.each(str, []) == []


def test_one_that_fails_keeps_nobody_from_the_rest() -> None:
    done = []

    def act(number: int) -> None:
        if number == 0:
            raise ValueError
        done.append(number)
    with pytest.raises(ValueError):
        together.each(act, range(100))
    assert sorted(done) == list(range(1, 100))
