"""Looking at a session from outside: the picture of its screen, and what becomes of it."""

import time
from collections.abc import Iterator

from desktop.errors import Refusal
from desktop.session import control, record, sessions
from desktop.session.record import Corrupt, Record
from desktop.settings import Settings

PAUSE = 0.5  # seconds between two looks


def screen(settings: Settings, entry: Record) -> bytes:
    """Return the screen as a PNG; raise Refusal (404) while there is none."""
    paths = sessions.paths(settings, entry)
    try:
        if control.ask(paths, "screen").get("ok"):
            return paths.screen.read_bytes()
    except (OSError, control.Silent):
        pass
    raise Refusal("There is no picture of the screen yet.", 404)


def follow(settings: Settings, entry: Record) -> Iterator[str]:
    """Yield a line whenever something about a session changes, until it is gone."""
    said = ""
    while True:
        try:
            entry = record.read(sessions.paths(settings, entry).directory)
        except FileNotFoundError:
            yield f"{entry.name} is over."
            return
        except Corrupt:
            pass  # the keeper writes it anew
        looking = "1 viewer" if entry.viewers == 1 else f"{entry.viewers} viewers"
        line = f"{entry.name} {entry.state}, {looking}"
        line += f": {entry.reason}" if entry.reason else ""
        if line != said:
            yield line
        said = line
        time.sleep(PAUSE)
