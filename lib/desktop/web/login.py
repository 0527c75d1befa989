"""Who is asking: the signed cookie of an earlier sign-in, or the password sent with the request.

The only importer of itsdangerous. A cookie says the name, the method and a fingerprint of the
account; it ends with its time, with the account, with its password, or when the method is off.
"""

import hmac
import logging
import secrets
import time
from base64 import b32encode
from dataclasses import dataclass, replace
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from desktop.auth import chain, remote_user, throttle
from desktop.auth.credentials import Credentials, Verdict, canonical
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import gateway, key
from desktop.web.request import Request

log = logging.getLogger("login")
COOKIE = "remote-desktop"
SECURE = f"__Secure-{COOKIE}"  # a browser takes such a one by TLS alone (RFC 6265bis, 4.1.3)
GUEST = "guest"


@dataclass(frozen=True)
class Person:
    """Somebody who has proved who they are."""

    name: str  # canonical: owner of sessions, counted in limits, compared with user_admin
    admin: bool
    method: str  # how they proved it: htpasswd, guest
    mail: str = ""  # for messages, where known
    cookie: str = ""  # the Set-Cookie header of the answer, when the browser has not got it yet
    fresh: bool = False  # not named by cookie or Apache: the browser did not say it by itself


def who(request: Request, settings: Settings) -> Person | None:
    """Return who sends this request, or None for a stranger.

    What Apache knows counts before what is typed, and that before what the browser remembers.
    Raises Refusal for a wrong password (401), too many of them (429), and when nothing is set up
    that could tell who anybody is.
    """
    if remote_user.speaks(settings, request.remote_user):
        return vouched(request, settings)
    user, password = request.fields.get("user", ""), request.fields.get("password", "")
    methods = chain.methods(settings)
    if (user or password) and methods:
        return sign_in(request, settings, user, password)
    person = remembered(request, settings)
    if person or not settings.allow_unauthenticated and (
            methods or settings.check_user_with_remote_user or settings.check_user_with_email):
        return person
    if settings.allow_unauthenticated:
        return guest(request, settings,
                     f"{GUEST}-{b32encode(secrets.token_bytes(10)).decode().lower()}", fresh=True)
    raise Refusal("Nobody can sign in here yet.", 403,
                  "The administrator sets check_user_with_htpasswd = 1 and adds accounts.")


def elsewhere(settings: Settings, person: Person) -> str | None:
    """Return where somebody signs out, empty for nowhere; None: here, as the cookie is ours."""
    return settings.remote_user_sign_out if person.method == remote_user.NAME else None


def by_itself(request: Request, settings: Settings) -> bool:
    """Tell whether a browser may have said who sends this without the person's doing."""
    return (bool({COOKIE, SECURE} & request.cookies.keys())
            or remote_user.speaks(settings, request.remote_user))


def vouched(request: Request, settings: Settings) -> Person:
    """Return whom Apache names.

    A cookie only remembers that a program which may refuse them has not.
    """
    verdict = remote_user.check(settings, request.remote_user)
    if not chain.objects(settings):
        return person(settings, verdict)
    opened = read(request, settings)
    if (opened and opened.verdict == verdict and not farewell(settings, opened).exists()
            and hmac.compare_digest(opened.mark, key.fingerprint(settings, chain.STAMP))):
        return person(settings, verdict)
    if not chain.agreed(settings, Credentials(verdict.name, "", request.source)):
        raise Refusal("You may not enter here.", 403, "Ask your administrator.")
    return replace(person(settings, verdict),
                   cookie=cookie(request, settings, verdict, chain.STAMP))


def sign_in(request: Request, settings: Settings, user: str, password: str) -> Person:
    """Return who has this name and this password, with the cookie that remembers it."""
    name = canonical(user)
    try:
        with throttle.attempt(settings, key.read(settings), name or user, request.source,
                              outside=chain.outside(settings)) as attempt:
            verdict = chain.check(settings, Credentials(name, password, request.source,
                                                        attempt.account))
            attempt.right = verdict.accepted
        if not verdict.accepted:
            raise Refusal("Name or password are wrong.", 401, "Mind capitals and the keyboard.")
    except Refusal as problem:
        if problem.status in (401, 429):
            # For fail2ban. Without the name: it is often the password, in the wrong field.
            log.warning("sign-in refused from %s", request.source)
        raise
    log.info("%s signed in by %s from %s", verdict.name, verdict.method, request.source)
    return replace(person(settings, verdict), fresh=True, cookie=cookie(
        request, settings, verdict, chain.standing(settings, verdict.method, verdict.name) or ""))


def person(settings: Settings, verdict: Verdict) -> Person:
    """Return who was accepted. An administrator of user_admin is none as soon as it says so."""
    return Person(verdict.name, chain.administers(settings, verdict), verdict.method, verdict.mail)


def remembered(request: Request, settings: Settings) -> Person | None:
    """Return who the cookie names, if it is ours, fresh, and nothing has changed since."""
    opened = read(request, settings)
    if opened is None or farewell(settings, opened).exists():
        return None
    verdict = opened.verdict
    if verdict.method == GUEST:  # renewed each time: a forgotten guest cannot sign in again
        return guest(request, settings, verdict.name) if settings.allow_unauthenticated else None
    standing = chain.standing(settings, verdict.method, verdict.name)
    if standing is None or not hmac.compare_digest(opened.mark,
                                                   key.fingerprint(settings, standing)):
        return None
    return person(settings, verdict)


@dataclass(frozen=True)
class Opened:
    """A cookie of ours: the verdict it remembers, the fingerprint it hangs on, and its time."""

    verdict: Verdict
    mark: str
    made: str


def read(request: Request, settings: Settings) -> Opened | None:
    """Return what a cookie says that is ours and fresh, else None."""
    try:
        facts, made = serializer(settings).loads(
            shown(request, settings), settings.sign_in_lifetime, return_timestamp=True)
        name, method, mark, admin, mail = facts
    except (BadData, ValueError, TypeError):
        return None
    return Opened(Verdict(True, str(name), str(method), admin is True, str(mail)), str(mark),
                  str(made))


def shown(request: Request, settings: Settings) -> str:
    """Return the text of the cookie. By TLS one counts that nobody on the wire can have set."""
    plain = "" if gateway.secret(request, settings) else request.cookies.get(COOKIE, "")
    return request.cookies.get(SECURE, plain)


def farewell(settings: Settings, opened: Opened) -> Path:
    """Return the file that is there once this sign-in was ended: its cookie may be elsewhere.

    Not named after the cookie's text, of which base64 knows several spellings.
    """
    words = (opened.verdict.name, opened.verdict.method, opened.mark, opened.made)
    return settings.dir_state / "signed-out" / key.fingerprint(settings, " ".join(words))


def guest(request: Request, settings: Settings, name: str, fresh: bool = False) -> Person:
    """Return somebody of whom nothing is known but that it is the same browser."""
    return Person(name, False, GUEST, fresh=fresh,
                  cookie=cookie(request, settings, Verdict(True, name, GUEST), ""))


def cookie(request: Request, settings: Settings, verdict: Verdict, standing: str) -> str:
    """Return the Set-Cookie header that remembers somebody."""
    value = serializer(settings).dumps([verdict.name, verdict.method,
                                        key.fingerprint(settings, standing), verdict.admin,
                                        verdict.mail])
    return attributes(request, settings, str(value), settings.sign_in_lifetime)


def sign_out(request: Request, settings: Settings) -> str:
    """End this sign-in; return the Set-Cookie header that forgets."""
    opened = read(request, settings)
    # A guest's is renewed all the time, and whoever can sign out a guest can be another one.
    if opened and opened.verdict.method != GUEST and remembered(request, settings):
        file = farewell(settings, opened)
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            for old in file.parent.iterdir():
                if old.stat().st_mtime < time.time() - settings.sign_in_lifetime:
                    old.unlink(missing_ok=True)
        except OSError as error:
            log.error("a sign-out is not kept: %s", error.strerror)
    return attributes(request, settings, "", 0)


def attributes(request: Request, settings: Settings, value: str, lifetime: int) -> str:
    """Return a Set-Cookie header. Lax, so that a link from a mail finds its reader signed in."""
    secure = gateway.secret(request, settings)
    return (f"{SECURE if secure else COOKIE}={value}; Path={request.base or '/'}; "
            f"Max-Age={lifetime}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}")


def serializer(settings: Settings) -> URLSafeTimedSerializer:
    """Return what signs and checks cookies."""
    from hashlib import sha256
    return URLSafeTimedSerializer(key.read(settings), "sign-in",
                                  signer_kwargs={"digest_method": sha256,
                                                 "key_derivation": "hmac"})
