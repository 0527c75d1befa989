"""The templates there are: which are good, which are in use, which can go."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from desktop.errors import Refusal
from desktop.freeze import draft
from desktop.machine import catalogue, emulator, template
from desktop.machine.template import Template
from desktop.machine.wiring import Hardware
from desktop.session import claim, sessions
from desktop.session.wish import Wish
from desktop.settings import Settings


@dataclass(frozen=True)
class Item:
    """A template as administrators see it. `sessions` are copies of it that there are now.

    `stale` is why no session can start from it, `trouble` how it failed lately.
    """

    template: Template
    stale: str
    trouble: str
    sessions: int


def items(settings: Settings) -> list[Item]:
    """Return every template, the newest first."""
    used = Counter(entry.template for entry in sessions.all(settings))
    machines = {machine.name: machine for machine in catalogue.all(settings)}
    version = ".".join(map(str, emulator.about(settings).version))
    found, fits = [], set()
    for one in template.all(settings):
        stale = template.stale(one, machines, version)
        if one.manifest and not stale and one.manifest.fit in fits:
            stale = "there is a newer one"
        if one.manifest:
            fits.add(one.manifest.fit)
        found.append(Item(one, stale, template.trouble(one), used[one.name]))
    return found


def wanted(settings: Settings, wish: Wish) -> tuple[Hardware, float]:
    """Return what is to be frozen, and the GB of an ISO's disk; raise Refusal."""
    choice = claim.settle(settings, wish, "", admin=True)
    return claim.hardware(settings, choice, template=True), choice.disk


def stale_wishes(settings: Settings) -> Iterator[Wish]:
    """Yield what is to be frozen anew; each once."""
    seen: set[tuple[object, ...]] = set()
    found = items(settings)
    current = {known(one) for one in found if not one.stale}
    for one in found:
        about = one.template.manifest
        if about and one.stale and one.stale != template.GONE and known(one) not in seen | current:
            seen.add(known(one))
            yield Wish(machine=about.machine, cpu=about.cpu, memory=about.memory,
                       video=about.video)


def tidy(settings: Settings) -> None:
    """Remove what a killed run left, and the templates that nobody needs any more.

    Stale ones stay until there is another in their place: they say what is to be frozen anew.
    """
    draft.sweep(settings)
    found = items(settings)
    current = {known(one) for one in found if one.template.manifest and not one.stale}
    for one in found:
        gone = one.template.manifest is None or one.stale == template.GONE
        if one.stale and not one.sessions and (gone or known(one) in current):
            discard(one.template)


def known(one: Item) -> tuple[object, ...]:
    """Return what a template is of, whatever has changed since."""
    about = one.template.manifest
    return (about.machine, about.cpu, about.memory, about.video) if about else ()


def remove(settings: Settings, name: str) -> int:
    """Remove the templates of a machine; return how many. Raises Refusal while sessions use one.

    A session has its disk below its own.
    """
    those = [one for one in items(settings)
             if one.template.manifest and one.template.manifest.machine == name]
    if not those:
        raise Refusal(f"There is no template of {name!r}.", 404)
    if used := sum(one.sessions for one in those):
        raise Refusal(f"{used} sessions are copies of it.", 409, "Stop them first, or wait.")
    for one in those:
        discard(one.template)
    return len(those)


def discard(one: Template) -> None:
    """Remove a template; without its manifest nobody takes it."""
    (one.directory / template.MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(one.directory)


def size(one: Template) -> int:
    """Return the MB that a template takes on the disk."""
    return sum(path.stat().st_blocks for path in one.directory.iterdir()) * 512 >> 20


def table(settings: Settings) -> str:
    """Return the templates as text for a terminal."""
    lines = []
    for one in items(settings):
        about = one.template.manifest
        words = (f"{about.machine}: {about.cpu} CPU, {about.memory} MB, {about.video}" if about
                 else one.template.name)
        state = one.stale or one.trouble or "sessions start at once"
        lines.append(f"{words}, {size(one.template)} MB on disk, {one.sessions} sessions: {state}")
    return "\n".join(lines) or "Nothing is frozen."
