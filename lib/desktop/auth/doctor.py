"""How the ways in do, for whoever administers them: by hand only, never for a request.

Failures are not counted here, and it is said which way refuses and why one cannot be asked.
"""

from collections.abc import Callable, Iterator, Sequence

from desktop.auth import chain, custom, email
from desktop.auth.chain import Method
from desktop.auth.credentials import REJECTED, Credentials, Verdict, canonical, possible
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.settings import Settings

NAME = "sign-in"
HERE = "by hand"  # where a name is tried from


def look(settings: Settings) -> Iterator[Finding]:
    """Say how each way does that is on, and when none is."""
    ways: dict[str, Method] = chain.methods(settings)
    if chain.objects(settings):
        ways = {**ways, "custom": custom}
    for name, method in ways.items():
        yield from examined(name, method.probe, settings)
    if settings.check_user_with_email:
        yield from examined(email.NAME, email.probe, settings)
    if settings.check_user_with_remote_user:
        yield Finding("remote_user", "Apache says who people are")
    if settings.allow_unauthenticated:
        yield Finding(NAME, "everybody is let in, without a name", True,
                      "allow_unauthenticated = 0, unless nobody else reaches this server.")
    elif not (chain.methods(settings) or settings.check_user_with_email
              or settings.check_user_with_remote_user):
        yield Finding(NAME, "no way to sign in is on: everybody is refused", False,
                      "check_user_with_htpasswd = 1, for instance.")


def examined(name: str, probe: Callable[[Settings], Sequence[Finding]],
             settings: Settings) -> Sequence[Finding]:
    """Return what a way says of its servers; where it cannot, the reason is what is found."""
    try:
        return probe(settings)
    except Refusal as problem:
        return [Finding(name, problem.message, False, problem.hint)]


def attempt(settings: Settings, user: str, password: str) -> Iterator[Finding]:
    """Ask the ways in turn, as a sign-in does; say what each answers, and what is learnt."""
    credentials = Credentials(canonical(user), password, HERE)
    if not possible(credentials):
        raise Refusal(f"Nobody can be called {user!r}." if not credentials.user else
                      "No password is like this: empty, too long, or with control characters.")
    verdict = REJECTED
    for name, answer in chain.answers(settings, credentials):
        if isinstance(answer, Refusal):
            yield Finding(name, f"cannot be asked: {answer.message}", False, answer.hint)
            continue
        verdict = answer
        yield Finding(name, learnt(settings, verdict) if verdict.accepted else
                      "does not know this name and this password", verdict.accepted)
        if verdict.accepted:
            break
    if verdict.accepted and chain.objects(settings):
        asked = Credentials(verdict.name, password, HERE)
        agreed = chain.agreed(settings, asked)
        yield Finding("custom", "agrees" if agreed else "refuses this person", agreed)


def learnt(settings: Settings, verdict: Verdict) -> str:
    """Return what a way that accepts somebody says of them."""
    admin = chain.administers(settings, verdict)
    return ", ".join(filter(None, (
        f"accepts; the name is {verdict.name}", f"mail {verdict.mail}" if verdict.mail else "",
        "administrator" if admin else "")))
