"""People whom Apache has authenticated already: mod_auth_openidc, Shibboleth, Kerberos, LDAP.

What counts is the variable REMOTE_USER, which Apache alone sets; a header of that name arrives as
HTTP_REMOTE_USER. Nothing else tells an authenticated request, so this must be switched on, and
Apache must then ask everybody (`Require valid-user`).
"""

import logging

from desktop.auth.credentials import Verdict, canonical
from desktop.errors import Refusal
from desktop.settings import Settings

log = logging.getLogger("auth")
NAME = "remote_user"


def speaks(settings: Settings, name: str) -> bool:
    """Tell whether Apache has said who sends a request, and is to be believed."""
    return settings.check_user_with_remote_user and bool(name)


def check(settings: Settings, name: str) -> Verdict:
    """Return who it is; raise Refusal (403) for a name that nobody can have here."""
    known = canonical(name)
    if not known:
        log.error("REMOTE_USER = %r cannot be the name of a person", name)
        raise Refusal("The name you signed in with cannot be used here.", 403,
                      "The administrator chooses another one for REMOTE_USER.")
    return Verdict(True, known, NAME)
