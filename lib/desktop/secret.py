"""Passwords that the service itself has, for other servers: each in a file of its own."""

import os
import stat
from pathlib import Path

from desktop.errors import Refusal

LONGEST = 1024  # bytes


def read(path: Path, setting: str) -> str:
    """Return the password in a file, its only line.

    Raises Refusal (503) when it cannot be read, or others than its owner and group can.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_IMODE(mode) & 0o007:
                raise Refusal(f"{setting} = {path} is open to everybody.", 503,
                              f"chmod 640 {path}; and change the password.")
            password = file.read(LONGEST + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise Refusal(f"{setting} = {path} cannot be read: "
                      f"{getattr(error, 'strerror', None) or 'it is not UTF-8'}.", 503) from error
    if not password.strip() or len(password) > LONGEST or not password.isprintable():
        raise Refusal(f"{setting} = {path} is not a password, alone on its line.", 503)
    return password
