"""Maintenance: no new sessions, a text for everyone, and those that run go on.

It is on while a file in dir_state says why, whoever wrote it: a page, a terminal, a script.
"""

from pathlib import Path

from desktop import durable
from desktop.errors import Refusal
from desktop.literal import CONTROL
from desktop.settings import Settings

LONGEST = 300  # characters
OVER = frozenset({"0", "off"})


def path(settings: Settings) -> Path:
    """Return where the text is."""
    return settings.dir_state / "maintenance"


def text(settings: Settings) -> str:
    """Return what people are told, or nothing where there is no maintenance."""
    try:
        written = path(settings).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return CONTROL.sub(" ", written).strip()[:LONGEST] or "The service is being looked after."


def check(settings: Settings) -> None:
    """Raise Refusal (503) during maintenance."""
    if words := text(settings):
        raise Refusal(f"No new machine is started now. {words}", 503,
                      "Those that run go on; try again later.", retry_after=600)


def change(settings: Settings, words: str) -> bool:
    """Begin maintenance with a text, or end it with `0` or `off`; tell whether it is on.

    Raises Refusal for a text that is empty, too long or not printable, and when it is not for
    this user to say.
    """
    try:
        return write(settings, words)
    except OSError as error:
        raise Refusal(f"{path(settings)} cannot be changed: {error.strerror}.", 500) from error


def write(settings: Settings, words: str) -> bool:
    """Change what `change` says; raise OSError as well."""
    if words in OVER:
        path(settings).unlink(missing_ok=True)
        return False
    if not words.strip() or len(words) > LONGEST or CONTROL.search(words):
        raise Refusal(f"The text for maintenance is not one line of 1 to {LONGEST} characters.",
                      400, "Say what happens and until when; 0 ends it.")
    path(settings).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.replace(path(settings), words.strip() + "\n")
    return True
