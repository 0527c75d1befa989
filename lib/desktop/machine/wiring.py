"""What a machine is made of, and what it is connected to on this computer; how QEMU is told."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.host.volumes import Volume
from desktop.machine.descriptor import Machine
from desktop.machine.emulator import About
from desktop.machine.firmware import Firmware

Options = Iterator[tuple[str, ...]]  # one at a time, with its value
MAC = "52:54:00:12:34:56"  # the same for all: each has a network of its own
READONLY_MEMORY = (8, 2, 0)  # the first QEMU that can open a file read-only and copy on write


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What the guest sees. Memory is MB, `video` one of settings.VIDEO, `accel` kvm or tcg.

    A `template` is to be frozen, or a copy of one: what would leave the file of its memory is not
    there, and what copies get of their own sits where it can be plugged in.
    """

    machine: Machine
    cpu: int
    memory: int
    video: str
    accel: str
    about: About
    gpu: bool = False
    template: bool = False

    @property
    def balloon(self) -> bool:
        """Tell whether it gives memory back.

        Not memory that a GPU reaches, which is pinned, nor a template's: QEMU would punch holes
        into the file that its copies share, or, from 8.2 on, complain of each page that it cannot.
        """
        return not self.gpu and not self.template


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the machine is connected to on this computer.

    Attributes:
        name: the session's name, told by `ps`.
        disk: the overlay, or the empty disk beside an ISO.
        vnc: path of the VNC socket.
        token: file whose text viewers must know; None: whoever reaches the socket may look.
        qmp_fd: a listening socket that QEMU inherits; the keeper's.
        qmp2: path of the second QMP socket.
        network: kind of network.kind; with passt, `network_fd` is a connected socket to it.
        guid: tells the guest, when it changes, that it was cloned (vmgenid).
        firmware: UEFI's program, None for a BIOS.
        variables: this session's copy of what UEFI remembers.
        memory: the file with a template's memory.
        layer: the disk of a template, between the master and this session's.
        incoming: it goes on from a state it is given, instead of booting. With `memory` it is a
            copy of a template, whose card and volumes are plugged in afterwards.
    """

    name: str
    disk: Path
    vnc: Path
    qmp_fd: int
    qmp2: Path
    guid: str
    token: Path | None = None
    network: str = "none"
    network_fd: int = -1
    mac: str = MAC
    volumes: tuple[Volume, ...] = ()
    gpu: tuple[str, ...] = ()
    firmware: Firmware | None = None
    variables: Path | None = None
    memory: Path | None = None
    layer: Path | None = None
    incoming: bool = False

    @property
    def copy(self) -> bool:
        """Tell whether it is a copy of a template, which came without card and volumes."""
        return self.incoming and self.memory is not None


def quote(value: object) -> str:
    """Return a value as it stands in an option: QEMU reads two commas as one."""
    return str(value).replace(",", ",,")


def device(facts: Mapping[str, object]) -> tuple[str, str]:
    """Return a -device of its properties, which QMP's device_add takes too."""
    words = (f"{name}={spell(value)}" for name, value in facts.items() if name != "driver")
    return "-device", ",".join((str(facts["driver"]), *words))


def spell(value: object) -> str:
    """Return the value of a property as it stands in an option."""
    return quote({True: "on", False: "off"}[value] if isinstance(value, bool) else value)


def block(**facts: object) -> tuple[str, str]:
    """Return a -blockdev. JSON, because only there `backing` can be null: no backing file."""
    return "-blockdev", json.dumps({name.replace("__", ".").replace("_", "-"): value
                                    for name, value in facts.items()})
