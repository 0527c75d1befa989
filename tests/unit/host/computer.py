"""A computer with PCI cards, as sysfs shows it."""

import os
from pathlib import Path

from desktop.host import gpu
from desktop.settings import Settings


class Computer:
    """A made-up /sys and /dev."""

    def __init__(self, root: Path) -> None:
        self.sys, self.dev = root / "sys", root / "dev"
        (self.sys / "bus/pci/devices").mkdir(parents=True)
        (self.dev / "vfio").mkdir(parents=True)

    def add(self, address: str, kind: str, driver: str, group: int | None, ident: str) -> None:
        """Add a PCI device; `ident` is vendor:device."""
        device = self.sys / "devices/pci0000:00" / address
        device.mkdir(parents=True)
        vendor, product = ident.split(":")
        facts = {"class": kind, "vendor": f"0x{vendor}", "device": f"0x{product}"}
        for name, value in facts.items():
            (device / name).write_text(value + "\n")
        if driver:
            self.link(device / "driver", self.sys / "bus/pci/drivers" / driver)
        if group is not None:
            where = self.sys / "kernel/iommu_groups" / str(group)
            self.link(device / "iommu_group", where)
            self.link(where / "devices" / address, device)
            (self.dev / "vfio" / str(group)).touch()
        self.link(self.sys / "bus/pci/devices" / address, device)

    def link(self, path: Path, target: Path) -> None:
        """Make a relative link, as sysfs has them."""
        target.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(target, path.parent))

    def find(self, *blacklist: str) -> list[gpu.Gpu]:
        """Return the GPUs that are found."""
        return gpu.find(Settings(gpu_blacklist=blacklist), self.sys, self.dev)
