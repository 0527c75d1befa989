"""Changing the accounts of the htpasswd file: what the administrator's commands do.

The file is replaced whole, keeping its owner and mode, so that the service reads the old one or
the new one and never a part.
"""

import csv
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from desktop.auth import htpasswd
from desktop.auth.credentials import CONTROL, canonical
from desktop.commandline import Command
from desktop.errors import Refusal
from desktop.settings import Settings

COMMANDS = (
    Command("user_add", "NAME", "Add an account; its password is printed once."),
    Command("user_remove", "NAME", "Remove an account; it is signed out everywhere."),
    Command("user_import", "FILE.csv", "Add the accounts of a file of name[,password] lines."))
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none mistaken for another


def obey(settings: Settings, command: str, value: str) -> Iterator[str]:
    """Obey one of COMMANDS; yield name and password, with a comma, where one was made."""
    if command == "user_remove":
        remove(settings, value)
        return
    wanted = read_csv(Path(value)) if command == "user_import" else {value: None}
    for user, password in add(settings, wanted).items():
        yield f"{user},{password}"


def add(settings: Settings, wanted: Mapping[str, str | None]) -> dict[str, str]:
    """Add accounts, all or none; return the passwords made for those that came without.

    Raises Refusal for a name or password that cannot be, and for one that is there already.
    """
    made: dict[str, str] = {}
    lines = []
    with Changing(settings) as file:
        for user, password in wanted.items():
            name = check_name(user)
            if name in file.names():
                raise Refusal(f"There is an account {name} already.", 409,
                              "Remove it first to give it another password.")
            if password is None:
                password = made[name] = new_password()
            lines.append(f"{name}:{htpasswd.hash_password(check_password(name, password))}")
        file.replace([*file.lines, *lines])
    return made


def remove(settings: Settings, user: str) -> None:
    """Remove an account; whoever is signed in with it is not any more."""
    with Changing(settings) as file:
        name = canonical(user)
        kept = [line for line in file.lines if name_of(line) != name]
        if not name or len(kept) == len(file.lines):
            raise Refusal(f"There is no account {user!r}.", 404)
        file.replace(kept)


def read_csv(path: Path) -> dict[str, str | None]:
    """Return name and password, None where one is to be made, of a file of name[,password]."""
    wanted: dict[str, str | None] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file, strict=True), 1):
                cells = [cell.strip() for cell in row]
                if not any(cells) or (number == 1 and cells[0].lower() in ("name", "user")):
                    continue
                if len(cells) > 2 or canonical(cells[0]) in wanted:
                    raise Refusal(f"{path} line {number}: " + (
                        "expected name,password." if len(cells) > 2 else "twice the same name."))
                wanted[check_name(cells[0])] = cells[1] if len(cells) > 1 and cells[1] else None
    except (OSError, UnicodeError, csv.Error) as error:
        raise Refusal(f"{path} cannot be read as CSV: {error}.") from error
    return wanted


def check_name(user: str) -> str:
    """Return the canonical name of a new account, or raise Refusal."""
    name = canonical(user)
    if not name or name.startswith("#"):
        raise Refusal(f"{user!r} cannot be the name of an account.", 400,
                      "Letters, digits and . _ @ + - are fine.")
    return name


def new_password() -> str:
    """Return 80 random bits that can be read aloud."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def check_password(name: str, password: str) -> str:
    """Return a password that an account can have, or raise Refusal."""
    if (not password.strip() or len(password.encode()) > htpasswd.LONGEST
            or CONTROL.search(password)):
        raise Refusal(f"The password of {name} is empty, contains control characters or has "
                      f"more than {htpasswd.LONGEST} bytes.")
    return password


def name_of(line: str) -> str:
    """Return the canonical name of a line, or nothing."""
    return canonical(line.strip().partition(":")[0])


class Changing:
    """The file while it is changed: nobody else changes it, readers see the old or the new."""

    def __init__(self, settings: Settings) -> None:
        self.path = Path(os.path.realpath(settings.file_htpasswd))
        self.group = settings.dir_state
        self.directory = -1
        self.lines: list[str] = []

    def __enter__(self) -> "Changing":
        """Take the lock (of the directory: the file itself is replaced) and read the lines."""
        try:
            self.directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self.directory, fcntl.LOCK_EX)
            if self.path.exists():
                self.lines = self.path.read_text(encoding="utf-8",
                                                 errors="surrogateescape").splitlines()
        except OSError as error:
            self.__exit__()
            raise self.refusal(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        if self.directory >= 0:
            os.close(self.directory)

    def names(self) -> set[str]:
        """Return the canonical names that are there."""
        return {name_of(line) for line in self.lines}

    def replace(self, lines: Iterable[str]) -> None:
        """Replace the file so that a crash leaves the old one or the new one, never a part."""
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.writelines(f"{line}\n" for line in lines)
                file.flush()
                self.keep_rights(file.fileno())
                os.fsync(file.fileno())
            os.rename(draft, self.path)
            os.fsync(self.directory)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self.refusal(error) from error

    def keep_rights(self, handle: int) -> None:
        """Give the draft the owner and mode of the file; a new one is read by the service."""
        if self.path.exists():
            facts = self.path.stat()
            os.fchown(handle, facts.st_uid, facts.st_gid)
            os.fchmod(handle, facts.st_mode & 0o777)
        elif os.geteuid() == 0 and self.group.exists():
            os.fchown(handle, 0, self.group.stat().st_gid)
            os.fchmod(handle, 0o640)

    def refusal(self, error: OSError) -> Refusal:
        """Return the reason why the file cannot be changed."""
        return Refusal(f"{self.path} cannot be changed: {error.strerror}.", 403,
                       "Accounts are changed by whoever owns the file, mostly root.")
