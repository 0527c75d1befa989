"""What GPUs need of a computer, and what QEMU says when it is missing: partly in its own words."""

import os
import resource
import subprocess
from pathlib import Path

import pytest
from computer import Computer

from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.host import vfio
from desktop.session.guest import Guest
from desktop.session.paths import Paths
from desktop.settings import Settings

QEMU = "qemu-system-x86_64: -device vfio-pci,host=0000:01:00.0: "
# Of QEMU 7.2 with Linux 6.1, by a card and an IOMMU that another QEMU emulated.
MAP_DMA = (f"{QEMU}VFIO_MAP_DMA failed: Cannot allocate memory\n"
           f"{QEMU}vfio 0000:01:00.0: failed to setup container for group 1: memory listener "
           "initialization failed: Region pc.ram: vfio_dma_map(0x563630627930, 0x0, 0x4000000, "
           "0x7f3a44c00000) = -12 (Cannot allocate memory)\n")
NOT_VIABLE = (f"{QEMU}vfio 0000:01:00.0: group 1 is not viable\nPlease ensure all devices within "
              "the iommu_group are bound to their vfio bus driver.\n")
# A QEMU whose /dev has nothing but a group of IOMMU, which is no device.
ALONE = """
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
mkdir /dev/vfio
[ -z "$2" ] || { touch /dev/vfio/42; chmod "$2" /dev/vfio/42; }
exec setpriv --reuid=65534 --regid=65534 --clear-groups \
    qemu-system-x86_64 -display none -nodefaults -device vfio-pci,sysfsdev="$1"
"""


def limits(tmp_path: Path, locked: str) -> Path:
    """Return the directory in /proc of a process that may lock so many bytes."""
    (tmp_path / "limits").write_text(
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        f"Max locked memory         {locked:<20} 8388608              bytes     \n")
    return tmp_path


def look(computer: Computer, process: Path, **settings: object) -> list[Finding]:
    """Return what is found of a computer."""
    return list(vfio.look(Settings(**settings), process,  # type: ignore[arg-type]
                          computer.sys, computer.dev))


def test_a_computer_without_any_of_it_is_good(tmp_path: Path) -> None:
    found = list(vfio.look(Settings(), tmp_path, tmp_path, tmp_path))
    assert [one.text[:8] for one in found] == ["not used", "not used", "Apache m"]
    assert all(one.good and not one.cure for one in found)


def test_good_cards(computer: Computer, tmp_path: Path) -> None:
    found = look(computer, limits(tmp_path, "unlimited"))
    assert [one.name for one in found] == ["IOMMU", "GPU", "GPU", "memlock"]
    assert all(one.good for one in found) and found[0].text == "on, 4 groups"
    assert found[1].text == "0000:01:00.0 (10de:1eb8) can be given to a machine"


@pytest.mark.parametrize(("locked", "good", "text"), [
    ("8388608", False, "8 MB"), ("4294967296", True, "4096 MB"), ("4294967295", False, "4095")])
def test_memory_of_apache(computer: Computer, tmp_path: Path, locked: str, good: bool,
                          text: str) -> None:
    found = look(computer, limits(tmp_path, locked), snapshot_alloc_mem=4096)[-1]
    assert (found.good, text in found.text) == (good, True)
    assert ("LimitMEMLOCK" in found.cure) != good


def test_a_card_that_cannot_be_given(computer: Computer, tmp_path: Path) -> None:
    (computer.dev / "vfio/1").unlink()
    bad = [one for one in look(computer, limits(tmp_path, "unlimited")) if not one.good]
    assert [one.name for one in bad] == ["GPU"] and "0000:01:00.0" in bad[0].text


def test_a_process_that_is_gone_locks_nothing(tmp_path: Path) -> None:
    assert vfio.lockable(tmp_path / "none") == 0
    assert vfio.lockable(Path("/proc/self")) is None or vfio.lockable(Path("/proc/self"))


def test_memory_that_may_not_be_locked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 33)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (8 << 20, 8 << 20))
    vfio.check_memory(8)
    with pytest.raises(Refusal, match="limit here is 8 MB.*RLIMIT_MEMLOCK.*LimitMEMLOCK"):
        vfio.check_memory(4096)


# The first two and those of test_qemus_own_words were seen; the others people have reported.
@pytest.mark.parametrize(("words", "answer"), [
    (MAP_DMA, "RLIMIT_MEMLOCK"), (NOT_VIABLE, "group is not viable"),
    ("vfio: VFIO_MAP_DMA: -12", "RLIMIT_MEMLOCK"),
    ("vfio_container_dma_map(0x5, 0x0, 0xc0000, 0x7) = -12 (Cannot allocate memory)", "LimitMEM"),
    ("vfio 0000:01:00.0: failed to open /dev/vfio/1: Device or resource busy", "Another program"),
    ("vfio: failed to open /dev/vfio/vfio: Operation not permitted", "DeviceAllow"),
    ("failed to setup container for group 1: Failed to set iommu for container: Operation not "
     "permitted", "interrupts"),
    ("vfio: Unable to power on device, stuck in D3", "switched off"),
    ("could not open disk image: Permission denied", ""), ("something else", "")])
def test_typical_failures_are_explained(words: str, answer: str) -> None:
    assert answer in vfio.explain(words)
    assert bool(answer) == bool(vfio.explain(words))


def refusal(tmp_path: Path, words: str) -> Refusal:
    """Return what people are told when these were QEMU's words."""
    guest = Guest(Paths(tmp_path), Settings())
    guest.paths.qemu_log.write_text(words)
    return guest.failure("it ended at once")


def test_a_session_says_so(tmp_path: Path) -> None:
    problem = refusal(tmp_path, MAP_DMA)
    assert "vfio_dma_map" in problem.message and "RLIMIT_MEMLOCK" in problem.hint
    problem = refusal(tmp_path, f"warning\n{NOT_VIABLE}")
    assert "group 1 is not viable Please ensure" in problem.message
    assert "warning" not in problem.message and "vfio-pci, its sound" in problem.hint
    assert refusal(tmp_path, "").message == "The machine did not start: it ended at once."
    assert "Segmentation" in refusal(tmp_path, "x\nSegmentation fault").message
    assert refusal(tmp_path, "x").hint == "Tell your administrator."


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give QEMU another /dev")
@pytest.mark.parametrize(("group", "mode", "answer"), [
    (False, "", "IOMMU is off"), (True, "", "not loaded"), (True, "600", "udev rule")])
def test_qemus_own_words(tmp_path: Path, group: bool, mode: str, answer: str) -> None:
    tmp_path.chmod(0o755)
    device = tmp_path / "device"
    (tmp_path / "groups/42").mkdir(parents=True)
    device.mkdir()
    if group:
        (device / "iommu_group").symlink_to("../groups/42")
    done = subprocess.run(["unshare", "-m", "sh", "-ec", ALONE, "sh", device, mode], timeout=60,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "vfio device: " in done.stderr
    assert answer in refusal(tmp_path, done.stderr).hint, done.stderr
