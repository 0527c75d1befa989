"""Starting a session for somebody: a wish becomes a claim, a keeper, a machine that answers."""

import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import maintenance
from desktop.errors import Refusal
from desktop.launch import detach
from desktop.session import lock, record
from desktop.session.paths import Paths
from desktop.session.record import Corrupt, Record
from desktop.session.wish import Wish
from desktop.settings import Settings

if TYPE_CHECKING:
    from desktop.session.claim import Claim

PATIENCE = 30.0  # seconds for a machine to answer


@contextmanager
def for_owner_alone() -> Iterator[None]:
    """Let nobody else read the files that are made meanwhile."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@for_owner_alone()
def start(settings: Settings, wish: Wish, owner: str, *, source: str = "", method: str = "",
          mail: str = "", admin: bool = False, direct: bool = False,
          meanwhile: Callable[[], object] = lambda: None) -> Record:
    """Start a session and return its record when its screen answers.

    An `admin` may have every machine. `direct` shows it on a port of 127.0.0.1 instead of behind
    Apache; `meanwhile` runs while QEMU starts. The same form of the same person is one session.
    Raises Refusal.
    """
    maintenance.check(settings)
    check_programs(settings)
    paths = Paths(settings.dir_cfg / record.new_id())
    with detach.summon(paths.directory) as line:
        # Read now, while the keeper reads its own: 40 ms of both.
        from desktop.session import claim, history, housekeeping, listening, plan, sessions
        sessions.prepare(settings)
        housekeeping.sweep(settings)
        choice = claim.settle(settings, wish, owner, admin)
        if wish.form and history.knows(settings, owner, wish.form):
            raise over()
        listener = listening.by_hand(settings) if direct else None
        claimed = claim.make(settings, choice, owner, paths=paths, form=wish.form, source=source,
                             method=method, mail=mail,
                             endpoint=listening.endpoint(listener, paths))
        if isinstance(claimed, Record):
            return await_other(sessions.paths(settings, claimed))
        try:
            plan.entrust(settings, claimed, listener, line,
                         plan.made(settings, claimed.record, choice))
            meanwhile()
            wait_ready(settings, claimed, line)
            return record.read(paths.directory)
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


def wait_ready(settings: Settings, claimed: "Claim", line: socket.socket) -> None:
    """Wait until the keeper says that its machine answers; raise Refusal when it does not.

    Nothing is left of it then; but one that was parked, and runs again, gets another keeper.
    """
    problem = Refusal(f"The machine did not answer in {PATIENCE:g} s.", 503,
                      "The server may be very busy: try again.", retry_after=60)
    if select.select([line], [], [], PATIENCE)[0]:
        facts = detach.hear(line)
        if facts.get("ready"):
            return
        problem = Refusal(facts.get("problem", "The keeper of the machine ended."),
                          facts.get("status", 500),
                          facts.get("hint", "Try again, or tell your administrator."))
    from desktop.session import ending, garage  # only when something went wrong
    runs = os.path.lexists(garage.woken(settings, claimed.record.session))
    if claimed.paths.directory.exists() and not runs:
        ending.let_go(settings, claimed.record, how=f"failed: {problem}")
    raise problem


def await_other(paths: Paths) -> Record:
    """Wait for the request that starts this session, and return what it started."""
    try:
        with lock.holding(paths.answer):
            return record.read(paths.directory)
    except (FileNotFoundError, Corrupt) as error:
        raise over() from error


def over() -> Refusal:
    """Return the refusal of a form whose session has ended."""
    return Refusal("The session that this form started is over.", 410, "Open the form again.")
