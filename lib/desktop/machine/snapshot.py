"""The disk a session writes to: an overlay over the master, or an empty one beside an ISO.

Formats are always said, never guessed: a guest decides what its disk looks like.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from desktop import process
from desktop.errors import Refusal
from desktop.machine import firmware, template
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format
from desktop.machine.template import Template
from desktop.settings import Settings

DISK, VARS = template.DISK, template.VARS  # a template is made of what lies here
MONTH = 30 * 86400  # seconds


def grown(settings: Settings, session: str) -> int:
    """Return the MB that the disk of a session takes by now; 0 when it is gone, or elsewhere."""
    try:
        return os.stat(settings.dir_snapshots / session / DISK).st_blocks * 512 >> 20
    except OSError:
        return 0


def create(settings: Settings, machine: Machine, directory: Path, disk: float,
           below: Template | None = None) -> Path:
    """Create the directory and the disk in it, for this user alone; return the disk's path.

    `disk` is the size in GB (10^9 bytes in whole MiB) of an ISO's disk; an image keeps its own.
    `below` is the template whose disk it goes on from. Beside it lies what UEFI firmware
    remembers, for a machine that has it. Raises Refusal.
    """
    try:
        directory.mkdir(mode=0o700, parents=True)
        if machine.firmware == "uefi":
            shutil.copyfile(below.variables if below else firmware.find().variables,
                            directory / VARS)
            os.chmod(directory / VARS, 0o600)
    except OSError as error:
        raise Refusal(f"No disk can be made in {directory.parent}: {error.strerror}.", 503,
                      "The server's disk may be full.", retry_after=60) from error
    options = ["-f", "qcow2"]
    if below:
        options += ["-b", str(below.layer.absolute()), "-F", "qcow2"]
        size = []
    elif machine.format is Format.ISO:
        size = [f"{max(1, int(disk * 1e9) >> 20)}M"]
    else:
        options += ["-b", str(machine.file.absolute()), "-F", machine.format.driver]
        size = []
    path = directory / DISK
    blank = settings.dir_state / "blanks" / key([*options, *size, machine.stamp])
    try:
        shutil.copyfile(blank, path)
    except OSError:
        make(machine, [*options, str(path), *size])
        keep(path, blank)
    return path


def key(words: Sequence[str]) -> str:
    """Return a file's name for what a blank disk depends on."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


def make(machine: Machine, words: Sequence[str]) -> None:
    """Run qemu-img create; raise Refusal when it fails."""
    try:
        process.run(["qemu-img", "create", "-q", *words], timeout=30)
    except process.Failed as error:
        raise Refusal(f"No disk can be made for {machine.name}: {error}.", 503) from error


def keep(path: Path, blank: Path) -> None:
    """Keep a disk that nobody has written to yet: copying it is faster than making the next.

    One that cannot be kept costs time, nothing else. Those of last month go: images change.
    """
    draft = blank.with_name(f".{os.getpid()}")
    try:
        blank.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(path, draft)
        draft.rename(blank)
        for other in blank.parent.iterdir():
            if time.time() - other.stat().st_mtime > MONTH:
                other.unlink()
    except OSError:
        draft.unlink(missing_ok=True)
