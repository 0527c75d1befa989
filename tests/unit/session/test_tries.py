"""Wrong tokens: how fast one may guess, and who is kept out by that."""

import threading
import time

import pytest

from desktop.session import tries as tries_module
from desktop.session.tries import FIRST_PER_MINUTE, NETWORKS, PER_MINUTE, Refused, Tries


def test_many_tries_at_once_count_one_after_the_other() -> None:
    tries, judged, refused = Tries(), [], []

    def guess() -> None:
        try:
            tries.judge("here", lambda: bool(judged.append(1)))
        except Refused as reason:
            refused.append(str(reason))

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(judged) == 1 and len(refused) == 30
    assert sum("wait" in reason for reason in refused) == 29


def test_each_wrong_token_makes_the_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    tries, judged = Tries(), []
    for _ in range(3600):
        clock[0] += 1
        with pytest.raises(Refused):
            tries.judge("here", lambda: bool(judged.append(1)))
    assert 60 < len(judged) < 75  # an hour at one a minute, after the first few
    clock[0] += 61
    tries.judge("here", lambda: True)
    with pytest.raises(Refused, match="not right"):  # a new start after a right one
        tries.judge("here", lambda: False)


class Clock:
    """A clock that goes when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(tries_module, "time", made)
    return made


def wrong(tries: Tries, source: str) -> bool:
    """Try a wrong token; tell whether it was looked at."""
    judged = []
    with pytest.raises(Refused):
        tries.judge(source, lambda: bool(judged.append(1)))
    return bool(judged)


def test_guessing_from_several_networks_is_limited_as_a_whole(clock: Clock) -> None:
    tries, looked = Tries(), 0
    for _ in range(3600):
        clock.now += 1
        looked += sum(wrong(tries, f"192.0.2.{n}") for n in range(200))
    assert looked <= 200 + 61 * PER_MINUTE


def test_nobody_else_is_kept_out_meanwhile(clock: Clock) -> None:
    tries = Tries("203.0.113.1")
    tries.judge("203.0.113.2", lambda: True)
    for _ in range(600):
        clock.now += 1
        for n in range(50):
            wrong(tries, f"192.0.2.{n}")
    tries.judge("203.0.113.1", lambda: True)  # who started the session
    tries.judge("203.0.113.2", lambda: True)  # who was in before
    tries.judge("203.0.113.3", lambda: True)  # who comes for the first time


def test_fresh_networks_are_limited_too(clock: Clock) -> None:
    tries = Tries("203.0.113.1")
    assert sum(wrong(tries, f"2001:db8:{n:x}::1") for n in range(3 * NETWORKS)) <= (
        FIRST_PER_MINUTE + PER_MINUTE)
    assert len(tries._wrong) <= NETWORKS
    tries.judge("203.0.113.1", lambda: True)
    with pytest.raises(Refused, match="wait"):
        tries.judge("203.0.113.3", lambda: True)
    clock.now += 61
    tries.judge("203.0.113.3", lambda: True)


def test_a_network_has_many_addresses(clock: Clock) -> None:
    tries = Tries()
    assert sum(wrong(tries, f"2001:db8::{n:x}") for n in range(100)) == 1


def test_who_was_in_before_may_not_guess_either(clock: Clock) -> None:
    tries, looked = Tries("203.0.113.1"), 0
    for _ in range(3600):
        clock.now += 1
        looked += wrong(tries, "203.0.113.1")
    assert 60 < looked < 75


def test_memory_is_bounded(clock: Clock) -> None:
    tries = Tries()
    for n in range(3 * NETWORKS):
        clock.now += 1
        wrong(tries, f"2001:db8:{n:x}::1")
    assert len(tries._wrong) == NETWORKS
    assert len(tries._first) + len(tries._again) <= FIRST_PER_MINUTE + PER_MINUTE
