"""GPUs on a made-up sysfs tree."""

from pathlib import Path

import pytest
from computer import Computer

from desktop.errors import Refusal
from desktop.host import gpu
from desktop.settings import Settings


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
