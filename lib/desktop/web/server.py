"""What administrators are told about the server: how it does, what it runs, who has its GPUs."""

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from desktop import __version__
from desktop.errors import Refusal
from desktop.freeze import shelf
from desktop.host import capacity, gpu, network, surroundings, volumes
from desktop.machine import emulator
from desktop.session.record import Record, State
from desktop.settings import Settings
from desktop.web import graph

CHANGELOG = "/usr/share/doc/{}/changelog.Debian.gz"


def facts(settings: Settings, entries: Sequence[Record],
          changed: Collection[Record]) -> dict[str, Any]:
    """Return how the server does; memory is MB, disk GB, load a share of all CPUs.

    `changed` are the sessions whose image is not what it was.
    """
    found = capacity.measure(settings)
    accel, why = accelerator(settings)
    running = [entry for entry in entries if entry.state is not State.PARKED]
    return {"cpus": found.cpus, "load": found.load, "memory": found.memory,
            "promised": sum(entry.memory for entry in running),
            "available": found.available, "disk_free": found.disk_free,
            "sessions": len(running), "max_sessions": settings.service_max_instance_nb,
            "accel": accel, "accel_reason": why, "gpus": gpus(settings, entries),
            "versions": versions(settings), "graphs": graph.all(settings, found.memory),
            "warnings": warnings(settings) + [str(one) for one in surroundings.look(settings)
                                              if not one.good] + [
                str(one) for one in volumes.look(settings)] + [
                f"{name} was changed while sessions of it are running: until they have ended, no "
                "new ones start. Give a new version a new name instead."
                for name in sorted({entry.machine for entry in changed
                                    if entry.state is not State.PARKED})] + frozen(settings)}


def frozen(settings: Settings) -> list[str]:
    """Return what should be known about the templates; nothing where QEMU cannot be run."""
    try:
        return shelf.warnings(settings)
    except Refusal:
        return []


def warnings(settings: Settings) -> list[str]:
    """Return what people should know about the machines of this server."""
    accel, why = accelerator(settings)
    slow = "" if accel == "kvm" else why if accel == "none" else (
        f"Machines are emulated ({why}): they are slow, and kept apart from this server less "
        "strictly.")
    return [text for text in (slow, network.announce(network.kind(settings))) if text]


def accelerator(settings: Settings) -> tuple[str, str]:
    """Return how machines are run here: kvm, tcg, or none; and why."""
    try:
        return emulator.accelerator(settings)
    except Refusal as problem:
        return "none", str(problem)


def gpus(settings: Settings, entries: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the GPUs that can be given away, and who has them."""
    holders = {address: entry for entry in entries for address in entry.gpu}
    return [asdict(card) | {"session": holder.session if holder else "",
                            "name": holder.name if holder else "",
                            "user": holder.owner if holder else ""}
            for card in gpu.find(settings) for holder in [holders.get(card.address)]]


def versions(settings: Settings) -> dict[str, str]:
    """Return the versions of what the service is made of; empty where they cannot be told."""
    try:
        qemu = emulator.about(settings).release
    except Refusal:
        qemu = ""
    return {"remote-desktop": __version__, "QEMU": qemu,
            "Python": ".".join(map(str, sys.version_info[:3])),
            "websockify": websockify(settings), "noVNC": novnc(settings)}


def websockify(settings: Settings) -> str:
    """Return its version, from the name of what pip leaves beside it: the library for that is
    slow to import, and this is asked for each page."""
    ours = settings.dir_websockify == "websockify"
    for place in sys.path if ours else [settings.dir_websockify]:
        for path in sorted(Path(place).glob("websockify-*-info")):
            return path.name.removeprefix("websockify-").rpartition(".")[0]
    return ""


def novnc(settings: Settings, changelog: str = CHANGELOG) -> str:
    """Return its version: as its own package says, or as Debian says of the one it ships."""
    try:
        version = json.loads((settings.dir_novnc / "package.json").read_bytes())["version"]
        return str(version)
    except (OSError, ValueError, LookupError, TypeError):
        pass
    if not settings.dir_novnc.is_relative_to("/usr/share"):
        return ""
    try:
        import gzip  # only where there is no other way
        with gzip.open(changelog.format("novnc"), "rt", encoding="utf-8") as file:
            return file.readline().partition("(")[2].partition(")")[0]
    except (OSError, UnicodeError):
        return ""
