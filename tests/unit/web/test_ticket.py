"""Tickets: good for one person, one action and one session, for a while."""

import time
from dataclasses import replace

import pytest

from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import key, ticket
from desktop.web.login import Person

BOB = Person("bob", False, "htpasswd")
SESSION = "a" * 26


def good(settings: Settings, word: str, person: Person = BOB, action: str = "stop",
         session: str = SESSION) -> bool:
    """Tell whether a ticket is taken."""
    try:
        ticket.check(settings, person, action, session, word)
    except Refusal as problem:
        assert problem.status == 403
        return False
    return True


def test_it_is_good_for_what_it_was_made_for(settings: Settings) -> None:
    made = ticket.make(settings, BOB, "stop", SESSION)
    assert good(settings, made)
    assert not good(settings, made, Person("ada", True, "htpasswd"))
    assert not good(settings, made, replace(BOB, method="remote_user"))
    assert not good(settings, made, action="purge")
    assert not good(settings, made, action="create")
    assert not good(settings, made, session="b" * 26)
    assert not good(settings, made, session="")


def test_words_do_not_run_together(settings: Settings) -> None:
    made = ticket.make(settings, replace(BOB, name="bob", method="ab"), "stop")
    assert not good(settings, made, replace(BOB, name="boba", method="b"), session="")


def test_it_ends_with_its_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made, now = ticket.make(settings, BOB, "stop", SESSION), time.time()
    for later, right in ((settings.sign_in_lifetime - 2, True),
                         (settings.sign_in_lifetime + 2, False), (-86400, False)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert good(settings, made) == right


def test_it_ends_with_the_key(settings: Settings) -> None:
    made = ticket.make(settings, BOB, "stop", SESSION)
    (settings.dir_state / "cookie.key").unlink()
    assert not good(settings, made)


def test_forged_ones(settings: Settings) -> None:
    made = ticket.make(settings, BOB, "stop", SESSION)
    moment, _, seal = made.partition("-")
    for bad in ("", "-", seal, f"{int(moment) + 1}-{seal}", f"{moment}-{seal[:-1]}",
                f"0{made}", f"{made}0", made.upper() if made.upper() != made else "x",
                f"{moment}-{'0' * 40}", f"-1-{seal}", f"{made}\n", f"²-{seal}", "9" * 5000,
                key.fingerprint(settings, "stop")):
        assert not good(settings, bad), bad


def test_a_password_in_the_form_is_better_than_a_ticket(settings: Settings) -> None:
    assert good(settings, "", replace(BOB, fresh=True))
