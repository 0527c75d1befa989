"""What a machine is made of, and what it is connected to on this computer; how QEMU is told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.host.volumes import Volume
from desktop.machine.descriptor import Machine
from desktop.machine.emulator import About
from desktop.machine.firmware import Firmware

Options = Iterator[tuple[str, ...]]  # one at a time, with its value


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What the guest sees. Memory is MB, `video` one of settings.VIDEO, `accel` kvm or tcg."""

    machine: Machine
    cpu: int
    memory: int
    video: str
    accel: str
    about: About
    gpu: bool = False


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
        firmware, variables: UEFI's program, and this session's copy of what it remembers.
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
    volumes: tuple[Volume, ...] = ()
    gpu: tuple[str, ...] = ()
    firmware: Firmware | None = None
    variables: Path | None = None


def quote(value: object) -> str:
    """Return a value as it stands in an option: QEMU reads two commas as one."""
    return str(value).replace(",", ",,")


def block(**facts: object) -> tuple[str, str]:
    """Return a -blockdev. JSON, because only there `backing` can be null: no backing file."""
    return "-blockdev", json.dumps({name.replace("__", ".").replace("_", "-"): value
                                    for name, value in facts.items()})
