"""Starting a session for somebody: a wish becomes a claim, a keeper, a machine that answers."""

import json
import os
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.errors import Refusal
from desktop.launch import detach
from desktop.session import claim, ending, history, housekeeping, listening, lock, record, sessions
from desktop.session.claim import Claim, Wish
from desktop.session.record import Corrupt, Paths, Record
from desktop.settings import Settings

PATIENCE = 30.0  # seconds for a machine to answer


@dataclass(frozen=True)
class Started:
    """A session whose screen answers, and what a person types to see it."""

    record: Record
    token: str


def start(settings: Settings, wish: Wish, owner: str, *, source: str = "", method: str = "",
          direct: bool = False, meanwhile: Callable[[], object] = lambda: None) -> Started:
    """Start a session and return when its screen answers.

    `direct` shows it on a port of 127.0.0.1 instead of behind Apache; `meanwhile` runs while
    QEMU starts. The same form of the same person is one session. Raises Refusal.
    """
    check_programs(settings)
    sessions.room(settings)
    housekeeping.sweep(settings)
    choice = claim.settle(settings, wish, owner)
    if wish.form and history.knows(settings, owner, wish.form):
        raise Refusal("The session that this form started is over.", 410, "Open the form again.")
    listener = listening.by_hand(settings) if direct else None
    claimed = claim.make(settings, choice, owner, form=wish.form, source=source, method=method,
                         endpoint=listening.endpoint(listener) if listener else "")
    if isinstance(claimed, Record):
        return await_other(sessions.paths(settings, claimed))
    try:
        launch(settings, claimed, listener or listening.behind_apache(claimed.paths), meanwhile)
        return Started(record.read(claimed.paths.directory), claimed.token)
    finally:
        os.close(claimed.answer)


def check_programs(settings: Settings) -> None:
    """Refuse when noVNC or websockify are not where the settings say."""
    if not (settings.dir_novnc / "vnc.html").is_file():
        raise Refusal(f"There is no vnc.html in dir_novnc = {settings.dir_novnc}.", 500,
                      "Install noVNC, or set dir_novnc to where it is.")
    place = Path(settings.dir_websockify)
    if settings.dir_websockify != "websockify" and not (place / "websockify").is_dir():
        raise Refusal(f"There is no package websockify in dir_websockify = {place}.", 500,
                      "Leave it at its default; the package is used, not the program.")


def launch(settings: Settings, claimed: Claim, listener: socket.socket,
           meanwhile: Callable[[], object]) -> None:
    """Start the keeper, which has the lock from now on, and wait until it is ready."""
    answer, ready = os.pipe()
    try:
        detach.start(claimed.paths, {"lock": claimed.lock, "ready": ready,
                                     "listener": listener.fileno()})
        os.close(ready)
        os.close(claimed.lock)
        listener.close()
        meanwhile()
        problem = wait_ready(answer)
    finally:
        os.close(answer)
    if problem:
        if claimed.paths.directory.exists():
            ending.stop(settings, claimed.record, how=f"failed: {problem}")
        raise problem


def wait_ready(answer: int) -> Refusal | None:
    """Return the reason why the machine is not ready, once the keeper has spoken."""
    if not select.select([answer], [], [], PATIENCE)[0]:
        return Refusal(f"The machine did not answer in {PATIENCE:g} s.", 503,
                       "The server may be very busy: try again.", retry_after=60)
    line = os.read(answer, 65536)
    if not line:
        return Refusal("The keeper of the machine ended.", 500, "Tell your administrator.")
    facts: dict[str, Any] = json.loads(line)
    if facts.get("ready"):
        return None
    return Refusal(facts["problem"], facts["status"], facts["hint"])


def await_other(paths: Paths) -> Started:
    """Wait for the request that starts this session, and return what it started."""
    try:
        with lock.holding(paths.answer):
            return Started(record.read(paths.directory), paths.token.read_text())
    except (FileNotFoundError, Corrupt) as error:
        raise Refusal("The session that this form started is over.", 410,
                      "Open the form again.") from error
