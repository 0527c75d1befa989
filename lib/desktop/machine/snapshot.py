"""The disk a session writes to: an overlay over the master, or an empty one beside an ISO.

Formats are always said, never guessed: a guest decides what its disk looks like.
"""

import os
import shutil
from pathlib import Path

from desktop import process
from desktop.errors import Refusal
from desktop.machine import firmware
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format
from desktop.settings import Settings

DISK = "disk.qcow2"
VARS = "vars.fd"


def create(settings: Settings, machine: Machine, directory: Path, disk: float) -> Path:
    """Create the directory and the disk in it, for this user alone; return the disk's path.

    `disk` is the size in GB (10^9 bytes in whole MiB) of an ISO's disk; an image keeps its own.
    Beside it lies what UEFI firmware remembers, for a machine that has it. Raises Refusal.
    """
    try:
        directory.mkdir(mode=0o700, parents=True)
        if machine.firmware == "uefi":
            shutil.copyfile(firmware.find().variables, directory / VARS)
            os.chmod(directory / VARS, 0o600)
    except OSError as error:
        raise Refusal(f"No disk can be made in {directory.parent}: {error.strerror}.", 503,
                      "The server's disk may be full.", retry_after=60) from error
    path = directory / DISK
    make = ["qemu-img", "create", "-q", "-f", "qcow2"]
    if machine.format is Format.ISO:
        make += [str(path), f"{max(1, int(disk * 1e9) >> 20)}M"]
    else:
        make += ["-b", str(machine.file.absolute()), "-F", machine.format.driver, str(path)]
    try:
        process.run(make, timeout=30)
    except process.Failed as error:
        raise Refusal(f"No disk can be made for {machine.name}: {error}.", 503) from error
    return path


def remove(directory: Path) -> None:
    """Remove a session's directory; nothing there is fine, and no link is followed.

    Raises OSError for what cannot be removed.
    """
    try:
        if directory.is_symlink():
            directory.unlink()
        else:
            shutil.rmtree(directory)
    except FileNotFoundError:  # gone, or somebody else is removing it at this moment
        shutil.rmtree(directory, ignore_errors=True)
