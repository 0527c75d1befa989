"""More time for a session, while nobody waits for the place it holds.

Others wait when all places are taken, or when somebody was refused for lack of room within the
last ten minutes and could have had what they asked for on an empty server.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop import literal
from desktop.errors import Refusal
from desktop.session import control, sessions
from desktop.session.record import Record
from desktop.settings import Settings

STEP = 3600  # seconds given at a time
MOST = 366 * 86400  # seconds that anybody can mean
LATELY = 600  # seconds for which a refusal counts


@dataclass(frozen=True)
class Offer:
    """The seconds that can be had now; `problem` says why there are none."""

    seconds: int
    problem: str = ""


def wanted(text: str) -> int:
    """Return the seconds that somebody typed, STEP for nothing; raise Refusal."""
    try:
        seconds = literal.integer(text) if text else STEP
    except ValueError as error:
        raise Refusal(f"seconds = {text!r} is not {error}.") from error
    if not 0 < seconds <= MOST:
        raise Refusal(f"seconds = {seconds} is not between 1 and {MOST}.")
    return seconds


def extend(settings: Settings, entry: Record, seconds: int, *, admin: bool = False) -> int:
    """Put off the end of a session; return by how many seconds, fewer than asked for at times.

    An `admin` needs no offer. Raises Refusal.
    """
    sessions.must_be_awake(entry)
    if not entry.deadline:
        raise Refusal(f"{entry.name} has no end that could be put off.", 409)
    if not admin and (problem := offer(settings, entry).problem):
        raise Refusal(problem, 409, "Save your work elsewhere before the end.")
    most = None if admin else settings.extend_max
    answer = control.must_answer(sessions.paths(settings, entry), "extend",
                                 f"{entry.name} cannot be extended", seconds=seconds, most=most)
    if not answer.get("seconds"):  # somebody else was faster
        raise Refusal(used_up(settings), 409)
    return int(answer["seconds"])


def offer(settings: Settings, entry: Record) -> Offer:
    """Return what the owner of a session can have now."""
    left = int(settings.extend_max - entry.extended)
    if not entry.deadline:
        return Offer(0, "It has no end.")
    if left < 1:
        return Offer(0, used_up(settings))
    most = settings.service_max_instance_nb
    if most and sum(1 for _ in sessions.directories(settings)) >= most:
        return Offer(0, "All places are taken, so others may wait for yours.")
    with suppress(FileNotFoundError):
        if 0 <= time.time() - mark(settings).stat().st_mtime < LATELY:
            return Offer(0, "Others wait for a place: somebody was refused lately.")
    return Offer(min(STEP, left))


def grant(entry: Record, facts: Mapping[str, Any]) -> tuple[int, dict[str, float]]:
    """Return how many seconds a request to the keeper gets, and what that changes in the record.

    `most` of the facts is what a session may have in all, None: without limit.
    """
    seconds, most = int(facts["seconds"]), facts.get("most")
    if not entry.deadline:
        return 0, {}
    given = seconds if most is None else max(0, min(seconds, int(most - entry.extended)))
    return given, {"deadline": entry.deadline + given, "extended": entry.extended + given}


def used_up(settings: Settings) -> str:
    """Return why there is no more time."""
    if not settings.extend_max:
        return "Sessions are not extended here."
    return f"It has been extended by all of {settings.extend_max / 3600:.4g} hours."


def note_refusal(settings: Settings) -> None:
    """Remember that somebody was refused for lack of room; when that fails, nobody waits."""
    with suppress(OSError):
        mark(settings).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark(settings).touch(mode=0o600)


def mark(settings: Settings) -> Path:
    """Return the file whose time is that of the last refusal."""
    return settings.dir_state / "refused"
