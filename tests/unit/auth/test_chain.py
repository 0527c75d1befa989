"""The chain: what reaches a method, which answers, and what happens when one cannot."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from desktop.auth import chain
from desktop.auth.credentials import REJECTED, Credentials, Verdict, canonical
from desktop.errors import Refusal
from desktop.settings import Settings


class Method:
    """A method that says what it is told to, and remembers what it was asked."""

    def __init__(self, answer: Verdict | Refusal) -> None:
        self.answer = answer
        self.asked: list[Credentials] = []

    def check(self, settings: Settings, credentials: Credentials) -> Verdict:
        self.asked.append(credentials)
        if isinstance(self.answer, Refusal):
            raise self.answer
        return self.answer

    def standing(self, settings: Settings, name: str) -> str | None:
        return "yes"


YES = Verdict(True, "ada", "0")
BROKEN = Refusal("The directory does not answer.", 503)


def use(monkeypatch: pytest.MonkeyPatch, *answers: Verdict | Refusal) -> Sequence[Method]:
    """Put methods with these answers into the chain."""
    methods = [Method(answer) for answer in answers]
    monkeypatch.setattr(chain, "methods",
                        lambda settings: {str(n): one for n, one in enumerate(methods)})
    return methods


@pytest.mark.parametrize(("user", "password"), [
    ("", "x"), ("ada", ""), ("ada", " "), ("ada", "\t"), ("ada", "\u00a0"), ("ada", "a\0b"),
    ("ada", "x" * 1025), ("ada", "a\nb"), ("ada", "\x7f"), ("ada", "a\udc80")])
def test_never_reaches_a_method(monkeypatch: pytest.MonkeyPatch, settings: Settings, user: str,
                                password: str) -> None:
    [method] = use(monkeypatch, YES)
    assert chain.check(settings, Credentials(user, password, "")) == REJECTED
    assert not method.asked


@pytest.mark.parametrize(("typed", "name"), [
    ("ada", "ada"), (" ada ", "ada"), ("a@b.example", "a@b.example"), ("José", "José"),
    ("Jose\u0301", "Jos\u00e9"), ("a-b_c.d+e", "a-b_c.d+e")])
def test_names(typed: str, name: str) -> None:
    assert canonical(typed) == name


@pytest.mark.parametrize("typed", [
    "", " ", "a:b", "a b", "a\0", "a\n", "ada\n", "\tada", "a*", "(a)", "a\\b", "a/b", "a,b",
    "a'b", '"', "<a>", "a;b", "a$b", "a|b", "x" * 129, "a\u202eb", "\udc80"])
def test_names_that_no_account_has(typed: str) -> None:
    assert canonical(typed) == ""


def test_the_first_that_accepts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    first, second, third = use(monkeypatch, REJECTED, YES, YES)
    assert chain.check(settings, Credentials("ada", "x", "")) == replace(YES, method="1")
    assert (len(first.asked), len(second.asked), len(third.asked)) == (1, 1, 0)


def test_none_accepts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    use(monkeypatch, REJECTED, REJECTED)
    assert chain.check(settings, Credentials("ada", "x", "")) == REJECTED
    use(monkeypatch)
    assert chain.check(settings, Credentials("ada", "x", "")) == REJECTED


def test_one_cannot_be_asked(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    use(monkeypatch, BROKEN, YES)
    assert chain.check(settings, Credentials("ada", "x", "")) == replace(YES, method="1")
    use(monkeypatch, BROKEN, REJECTED)
    with pytest.raises(Refusal, match="cannot be checked now") as problem:
        chain.check(settings, Credentials("ada", "x", ""))
    assert problem.value.status == 503 and "directory" not in str(problem.value)


def test_a_name_that_nobody_can_have(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    use(monkeypatch, Verdict(True, "a b"), Verdict(True), Verdict(True, "Ada L", admin=True))
    assert chain.check(settings, Credentials("ada", "x", "")) == REJECTED


def test_too_many_tries_for_an_account_end_the_chain(monkeypatch: pytest.MonkeyPatch,
                                                     settings: Settings) -> None:
    use(monkeypatch, Refusal("Too many.", 429), YES)
    with pytest.raises(Refusal, match="Too many"):
        chain.check(settings, Credentials("ada", "x", ""))


def test_methods_are_those_that_are_on(settings: Settings) -> None:
    assert list(chain.methods(settings)) == ["htpasswd"]
    off = replace(settings, check_user_with_htpasswd=False)
    assert not chain.methods(off)
    assert chain.standing(settings, "htpasswd", "ada")
    assert chain.standing(off, "htpasswd", "ada") is None
    assert chain.standing(settings, "ldap", "ada") is None
