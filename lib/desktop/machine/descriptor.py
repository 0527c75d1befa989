"""A machine on offer, and the descriptor that says more of it than its image.

A descriptor is flat `name = value` lines. The table of what they may say is the type Machine.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from desktop import literal
from desktop.machine.image import Format
from desktop.settings import VIDEO, nearest

ENDINGS = {"iso": Format.ISO, "qcow2": Format.QCOW2, "vdi": Format.VDI, "vmdk": Format.VMDK,
           "vhd": Format.VPC, "vpc": Format.VPC, "vhdx": Format.VHDX, "qed": Format.QED,
           "raw": Format.RAW, "img": Format.RAW}


def declared(text: str) -> Format:
    """Return the format of a word as image files end in; raise ValueError."""
    if text not in ENDINGS:
        raise ValueError(f"one of {', '.join(ENDINGS)}")
    return ENDINGS[text]


def address(text: str) -> str:
    """Return an address from which an image can be fetched; raise ValueError."""
    try:
        parts = urlsplit(text)
        fit = parts.hostname and parts.port != 0
    except ValueError:
        fit = None
    if text and (not fit or parts.scheme not in ("http", "https") or "@" in parts.netloc
                 or not re.fullmatch("[!-~]+", text)):
        raise ValueError("an address such as https://example.org/box.qcow2, without a password")
    return text


def digest(text: str) -> str:
    """Return a SHA-256 as sha256sum prints it; raise ValueError."""
    if text and not re.fullmatch("[0-9A-Fa-f]{64}", text):
        raise ValueError("the 64 hexadecimal digits that sha256sum prints")
    return text.lower()


def key(default: Any, parse: Callable[[str], Any], *, least: float | None = None,
        most: float | None = None, choices: tuple[str, ...] = ()) -> Any:
    """Describe one line of a descriptor; bounds are inclusive."""
    return field(default=default, metadata={"parse": parse, "least": least, "most": most,
                                            "choices": choices})


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine on offer. Memory is MB, disk GB; None leaves it to the settings.

    `name` is the file's, or a readable spelling of it where it has a problem. `problem` is why it
    cannot be had, or empty. `aside`: an administrator took it from offer on a page. `os` linux or
    nothing is a modern Linux; windows and other get devices that systems without virtio drivers
    know. `ready` is what it writes to its serial port when it can be frozen.
    """

    file: Path
    name: str
    stamp: str
    problem: str = ""
    aside: bool = False
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
    video: str | None = key(None, str, choices=VIDEO)
    disk_bus: str = key("", str, choices=("virtio", "sata", "ide", "scsi"))
    network_card: str = key("", str, choices=("virtio", "e1000", "e1000e", "rtl8139", "none"))
    firmware: str = key("bios", str, choices=("bios", "uefi"))
    chipset: str = key("q35", str, choices=("q35", "pc"))
    os: str = key("", str, choices=("linux", "windows", "other"))
    ready: str = key("", str)
    url: str = key("", address)
    sha256: str = key("", digest)


KEYS: Mapping[str, Any] = {entry.name: entry.metadata for entry in fields(Machine)
                           if entry.metadata}


def read(path: Path) -> dict[str, Any]:
    """Read a descriptor; none is an empty one. Raises ValueError naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeError as error:
        raise ValueError(f"{path.name} is not UTF-8") from error
    facts: dict[str, Any] = {}
    for name, value, where in literal.lines(text, path.name):
        if name not in KEYS:
            raise ValueError(f"{where}: {name!r} is not known{meant(name, KEYS)}")
        facts[name] = parse(name, value, where)
    return facts


def parse(name: str, text: str, where: str) -> Any:
    """Turn the text of one line into its value; raise ValueError."""
    rules = KEYS[name]
    try:
        value = rules["parse"](text)
        literal.check(value, rules)
    except ValueError as error:
        raise ValueError(f"{where}: {name} = {text!r} is not {error}"
                         f"{meant(text, rules['choices'])}") from error
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


def contradiction(machine: Machine) -> str:
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


def meant(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean ..." with the nearest known word, or nothing."""
    hint = nearest(word, known)
    return f"; {hint[0].lower()}{hint[1:-1]}" if hint else ""
