"""Counting wrong passwords: who must wait, who must not, and for how long."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from clock import Clock

from desktop.auth import counters, throttle
from desktop.errors import Refusal
from desktop.settings import Settings

KEY = b"k" * 32


def attempt(settings: Settings, user: str, right: bool, source: str = "192.0.2.7") -> int:
    """Try a password; return 0, or the seconds to wait when it was not even looked at."""
    try:
        with throttle.attempt(settings, KEY, user, source) as one:
            one.right = right
    except Refusal as problem:
        assert problem.status == 429 and problem.retry_after
        return problem.retry_after
    return 0


def fail(settings: Settings, user: str, times: int, source: str = "192.0.2.7") -> None:
    for _ in range(times):
        assert not attempt(settings, user, False, source)


def test_waiting_grows(settings: Settings, clock: Clock) -> None:
    fail(settings, "ada", 5)
    waits = []
    for _ in range(9):
        wait = attempt(settings, "ada", True)
        waits.append(wait)
        assert wait
        clock.now += wait - 2
        assert attempt(settings, "ada", True)
        clock.now += 2
        fail(settings, "ada", 1)
    assert [wait - 1 for wait in waits] == [10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_the_right_password_clears_the_name(settings: Settings, clock: Clock) -> None:
    fail(settings, "ada", 4)
    assert not attempt(settings, "ada", True)
    fail(settings, "ada", 5)
    clock.now += 11
    assert not attempt(settings, "ada", True)
    fail(settings, "ada", 4)


def test_names_are_apart_but_not_by_their_capitals(settings: Settings, clock: Clock) -> None:
    fail(settings, "ada", 3)
    fail(settings, "ADA", 2)
    assert attempt(settings, "Ada", True)
    assert not attempt(settings, "bob", True)


def test_a_name_is_counted_wherever_from(settings: Settings, clock: Clock) -> None:
    for number in range(5):
        fail(settings, "ada", 1, f"192.0.2.{number}")
    assert attempt(settings, "ada", True, "192.0.2.99")


def test_twenty_people_behind_one_address(settings: Settings, clock: Clock) -> None:
    for person in range(5):
        fail(settings, f"mistypes{person}", 2)
    for person in range(20):
        assert not attempt(settings, f"person{person}", True)
    for person in range(5):
        assert not attempt(settings, f"mistypes{person}", True)


@pytest.mark.parametrize("addresses", [
    ["192.0.2.7"] * 60, [f"2001:db8::{n:x}" for n in range(60)], ["::ffff:192.0.2.7"] * 60])
def test_one_address_with_many_names(settings: Settings, clock: Clock,
                                     addresses: list[str]) -> None:
    tried = sum(not attempt(settings, f"name{n}", False, source)
                for n, source in enumerate(addresses))
    assert tried == 15
    assert attempt(settings, "ada", True, addresses[0])
    assert not attempt(settings, "ada", True, "2001:db8:0:1::1")
    assert not attempt(settings, "ada", True, "198.51.100.1")


def test_own_sign_ins_do_not_clear_the_address(settings: Settings, clock: Clock) -> None:
    tried = 0
    for n in range(60):
        tried += not attempt(settings, f"name{n}", False)
        attempt(settings, "mallory", True)
    assert tried == 15


def test_an_address_is_forgiven_slowly(settings: Settings, clock: Clock) -> None:
    for n in range(100):  # a large institution behind one address
        fail(settings, f"name{n}", 1)
        clock.now += throttle.LEAK
    for n in range(14):
        fail(settings, f"name{n}", 1)
    waits = []
    for n in range(20, 40):
        if wait := attempt(settings, f"name{n}", False):
            waits.append(wait)
            clock.now += wait
            fail(settings, f"name{n}", 1)
    assert waits == sorted(waits) and 9 < waits[0] < 12 and 110 < waits[-1] < 125


def test_failures_are_forgotten(settings: Settings, clock: Clock) -> None:
    fail(settings, "ada", 5)
    clock.now += counters.FORGET + 1
    fail(settings, "ada", 5)


def test_a_clock_set_back_makes_nobody_wait_longer(settings: Settings, clock: Clock) -> None:
    fail(settings, "ada", 5)
    clock.now -= 86400
    assert attempt(settings, "ada", True) <= 11
    clock.now += 11
    assert attempt(settings, "ada", True) == 0


def test_no_limit(settings: Settings) -> None:
    open_ended = replace(settings, auth_max_failures=0)
    fail(open_ended, "ada", 100)
    assert not settings.dir_state.exists()


def test_a_hundred_at_once_do_not_slip_through(settings: Settings) -> None:
    asked = []

    def guess() -> None:
        try:
            with throttle.attempt(settings, KEY, "ada", "192.0.2.7") as one:
                asked.append(1)
                time.sleep(0.005)
                one.right = False
        except Refusal:
            pass

    threads = [threading.Thread(target=guess) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 5


def test_many_right_ones_at_once_all_come_in(settings: Settings) -> None:
    waits = []
    threads = [threading.Thread(target=lambda: waits.append(attempt(settings, "ada", True)))
               for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits == [0] * 40


def test_a_check_that_breaks_counts_nothing(settings: Settings) -> None:
    for _ in range(10):
        with pytest.raises(RuntimeError):
            with throttle.attempt(settings, KEY, "ada", "192.0.2.7"):
                raise RuntimeError
    assert not attempt(settings, "ada", True)


def test_tables_stay_small_and_remember_the_worst(settings: Settings, clock: Clock,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "BUCKETS", 1)
    monkeypatch.setattr(counters, "MOST", 20)
    fail(settings, "ada", 5, "198.51.100.7")
    for n in range(60):
        clock.now += 0.01
        attempt(settings, f"name{n}", False, f"198.51.100.{n % 30}")
    assert attempt(settings, "ada", True)
    files = list((settings.dir_state / "throttle").iterdir())
    assert len(files) == 2
    assert all(len(counters.decode(path.read_text())) <= counters.MOST for path in files)


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": [1]}', "\xff", "null", "1",
                                  '{"a": {"known": {}, "counts": {"": {"failures": "x"}}}}',
                                  '{"a": {"known": [], "counts": {}, "tries": []}}',
                                  '{"a": {"known": {}, "counts": {}, "tries": [1]}}', "\0" * 100])
def test_damaged_files_are_empty_ones(settings: Settings, clock: Clock, text: str) -> None:
    fail(settings, "ada", 5)
    for path in (settings.dir_state / "throttle").iterdir():
        path.write_text(text, encoding="latin-1")
    assert not attempt(settings, "ada", False)
    fail(settings, "ada", 4)
    assert attempt(settings, "ada", True)


def test_what_cannot_be_counted_is_not_allowed(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal) as problem:
        with throttle.attempt(replace(settings, dir_state=tmp_path / "file"), KEY, "ada", ""):
            raise AssertionError("the password was looked at")
    assert problem.value.status == 503


def test_files_are_ours_alone(settings: Settings) -> None:
    fail(settings, "ada", 1)
    directory = settings.dir_state / "throttle"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    assert "ada" not in "".join(path.read_text() for path in directory.iterdir())
