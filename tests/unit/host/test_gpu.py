"""GPUs on a made-up sysfs tree."""

import os
import resource
from pathlib import Path

import pytest

from desktop.errors import Refusal
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


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """Return a computer with two good cards, each with its sound, and much that is none."""
    computer = Computer(tmp_path)
    computer.add("0000:00:01.0", "0x060400", "pcieport", 1, "8086:1901")
    computer.add("0000:00:02.0", "0x030000", "i915", 0, "8086:3e92")
    computer.add("0000:01:00.0", "0x030000", "vfio-pci", 1, "10de:1EB8")
    computer.add("0000:01:00.1", "0x040300", "vfio-pci", 1, "10de:10f8")
    computer.add("0000:02:00.0", "0x030200", "vfio-pci", 2, "10de:20b0")
    computer.add("0000:03:00.0", "0x010802", "vfio-pci", 3, "144d:a808")
    return computer


def test_cards_come_with_their_group(computer: Computer) -> None:
    assert computer.find() == [
        gpu.Gpu("0000:01:00.0", "10de:1eb8", ("0000:01:00.0", "0000:01:00.1")),
        gpu.Gpu("0000:02:00.0", "10de:20b0", ("0000:02:00.0",))]


def test_a_computer_without_pci_has_none(tmp_path: Path) -> None:
    assert gpu.find(Settings(), tmp_path) == []


@pytest.mark.parametrize("word", ["0000:01:00.0", "01:00.0", "10DE:1eb8"])
def test_blacklisted_cards_are_not_given(computer: Computer, word: str) -> None:
    assert [card.address for card in computer.find(word)] == ["0000:02:00.0"]


def test_a_card_that_shares_its_group_with_the_host_is_not_given(computer: Computer) -> None:
    computer.add("0000:01:00.2", "0x0c0330", "xhci_hcd", 1, "10de:1ad8")
    cards = computer.find()
    assert "0000:01:00.2 (xhci_hcd), used by the host" in cards[0].problem
    assert gpu.free_one(cards, ()).address == "0000:02:00.0"
    with pytest.raises(Refusal, match="shared with 0000:01:00.2"):
        gpu.free_one(cards[:1], ())


def test_a_group_member_without_driver_is_harmless(computer: Computer) -> None:
    computer.add("0000:01:00.3", "0x0c8000", "", 1, "10de:1ad9")
    assert computer.find()[0].problem == ""


def test_without_iommu_nothing_is_given(tmp_path: Path) -> None:
    computer = Computer(tmp_path)
    computer.add("0000:01:00.0", "0x030000", "vfio-pci", None, "10de:1eb8")
    assert "IOMMU is off" in computer.find()[0].problem


def test_a_device_that_may_not_be_opened_is_explained(computer: Computer) -> None:
    (computer.dev / "vfio/1").unlink()
    assert "udev rule" in computer.find()[0].problem


def test_a_card_is_given_once(computer: Computer) -> None:
    cards = computer.find()
    first = gpu.free_one(cards, ())
    second = gpu.free_one(cards, first.group)
    assert {first.address, second.address} == {"0000:01:00.0", "0000:02:00.0"}
    with pytest.raises(Refusal, match="All 2 GPUs are in use") as refusal:
        gpu.free_one(cards, (*first.group, *second.group))
    assert refusal.value.status == 503


def test_a_card_is_busy_when_any_of_its_group_is(computer: Computer) -> None:
    assert gpu.free_one(computer.find(), ("0000:01:00.1",)).address == "0000:02:00.0"


def test_a_server_without_cards_says_so() -> None:
    with pytest.raises(Refusal, match="no GPU"):
        gpu.free_one([], ())


def test_memory_that_may_not_be_locked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 33)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (8 << 20, 8 << 20))
    gpu.check_memory(8)
    with pytest.raises(Refusal, match="limit here is 8 MB.*LimitMEMLOCK"):
        gpu.check_memory(4096)


@pytest.mark.parametrize("words, answer", [
    ("vfio 0000:01:00.0: VFIO_MAP_DMA failed: -12", "LimitMEMLOCK"),
    ("could not open /dev/vfio/1: Permission denied", "udev"), ("something else", "")])
def test_typical_failures_are_explained(words: str, answer: str) -> None:
    assert answer in gpu.explain(words)
    assert bool(answer) == bool(gpu.explain(words))
