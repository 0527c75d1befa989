"""Disks of sessions: made with explicit formats, removed without following links."""

import json
from pathlib import Path

import pytest

from desktop import process
from desktop.errors import Refusal
from desktop.machine import snapshot
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format
from desktop.settings import Settings


def machine(file: Path, format: Format, **facts: str) -> Machine:
    """Return a machine of a file."""
    return Machine(file=file, name=file.name, format=format, stamp="", **facts)  # type: ignore


def facts(path: Path) -> dict[str, object]:
    """Return what qemu-img says of an overlay."""
    told: dict[str, object] = json.loads(
        process.run(["qemu-img", "info", "-f", "qcow2", "--output=json", str(path)]))
    return told


@pytest.mark.parametrize("kind", ["qcow2", "vdi", "vmdk", "vpc", "vhdx", "qed", "raw"])
def test_an_overlay_says_its_formats(tmp_path: Path, kind: str) -> None:
    master = tmp_path / "a,b=c d"
    process.run(["qemu-img", "create", "-q", "-f", kind, str(master), "8M"])
    before = master.read_bytes()
    path = snapshot.create(Settings(), machine(master, Format(kind)), tmp_path / "s,1", 10)
    told = facts(path)
    assert (told["backing-filename"], told["backing-filename-format"]) == (str(master), kind)
    assert path == tmp_path / "s,1" / snapshot.DISK
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert master.read_bytes() == before


def test_a_raw_master_stays_raw_whatever_it_holds(tmp_path: Path) -> None:
    master = tmp_path / "master.raw"
    process.run(["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw",
                 str(master), "1M"])
    length = master.stat().st_size
    path = snapshot.create(Settings(), machine(master, Format.RAW), tmp_path / "s", 1)
    assert facts(path)["virtual-size"] == (length + 511) // 512 * 512


def test_an_iso_gets_an_empty_disk(tmp_path: Path) -> None:
    path = snapshot.create(Settings(), machine(tmp_path / "x.iso", Format.ISO), tmp_path / "s",
                           1.5)
    told = facts(path)
    assert told["virtual-size"] == 1430 << 20
    assert "backing-filename" not in told


def test_uefi_gets_variables_of_its_own(tmp_path: Path) -> None:
    uefi = machine(tmp_path / "x.iso", Format.ISO, firmware="uefi")
    path = snapshot.create(Settings(), uefi, tmp_path / "s", 1)
    assert (path.parent / snapshot.VARS).stat().st_mode & 0o777 == 0o600


def test_a_disk_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="No disk can be made"):
        snapshot.create(Settings(), machine(tmp_path / "missing", Format.RAW), tmp_path / "s", 1)
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="Not a directory"):
        snapshot.create(Settings(), machine(tmp_path / "x.iso", Format.ISO),
                        tmp_path / "file" / "s", 1)
