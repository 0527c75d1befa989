"""What lies in dir_machines, for an administrator: on offer or not, its sizes, its problems."""

import os
from dataclasses import dataclass

from desktop import process
from desktop.machine import catalogue, descriptor, image
from desktop.machine.descriptor import Machine
from desktop.machine.progress import amount
from desktop.settings import Settings


@dataclass(frozen=True)
class Item:
    """A machine; sizes are bytes, None where they cannot be told.

    `size` is what the image takes on its disk, `disk` is what a guest sees. `descriptor` is a
    file's name, or empty. `fetchable`: the image is not here, and its descriptor knows where.
    """

    name: str
    format: str
    size: int | None
    disk: int | None
    title: str
    descriptor: str
    problem: str = ""
    hidden: bool = False
    users: tuple[str, ...] = ()
    fetchable: bool = False


def items(settings: Settings) -> list[Item]:
    """Return all there is, images first; raise Refusal when dir_machines cannot be read."""
    found = [item(machine) for machine in
             catalogue.examined(settings, catalogue.files(settings))]
    return found + missing(settings, {one.descriptor for one in found})


def item(machine: Machine) -> Item:
    """Return what there is to say of one machine."""
    size = disk = None
    try:
        size = os.stat(machine.file).st_blocks * 512
        if not machine.problem:
            disk = image.virtual_size(machine.file, machine.format)
    except (OSError, process.Failed):
        pass  # its problem says why, or it was taken away at this moment
    beside = machine.file.with_suffix(".ini")
    return Item(machine.name, machine.format, size, disk, machine.title,
                beside.name if beside.exists() else "", machine.problem, machine.hidden,
                machine.users)


def missing(settings: Settings, known: set[str]) -> list[Item]:
    """Return the descriptors without an image: one to be fetched, or left over."""
    found = []
    for path in sorted(settings.dir_machines.glob("[!.]*.ini")):
        if path.name in known:
            continue
        try:
            facts, problem = descriptor.read(path), ""
        except (OSError, ValueError) as error:
            facts, problem = {}, str(error)
        found.append(Item(path.stem, "", None, None, facts.get("title", ""), path.name, problem,
                          fetchable=bool(facts.get("url") and facts.get("sha256"))))
    return found


def table(found: list[Item]) -> str:
    """Return the list for a terminal; what is wrong with one stands on the line below it."""
    rows = [("NAME", "FORMAT", "SIZE", "DISK", "DESCRIPTOR", "TITLE"),
            *((one.name, one.format or "-", size(one.size), size(one.disk),
               one.descriptor or "-", one.title) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join([*map(str.ljust, row, widths), row[5]]).rstrip() for row in rows]
    return "\n".join([lines[0], *(f"{line}{remark(one)}"
                                  for line, one in zip(lines[1:], found, strict=True))])


def size(count: int | None) -> str:
    """Return a size, or that there is none."""
    return "-" if count is None else amount(count)


def remark(one: Item) -> str:
    """Return the lines below a machine that is not simply on offer to everybody."""
    said = []
    if one.problem:
        said.append(f"not on offer: {one.problem}")
    if one.hidden:
        said.append("hidden")
    if one.users:
        said.append(f"for {', '.join(one.users)}")
    if not one.format:
        said.append(f"no image; machines/fetch {one.name}" if one.fetchable else "no image")
    return "".join(f"\n    {words}" for words in said)
