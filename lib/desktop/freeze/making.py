"""Making a template: the machine boots as a session would, is stopped when ready, and saved."""

import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from secrets import token_hex
from types import FrameType
from typing import Any

from desktop import process
from desktop.errors import Refusal
from desktop.freeze import draft, failure
from desktop.freeze.boot import Boot
from desktop.freeze.draft import Progress
from desktop.host import capacity
from desktop.machine import firmware, migration, qemu, qmp, snapshot, template
from desktop.machine.descriptor import Machine
from desktop.machine.template import Manifest, Template
from desktop.machine.wiring import READONLY_MEMORY, Hardware, Wiring
from desktop.memo import stamp
from desktop.session.start import for_owner_alone
from desktop.settings import Settings

WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")  # QEMU ends when this process does
START_TIME = 20.0  # seconds for QEMU to answer
SAVE_TIME = 120.0  # seconds for it to save the state
SPARE = 512  # MB of disk beside the memory: state, and what a boot writes


@dataclass(frozen=True)
class Spectator:
    """Who watches: is told how far it is, and may say that the machine is ready."""

    say: Callable[[str], None]
    asked: Callable[[], bool]


def make(settings: Settings, hardware: Hardware, disk: float, who: Spectator) -> Template:
    """Freeze a machine and return the template; nothing is left when that fails.

    `disk` is the size of an ISO's disk in GB. Raises Refusal.
    """
    since, named, us = time.time(), hardware.machine.name, process.identify(os.getpid())
    what = (settings, named, hardware.cpu, hardware.memory)
    with (draft.claimed(settings), interruptible(), for_owner_alone(), failure.noted(*what),
          draft.lent(settings) as place, failure.noted(*what)):  # again once the disk has room
        check_room(settings, hardware)

        def say(words: str) -> None:
            draft.tell(place, Progress(named, hardware.cpu, hardware.memory, since, words, us))
            who.say(words)

        try:
            snapshot.create(settings, hardware.machine, place, disk)
            say("starts")
            with open(place / template.MEMORY, "xb") as memory:
                os.posix_fallocate(memory.fileno(), 0, hardware.memory << 20)
            argv = boot_and_save(settings, hardware, place,
                                 Spectator(say, lambda: who.asked() or said_so(place)))
            say("is packed and checked")
            return keep(settings, hardware, disk, place, argv, since)
        except (qmp.Error, process.Failed, OSError) as problem:
            raise Refusal(f"{named} could not be frozen: {reason(settings, place, problem)}.",
                          500) from problem


def said_so(place: Path) -> bool:
    """Tell whether somebody said on the page that the machine is ready."""
    return (place / draft.NOW).exists()


def reason(settings: Settings, place: Path, problem: Exception) -> str:
    """Return why it failed, in QEMU's words where it has any."""
    if capacity.disk_free(settings.dir_templates) < 0.01:
        return f"the disk of {settings.dir_templates} is full"
    try:
        last = (place / "qemu.log").read_text(errors="replace").strip().splitlines()[-1:]
    except OSError:
        last = []
    return last[0] if last else str(problem)


def check_room(settings: Settings, hardware: Hardware) -> None:
    """Raise Refusal when a template would not find room on the disk."""
    free = capacity.disk_free(settings.dir_templates)
    needed = (hardware.memory + SPARE) / 1000 + settings.host_disk_reserve
    if free < needed:
        raise Refusal(f"There are {free:.1f} GB free in {settings.dir_templates}; "
                      f"{needed:.1f} GB are needed.", 507, "Make room, or remove a template.")


def boot_and_save(settings: Settings, hardware: Hardware, place: Path,
                  who: Spectator) -> list[str]:
    """Boot the machine and save it once it is ready; return the command line it had."""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.bind(str(place / "qmp.sock"))
        monitor.listen(1)
        argv = qemu.command(settings.qemu_exec, hardware, Wiring(
            name=f"template of {hardware.machine.name}", disk=place / snapshot.DISK,
            vnc=place / "vnc.sock", qmp_fd=monitor.fileno(), qmp2=place / "qmp2.sock",
            guid=str(uuid.uuid4()), memory=place / template.MEMORY,
            firmware=firmware.of(hardware.machine), variables=place / snapshot.VARS))
        child = process.start([*WITH_US, *argv], place / "qemu.log", [monitor.fileno()])
    try:
        connection = qmp.Connection(place / "qmp.sock")
        connection.negotiate(START_TIME)
        Boot(connection, child.pid, place, hardware.machine.ready).wait(who.say, who.asked)
        who.say("is ready and being frozen")
        connection.execute("stop")
        migration.save(connection, place / template.STATE, SAVE_TIME, shared=True)
        connection.execute("quit", timeout=START_TIME)
        child.wait(START_TIME)
    finally:
        child.kill()
        child.wait()
    return argv


def keep(settings: Settings, hardware: Hardware, disk: float, place: Path, argv: list[str],
         since: float) -> Template:
    """Make a template of what was saved: packed, sealed, described, and moved to its place.

    How far it is can be seen until it is there.
    """
    pack(place / template.MEMORY)
    names = [*template.PARTS, *([snapshot.VARS] if hardware.machine.firmware == "uefi" else [])]
    for name in names:
        writable = name == template.MEMORY and hardware.about.version < READONLY_MEMORY
        (place / name).chmod(0o600 if writable else 0o400)  # QEMU 7.2 opens it so, and only reads
    fit = template.fit(hardware, disk)
    template.write(place, Manifest(
        fit=fit, machine=hardware.machine.name, cpu=hardware.cpu, memory=hardware.memory,
        disk=disk, video=hardware.video, accel=hardware.accel,
        qemu=hardware.about.release, processor=template.processor(),
        master=master(hardware.machine), argv=argv,
        files={name: described(place / name) for name in names},
        made=time.time(), seconds=round(time.time() - since, 1)))
    for path in list(place.iterdir()):
        if path.name not in (*names, template.MANIFEST, draft.PROGRESS):
            path.unlink()
    home = settings.dir_templates / f"{fit[:20]}-{token_hex(4)}"
    place.rename(home)
    (home / draft.PROGRESS).unlink(missing_ok=True)
    return template.read(home)


def master(machine: Machine) -> dict[str, Any]:
    """Return what a machine's file is; raise Refusal if it is not the one that was booted."""
    found = described(machine.file) | {"inode": machine.file.stat().st_ino}
    if stamp(machine.file) != machine.stamp:
        raise Refusal(f"{machine.name} could not be frozen: its image was changed meanwhile.", 409,
                      "Try again.")
    return found


def pack(memory: Path) -> None:
    """Give back the blocks of a file that are zero."""
    with suppress(process.Failed):  # then it takes more room
        process.run(["fallocate", "--dig-holes", str(memory)], timeout=120)


def described(path: Path) -> dict[str, Any]:
    """Return size, mtime in ns and SHA-256 of a file."""
    facts = path.stat()
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return {"size": facts.st_size, "mtime": facts.st_mtime_ns, "sha256": digest}


@contextmanager
def interruptible() -> Iterator[None]:
    """Have the usual ways to end a program clear up first."""
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
