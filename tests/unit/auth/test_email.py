"""Who may have a machine mailed, and how often."""

from dataclasses import replace

import pytest
from clock import Clock

from desktop.auth import email
from desktop.auth.email import Counted
from desktop.errors import Refusal
from desktop.settings import Settings

KEY = b"k" * 32


@pytest.fixture
def site(settings: Settings) -> Settings:
    return replace(settings, email_domains=("Example.org", "example.com"))


def take(settings: Settings, text: str, source: str) -> Counted | None:
    """Count a mail; return None when there were enough."""
    try:
        return email.take(settings, KEY, email.admit(settings, text), source)
    except Refusal as problem:
        assert problem.status == 429 and problem.retry_after
        return None


def test_domains(site: Settings) -> None:
    assert str(email.admit(site, "ann@EXAMPLE.org")) == "ann@example.org"
    for text in ("ann@sub.example.org", "ann@example.org.evil.com", "ann@evil-example.org"):
        with pytest.raises(Refusal, match="cannot be used here"):
            email.admit(site, text)
    with pytest.raises(Refusal, match="No mail address"):
        email.admit(replace(site, email_domains=()), "ann@example.org")
    assert email.admit(replace(site, email_domains=("*",)), "ann@any.example")
    with pytest.raises(Refusal, match="not a mail address"):
        email.admit(replace(site, email_domains=("*",)), "ann")


def test_an_owner_is_nobody_with_an_account(site: Settings) -> None:
    from desktop.auth.credentials import canonical
    name = email.owner(email.admit(site, "Ann+1@example.org"))
    assert name == "mailto:ann@example.org" and not canonical(name)


def test_few_mails_into_one_mailbox(site: Settings, clock: Clock) -> None:
    spelled = ("ann@example.org", "ANN@example.org", "ann+1@Example.org", "Ann+2@example.org")
    taken = [bool(take(site, spelled[n % 4], f"192.0.2.{n}")) for n in range(12)]
    assert taken == [True] * 3 + [False] * 9
    assert take(site, "bob@example.org", "192.0.2.1")
    clock.now += 3601
    assert take(site, "ann@example.org", "192.0.2.1")


def test_few_mails_for_one_network(site: Settings, clock: Clock) -> None:
    taken = [bool(take(site, f"a{n}@example.org", f"2001:db8::{n:x}")) for n in range(30)]
    assert taken == [True] * 20 + [False] * 10
    assert take(site, "a29@example.org", "2001:db8:0:1::1")  # it was not counted for its mailbox
    clock.now += 3000
    assert not take(site, "b@example.org", "2001:db8::1")
    clock.now += 601
    assert take(site, "b@example.org", "2001:db8::1")


def test_what_was_not_sent_does_not_count(site: Settings, clock: Clock) -> None:
    for n in range(50):
        taken = take(site, "ann@example.org", "192.0.2.1")
        assert taken
        email.give_back(site, taken)
        clock.now += 1
    assert [bool(take(site, "ann@example.org", "192.0.2.1")) for _ in range(4)] == [
        True, True, True, False]


def test_no_limit(site: Settings, clock: Clock) -> None:
    ours = replace(site, email_max_per_address=0, email_max_per_source=0)
    assert all(take(ours, "ann@example.org", "192.0.2.1") for _ in range(50))
