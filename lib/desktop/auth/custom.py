"""A program of the site's own: it is told a name and a password, and says yes with status 0.

On its standard input come two lines in UTF-8, the name and the password; the second is empty for
people who come in without one. It has 10 s; its own words go nowhere, and no shell is involved.
"""

import logging
import os
from pathlib import Path

from desktop import process
from desktop.auth.credentials import REJECTED, Credentials, Verdict
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.settings import Settings

log = logging.getLogger("auth")
PATIENCE = 10.0  # seconds


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Tell whether the program accepts; raise Refusal (503) when it cannot be asked."""
    program = settings.check_user_custom
    if not os.path.isabs(program):
        raise Refusal(f"check_user_custom = {program} is not an absolute path.", 503)
    credentials.account(credentials.user)
    try:
        status = process.tell([program], f"{credentials.user}\n{credentials.password}\n",
                              seconds=PATIENCE)
    except process.Failed as problem:
        raise Refusal(f"check_user_custom: {problem}.", 503) from problem
    if status not in (0, 1):
        log.warning("check_user_custom ended with status %s", status)
    return REJECTED if status else Verdict(True, credentials.user, "custom")


def standing(settings: Settings, name: str) -> str | None:
    """Return what a sign-in hangs on: that this very program is asked."""
    return settings.check_user_custom


def probe(settings: Settings) -> list[Finding]:
    """Say whether the program is there and may be run; it is asked about nobody."""
    program = Path(settings.check_user_custom)
    role = "may refuse people" if settings.check_user_custom_mode == "and" else "is one way in"
    if program.is_absolute() and program.is_file() and os.access(program, os.X_OK):
        return [Finding("custom", f"{program} {role}")]
    return [Finding("custom", f"{program} cannot be run by the service", False,
                    "check_user_custom is the absolute path of a program that everybody may run.")]
