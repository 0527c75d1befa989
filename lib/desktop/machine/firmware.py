"""The UEFI firmware of this computer, from Debian's package ovmf."""

from dataclasses import dataclass
from pathlib import Path

from desktop.errors import Refusal
from desktop.machine.descriptor import Machine

PAIRS = (("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
         ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"))


@dataclass(frozen=True)
class Firmware:
    """The program, which all machines share, and a blank of what each one remembers."""

    code: Path
    variables: Path


MISSING = "UEFI firmware is not installed (package ovmf)"


def installed() -> Firmware | None:
    """Return the firmware of this computer, if any."""
    for code, variables in PAIRS:
        if Path(code).is_file() and Path(variables).is_file():
            return Firmware(Path(code), Path(variables))
    return None


def find() -> Firmware:
    """Return the firmware; raise Refusal when it is not installed."""
    found = installed()
    if found is None:
        raise Refusal(f"{MISSING}.", 409)
    return found


def of(machine: Machine) -> Firmware | None:
    """Return what a machine starts from, None for QEMU's own BIOS; raise Refusal as `find`."""
    return find() if machine.firmware == "uefi" else None
