"""What the README says of getting machines, typed as it stands there, on real files."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service.conftest import machine_image
from service.installation import ROOT, short_directory
from service.readme import blocks, section
from service.until import until

from desktop import process
from desktop.machine import descriptor, emulator
from desktop.settings import Settings

TOOLS = {"qemu-img", "qemu-system-x86_64", "tar", "machines/import", "machines/list",
         "machines/fetch"}


def commands() -> list[list[str]]:
    """Return the words of each command."""
    typed = [shlex.split(line) for block in blocks(section("Where machines come from"))
             if not block.startswith("#") for line in block.splitlines()]
    return [words[1:] if words[0] == "sudo" else words for words in typed]


@pytest.fixture
def desk() -> Iterator[Path]:
    """A directory with all the files that the README speaks of, and one for machines."""
    place = short_directory()
    (place / "machines").mkdir()
    for name in ("debian.iso", "windows.iso", "virtio-win.iso"):
        shutil.copyfile(machine_image("tiny.iso"), place / name)
    for name, kind, *words in (
            ("analysis.vdi", "vdi"), ("box.vdi", "vdi"), ("box.vmdk", "vmdk"), ("disk", "raw"),
            ("parts.vmdk", "vmdk", "-o", "subformat=twoGbMaxExtentSparse")):
        subprocess.run(["qemu-img", "create", "-q", "-f", kind, *words, name, "16M"], cwd=place,
                       check=True)
    process.run(["qemu-io", "-f", "raw", "-c", "write -q -P 7 0 4M", str(place / "disk")])
    subprocess.run(["tar", "-cf", "box.ova", "box.vmdk"], cwd=place, check=True)
    (place / "box.vmdk").unlink()
    yield place
    shutil.rmtree(place)


def test_every_command_does_what_it_is_there_for(desk: Path) -> None:
    tried = set()
    for words in commands():
        tried.add(words[0])
        if words[0] == "qemu-system-x86_64":
            boots(desk, words)
        elif words[0] != "machines/fetch":  # test_fetch.py does that
            done = typed(desk, [word.replace("/dev/sdX", "disk") for word in words])
            assert done.returncode == 0, done
    assert tried == TOOLS
    names = sorted(path.name for path in (desk / "machines").iterdir() if path.suffix != ".ini")
    assert names == ["analysis.vdi", "box.qcow2", "debian.qcow2", "lab.qcow2", "pc.qcow2",
                     "windows.qcow2"]
    listed = typed(desk, ["machines/list"]).stdout
    assert "not on offer" not in listed and all(name in listed for name in names), listed
    assert descriptor.read(desk / "machines/windows.ini")["os"] == "windows"
    process.run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", str(desk / "disk"),
                 str(desk / "machines/pc.qcow2")])
    process.run(["qemu-img", "check", "-f", "qcow2", str(desk / "parts.qcow2")])


def typed(desk: Path, words: list[str]) -> "subprocess.CompletedProcess[str]":
    """Type a command."""
    if words[0].startswith("machines/"):
        words = [sys.executable, str(ROOT / words[0]), *words[1:],
                 f"--dir_machines={desk}/machines", f"--dir_cfg={desk}/cfg",
                 "--host_disk_reserve=0"]
    return subprocess.run(words, cwd=desk, capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "HOME": str(desk)})


def boots(desk: Path, words: list[str]) -> None:
    """Type a command that starts QEMU; wait until what it starts from the disc is there."""
    if emulator.accelerator(Settings()).name != "kvm":  # there may be one that only opens
        words = shlex.split(shlex.join(words).replace("-accel kvm ", ""))
    serial = desk / "serial"
    serial.unlink(missing_ok=True)
    with subprocess.Popen([*words, "-display", "none", "-serial", f"file:{serial}"],
                          cwd=desk, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as qemu:
        try:
            until(lambda: qemu.poll() is not None
                  or serial.exists() and b"tiny: ready" in serial.read_bytes(), 240, "tiny")
            assert qemu.poll() is None, qemu.stderr and qemu.stderr.read()
        finally:
            qemu.kill()


def test_the_descriptor_to_fetch_can_be_read(tmp_path: Path) -> None:
    (block,) = [text for text in blocks(section("Where machines come from"))
                if text.startswith("# ")]
    path = tmp_path / block.splitlines()[0].removeprefix("# ")
    path.write_text(block)
    assert descriptor.read(path).keys() == {"title", "url", "sha256"}
    assert ["machines/fetch", path.stem] in commands()
