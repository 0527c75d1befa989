"""What giving a GPU away needs of this computer: an IOMMU, vfio-pci, memory that may be locked.

In: sysfs, and the limits of a process of Apache's. Out: what is missing, and what QEMU's words
mean when something was (QEMU hw/vfio, Linux drivers/vfio).
"""

import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.host import gpu
from desktop.settings import Settings

SEE = "The README says each step: GPUs."
MEMLOCK = ("RLIMIT_MEMLOCK is too low: the memory of a machine with a GPU is locked. Raise it "
           "above that memory: LimitMEMLOCK=infinity in Apache's unit, memlock in limits.conf by "
           "hand.")
# Patterns of QEMU 7.2 to 10, and what to do; the first that is found counts.
WORDS = (
    (r"VFIO_MAP_DMA|RLIMIT_MEMLOCK|_dma_map\(.* = -12 ", MEMLOCK),
    (r"/dev/vfio\S*: Permission denied", "Permission denied on /dev/vfio: a udev rule must give "
     "the devices there to group kvm, mode 0660, and Apache be restarted once its user is in it."),
    (r"/dev/vfio\S*: Operation not permitted",
     "Apache's unit forbids the devices in /dev/vfio: DeviceAllow=char-vfio rw."),
    (r"/dev/vfio\S*: No such file", "The module vfio-pci is not loaded, or the card is not bound "
     "to it: lspci -nnk shows its driver."),
    (r"/dev/vfio\S*: Device or resource busy", "Another program has the card, or one of its "
     "group."),
    (r"not viable|bound to their vfio bus driver",
     "The group is not viable: everything in the card's IOMMU group must be bound to vfio-pci, "
     "its sound and its USB too, or be without a driver."),
    (r"no iommu_group found", "The IOMMU is off: it is switched on in the firmware (VT-d, AMD-Vi) "
     "and, for Intel, by intel_iommu=on on the kernel's command line."),
    (r"[Ff]ailed to set iommu for container: Operation not permitted",
     "The IOMMU does not remap interrupts: the kernel's log says so. vfio_iommu_type1's option "
     "allow_unsafe_interrupts=1 admits it where guests are trusted."),
    (r"stuck in D3|no such host device|[Uu]nknown PCI header type",
     "The card does not answer any more: many need the server to be switched off and on."))


def look(settings: Settings, process: Path, sysfs: Path = Path("/sys"),
         dev: Path = Path("/dev")) -> Iterator[Finding]:
    """Say whether GPUs can be given to machines, and what is missing; to have none is no fault.

    `process` is the directory in /proc of one of Apache's.
    """
    groups = count(sysfs / "kernel/iommu_groups")
    yield Finding("IOMMU", f"on, {groups} groups" if groups else "not used: off, or none is here")
    cards = gpu.find(settings, sysfs, dev)
    if not cards:
        yield Finding("GPU", "not used: no graphics card is bound to vfio-pci")
    for card in cards:
        name = f"{card.address} ({card.vendor_device})"
        yield Finding("GPU", f"{name} can be given to a machine" if not card.problem else
                      f"{name} cannot be given to a machine: {card.problem}", not card.problem,
                      SEE if card.problem else "")
    limit = lockable(process)
    enough = limit is None or not cards or limit >= settings.snapshot_alloc_mem
    yield Finding("memlock", "Apache may lock any amount of memory" if limit is None else
                  f"Apache may lock {limit} MB of memory, the most for a machine with a GPU",
                  enough, "" if enough else MEMLOCK)


def count(directory: Path) -> int:
    """Return how many entries a directory has; none when it is not there."""
    return len(list(directory.iterdir())) if directory.is_dir() else 0


def lockable(process: Path) -> int | None:
    """Return how many MB a process may lock, None for any number; what cannot be read is 0."""
    try:
        found = re.search(r"^Max locked memory +(\S+)", (process / "limits").read_text(), re.M)
    except OSError:
        return 0
    if found and found[1] == "unlimited":
        return None
    return int(found[1]) >> 20 if found else 0


def check_memory(memory: int) -> None:
    """Raise Refusal when this process may not lock so many MB, which a card's machine needs."""
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if os.geteuid() != 0 and limit != resource.RLIM_INFINITY and limit >> 20 < memory:
        raise Refusal(f"A machine with a GPU locks its {memory} MB of memory, and the "
                      f"limit here is {limit >> 20} MB.", 409, MEMLOCK)


def explain(words: str) -> str:
    """Return what an administrator should do about QEMU's words, or nothing when they are other.

    The kernel accounts pinned guest memory to the process, hence the limit.
    """
    return next((cure for pattern, cure in WORDS if re.search(pattern, words)), "")
