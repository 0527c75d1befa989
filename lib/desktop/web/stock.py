"""The machines as administrators see them: also hidden ones, with what is known of their use."""

from collections import Counter
from typing import Any

from desktop.errors import Refusal
from desktop.machine import catalogue
from desktop.machine.descriptor import Machine
from desktop.session import claim, history, sessions
from desktop.settings import Settings
from desktop.web import access, card, freezing
from desktop.web.login import Person
from desktop.web.page import Answer
from desktop.web.visit import Visit


def answer(visit: Visit, person: Person, wanted: str) -> Answer:
    """Return all machines to an administrator; raise Refusal (403) to others."""
    access.must_be_admin(person)
    if wanted != "1":
        raise Refusal(f"machines = {wanted!r} is not 1.")
    settings = visit.settings
    running = Counter(entry.machine for entry in sessions.all(settings))
    used: dict[str, float] = {}
    uses: Counter[str] = Counter()
    for one in history.read(settings):
        uses[one.machine] += 1
        used.setdefault(one.machine, one.end)
    rows = [row(settings, machine) | {
                "sessions": running[machine.name], "uses": uses[machine.name],
                "used": card.moment(used.get(machine.name, 0))}
            for machine in catalogue.all(settings)]
    facts = {"machines": rows, **freezing.facts(settings)}
    told = facts | {
        "machines": [one | {"tickets": {action: visit.ticket(action, one["name"])
                                        for action in ("offer", "freeze")}} for one in rows],
        "templates": [one | {"tickets": {"discard": visit.ticket("discard", one["template"])}}
                      for one in facts["templates"]],
        "tickets": visit.tickets("hasten", "cancel")}
    return visit.show(200, told, "machines.html", "Machines", **facts)


def row(settings: Settings, machine: Machine) -> dict[str, Any]:
    """Return what is known of a machine by its file and descriptor; size is in GB."""
    try:
        size = machine.file.stat().st_size / 1e9
    except OSError:
        size = 0.0
    may = claim.limits(settings, machine)
    return {"name": machine.name, "title": machine.title, "format": str(machine.format.value),
            "size": round(size, 3), "problem": machine.problem, "hidden": machine.hidden,
            "aside": machine.aside, "users": list(machine.users),
            "cpu": {"default": may.cpu[0], "max": may.cpu[1]},
            "memory": {"default": may.memory[0], "max": may.memory[1]}}
