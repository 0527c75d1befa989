"""What somebody is asked who has not said who they are: only what the methods that are on need.

And asked again after a refusal, with everything that was typed but the password, whether the form
was for signing in, for a machine or for stopping one.
"""

from typing import Any

from desktop.auth import chain
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import page
from desktop.web.page import Answer
from desktop.web.ticket import Unmeant
from desktop.web.visit import Visit

SECRET = ("user", "password", "ticket")  # never repeated; the name has a field of its own
TITLES = {401: "Sign in", 429: "Please wait", 503: "Not now"}
DOES = {"create": "Start it", "stop": "Stop it", "purge": "Stop all", "signout": "Sign out",
        "maintain": "Change it", "offer": "Change it", "freeze": "Freeze it",
        "discard": "Remove it", "remove": "Remove it", "extend": "Extend it", "message": "Say it"}
MAILBOX = "The address and the password of your mailbox."
INSTITUTION = "The name and the password of your account at the institution."
APACHE = ("Who you are is found out when a page is opened, and this time it was not. Open the "
          "form again; if that does not help, ask your administrator.")
LINK = "You get a link to your machine by mail."
IN_MAIL = "A machine that was mailed is opened by the link in its mail."


def enter(settings: Settings, stranger: bool, machine: bool = True) -> dict[str, bool]:
    """Return which fields a form has for who one is; one for a `machine` may have it mailed."""
    passwords = bool(chain.ways(settings))
    mail = machine and settings.check_user_with_email
    return {"user": stranger and (passwords or mail), "password": stranger and passwords,
            "email": stranger and mail}


def words(settings: Settings, machine: bool = True) -> dict[str, str]:
    """Return what these fields are called, and what to enter: the site's words before ours."""
    ways, mail = set(chain.ways(settings)), machine and settings.check_user_with_email
    name, advice = "User", ""
    if not ways and settings.check_user_with_email:
        name, advice = ("E-mail address", LINK) if mail else (name, IN_MAIL)
    elif not ways:
        advice = APACHE
    elif ways <= {"imap", "smtp"}:
        advice = MAILBOX
    elif "ldap" in ways:
        advice = INSTITUTION
    if ways and mail:
        name = "User or e-mail"
        advice = f"{advice} Without a password, you get a link by mail.".lstrip()
    return {"user": settings.sign_in_user or name, "password": settings.sign_in_password
            or "Password", "help": settings.sign_in_help or advice}


def asks(visit: Visit, problem: Refusal) -> bool:
    """Tell whether a refusal is about who somebody is, or whether they meant it."""
    return isinstance(problem, Unmeant) or (
        visit.person is None and problem.status in TITLES)


def again(visit: Visit, problem: Refusal) -> Answer:
    """Return the page that asks; what else was typed goes along, and is sent with the answer."""
    request, settings = visit.request, visit.settings
    posted, machine = request.method == "POST", request.script.endswith("/create")
    kept = {name: value for name, value in request.fields.items() if name not in SECRET}
    facts: dict[str, Any] = {
        "action": request.script.rpartition("/")[2] if posted else "monitor",
        "kept": kept if posted else {"action": "signin"},
        "message": str(problem) if posted else "", "user": request.fields.get("user", "")}
    if isinstance(problem, Unmeant):
        facts |= {"message": problem.message, "wanted": problem.wanted,
                  "does": DOES.get(request.fields.get("action", problem.wanted[0]), "Do it")}
        return page.html(problem.status, visit.frame, "confirm.html", "Do you want this?", **facts)
    return page.html(problem.status, visit.frame, "sign_in.html", TITLES[problem.status],
                     enter=enter(settings, True, machine),
                     words=words(settings, machine), **facts).plus(
        "Retry-After", str(problem.retry_after or ""))
