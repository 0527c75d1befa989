"""GPUs that can be given to a machine: those bound to vfio-pci, found in sysfs.

The IOMMU isolates groups of devices, not devices: a card goes with everything in its group, and
only when nothing there is used by the host (Linux, Documentation/driver-api/vfio.rst).
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.errors import Refusal
from desktop.settings import Settings

CLASSES = ("0x0300", "0x0302", "0x0380")  # VGA, 3D, other display controllers
BRIDGE = "0x06"  # bridges belong to a group but are never given away
DRIVER = "vfio-pci"


@dataclass(frozen=True)
class Gpu:
    """One card: its PCI address, `vendor:device`, and all addresses that go with it, itself first.

    `problem` says why it cannot be given to anybody; empty when it can.
    """

    address: str
    vendor_device: str
    group: tuple[str, ...]
    problem: str = ""


def find(settings: Settings, sysfs: Path = Path("/sys"), dev: Path = Path("/dev")) -> list[Gpu]:
    """Return the cards bound to vfio-pci, without those of gpu_blacklist, by address."""
    devices = sysfs / "bus" / "pci" / "devices"
    if not devices.is_dir():
        return []
    cards = [read(device, dev) for device in sorted(devices.iterdir())
             if fact(device, "class")[:6] in CLASSES and driver(device) == DRIVER]
    banned = {word.lower() for word in settings.gpu_blacklist}
    return [card for card in cards if banned.isdisjoint(
        {card.address, card.address.removeprefix("0000:"), card.vendor_device})]


def read(device: Path, dev: Path) -> Gpu:
    """Return the card at a path of sysfs, with its group and what is wrong with it."""
    name = device.name
    kind = f"{fact(device, 'vendor')[2:]}:{fact(device, 'device')[2:]}"
    group = device / "iommu_group"
    if not group.is_dir():
        return Gpu(name, kind, (name,), "the IOMMU is off; switch it on in the firmware, and "
                   "put intel_iommu=on on the kernel's command line")
    members = [member for member in sorted((group / "devices").iterdir())
               if not fact(member, "class").startswith(BRIDGE)]
    ours = tuple(member.name for member in members if driver(member) == DRIVER)
    others = [f"{member.name} ({driver(member)})" for member in members
              if driver(member) not in (DRIVER, "", "pci-stub")]
    node = dev / "vfio" / group.resolve().name
    if others:
        problem = f"its IOMMU group is shared with {', '.join(others)}, used by the host"
    elif not os.access(node, os.R_OK | os.W_OK):
        problem = f"{node} may not be opened; a udev rule must give it to group kvm"
    else:
        problem = ""
    return Gpu(name, kind, (name, *(member for member in ours if member != name)), problem)


def fact(device: Path, name: str) -> str:
    """Return one attribute of a device in lower case, or nothing."""
    try:
        return (device / name).read_text().strip().lower()
    except OSError:
        return ""


def driver(device: Path) -> str:
    """Return the name of the driver that a device is bound to, or nothing."""
    try:
        return (device / "driver").resolve(strict=True).name
    except OSError:
        return ""


def free(gpus: Sequence[Gpu], taken: Collection[str]) -> list[Gpu]:
    """Return the cards that can be given away and none of whose group is taken."""
    return [card for card in gpus if not card.problem and set(taken).isdisjoint(card.group)]


def free_one(gpus: Sequence[Gpu], taken: Collection[str]) -> Gpu:
    """Return a card that is free; raise Refusal with the reason when none is."""
    for card in free(gpus, taken):
        return card
    if usable := free(gpus, ()):
        raise Refusal(f"All {len(usable)} GPUs are in use.", 503,
                      "Try again later, or do without one.", retry_after=60)
    if gpus:
        raise Refusal(f"The GPU {gpus[0].address} cannot be given to a machine: "
                      f"{gpus[0].problem}.", 503, "An administrator can repair this.")
    raise Refusal("This server has no GPU to give.", 409, "Do without one.")
