"""What the pages of those who look on are told beside the screen, and the message laid over it.

A page that has shown the token hears it on the same websocket, so that it needs no sign-in and
asks nobody again and again: JSON, whenever something changes and with every heartbeat.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from desktop import process
from desktop.errors import Refusal
from desktop.session import control, sessions
from desktop.session.record import Record
from desktop.settings import Settings

PROTOCOL = "remote-desktop"  # the websocket subprotocol of pages that understand it
PARKED = "parked"  # how it ends for the keeper that parks it
OVER, ELSEWHERE, ASLEEP = 4000, 4001, 4002  # close codes (RFC 6455, 7.4.2: 4000 and up are ours)
ADMINISTRATION = "The administration"  # who tells something to the viewers of others
LONGEST = 500  # characters of a message


def text(entry: Record, settings: Settings) -> str:
    """Return the news of a session; `left` and `warn` are seconds, null: it has no end."""
    left = max(0, round(entry.deadline - process.boottime())) if entry.deadline else None
    return json.dumps({
        "title": entry.title, "name": entry.name, "state": entry.state, "reason": entry.reason,
        "left": left, "warn": settings.warn_before_end or None,
        "asks": settings.service_use_vnc_token,
        "message": {"text": entry.message, "from": entry.message_from, "at": entry.message_at}
        if entry.message else None})


def message(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes in a record for a message, of a request to the keeper."""
    return {"message": str(facts["text"]), "message_from": str(facts["sender"]),
            "message_at": time.time()}


def send(settings: Settings, entry: Record, words: str, sender: str) -> int:
    """Lay a message over the desktop; return how many look on now, later ones see it too.

    Raises Refusal for a message that is none and for a keeper that does not answer.
    """
    sessions.must_be_awake(entry)
    answer = control.must_answer(sessions.paths(settings, entry), "message",
                                 f"{entry.name} cannot be told", text=tidy(words), sender=sender)
    return int(answer.get("viewers", 0))


def tidy(words: str) -> str:
    """Return a message as it is laid over a desktop; raise Refusal for one that is none."""
    words = " ".join(words.split())
    if not words or not words.isprintable():
        raise Refusal("The message is empty or cannot be read.")
    if len(words) > LONGEST:
        raise Refusal(f"The message has {len(words)} characters and may have {LONGEST}.")
    return words
