"""What the form may offer to this person now; html/facts.js reads it."""

import secrets
from dataclasses import asdict, replace
from typing import Any

from desktop import __version__, maintenance
from desktop.errors import Refusal
from desktop.freeze import instant
from desktop.host import capacity, gpu
from desktop.machine import catalogue
from desktop.machine.descriptor import Machine
from desktop.session import claim, sessions
from desktop.session.record import Record
from desktop.settings import VIDEO, Settings
from desktop.web import card, entrance, login, server
from desktop.web.visit import Visit


def offer(visit: Visit) -> dict[str, Any]:
    """Return what the form offers to whoever sends this request."""
    settings, person = visit.settings, visit.person or visit.who()
    name, admin = (person.name, person.admin) if person else ("", False)
    entries = sessions.all(settings)
    mine = [entry for entry in entries if person and entry.owner == name]
    machines = catalogue.offered(settings, name, admin)
    instantly = instant.sizes(settings, machines)
    free = capacity.free(settings, capacity.measure(settings),
                         [claim.promise(entry) for entry in entries], name)
    if words := maintenance.text(settings):
        free = replace(free, sessions=0, reason=words)
    return {
        "service": {"version": __version__, "open": settings.allow_unauthenticated,
                    "notices": visit.notices + server.warnings(settings)},
        "person": {"name": name or None, "admin": admin,
                   "sign_out": login.elsewhere(settings, person) if person else None},
        "enter": entrance.enter(settings, person is None), "words": entrance.words(settings),
        "tickets": visit.tickets("create", "signout"),
        "machines": [machine(settings, one) | {"instant": instantly.get(one.name, [])}
                     for one in machines],
        "default_machine": settings.machine, "video": list(VIDEO), "free": asdict(free),
        "persistent": persistent(visit),
        "gpu": gpus(settings, entries),
        "lifetime": {"default": settings.snapshot_lifetime, "max": settings.snapshot_lifetime},
        "form": secrets.token_urlsafe(12),
        "mine": [{"session": entry.session, "name": entry.name, "machine": entry.machine,
                  "state": str(entry.state), "expires": card.moment(sessions.expires(entry))}
                 for entry in mine]}


def persistent(visit: Visit) -> dict[str, Any]:
    """Return whether sessions may outlive their viewer, and why not."""
    settings, reason = visit.settings, ""
    fields = entrance.enter(settings, visit.person is None)
    if not settings.service_allow_persistent:
        reason = "Not offered here."
    elif fields["email"] and not fields["password"]:
        reason = "A machine that is mailed ends when you leave it."
    return {"offered": not reason, "reason": reason}


def machine(settings: Settings, one: Machine) -> dict[str, Any]:
    """Return one machine of the list; memory is MB, disk GB."""
    may = claim.limits(settings, one)
    default, most = may.memory
    return {"name": one.name, "title": one.title, "description": one.description,
            "icon": one.icon, "problem": one.problem,
            "cpu": {"default": may.cpu[0], "max": may.cpu[1]},
            "memory": {"default": default, "max": most, "step": min(default & -default, 1024)},
            "disk": {"default": may.disk, "max": may.disk},
            "video": one.video or settings.qemu_video}


def gpus(settings: Settings, entries: list[Record]) -> dict[str, Any]:
    """Return whether a GPU can be had, and why not."""
    found, taken, reason = gpu.find(settings), claim.taken(entries), ""
    try:
        gpu.free_one(found, taken)
    except Refusal as problem:
        reason = problem.message
    return {"offered": not reason, "free": len(gpu.free(found, taken)), "reason": reason}
