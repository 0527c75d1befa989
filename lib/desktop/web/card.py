"""What people are told about sessions and their server: facts for pages, JSON and tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from desktop import process
from desktop.host import volumes
from desktop.machine import snapshot
from desktop.session import aside, extension, footing, sessions
from desktop.session.record import Record
from desktop.settings import Settings
from desktop.web import access, gateway, page, server
from desktop.web.gateway import Place

JSON = ("session", "name", "machine", "url", "websocket", "token", "expires", "persistent")
STEERING = ("stop", "shutdown", "restart", "extend", "message", "wake")
SELECTED = "selected"  # what a ticket for several sessions at once is good for
FOR_PAGES = frozenset({"href", "secret", "remaining"})


def public(settings: Settings, entry: Record, changed: bool) -> dict[str, Any]:
    """Return what administrators may know of anybody's session; nothing opens its screen.

    `changed` tells whether its image is not what it was; `grown` is what its disk takes, in MB.
    """
    end = sessions.expires(entry)
    return {"session": entry.session, "name": entry.name, "machine": entry.machine,
            "title": entry.title, "user": entry.owner, "source": entry.source,
            "state": str(entry.state),
            "reason": reason(entry, changed),
            "start": moment(entry.start), "expires": moment(end),
            "remaining": max(0, round(end - time.time())) if end else 0, "warn": 0,
            "persistent": entry.persistent, "cpu": entry.cpu, "memory": entry.memory,
            "disk": entry.disk, "grown": snapshot.grown(settings, entry.session),
            "accel": entry.accel, "gpu": list(entry.gpu),
            "began": "resumed" if entry.template else "booted", "boot_reason": "",
            "viewers": entry.viewers, "href": "", "url": "", "address": "", "websocket": "",
            "secret": "", "token": None, "screen": "", "used": used(entry),
            "extension": None, "volumes": []}


def reason(entry: Record, changed: bool) -> str:
    """Return why a session is as it is, and that its image was changed, once."""
    if not changed or entry.reason.endswith(footing.CHANGED):
        return entry.reason
    return "; ".join(filter(None, (entry.reason, footing.CHANGED)))


def pictured(entry: Record) -> dict[str, str]:
    """Return where the picture of a screen is, for those who may see it."""
    return {"screen": f"monitor?screen={entry.session}"}


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
    facts = public(settings, entry, bool(sessions.altered(settings, [entry])))
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
                    **pictured(entry),
                    "volumes": [{"path": str(volume.path), "tag": volume.tag,
                                 "writable": volume.writable, "command": volume.command}
                                for volume in volumes.find(settings)]}


def direct(endpoint: str, secret: str) -> dict[str, str]:
    """Return the addresses of a session that a keeper shows by itself; the secret is in them."""
    host, _, port = endpoint.rpartition(":")
    url = gateway.viewer(f"http://{endpoint}/", host, int(port), "websockify", secret)
    return {"href": url, "url": url, "address": url, "websocket": f"ws://{endpoint}/websockify"}


def token(settings: Settings, entry: Record) -> str:
    """Return what is typed to see a session; nothing when it is not there."""
    try:
        return sessions.paths(settings, entry).token.read_text(errors="replace")
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
              else public(settings, entry, entry.session in those)
             | (pictured(entry) if everybody and access.shows(settings) else {}))
             | {"processes": processes(entry) if everybody else [],
                "boot_reason": entry.boot_reason if everybody else ""}
             for entry in entries if everybody or entry.owner == name]
    corrupt = [asdict(one) | {"when": moment(one.when)}
               for one in aside.all(settings, entries)] if everybody else []
    return {"sessions": cards, "all": everybody, "corrupt": corrupt,
            "host": server.facts(settings, entries, changed) if everybody else None}


def processes(entry: Record) -> list[dict[str, Any]]:
    """Return what the processes of a session on this host use: MB, and CPUs since their start."""
    if not sessions.ours(entry):
        return []
    found = []
    for name, one in (("QEMU", entry.qemu), ("keeper", entry.keeper), ("network", entry.network)):
        if one and (use := process.used(one)):
            found.append({"name": name, "pid": one.pid, "memory": use[1],
                          "cpu": round(use[0] / max(process.age(one), 1), 2)})
    return found


def listing(facts: Mapping[str, Any],
            ticket: Callable[..., str] = page.no_ticket) -> dict[str, Any]:
    """Return an overview as programs read it; its ticket is for several sessions at once."""
    host = {name: value for name, value in (facts["host"] or {}).items() if name != "graphs"}
    return {"sessions": [summary(one, ticket) for one in facts["sessions"]], "host": host or None,
            "corrupt": [one | {"ticket": ticket("remove", one["session"])}
                        for one in facts["corrupt"]],
            "ticket": ticket(SELECTED)}


def moment(stamp: float) -> str:
    """Return Unix time as ISO 8601, nothing for 0."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp)) if stamp else ""
