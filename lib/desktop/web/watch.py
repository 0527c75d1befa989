"""Looking at sessions from outside: pictures of their screens, and what becomes of one."""

import base64
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from desktop.errors import Refusal
from desktop.finding import visible
from desktop.session import control, record, sessions
from desktop.session.record import Corrupt, Record, State
from desktop.settings import Settings
from desktop.web import card

PAUSE = 0.5  # seconds between two looks
PATIENCE = 1.0  # seconds for one of many pictures
ENOUGH = 3.0  # seconds after which no further one is asked for
MUCH = 16 << 20  # bytes of them, after which no further one is sent: guests choose their size


def screen(settings: Settings, entry: Record) -> bytes:
    """Return the screen as a PNG, of a parked one the last; raise Refusal (404) for none."""
    if found := picture(settings, entry):
        return found
    raise Refusal("There is no picture of the screen yet.", 404)


def screens(settings: Settings, entries: Iterable[Record]) -> dict[str, str]:
    """Return the screens that can be had soon, as PNG in base64, by session.

    Many in one answer: a script for each would cost many times as much as the pictures.
    """
    end, size, found = time.monotonic() + ENOUGH, 0, {}
    for entry in entries:
        if size > MUCH or time.monotonic() > end:
            break
        if seen := picture(settings, entry, PATIENCE):
            found[entry.session] = base64.b64encode(seen).decode()
            size += len(seen)
    return found


def picture(settings: Settings, entry: Record, timeout: float = 5) -> bytes:
    """Return the screen as a PNG, of a parked one the last, nothing while there is none."""
    paths = sessions.paths(settings, entry)
    try:
        if entry.state is State.PARKED or control.ask(paths, "screen", timeout=timeout).get("ok"):
            return paths.screen.read_bytes()
    except (OSError, control.Silent):
        pass
    return b""


def follow(settings: Settings, entry: Record) -> Iterator[str]:
    """Yield a line whenever something about a session changes, until it is gone."""
    said = ""
    for look in looks(settings, entry):
        if (line := words(look)) != said:
            yield line
        said = line
    yield f"{entry.name} is over."


def live(settings: Settings, entry: Record) -> Iterator[str]:
    """Yield a line at each look, also of what the machine uses meanwhile, until it is gone."""
    before: tuple[float, float] | None = None  # when it was looked at, and its CPU seconds
    for look in looks(settings, entry):
        line, now, used = [words(look)], time.monotonic(), card.used(look)
        if used:
            busy = (used["cpu"] - before[1]) / (now - before[0]) if before else 0.0
            line += [f"CPU {busy / look.cpu:.0%} of {look.cpu}",
                     f"memory {used['memory']} of {look.memory} MB"]
        before = (now, used["cpu"]) if used else None
        if end := sessions.expires(look):
            line.append(f"{timedelta(seconds=max(0, round(end - time.time())))} left")
        yield ", ".join(line)
    yield f"{entry.name} is over."


def looks(settings: Settings, entry: Record) -> Iterator[Record]:
    """Yield the record of a session again and again, until it is gone."""
    while True:
        try:
            entry = record.read(sessions.paths(settings, entry).directory)
        except FileNotFoundError:
            return
        except Corrupt:
            pass  # the keeper writes it anew
        yield entry
        time.sleep(PAUSE)


def words(entry: Record) -> str:
    """Return what a session is doing, and who looks on."""
    looking = "1 viewer" if entry.viewers == 1 else f"{entry.viewers} viewers"
    reason = f" ({entry.reason})" if entry.reason else ""
    return visible(f"{entry.name} {entry.state}{reason}, {looking}")


def rewrite(lines: Iterable[str]) -> None:
    """Print lines at a terminal, each in the place of the one before."""
    try:
        for line in lines:
            room = os.get_terminal_size(sys.stdout.fileno()).columns or 80
            print(f"\r{line[:room - 1]:<{room - 1}}", end="", flush=True)
    finally:
        print(flush=True)  # also for who is interrupted
