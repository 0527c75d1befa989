"""What starts at once: for each machine the sizes of its templates that fit and do not fail.

Told to everybody who opens the form, so it goes from the templates there are, each looked at once.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from desktop.errors import Refusal
from desktop.host import volumes
from desktop.machine import emulator, setback, template
from desktop.machine.descriptor import Machine
from desktop.machine.emulator import About
from desktop.machine.template import Manifest
from desktop.machine.wiring import Hardware
from desktop.session import claim
from desktop.settings import Settings


def sizes(settings: Settings, machines: Iterable[Machine]) -> dict[str, list[dict[str, Any]]]:
    """Return by a machine's name the CPUs, MB of memory and video cards that start at once."""
    templates = template.all(settings)
    known = {machine.name: machine for machine in machines if not machine.problem}
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if not templates or len(volumes.find(settings)) > template.VOLUMES:
        return found
    try:
        accel, about = emulator.accelerator(settings).name, emulator.about(settings)
    except Refusal:
        return found
    for one in templates:
        made = one.manifest
        if made is None or one.problem or made.machine not in known:
            continue
        size = {"cpu": made.cpu, "memory": made.memory, "video": made.video}
        if (size not in found[made.machine] and not setback.recent(one.directory)
                and fits(settings, known[made.machine], made, accel, about)):
            found[made.machine].append(size)
    return found


def fits(settings: Settings, machine: Machine, made: Manifest, accel: str, about: About) -> bool:
    """Tell whether a session of this machine that asks for the same has what is frozen."""
    seen = Hardware(machine=machine, cpu=made.cpu, memory=made.memory, video=made.video,
                    accel=accel, gpu=False, about=about, template=True)
    return made.fit == template.fit(seen, claim.limits(settings, machine).disk)
