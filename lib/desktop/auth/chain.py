"""The ways to prove who one is, tried in order until one accepts.

A method is a module with three functions: check(settings, credentials) -> Verdict,
standing(settings, name) -> what an older sign-in of this person hangs on, None when it is over,
and probe(settings) -> what an administrator should know of its servers. It is on when the setting
check_user_with_<its name> is; `custom` is the site's own program, which may also be asked about
everybody whom another way accepted.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

from desktop.auth.credentials import REJECTED, Credentials, Verdict, canonical, possible
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.settings import Settings

log = logging.getLogger("auth")
METHODS = ("htpasswd", "ldap", "imap", "smtp")  # in this order: the cheapest first
STAMP = "agreed"  # what a sign-in hangs on that a program has agreed to


class Method(Protocol):
    """One way to prove who one is."""

    def check(self, settings: Settings, credentials: Credentials) -> Verdict:
        """Tell whether these credentials are right; raise Refusal when that cannot be told."""

    def standing(self, settings: Settings, name: str) -> str | None:
        """Return a text that changes when older sign-ins of this person must end."""

    def probe(self, settings: Settings) -> Sequence[Finding]:
        """Say how what this method asks does; by hand only, for apache/install --check.

        A finding for each server that is named: connected to as check() does, with its time
        limits and its TLS, and signed in to with the service's own account where there is one,
        but nobody's password. certificate.judge() says the rest of one that answers; one that
        does not is a finding that is not good, with the reason and the setting that mends it.
        Raises nothing but Refusal, for what is wrong with all of them.
        """


def ways(settings: Settings) -> list[str]:
    """Return the names of the methods that are on."""
    names = [name for name in METHODS if getattr(settings, f"check_user_with_{name}", False)]
    if settings.check_user_custom and settings.check_user_custom_mode == "or":
        names.append("custom")
    return names


def methods(settings: Settings) -> dict[str, Method]:
    """Return the methods that are on, by name; each is imported only then."""
    return {name: cast(Method, import_module(f"desktop.auth.{name}")) for name in ways(settings)}


def objects(settings: Settings) -> bool:
    """Tell whether a program may refuse whom another way accepted."""
    return bool(settings.check_user_custom) and settings.check_user_custom_mode == "and"


def agreed(settings: Settings, credentials: Credentials) -> bool:
    """Tell whether the program that may refuse people does not.

    The password is empty where they came in without. Raises Refusal when it cannot be asked.
    """
    if not objects(settings):
        return True
    from desktop.auth import custom
    return custom.check(settings, credentials).accepted


def outside(settings: Settings) -> bool:
    """Tell whether others than this service see passwords, and may lock accounts."""
    return bool(methods(settings).keys() - {"htpasswd"})


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Return the verdict of the first method that accepts.

    Raises Refusal when none does and one could not be asked.
    """
    if not possible(credentials):
        return REJECTED
    unavailable = None
    for name, answer in answers(settings, credentials):
        if isinstance(answer, Refusal):
            log.error("%s: %s", name, answer)
            unavailable = answer
        elif answer.accepted:
            return answer if agreed(settings,
                                    replace(credentials, user=answer.name)) else REJECTED
    if unavailable:  # which one is for the log alone
        raise Refusal("Names and passwords cannot be checked now.", 503,
                      "Try again in a few minutes.") from unavailable
    return REJECTED


def answers(settings: Settings,
            credentials: Credentials) -> Iterator[tuple[str, Verdict | Refusal]]:
    """Ask the methods in turn; yield the verdict of each, or why it could not be asked.

    Raises Refusal (429) when the account must wait.
    """
    for name, method in methods(settings).items():
        try:
            verdict = method.check(settings, credentials)
        except Refusal as problem:
            if problem.status == 429:
                raise
            yield name, problem
            continue
        if verdict.accepted and not (verdict.name and canonical(verdict.name) == verdict.name):
            log.error("%s: %r cannot be the name of a person", name, verdict.name)
            verdict = REJECTED
        yield name, replace(verdict, method=name) if verdict.accepted else REJECTED


def standing(settings: Settings, method: str, name: str) -> str | None:
    """Return what an older sign-in by this method hangs on, or None when it is over."""
    known = methods(settings).get(method)
    found = known.standing(settings, name) if known else None
    if found is None or not objects(settings):
        return found
    return f"{found}\n{settings.check_user_custom}"  # whom it refuses must sign in anew


def administers(settings: Settings, verdict: Verdict) -> bool:
    """Tell whether somebody administers: `ann` whoever says it is her, `ldap:ann` as LDAP says.

    No name has a colon.
    """
    named = {verdict.name, f"{verdict.method}:{verdict.name}"}
    return verdict.admin or bool(named & set(settings.user_admin))
