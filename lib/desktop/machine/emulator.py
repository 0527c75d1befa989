"""What this computer's QEMU can do.

Its version and devices are asked once and remembered until the program, or a module of it,
changes.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from desktop import process
from desktop.errors import Refusal
from desktop.memo import Memo, stamp
from desktop.settings import Settings

MODULES = ("/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib/qemu", "/usr/lib64/qemu")


@dataclass(frozen=True)
class About:
    """A QEMU: its version, and the names of its devices."""

    version: tuple[int, int, int]
    devices: frozenset[str]

    @property
    def release(self) -> str:
        """Return its version in words, such as 7.2.22."""
        return ".".join(map(str, self.version))


class Accelerator(NamedTuple):
    """kvm or tcg, and why."""

    name: str
    reason: str


def about(settings: Settings) -> About:
    """Return the version and devices of qemu_exec; raise Refusal when it cannot be run."""
    program = shutil.which(settings.qemu_exec, path=process.ENVIRONMENT["PATH"])
    if program is None:
        raise Refusal(f"The program {settings.qemu_exec} is not installed.", 500,
                      "The setting qemu_exec names it.")
    now = " ".join(stamp(Path(path)) for path in (program, *MODULES) if os.path.exists(path))
    memo = Memo(settings.dir_state / "qemu.json")
    match memo.get(program, now):
        case {"version": [int(major), int(minor), int(micro)], "devices": list(devices)}:
            return About((major, minor, micro), frozenset(map(str, devices)))
    try:
        version = re.search(r"version (\d+)\.(\d+)\.(\d+)", process.run([program, "-version"]))
        words = process.run([program, "-device", "help"])
    except process.Failed as error:
        raise Refusal(f"{error}.", 500, "The setting qemu_exec names it.") from error
    if version is None:
        raise Refusal(f"{program} does not say its version.", 500)
    names = tuple(sorted(re.findall(r'^name "([^"]+)"', words, re.MULTILINE)))
    numbers = tuple(int(part) for part in version.groups())
    memo.put(program, now, {"version": numbers, "devices": names})
    memo.save()
    return About((numbers[0], numbers[1], numbers[2]), frozenset(names))


def accelerator(settings: Settings, cpuinfo: Path = Path("/proc/cpuinfo"),
                device: Path = Path("/dev/kvm")) -> Accelerator:
    """Return kvm where it works, else tcg, as qemu_accel says; raise Refusal when it demands kvm.

    The device alone proves nothing: some hosts have it, and a CPU without virtualization.
    """
    if settings.qemu_accel == "tcg":
        return Accelerator("tcg", "the setting qemu_accel says so")
    problem = ""
    if not re.search(r"^flags\s*:.*\b(svm|vmx)\b", cpuinfo.read_text(), re.MULTILINE):
        problem = "the CPU shows neither vmx nor svm"
    elif not device.exists():
        problem = f"{device} does not exist; the module kvm is not loaded"
    elif not os.access(device, os.R_OK | os.W_OK):
        problem = f"{device} may not be opened; its group is usually kvm"
    if not problem:
        return Accelerator("kvm", "the CPU and the kernel have it")
    if settings.qemu_accel == "kvm":
        raise Refusal(f"KVM does not work here: {problem}.", 503,
                      "qemu_accel = auto would do without, slowly.")
    return Accelerator("tcg", problem)
