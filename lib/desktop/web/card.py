"""What people are told about sessions and their server: facts for pages, JSON and tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from desktop import process
from desktop.errors import Refusal
from desktop.host import capacity, network, surroundings, usage, volumes
from desktop.machine import emulator
from desktop.session import extension, sessions
from desktop.session.record import Record
from desktop.settings import Settings
from desktop.web import gateway, graph, page
from desktop.web.gateway import Place

JSON = ("session", "name", "machine", "url", "websocket", "token", "expires", "persistent")
CHANGED = "its image was changed, and its disk may be damaged"
STEERING = ("stop", "shutdown", "restart", "extend", "message")
FOR_PAGES = frozenset({"href", "secret", "remaining"})


def public(entry: Record, changed: bool) -> dict[str, Any]:
    """Return what administrators may know of anybody's session; nothing opens its screen.

    `changed` tells whether its image is not what it was.
    """
    end = sessions.expires(entry)
    return {"session": entry.session, "name": entry.name, "machine": entry.machine,
            "title": entry.title, "user": entry.owner, "state": str(entry.state),
            "reason": "; ".join(filter(None, (entry.reason, CHANGED if changed else ""))),
            "start": moment(entry.start), "expires": moment(end),
            "remaining": max(0, round(end - time.time())) if end else 0, "warn": 0,
            "persistent": entry.persistent, "cpu": entry.cpu, "memory": entry.memory,
            "disk": entry.disk, "accel": entry.accel, "gpu": list(entry.gpu),
            "viewers": entry.viewers, "href": "", "url": "", "address": "", "websocket": "",
            "secret": "", "token": None, "screen": "", "used": used(entry),
            "extension": None, "volumes": []}


def used(entry: Record) -> dict[str, Any] | None:
    """Return what a machine of this host has used: CPU seconds, and MB that it has now."""
    found = process.used(entry.qemu) if sessions.ours(entry) else None
    return {"cpu": found[0], "memory": found[1]} if found else None


def own(settings: Settings, entry: Record, place: Place | None) -> dict[str, Any]:
    """Return what the owner of a session may know: all that opens its screen too.

    `place` is where the owner's browser reached the service, None by hand.
    """
    secret = token(settings, entry)
    asked = settings.service_use_vnc_token
    to_share = "" if asked else secret
    facts = public(entry, bool(sessions.altered(settings, [entry])))
    if entry.endpoint.startswith("/"):
        where = place or gateway.parse("http", "localhost", "/desktop")
        facts |= {"href": gateway.link(where, entry.session, secret),
                  "url": gateway.address(where, entry.session, secret),
                  "address": gateway.address(where, entry.session, to_share),
                  "websocket": gateway.websocket(where, entry.session)}
    else:
        facts |= direct(entry.endpoint, secret)
    return facts | {"secret": secret, "token": secret if asked else None,
                    "warn": settings.warn_before_end,
                    "extension": asdict(extension.offer(settings, entry)),
                    "screen": f"monitor?screen={entry.session}",
                    "volumes": [{"path": str(volume.path), "tag": volume.tag,
                                 "writable": volume.writable, "command": volume.command}
                                for volume in volumes.find(settings)]}


def direct(endpoint: str, secret: str) -> dict[str, str]:
    """Return the addresses of a session that a keeper shows by itself; the secret is in them."""
    host, _, port = endpoint.rpartition(":")
    url = gateway.viewer(f"http://{endpoint}/", host, int(port), "websockify", secret)
    return {"href": url, "url": url, "address": url, "websocket": f"ws://{endpoint}/websockify"}


def token(settings: Settings, entry: Record) -> str:
    """Return what is typed to see a session; nothing when it has just ended."""
    try:
        return sessions.paths(settings, entry).token.read_text()
    except OSError:
        return ""


def brief(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a session by the eight names that programs know.

    The token is there even when nobody is asked for it: it is what a VNC client needs.
    """
    return {name: facts[name] for name in JSON} | {"token": facts["secret"]}


def summary(facts: Mapping[str, Any], ticket: Callable[..., str]) -> dict[str, Any]:
    """Return all that a program may know of a session, with the tickets for what it may do.

    `ticket` is the one that stops it.
    """
    return brief(facts) | {name: value for name, value in facts.items()
                           if name not in JSON and name not in FOR_PAGES} | {
        "ticket": ticket("stop", facts["session"]),
        "tickets": {action: ticket(action, facts["session"]) for action in STEERING}}


def overview(settings: Settings, entries: Sequence[Record], name: str, place: Place | None, *,
             everybody: bool) -> dict[str, Any]:
    """Return the sessions of somebody, or with `everybody` all and the server."""
    changed = sessions.altered(settings, entries)
    those = {entry.session for entry in changed}
    cards = [(own(settings, entry, place) if entry.owner == name
              else public(entry, entry.session in those))
             | {"processes": processes(entry) if everybody else []}
             for entry in entries if everybody or entry.owner == name]
    return {"sessions": cards, "all": everybody,
            "host": server(settings, entries, changed) if everybody else None}


def processes(entry: Record) -> list[dict[str, Any]]:
    """Return what the processes of a session on this host use; memory is MB."""
    if not sessions.ours(entry):
        return []
    return [asdict(one) for one in usage.measure(
        {"QEMU": entry.qemu, "keeper": entry.keeper, "network": entry.network})]


def listing(facts: Mapping[str, Any],
            ticket: Callable[..., str] = page.no_ticket) -> dict[str, Any]:
    """Return an overview as programs read it."""
    host = {name: value for name, value in (facts["host"] or {}).items() if name != "graphs"}
    return {"sessions": [summary(one, ticket) for one in facts["sessions"]], "host": host or None}


def moment(stamp: float) -> str:
    """Return Unix time as ISO 8601, nothing for 0."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp)) if stamp else ""


def server(settings: Settings, entries: Sequence[Record],
           changed: Sequence[Record]) -> dict[str, Any]:
    """Return how the server does; memory is MB, disk GB, load a share of all CPUs.

    `changed` are the sessions whose image is not what it was.
    """
    found = capacity.measure(settings)
    return {"cpus": found.cpus, "load": found.load, "memory": found.memory,
            "promised": sum(entry.memory for entry in entries),
            "available": found.available, "disk_free": found.disk_free,
            "sessions": len(entries), "max_sessions": settings.service_max_instance_nb,
            "accel": accelerator(settings)[0],
            "graphs": graph.all(settings, found.memory),
            "warnings": warnings(settings) + [str(found) for found in surroundings.look(settings)
                                              if not found.good] + [
                f"{name} was changed while sessions of it are running: until they have ended, no "
                "new ones start. Give a new version a new name instead."
                for name in sorted({entry.machine for entry in changed})]}


def warnings(settings: Settings) -> list[str]:
    """Return what people should know about the machines of this server."""
    return [text for text in (accelerator(settings)[1],
                              network.announce(network.kind(settings))) if text]


def accelerator(settings: Settings) -> tuple[str, str]:
    """Return how machines are run here, and what is to be said about it."""
    try:
        name, reason = emulator.accelerator(settings)
    except Refusal as problem:
        return "none", str(problem)
    if name == "kvm":
        return name, ""
    return name, (f"Machines are emulated ({reason}): they are slow, and kept apart from this "
                  "server less strictly.")


def table(facts: Mapping[str, Any]) -> str:
    """Return an overview as text for a terminal."""
    host = facts["host"]
    lines = [f"{host['sessions']} sessions of {host['max_sessions'] or 'any number'}. "
             f"{host['cpus']} CPUs, {host['load']:.0%} busy, {host['accel']}. "
             f"Memory {host['available']} of {host['memory']} MB available, "
             f"{host['promised']} MB promised. {host['disk_free']:.1f} GB of disk free.",
             *host["warnings"]]
    rows = [["START", "NAME", "MACHINE", "USER", "STATE", "CPU", "MEMORY", "GPU", "KIND",
             "VIEWERS", "ENDS"]]
    rows += [[one["start"], one["name"], one["machine"], one["user"], one["state"],
              str(one["cpu"]), f"{one['memory']} MB", "yes" if one["gpu"] else "no",
              "persistent" if one["persistent"] else "single-shot", str(one["viewers"]),
              one["expires"] or "never"] for one in facts["sessions"]]
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    if facts["sessions"]:
        lines += ["", *("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                        for row in rows)]
    return "\n".join(lines)
