"""What a server of the institution sees of wrong passwords: never enough to lock an account."""

from dataclasses import replace

import pytest

from desktop.auth import counters, throttle
from desktop.errors import Refusal
from desktop.settings import Settings

KEY = b"k" * 32
HOME, AWAY = "192.0.2.7", "203.0.113.1"


class Directory:
    """A server that counts what it is shown: account `ada`, known by several names."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.now = 1e9
        self.wrong: list[float] = []

    def time(self) -> float:
        return self.now

    def ask(self, user: str, right: bool, source: str, account: str = "ada") -> int:
        """Try to sign in; return 0, or the seconds to wait when it was not asked."""
        try:
            with throttle.attempt(self.settings, KEY, user, source, outside=True) as one:
                one.account(account)
                if right:
                    self.wrong.clear()
                else:
                    self.wrong.append(self.now)
                one.right = right
        except Refusal as problem:
            assert problem.status == 429 and problem.retry_after
            return problem.retry_after
        return 0


@pytest.fixture
def directory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Directory:
    made = Directory(settings)
    monkeypatch.setattr(throttle, "time", made)
    monkeypatch.setattr(counters, "time", made)
    return made


def most_in_a_window(moments: list[float]) -> int:
    """Return how many moments were at most within one window."""
    return max(sum(start <= moment < start + throttle.WINDOW for moment in moments)
               for start in moments)


@pytest.mark.parametrize("limit", [1, 2, 5, 8])
def test_any_number_of_strangers(directory: Directory, limit: int) -> None:
    directory.settings = replace(directory.settings, auth_max_failures=limit)
    for n in range(3000):
        directory.ask(("ada", "ADA", "ada@example.org", "Ada.Lovelace")[n % 4], False,
                      f"203.0.{n % 200}.{n % 250}")
        directory.now += 3
    assert most_in_a_window(directory.wrong) == limit
    assert len(directory.wrong) > limit  # nobody is locked out for ever either


def test_the_owner_comes_in_while_strangers_try(directory: Directory) -> None:
    assert not directory.ask("ada", True, HOME)
    asked = [not directory.ask("ada", False, f"203.0.113.{n}") for n in range(100)]
    assert sum(asked) == 3
    assert directory.ask("ada", True, AWAY)
    assert not directory.ask("ada", False, HOME)  # one may still mistype
    assert not directory.ask("ada", True, HOME)


def test_the_owner_does_not_lock_it_either(directory: Directory) -> None:
    assert not directory.ask("ada", True, HOME)
    for n in range(600):
        directory.ask("ada", False, HOME if n % 2 else f"203.0.113.{n % 250}")
        directory.now += 5
    assert most_in_a_window(directory.wrong) == 5


def test_a_mailbox_name_and_a_short_one_are_one_account(directory: Directory) -> None:
    assert [bool(directory.ask(name, False, AWAY)) for name in
            ("ada", "ada@example.org", "a.lovelace", "ada", "ada@example.org", "other")
            ] == [False] * 5 + [True]
    assert not directory.ask("bob", False, AWAY, account="bob")


def test_what_was_not_answered_may_have_been_counted(directory: Directory) -> None:
    asked = 0
    for _ in range(20):
        try:
            with throttle.attempt(directory.settings, KEY, "ada", HOME, outside=True):
                asked += 1
                raise Refusal("Names cannot be checked now.", 503)
        except Refusal:
            pass
    assert asked == 5
    for n in range(20):  # nobody else waits for it, not even from there
        assert not directory.ask(f"name{n}", True, HOME, account=f"name{n}")


def test_places_are_remembered_within_bounds(directory: Directory) -> None:
    for n in range(50):
        assert not directory.ask("ada", True, f"192.0.2.{n}")
        directory.now += 1
    with counters.held(directory.settings, "name", counters.mark(KEY, "name ada")) as entry:
        assert len(entry.known) == counters.NETWORKS
    directory.now += counters.KNOWN + 1
    for _ in range(5):
        assert not directory.ask("ada", False, AWAY)


def test_servers_that_share_an_account_are_all_counted(directory: Directory) -> None:
    shown = 0
    for n in range(20):
        try:
            with throttle.attempt(directory.settings, KEY, "ada", f"203.0.113.{n}",
                                  outside=True) as one:
                for name in ("ada", "Ada", "ada"):  # directory, IMAP, SMTP
                    one.account(name)
                    shown += 1
                one.right = False
        except Refusal as problem:
            assert problem.status == 429
    assert shown == directory.settings.auth_max_failures
    for _ in range(3):  # who knows the password is let in, by the first who is asked
        directory.now += throttle.WINDOW
        with throttle.attempt(directory.settings, KEY, "ada", HOME, outside=True) as one:
            one.account("ada")
            one.right = True
