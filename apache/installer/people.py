"""Accounts, through the service's own admin.py: the administrator's, and one to try it out."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import system
from places import ADMIN, HTPASSWD, SETTINGS
from report import Problem, Result

ADMINISTRATOR = "admin"
VISITOR = "install-check"


def administrator() -> Result:
    """Make the first account; its password is shown now and never again.

    Where there are accounts, a missing one is the site's wish.
    """
    if number := accounts():
        return Result(False, f"{number} in {HTPASSWD}")
    password = add(ADMINISTRATOR)
    return Result(True, f"made: {ADMINISTRATOR}, password {password}",
                  "keep this password; it is shown only now")


def accounts() -> int:
    """Count the accounts of people."""
    lines = HTPASSWD.read_text(errors="replace").splitlines() if HTPASSWD.exists() else []
    return sum(bool(line.strip()) and not line.startswith(f"{VISITOR}:") for line in lines)


@contextmanager
def visitor() -> Iterator[tuple[str, str]]:
    """Lend an account, name and password, that is gone afterwards."""
    remove(VISITOR)
    password = add(VISITOR)
    try:
        yield VISITOR, password
    finally:
        remove(VISITOR)


def add(name: str) -> str:
    """Make an account and return the password made for it."""
    _, comma, password = admin(f"--user_add={name}").strip().partition(",")
    if not comma:
        raise Problem(f"{ADMIN} made the account {name} and said no password.")
    return password


def remove(name: str) -> None:
    """Remove an account, if there is one."""
    if any(line.startswith(f"{name}:")
           for line in HTPASSWD.read_text(errors="replace").splitlines()):
        admin(f"--user_remove={name}")


def admin(*words: str, fine: Collection[int] = (), settings: Path = SETTINGS) -> str:
    """Run an administrator's command with the server's settings; return what it says."""
    return script(ADMIN, *words, fine=fine, settings=settings)


def script(program: Path, *words: str, fine: Collection[int] = (),
           settings: Path = SETTINGS) -> str:
    """Run a script of the service with the server's settings; return what it says."""
    return system.run(program, *words, fine=fine,
                      environment={**system.CLEAN, "REMOTE_DESKTOP_INI": str(settings)})
