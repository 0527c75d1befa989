"""What a keeper starts: the command lines of QEMU and its network helper, made by the request.

The request has read all that is needed for it by the time the keeper is there, so that the keeper
can start QEMU at once and read its own part of the program while QEMU starts.
"""

import os
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from desktop import configuration
from desktop.errors import Refusal
from desktop.host import network, volumes
from desktop.host.volumes import Volume
from desktop.launch import detach
from desktop.launch.detach import NUMBERS
from desktop.machine import devices, emulator, firmware, qemu, snapshot
from desktop.machine.descriptor import Machine
from desktop.machine.template import Template
from desktop.machine.wiring import Hardware, Wiring
from desktop.session import ending, listening, lock, ports
from desktop.session.claim import Choice, Claim
from desktop.session.paths import Paths
from desktop.session.record import Record
from desktop.settings import Settings


@dataclass(frozen=True)
class Plan:
    """Command lines by what they start, and the descriptors they are about.

    The command lines name descriptors by the numbers that a keeper gives them, NUMBERS.
    `incoming` is the state to go on from, None for a boot.
    """

    commands: dict[str, list[str]]
    descriptors: dict[str, int]
    incoming: dict[str, object] | None = None


def entrust(settings: Settings, claimed: Claim, listener: socket.socket | None,
            line: socket.socket, making: AbstractContextManager[Plan]) -> None:
    """Hand a claimed session, lock and all, to the keeper on this line.

    `listener` is where it is shown, None behind Apache. Raises Refusal when its plan cannot be
    made, or the keeper is not there any more; nothing is left of it then.
    """
    paths = claimed.paths
    try:
        with (listener or listening.behind_apache(paths) as screen, making as plan):
            detach.hand_over(line, {"lock": claimed.lock, "listener": screen.fileno(),
                                    **plan.descriptors}, plan.commands, plan.incoming)
    except (Refusal, OSError) as problem:
        ending.finish(settings, paths, claimed.record, f"failed: {problem}")
        if isinstance(problem, Refusal):
            raise
        raise Refusal(f"The machine could not be started: {problem.strerror}.", 503,
                      "Try again, or tell your administrator.") from problem
    finally:
        os.close(claimed.lock)


@contextmanager
def made(settings: Settings, entry: Record, choice: Choice) -> Iterator[Plan]:
    """Make the snapshot and the sockets of a new session, open until a keeper has them.

    A copy of a template has a second disk, for when it must boot after all. Raises Refusal.
    """
    paths = Paths(settings.dir_cfg / entry.session)
    machine, below = choice.machine, choice.template if entry.template else None
    paths.volumes.write_text(volumes.spell(choice.volumes))
    disks = settings.dir_snapshots / paths.session
    disk = snapshot.create(settings, machine, disks, entry.disk, below)
    with connected(settings, paths) as (kind, plan):
        hardware, wiring = parts(settings, entry, machine, disk, kind, choice.volumes)
        if below is None:
            plan.commands["qemu"] = qemu.command(settings.qemu_exec, hardware, wiring)
            yield plan
            return
        other = snapshot.create(settings, machine, disks / "boot", entry.disk)
        plan.commands["boot"] = qemu.command(settings.qemu_exec, hardware, replace(
            wiring, disk=other, variables=other.with_name(snapshot.VARS)))
        hardware = replace(hardware, template=True)
        wiring = replace(wiring, memory=below.memory, layer=below.layer, incoming=True,
                         mac=address(entry))
        plan.commands["qemu"] = qemu.command(settings.qemu_exec, hardware, wiring)
        yield replace(plan, incoming={
            "state": str(below.state), "shared": True, "word": ports.COPIED,
            "plug": devices.plugged(hardware, wiring)})


@contextmanager
def woken(settings: Settings, entry: Record, machine: Machine, below: Template | None,
          saved: Paths) -> Iterator[Plan]:
    """Make the sockets of a session that goes on from what was saved of it; raise Refusal.

    What its guest sees is what it saw before: volumes that are gone are empty.
    """
    paths = Paths(settings.dir_cfg / entry.session)
    before = configuration.read(paths.settings)
    empty = paths.directory / "empty"
    empty.mkdir(mode=0o700)
    offered = volumes.recall(paths.volumes.read_text(), empty)
    disk = settings.dir_snapshots / paths.session / snapshot.DISK
    with connected(before, paths) as (kind, plan):
        hardware, wiring = parts(settings, entry, machine, disk, kind, offered)
        hardware = replace(hardware, template=below is not None)
        wiring = replace(wiring, incoming=True)
        if below:
            wiring = replace(wiring, layer=below.layer, mac=address(entry))
        plan.commands["qemu"] = qemu.command(settings.qemu_exec, hardware, wiring)
        yield replace(plan, incoming={
            "state": str(saved.state), "shared": False, "word": ports.WOKEN, "plug": [],
            "saved": str(saved.directory)})


@contextmanager
def connected(settings: Settings, paths: Paths) -> Iterator[tuple[str, Plan]]:
    """Make the sockets of a session; yield what its card leads to, and a plan with them."""
    with ExitStack() as stack:
        held = os.open(settings.dir_snapshots / paths.session, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, held)
        lock.share(held)  # by whoever has the descriptor: the keeper, then QEMU
        monitor = stack.enter_context(socket.socket(socket.AF_UNIX))
        monitor.bind(str(paths.qmp))
        monitor.listen(1)
        plan, kind = Plan({}, {"disk": held, "qmp": monitor.fileno()}), network.kind(settings)
        if kind == "passt":
            for name, end in zip(("card", "helper"), socket.socketpair()):
                plan.descriptors[name] = stack.enter_context(end).fileno()
            plan.commands["network"] = network.helper(NUMBERS["helper"], paths.network_log)
        yield kind, plan


def parts(settings: Settings, entry: Record, machine: Machine, disk: Path, kind: str,
          offered: Sequence[Volume]) -> tuple[Hardware, Wiring]:
    """Return what a session's machine is made of, and what it is connected to, if it boots."""
    paths = Paths(settings.dir_cfg / entry.session)
    hardware = Hardware(machine=machine, cpu=entry.cpu, memory=entry.memory,
                        video=entry.video, accel=entry.accel, gpu=bool(entry.gpu),
                        about=emulator.about(settings))
    return hardware, Wiring(
        name=entry.name, disk=disk, token=paths.token, vnc=paths.vnc,
        qmp_fd=NUMBERS["qmp"], qmp2=paths.qmp2, guid=str(uuid.uuid4()), network=kind,
        network_fd=NUMBERS["card"] if kind == "passt" else -1,
        volumes=tuple(offered), gpu=entry.gpu, firmware=firmware.of(machine),
        variables=disk.with_name(snapshot.VARS))


def address(entry: Record) -> str:
    """Return the MAC address of a copy: of no other one, and the same again when it is woken."""
    return "52:54:00:" + sha256(entry.session.encode()).digest()[:3].hex(":")
