"""Waking a parked session: it goes on where it was saved, if there is room for it now."""

import os

from desktop import maintenance
from desktop.errors import Refusal
from desktop.launch import detach
from desktop.machine import catalogue, template
from desktop.machine.descriptor import Machine
from desktop.machine.template import Template
from desktop.session import claim, housekeeping, listening, lock, plan, record, sessions, start
from desktop.session.paths import Paths
from desktop.session.record import Record, State
from desktop.settings import Settings


@start.for_owner_alone()
def wake(settings: Settings, entry: Record) -> Record:
    """Wake a session and return its record when its screen answers; one that runs is as it is.

    Raises Refusal; it is parked as before then.
    """
    if entry.state is not State.PARKED:
        return entry
    maintenance.check(settings)
    saved, paths = sessions.paths(settings, entry), Paths(settings.dir_cfg / entry.session)
    sessions.prepare(settings)
    housekeeping.sweep(settings)
    try:
        with lock.holding(saved.lock), detach.summon(paths.directory) as line:
            machine, below = origin(settings, entry)
            claimed = claim.again(settings, entry, paths, saved)
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


def origin(settings: Settings, entry: Record) -> tuple[Machine, Template | None]:
    """Return the machine and the template below a session's disk; raise Refusal when changed."""
    machine = catalogue.known(settings, entry.machine)
    if sessions.altered(settings, [entry]):
        raise Refusal(f"{entry.machine} was changed since this session was parked.", 409,
                      "It cannot go on: stop it, or have the administrator put it back.")
    if not entry.template:
        return machine, None
    below = template.read(settings.dir_templates / entry.template)
    if below.problem:
        raise Refusal(f"The template it started from is no good any more: {below.problem}.", 409,
                      "It cannot go on: stop it, or tell your administrator.")
    return machine, below
