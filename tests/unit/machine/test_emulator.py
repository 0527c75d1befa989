"""What this computer's QEMU is asked, and when; and whether KVM works."""

from pathlib import Path

import pytest

from desktop import process
from desktop.errors import Refusal
from desktop.machine import emulator
from desktop.settings import Settings


def test_qemu_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(dir_state=tmp_path)
    first = emulator.about(settings)
    assert first.version >= (7, 2, 0)
    assert {"virtio-vga", "VGA", "vfio-pci", "virtio-9p-pci"} <= first.devices
    monkeypatch.setattr(process, "run", None)
    assert emulator.about(settings) == first


def test_without_a_place_to_remember_it_is_asked_again() -> None:
    assert emulator.about(Settings(dir_state=Path("/proc/nowhere"))).devices


@pytest.mark.parametrize("text", ["{}", '{"%s": 3}', "rubbish"])
def test_a_corrupt_memory_is_asked_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "qemu.json").write_text(text)
    assert emulator.about(Settings(dir_state=tmp_path)).devices


@pytest.mark.parametrize("program, words", [
    ("qemu-system-z80", "qemu-system-z80 is not installed"), ("false", "ended with status 1"),
    ("true", "does not say its version")])
def test_a_program_that_is_no_qemu_is_refused(tmp_path: Path, program: str, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refusal:
        emulator.about(Settings(dir_state=tmp_path, qemu_exec=program))
    assert refusal.value.status == 500


@pytest.fixture
def cpu(tmp_path: Path) -> Path:
    """Return the /proc/cpuinfo of a CPU with virtualization."""
    (tmp_path / "cpuinfo").write_text("model name : vmx\nflags\t\t: fpu vmx sse\nbugs\t: x\n")
    return tmp_path / "cpuinfo"


def test_kvm_where_it_works(cpu: Path, tmp_path: Path) -> None:
    (tmp_path / "kvm").touch()
    assert emulator.accelerator(Settings(), cpu, tmp_path / "kvm").name == "kvm"
    tcg = emulator.accelerator(Settings(qemu_accel="tcg"), cpu, tmp_path / "kvm")
    assert tcg.name == "tcg"


@pytest.mark.parametrize("flags, device, words", [
    ("fpu sse", "kvm", "neither vmx nor svm"), ("vmxx", "kvm", "neither"),
    ("svm", "missing", "not loaded")])
def test_tcg_says_why(tmp_path: Path, flags: str, device: str, words: str) -> None:
    (tmp_path / "kvm").touch()
    (tmp_path / "cpuinfo").write_text(f"model name : vmx svm\nflags\t: {flags}\n")
    found = emulator.accelerator(Settings(), tmp_path / "cpuinfo", tmp_path / device)
    assert found.name == "tcg"
    assert words in found.reason
    with pytest.raises(Refusal, match=words):
        emulator.accelerator(Settings(qemu_accel="kvm"), tmp_path / "cpuinfo", tmp_path / device)
