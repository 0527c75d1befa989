"""The secret of this service, from which cookies and tickets are made; never shown to anybody."""

import hmac
import os
import secrets
from pathlib import Path

from desktop.errors import Refusal
from desktop.settings import Settings

BYTES = 32


def read(settings: Settings) -> bytes:
    """Return the secret of this service; the first who needs it makes it."""
    path = settings.dir_state / "cookie.key"
    try:
        if not path.exists():
            make(path)
        found = path.read_bytes()
    except OSError as error:
        raise Refusal(f"The cookie key cannot be read: {error.strerror}.", 500,
                      "The administrator looks at dir_state.") from error
    if len(found) != BYTES:
        raise Refusal("The cookie key is damaged.", 500,
                      "The administrator removes cookie.key in dir_state; all sign in again.")
    return found


def make(path: Path) -> None:
    """Make the key; of several who do so at once, the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def fingerprint(settings: Settings, standing: str) -> str:
    """Return a short keyed hash of what a sign-in hangs on."""
    return hmac.digest(read(settings), standing.encode(), "sha256")[:12].hex()
