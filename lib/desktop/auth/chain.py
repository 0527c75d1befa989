"""The ways to prove who one is, tried in order until one accepts.

A method is a module with two functions: check(settings, credentials) -> Verdict, and
standing(settings, name) -> what an older sign-in of this person hangs on, None when it is over.
"""

import logging
from typing import Protocol

from desktop.auth.credentials import REJECTED, Credentials, Verdict, possible
from desktop.errors import Refusal
from desktop.settings import Settings

log = logging.getLogger("auth")


class Method(Protocol):
    """One way to prove who one is."""

    def check(self, settings: Settings, credentials: Credentials) -> Verdict:
        """Tell whether these credentials are right; raise Refusal when that cannot be told."""

    def standing(self, settings: Settings, name: str) -> str | None:
        """Return a text that changes when older sign-ins of this person must end."""


def methods(settings: Settings) -> dict[str, Method]:
    """Return the methods that are on, by name; each is imported only then."""
    found: dict[str, Method] = {}
    if settings.check_user_with_htpasswd:
        from desktop.auth import htpasswd
        found["htpasswd"] = htpasswd
    return found


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Return the verdict of the first method that accepts.

    Raises Refusal when none does and one could not be asked.
    """
    if not possible(credentials):
        return REJECTED
    unavailable = None
    for name, method in methods(settings).items():
        try:
            verdict = method.check(settings, credentials)
        except Refusal as problem:
            log.error("%s: %s", name, problem)
            unavailable = problem
            continue
        if verdict.accepted:
            return verdict
    if unavailable:
        raise unavailable
    return REJECTED


def standing(settings: Settings, method: str, name: str) -> str | None:
    """Return what an older sign-in by this method hangs on, or None when it is over."""
    known = methods(settings).get(method)
    return known.standing(settings, name) if known else None
