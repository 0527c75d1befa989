"""Computers to look at."""

from pathlib import Path

import pytest
from computer import Computer


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
