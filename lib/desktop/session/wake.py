"""Waking a parked session: it goes on where it was saved, if there is room for it now."""

import json
import logging
import os

from desktop import configuration, maintenance
from desktop.errors import Refusal
from desktop.host import volumes
from desktop.launch import detach
from desktop.machine import catalogue, template
from desktop.machine.descriptor import Machine
from desktop.machine.template import Template
from desktop.session import (claim, footing, housekeeping, listening, lock, plan, record, sessions,
                             start)
from desktop.session.paths import Paths
from desktop.session.record import Record, State
from desktop.settings import Settings

log = logging.getLogger("wake")
KEPT = "It stays parked, and nothing of it is lost."


@start.for_owner_alone()
def wake(settings: Settings, entry: Record) -> Record:
    """Wake a session and return its record when its screen answers; one that runs is as it is.

    Raises Refusal; it is parked as before then, or runs already and only lost its keeper.
    """
    if entry.state is not State.PARKED:
        return entry
    if words := maintenance.text(settings):
        raise Refusal(f"It is not woken now. {words}", 503,
                      f"{KEPT} Open it again when maintenance is over.", retry_after=600)
    saved, paths = sessions.paths(settings, entry), Paths(settings.dir_cfg / entry.session)
    sessions.prepare(settings)
    housekeeping.sweep(settings)
    try:
        with lock.holding(saved.lock), detach.summon(paths.directory) as line:
            check_whole(saved)
            machine, below = below_it(settings, entry)
            claimed = make_room(settings, entry, paths, saved)
            direct = None if entry.endpoint.startswith("/") else listening.again(entry, paths)
            try:
                plan.entrust(settings, claimed, direct, line, plan.woken(
                    settings, claimed.record, machine, below, saved))
                start.wait_ready(settings, claimed, line)
                return record.read(paths.directory)
            finally:
                os.close(claimed.answer)
    except FileNotFoundError:  # somebody else was faster
        return sessions.find(settings, entry.session)


def make_room(settings: Settings, entry: Record, paths: Paths, saved: Paths) -> claim.Claim:
    """Promise it again what it had; raise Refusal, which says that nothing is lost."""
    try:
        return claim.again(settings, entry, paths, saved)
    except Refusal as full:  # what was hinted at is for those who start one
        more = f" {full.hint}" if full.status == 429 else ""
        raise Refusal(full.message, full.status, KEPT + more, full.retry_after) from full


def below_it(settings: Settings, entry: Record) -> tuple[Machine, Template | None]:
    """Return the machine and the template below a session's disk; raise Refusal when changed."""
    if problem := footing.trouble(settings, entry):
        raise Refusal(f"This machine cannot go on: {problem}.", 409,
                      "Its owner can stop it and start another one, unless an administrator can "
                      "put that back.")
    return (catalogue.known(settings, entry.machine),
            template.read(settings.dir_templates / entry.template) if entry.template else None)


def check_whole(saved: Paths) -> None:
    """Raise Refusal when something that was saved of a session is missing or no good.

    The log is told too. Sizes were not written down by every version.
    """
    try:
        sizes = json.loads(saved.sizes.read_text()) if saved.sizes.exists() else {}
        for path in (saved.token, saved.settings, saved.volumes, saved.state):
            if path.stat().st_size != sizes.get(path.name, path.stat().st_size):
                raise ValueError(f"{path.name} is not as long as it was")
        configuration.read(saved.settings)
        volumes.recall(saved.volumes.read_text(), saved.directory)
    except OSError as error:
        problem = template.unreadable(error)
    except (ValueError, LookupError, TypeError, AttributeError, Refusal) as error:
        problem = str(error)
    else:
        return
    log.error("%s cannot go on: %s", saved.session, problem)
    raise Refusal("What was saved of this machine is damaged.", 500,
                  "It cannot go on: stop it, or tell your administrator.")
