"""The templates there are: which are good, which are in use, which can go."""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from desktop.errors import Refusal
from desktop.freeze import draft, instant
from desktop.machine import catalogue, emulator, setback, template
from desktop.machine.descriptor import Machine
from desktop.machine.emulator import About
from desktop.machine.template import Template
from desktop.machine.wiring import Hardware
from desktop.session import claim, sessions
from desktop.session.wish import Wish
from desktop.settings import Settings

log = logging.getLogger("shelf")
SUPERSEDED = "there is a newer one"
UNOFFERED = "nobody can choose its size any more"
RESTS = "sessions boot until it is tried again"
TOLD = 86400  # seconds for which administrators are told of a template that failed


@dataclass(frozen=True)
class Item:
    """A template as administrators see it. `sessions` are copies of it that there are now.

    `stale` is why no session can start from it, `trouble` how it failed last, at the Unix time
    `failed`; that keeps it from use for a while only.
    """

    template: Template
    stale: str
    trouble: str
    sessions: int
    failed: float = 0.0

    @property
    def machine(self) -> str:
        """Return the name of the machine it is of, or nothing where nobody knows."""
        return self.template.manifest.machine if self.template.manifest else ""

    @property
    def title(self) -> str:
        """Return what it is of, in words."""
        about = self.template.manifest
        if about is None:
            return self.template.name
        return f"{about.machine} ({about.cpu} CPU, {about.memory} MB, {about.video})"

    @property
    def rests(self) -> bool:
        """Tell whether it failed so lately that it is not tried."""
        return bool(setback.recent(self.template.directory))

    @property
    def when(self) -> str:
        """Return the moment at which it failed, as the pages say it."""
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.failed))


def items(settings: Settings) -> list[Item]:
    """Return every template, the newest first."""
    templates = template.all(settings)
    if not templates:
        return []
    used = Counter(entry.template for entry in sessions.all(settings))
    machines = {machine.name: machine for machine in catalogue.all(settings)}
    about, accel = emulator.about(settings), accelerator(settings)
    found: list[Item] = []
    good: set[str] = set()  # how the names of those begin that sessions start from
    for one in templates:
        stale = unfit(settings, one, machines, accel, about)
        if one.name[:20] in good:
            stale = SUPERSEDED
        if not stale:
            good.add(one.name[:20])
        trouble, failed = setback.last(one.directory)
        found.append(Item(one, stale, trouble, used[one.name], failed))
    return found


def accelerator(settings: Settings) -> str:
    """Return what sessions run with, or nothing where none can start."""
    with suppress(Refusal):
        return emulator.accelerator(settings).name
    return ""


def unfit(settings: Settings, one: Template, machines: dict[str, Machine], accel: str,
          about: About) -> str:
    """Return why no session starts from a template, or nothing."""
    stale, made = template.stale(one, machines, about.release), one.manifest
    if made is None or stale == template.GONE:
        return stale
    machine = machines[made.machine]
    may = claim.limits(settings, machine)
    if made.cpu > may.cpu[1] or made.memory > may.memory[1]:
        return UNOFFERED
    if stale or machine.problem or not accel:
        return stale
    if made.accel != accel:
        return f"it is of {made.accel}, sessions run with {accel}"
    if made.disk != may.disk:
        return f"its disk has {made.disk:g} GB, that of a session {may.disk:g}"
    fits = instant.fits(settings, machine, made, accel, about)
    return "" if fits else "its descriptor or the service was changed"


def warnings(settings: Settings) -> list[str]:
    """Return what administrators should know: which templates are no good, or failed lately."""
    said = []
    for one in items(settings):
        if one.stale and one.stale != SUPERSEDED:
            said.append(f"The frozen {one.title} is not used: {one.stale}.")
        elif one.trouble and time.time() - one.failed < TOLD:
            said.append(f"The frozen {one.title} failed at {one.when}, and the session booted "
                        f"instead: {one.trouble}")
    return said


def wanted(settings: Settings, wish: Wish) -> tuple[Hardware, float]:
    """Return what is to be frozen, and the GB of an ISO's disk; raise Refusal."""
    choice = claim.settle(settings, wish, "", admin=True)
    return claim.hardware(settings, choice, template=True), choice.disk


def stale_wishes(settings: Settings) -> Iterator[Wish]:
    """Yield what is to be frozen anew; each once."""
    found = items(settings)
    done = {known(one) for one in found if not one.stale}
    for one in found:
        wish = known(one)
        if wish and wish not in done and one.stale not in (template.GONE, UNOFFERED):
            done.add(wish)
            yield wish


def tidy(settings: Settings) -> None:
    """Remove what a killed run left, and the templates that have a newer one in their place.

    Others that are stale, or no good, say what is to be frozen anew; administrators may remove
    them. The machine of one may be away with its disk.
    """
    draft.sweep(settings)
    current: set[Wish | None] = set()
    for one in items(settings):
        if not one.stale:
            current.add(known(one))
        elif not one.sessions and (one.stale == SUPERSEDED or known(one) in current
                                   or not (one.template.directory / template.MANIFEST).exists()):
            with suppress(Refusal):  # somebody just became a user of it
                discard(settings, one.template)


def known(one: Item) -> Wish | None:
    """Return the wish that a template is for, whatever has changed since."""
    about = one.template.manifest
    return Wish(machine=about.machine, cpu=about.cpu, memory=about.memory,
                video=about.video) if about else None


def remove(settings: Settings, name: str) -> int:
    """Remove the templates of a machine; return how many. Raises Refusal while sessions use one.

    A session has its disk below its own.
    """
    those = [one for one in items(settings) if name and one.machine == name]
    if not those:
        raise Refusal(f"There is no template of {name!r}.", 404)
    if used := sum(one.sessions for one in those):
        raise in_use(used)
    for one in those:
        discard(settings, one.template)
    return len(those)


def remove_one(settings: Settings, name: str) -> None:
    """Remove the template of this name; raise Refusal (404, 409) as `remove` does."""
    for one in items(settings):
        if one.template.name == name:
            return discard(settings, one.template)
    raise Refusal("There is no such template.", 404)


def discard(settings: Settings, one: Template) -> None:
    """Remove a template; without its manifest nobody takes it.

    Raises Refusal while sessions use it. They are promised under the same lock.
    """
    sessions.prepare(settings)
    with sessions.promising(settings):
        if used := sum(entry.template == one.name for entry in sessions.all(settings)):
            raise in_use(used)
        (one.directory / template.MANIFEST).unlink(missing_ok=True)
    log.info("the template %s of %s is removed", one.name,
             one.manifest.machine if one.manifest else "nobody knows what")
    shutil.rmtree(one.directory, ignore_errors=True)  # by two at once; what is left goes later


def in_use(count: int) -> Refusal:
    """Return the refusal to remove what sessions have their disks on."""
    return Refusal(f"{count} sessions are copies of it.", 409, "Stop them first, or wait.")


def size(one: Template) -> int:
    """Return the MB that a template takes on the disk."""
    return sum(path.stat().st_blocks for path in one.directory.iterdir()) * 512 >> 20


def table(settings: Settings) -> str:
    """Return the templates as text for a terminal."""
    lines = []
    for one in items(settings):
        state = one.stale or (RESTS if one.rests else "sessions start at once")
        if one.trouble and not one.stale:
            state += f"; it failed at {one.when}: {one.trouble}"
        lines.append(f"{one.title}, {size(one.template)} MB on disk, {one.sessions} sessions: "
                     f"{state}")
    return "\n".join(lines) or "Nothing is frozen."
