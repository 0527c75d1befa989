"""The machines on offer: the images in dir_machines, each with a descriptor beside it or none.

A descriptor is NAME.ini beside NAME.iso: flat `name = value` lines. What is wrong with an image or
its descriptor is the machine's `problem`: it is shown, with the reason, and cannot be started.
Links are followed when they lead to a file, so that images may lie on a larger disk.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from desktop import literal
from desktop.errors import Refusal
from desktop.machine import image
from desktop.machine.image import Format
from desktop.machine.memo import Memo
from desktop.settings import Settings, nearest

ENDINGS = {"iso": Format.ISO, "qcow2": Format.QCOW2, "vdi": Format.VDI, "vmdk": Format.VMDK,
           "vhd": Format.VPC, "vpc": Format.VPC, "vhdx": Format.VHDX, "qed": Format.QED,
           "raw": Format.RAW, "img": Format.RAW}
VIDEOS = ("std", "cirrus", "qxl", "vmware", "virtio")


def declared(text: str) -> Format:
    """Return the format of a word as image files end in; raise ValueError."""
    if text not in ENDINGS:
        raise ValueError(f"one of {', '.join(ENDINGS)}")
    return ENDINGS[text]


def key(default: Any, parse: Callable[[str], Any], *, least: float | None = None,
        most: float | None = None, choices: tuple[str, ...] = ()) -> Any:
    """Describe one line of a descriptor; bounds are inclusive."""
    return field(default=default, metadata={"parse": parse, "least": least, "most": most,
                                            "choices": choices})


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine on offer. Memory is MB, disk GB; None leaves it to the settings.

    `name` is the file's, or a readable spelling of it where it has a problem. `problem` is why it
    cannot be had, or empty. `os` linux or nothing is a modern Linux; windows and other get devices
    that systems without virtio drivers know.
    """

    file: Path
    name: str
    stamp: str
    problem: str = ""
    format: Format = key(Format.RAW, declared)
    title: str = key("", str)
    description: str = key("", str)
    icon: str = key("", str)
    hidden: bool = key(False, literal.truth)
    users: tuple[str, ...] = key((), literal.words)
    cpu: int | None = key(None, literal.integer, least=1, most=255)
    cpu_max: int | None = key(None, literal.integer, least=1, most=255)
    memory: int | None = key(None, literal.integer, least=16, most=1_000_000)
    memory_max: int | None = key(None, literal.integer, least=16, most=1_000_000)
    disk: float | None = key(None, literal.decimal, least=0.01, most=65536)
    disk_max: float | None = key(None, literal.decimal, least=0.01, most=65536)
    video: str | None = key(None, str, choices=VIDEOS)
    disk_bus: str = key("", str, choices=("virtio", "sata", "ide", "scsi"))
    network_card: str = key("", str, choices=("virtio", "e1000", "e1000e", "rtl8139", "none"))
    firmware: str = key("bios", str, choices=("bios", "uefi"))
    chipset: str = key("q35", str, choices=("q35", "pc"))
    os: str = key("", str, choices=("linux", "windows", "other"))
    url: str = key("", str)
    sha256: str = key("", str)


KEYS: Mapping[str, Any] = {entry.name: entry.metadata for entry in fields(Machine)
                           if entry.metadata}


def offered(settings: Settings, user: str, admin: bool = False) -> list[Machine]:
    """Return the machines this person sees, by title; those with a problem too.

    Hidden ones are nobody's; administrators see those of other people.
    """
    memo = Memo(settings.dir_state / "images.json")
    machines = [examine(file, memo) for file in files(settings)]
    memo.save()
    return sorted((machine for machine in machines if allowed(machine, user, admin)),
                  key=lambda machine: (machine.title.casefold(), machine.name))


def find(settings: Settings, name: str, user: str, admin: bool = False) -> Machine:
    """Return the machine of this name.

    The name is looked for among those in the directory, never joined to a path. Raises Refusal:
    404 for one that this person does not see, 409 for one with a problem.
    """
    file = next((file for file in files(settings) if file.name == name), None)
    if file is not None:
        memo = Memo(settings.dir_state / "images.json")
        machine = examine(file, memo)
        memo.save()
        if allowed(machine, user, admin):
            if machine.problem:
                raise Refusal(f"The machine {name} cannot be started: {machine.problem}.", 409,
                              "Choose another one, or tell the administrator.")
            return machine
    names = [machine.name for machine in offered(settings, user, admin)]
    raise Refusal(f"There is no machine {name!r}.", 404, nearest(name, names))


def allowed(machine: Machine, user: str, admin: bool) -> bool:
    """Tell whether a person may know of a machine."""
    return not machine.hidden and (admin or not machine.users or user in machine.users)


def files(settings: Settings) -> Iterator[Path]:
    """Yield the images in dir_machines; names with a leading dot are other programs' drafts."""
    try:
        entries = sorted(os.scandir(settings.dir_machines), key=lambda entry: entry.name)
    except OSError as error:
        raise Refusal(f"The directory of the machines, {settings.dir_machines}, cannot be read: "
                      f"{error.strerror}.", 500, "The setting dir_machines names it.") from error
    for entry in entries:
        if ending(entry.name) in ENDINGS and not entry.name.startswith("."):
            if entry.is_symlink() or entry.is_file():
                yield Path(entry.path)


def ending(name: str) -> str:
    """Return what stands behind the last dot of a name, in lower case."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def examine(file: Path, memo: Memo) -> Machine:
    """Return the machine of a file, with what is wrong with it."""
    machine = Machine(file=file, name=file.name, format=ENDINGS[ending(file.name)],
                      stamp="", title=file.stem)
    if not file.name.isprintable():
        name = file.name.encode("unicode_escape").decode("ascii")
        return replace(machine, name=name, title=name,
                       problem="its name has characters that cannot be printed")
    try:
        state = file.stat()
        machine = replace(machine, stamp=f"{state.st_mtime_ns}-{state.st_size}-{state.st_ino}")
        machine = replace(machine, **describe(file.with_suffix(".ini")))
        if machine.format is Format.RAW and ending(file.name) == "iso":
            machine = replace(machine, format=Format.ISO)  # a disc is raw bytes
    except OSError as error:
        return replace(machine, problem=f"it cannot be read ({error.strerror})")
    except ValueError as error:
        return replace(machine, problem=str(error))
    machine = settle(machine)
    return replace(machine, problem=unfit(machine) or access(file, state)
                   or image.inspect(memo, file, machine.format, machine.stamp))


def describe(path: Path) -> dict[str, Any]:
    """Read a descriptor; none is an empty one. Raises ValueError naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeError as error:
        raise ValueError(f"{path.name} is not UTF-8") from error
    facts: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(("#", ";")):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        where = f"{path.name} line {number}"
        if not equals or name not in KEYS:
            raise ValueError(f"{where}: {name!r} is not known. {nearest(name, KEYS)}".rstrip(". "))
        if name in facts:
            raise ValueError(f"{where}: {name} is set twice")
        facts[name] = parse(name, value, where)
    return facts


def parse(name: str, text: str, where: str) -> Any:
    """Turn the text of one line into its value; raise ValueError."""
    rules = KEYS[name]
    try:
        value = rules["parse"](text)
    except ValueError as error:
        raise ValueError(f"{where}: {name} = {text!r} is not {error}") from error
    if rules["choices"] and value not in rules["choices"]:
        raise ValueError(f"{where}: {name} = {text!r} is not one of "
                         f"{', '.join(rules['choices'])}. {nearest(text, rules['choices'])}"
                         .rstrip("?. "))
    if rules["least"] is not None and not rules["least"] <= value <= rules["most"]:
        raise ValueError(f"{where}: {name} = {text} is not between {rules['least']} and "
                         f"{rules['most']}")
    return value


def settle(machine: Machine) -> Machine:
    """Fill in the devices that the descriptor leaves open, by the operating system."""
    safe = machine.os in ("windows", "other")
    old = machine.chipset == "pc"
    return replace(machine,
                   video=machine.video or ("std" if safe else None),
                   disk_bus=machine.disk_bus or (("ide" if old else "sata") if safe else "virtio"),
                   network_card=machine.network_card
                   or (("e1000" if old or machine.os == "other" else "e1000e") if safe
                       else "virtio"))


def unfit(machine: Machine) -> str:
    """Return what in a descriptor contradicts itself, or nothing."""
    for name in ("cpu", "memory", "disk"):
        value, most = getattr(machine, name), getattr(machine, f"{name}_max")
        if value is not None and most is not None and value > most:
            return f"its descriptor has {name} above {name}_max"
    if machine.disk_bus == "ide" and machine.chipset == "q35":
        return "its descriptor has disk_bus ide, which needs chipset pc"
    if machine.disk is not None and machine.format is not Format.ISO:
        return "its descriptor has a disk, which is only for an ISO"
    return ""


def access(file: Path, state: os.stat_result) -> str:
    """Return why a file cannot serve as a master for everybody, or nothing."""
    if not stat.S_ISREG(state.st_mode):
        return "it is not a file"
    if state.st_mode & stat.S_IWOTH:
        return "everybody on the server can write to it; chmod o-w"
    return "" if os.access(file, os.R_OK) else "the service may not read it"
