"""The machines on offer: the images in dir_machines, each with a descriptor beside it or none.

The descriptor of NAME.iso is NAME.ini. What is wrong with an image or its descriptor is the
machine's `problem`: it is shown, with the reason, and cannot be started. Links are followed when
they lead to a file, so that images may lie on a larger disk.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from desktop.errors import Refusal
from desktop.machine import descriptor, firmware, image
from desktop.machine.descriptor import ENDINGS, Machine
from desktop.machine.image import Format
from desktop.memo import Memo, stamp
from desktop.settings import Settings, nearest

ASIDE = "aside"  # the directory in dir_state with an empty file for each machine put aside


def offered(settings: Settings, user: str, admin: bool = False) -> list[Machine]:
    """Return the machines this person sees, by title; those with a problem too.

    Hidden ones are nobody's; administrators see those of other people.
    """
    return [machine for machine in all(settings) if allowed(machine, user, admin)]


def all(settings: Settings) -> list[Machine]:
    """Return every machine by title, also hidden ones and those with a problem."""
    return sorted(examined(settings, files(settings)),
                  key=lambda machine: (machine.title.casefold(), machine.name))


def find(settings: Settings, name: str, user: str, admin: bool = False) -> Machine:
    """Return the machine of this name.

    The name is looked for among those in the directory, never joined to a path. Raises Refusal:
    404 for one that this person does not see, 409 for one with a problem.
    """
    for machine in examined(settings, [file for file in files(settings) if file.name == name]):
        if allowed(machine, user, admin):
            if machine.problem:
                raise Refusal(f"The machine {name} cannot be started: {machine.problem}.", 409,
                              "Choose another one, or tell the administrator.")
            return machine
    names = [machine.name for machine in offered(settings, user, admin)]
    raise Refusal(f"There is no machine {name!r}.", 404, nearest(name, names))


def known(settings: Settings, name: str) -> Machine:
    """Return the machine of this name, on offer or not; raise Refusal when it is gone."""
    for machine in examined(settings, [file for file in files(settings) if file.name == name]):
        return machine
    raise Refusal(f"There is no machine {name!r} any more.", 409)


def allowed(machine: Machine, user: str, admin: bool) -> bool:
    """Tell whether a person may know of a machine."""
    return not (machine.hidden or machine.aside) and (
        admin or not machine.users or user in machine.users)


def put_aside(settings: Settings, name: str, aside: bool) -> None:
    """Take a machine from offer, or back, whatever its descriptor says of others.

    Raises Refusal (404) for a machine there is not.
    """
    if name not in [file.name for file in files(settings)]:
        raise Refusal(f"There is no machine {name!r}.", 404)
    mark = settings.dir_state / ASIDE / name
    if aside:
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch(mode=0o600)
    else:
        mark.unlink(missing_ok=True)


def those_aside(settings: Settings) -> set[str]:
    """Return the names of the machines that were put aside."""
    try:
        return set(os.listdir(settings.dir_state / ASIDE))
    except OSError:
        return set()


def files(settings: Settings) -> Iterator[Path]:
    """Yield the images in dir_machines; names with a leading dot are other programs' drafts."""
    try:
        entries = sorted(os.scandir(settings.dir_machines), key=lambda entry: entry.name)
    except OSError as error:
        raise Refusal(f"dir_machines = {settings.dir_machines} cannot be read: "
                      f"{error.strerror}.", 500,
                      "Set dir_machines to the directory of the images.") from error
    for entry in entries:
        if ending(entry.name) in ENDINGS and not entry.name.startswith("."):
            if entry.is_symlink() or entry.is_file():
                yield Path(entry.path)


def ending(name: str) -> str:
    """Return what stands behind the last dot of a name, in lower case."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def examined(settings: Settings, some: Iterable[Path]) -> list[Machine]:
    """Return the machines of some files; what was found out about each image is remembered."""
    memo = Memo(settings.dir_state / "images.json")
    aside = those_aside(settings)
    machines = [replace(one, aside=one.file.name in aside)
                for one in (examine(file, memo) for file in some)]
    memo.save()
    return machines


def examine(file: Path, memo: Memo) -> Machine:
    """Return the machine of a file, with what is wrong with it."""
    machine = named(file)
    if not file.name.isprintable():
        name = file.name.encode("unicode_escape").decode("ascii")
        return replace(machine, name=name, title=name,
                       problem="its name has characters that cannot be printed")
    try:
        state = file.stat()
        machine = described(replace(machine, stamp=stamp(file)))
    except OSError as error:
        return replace(machine, problem=f"it cannot be read ({error.strerror})")
    except ValueError as error:
        return replace(machine, problem=str(error))
    machine = descriptor.settle(machine)
    return replace(machine, problem=descriptor.contradiction(machine) or lacking(machine)
                   or access(file, state)
                   or image.inspect(memo, file, machine.format, machine.stamp))


def named(file: Path) -> Machine:
    """Return the machine that a file's name alone makes."""
    return Machine(file=file, name=file.name, format=ENDINGS[ending(file.name)], stamp="",
                   title=file.stem)


def described(machine: Machine) -> Machine:
    """Return a machine with what its descriptor says; raise OSError, ValueError."""
    machine = replace(machine, **descriptor.read(machine.file.with_suffix(".ini")))
    if machine.format is Format.RAW and ending(machine.file.name) == "iso":
        return replace(machine, format=Format.ISO)  # a disc is raw bytes
    return machine


def lacking(machine: Machine) -> str:
    """Return what this computer lacks for a machine, or nothing."""
    return firmware.MISSING if machine.firmware == "uefi" and not firmware.installed() else ""


def access(file: Path, state: os.stat_result) -> str:
    """Return why a file cannot serve as a master for everybody, or nothing."""
    if not stat.S_ISREG(state.st_mode):
        return "it is not a file"
    if state.st_mode & stat.S_IWOTH:
        return "everybody on the server can write to it; chmod o-w"
    return "" if os.access(file, os.R_OK) else "the service may not read it"
