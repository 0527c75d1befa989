"""Images made by qemu-img, harmless and hostile, and broken ones."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from desktop import process
from desktop.machine import image
from desktop.machine.image import Format, Unfit
from desktop.memo import Memo

DISKS = [Format.QCOW2, Format.VDI, Format.VMDK, Format.VPC, Format.VHDX, Format.QED, Format.RAW]
OPTIONS = [("qcow2", "compat=0.10"), ("vdi", "static=on"), ("vpc", "subformat=fixed"),
           ("vhdx", "subformat=fixed"), ("vmdk", "subformat=streamOptimized"),
           ("qcow2", "extended_l2=on,cluster_size=128k")]


def create(path: Path, kind: str, *words: str, size: str = "8M") -> Path:
    """Make an image with qemu-img."""
    process.run(["qemu-img", "create", "-q", "-f", kind, *words, str(path), size])
    return path


def written(path: Path, kind: str) -> Path:
    """Make an image that holds 4 MB."""
    process.run(["qemu-io", "-f", kind, "-c", "write -q -P 7 0 4M", str(create(path, kind))])
    return path


def problem(path: Path, declared: str) -> str:
    """Return what is wrong with an image, examined as one of a format."""
    try:
        image.examine(path, Format(declared))
    except Unfit as error:
        return str(error)
    return ""


def disc(path: Path, blocks: int = 20) -> Path:
    """Make the header of an ISO that says it has so many blocks, and 20 blocks."""
    data = bytearray(20 * 2048)
    data[32768:32774], data[32849] = b"\x01CD001", 0
    data[32848:32852], data[32896:32898] = struct.pack("<I", blocks), struct.pack("<H", 2048)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", DISKS)
def test_an_image_is_what_it_is_and_nothing_else(tmp_path: Path, kind: Format) -> None:
    path = written(tmp_path / "image", kind)
    assert problem(path, kind) == ""
    for other in set(Format) - {kind}:
        assert f"it is {kind}, not {other}" in problem(path, other)


@pytest.mark.parametrize("kind, option", OPTIONS)
def test_other_kinds_of_a_format_are_taken(tmp_path: Path, kind: str, option: str) -> None:
    raw = written(tmp_path / "raw", "raw")
    process.run(["qemu-img", "convert", "-f", "raw", "-O", kind, "-o", option, str(raw),
                 str(tmp_path / "image")])
    assert problem(tmp_path / "image", kind) == ""


def test_compressed_images_are_taken(tmp_path: Path) -> None:
    raw = written(tmp_path / "raw", "raw")
    process.run(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", str(raw),
                 str(tmp_path / "image")])
    assert problem(tmp_path / "image", "qcow2") == ""


def test_a_disc_is_an_iso(tmp_path: Path) -> None:
    assert problem(disc(tmp_path / "x"), "iso") == ""
    assert problem(tmp_path / "x", "raw") == "it is iso, not raw"


@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "qed"])
def test_a_backing_file_is_refused(tmp_path: Path, kind: str) -> None:
    base = create(tmp_path / "base", kind)
    path = create(tmp_path / "image", kind, "-b", str(base), "-F", kind)
    assert "acking file" in problem(path, kind) or "parent" in problem(path, kind)


def test_a_backing_file_of_any_kind_is_refused(tmp_path: Path) -> None:
    path = create(tmp_path / "image", "qcow2")
    process.run(["qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b",
                 'json:{"driver":"file","filename":"/etc/passwd"}', str(path)])
    assert "backing file" in problem(path, "qcow2")


def test_a_data_file_is_refused(tmp_path: Path) -> None:
    path = create(tmp_path / "image", "qcow2", "-o", f"data_file={tmp_path}/data")
    assert "data_file" in problem(path, "qcow2")


def test_an_encrypted_image_is_refused(tmp_path: Path) -> None:
    patch(create(tmp_path / "image", "qcow2"), 32, struct.pack(">I", 1))
    assert problem(tmp_path / "image", "qcow2") == "it is encrypted"


def test_features_of_the_future_are_refused(tmp_path: Path) -> None:
    patch(create(tmp_path / "image", "qcow2"), 72, struct.pack(">Q", 1 << 40))
    assert problem(tmp_path / "image", "qcow2") == "it needs a newer QEMU"


@pytest.mark.parametrize("kind", ["monolithicFlat", "twoGbMaxExtentSparse"])
def test_vmdk_extents_are_refused(tmp_path: Path, kind: str) -> None:
    path = create(tmp_path / "image.vmdk", "vmdk", "-o", f"subformat={kind}")
    assert "header is refused" in problem(path, "vmdk")


def test_a_vmdk_whose_capacity_sends_qemu_to_its_descriptor_is_refused(tmp_path: Path) -> None:
    path = create(tmp_path / "image", "vmdk")
    patch(path, 12, bytes(8))
    assert problem(path, "vmdk") == "its blocks are in other files"


def test_a_vdi_difference_is_refused(tmp_path: Path) -> None:
    patch(create(tmp_path / "image", "vdi"), 0x1b8, b"parent")
    assert "parent" in problem(tmp_path / "image", "vdi")


def test_a_vhd_difference_is_refused(tmp_path: Path) -> None:
    patch(create(tmp_path / "image", "vpc"), 60, struct.pack(">I", 4))
    assert "parent" in problem(tmp_path / "image", "vpc")


def test_a_vhdx_difference_is_refused(tmp_path: Path) -> None:
    path = create(tmp_path / "image", "vhdx")
    data = path.read_bytes()
    entry = data.index(bytes.fromhex("3767a1ca36fa434db3b633f0aa44e76b"))
    table = data.rindex(b"metadata", 0, entry)
    patch(path, table + struct.unpack_from("<I", data, entry + 16)[0] + 4, struct.pack("<I", 2))
    assert "parent" in problem(path, "vhdx")


def test_a_raw_image_that_begins_like_qcow2_is_refused(tmp_path: Path) -> None:
    path = create(tmp_path / "image", "raw")
    evil = create(tmp_path / "evil", "qcow2", "-b", "/etc/passwd", "-F", "raw", "-u", size="1M")
    patch(path, 0, evil.read_bytes()[:512])
    assert problem(path, "raw") == "it is qcow2, not raw"


def test_a_disc_that_is_a_disk_too_is_refused(tmp_path: Path) -> None:
    path = disc(tmp_path / "x")
    patch(path, 0, create(tmp_path / "evil", "qcow2").read_bytes()[:512])
    assert problem(path, "iso") == "it is iso and qcow2, not iso"


@pytest.mark.parametrize("kind", DISKS[:-1])
def test_a_truncated_image_is_refused(tmp_path: Path, kind: Format) -> None:
    path = written(tmp_path / "image", kind)
    for length in (path.stat().st_size - (1 << 20), 70000, 4096, 600, 100):
        with path.open("r+b") as file:
            file.truncate(length)
        assert problem(path, kind)


def test_truncated_raw_bytes_are_refused_where_it_shows(tmp_path: Path) -> None:
    path = create(tmp_path / "image", "raw")
    patch(path, 512, b"EFI PART")
    patch(path, 544, struct.pack("<Q", (8 << 20) // 512 - 1))
    assert problem(path, "raw") == ""
    patch(path, 544, struct.pack("<Q", (8 << 20) // 512))
    assert problem(path, "raw") == "it is truncated"
    path.write_bytes(bytes(1000))
    assert problem(path, "raw") == "it is truncated"
    path.write_bytes(b"")
    assert problem(path, "raw") == "it is empty"


def test_a_truncated_disc_is_refused(tmp_path: Path) -> None:
    assert problem(disc(tmp_path / "x", blocks=21), "iso") == "it is truncated"


def patch(path: Path, offset: int, data: bytes) -> None:
    """Write bytes into a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize("kind", list(Format))
@given(data=st.data())
@hypothesis_settings(max_examples=12, deadline=None,
                     suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_a_bug(tmp_path: Path, kind: Format, data: st.DataObject) -> None:
    heads = {"vmdk": b"KDMV\1\0\0\0", "vhdx": b"vhdxfile", "qed": b"QED\0", "vpc": b"conectix",
             "qcow2": b"QFI\xfb\0\0\0\3", "vdi": bytes(64) + b"\x7f\x10\xda\xbe"}
    body = heads.get(kind, b"") + data.draw(st.binary(max_size=2000))
    path = tmp_path / "image"
    path.write_bytes(body + bytes(data.draw(st.sampled_from([0, 1000, 300_000]))))
    problem(path, kind)


def test_a_verdict_is_remembered_until_the_file_changes(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, examined = tmp_path / "image", []
    path.touch()
    examine: Callable[[Path, Format], None] = lambda path, declared: examined.append(path)
    monkeypatch.setattr(image, "examine", examine)
    for stamp in ("1", "1", "2"):
        memo = Memo(tmp_path / "state" / "images.json")
        assert image.inspect(memo, path, Format.RAW, stamp) == ""
        memo.save()
    assert len(examined) == 2


def test_what_is_not_the_image_s_fault_is_not_remembered(tmp_path: Path) -> None:
    memo = Memo(tmp_path / "images.json")
    assert "No such file" in image.inspect(memo, tmp_path / "missing", Format.RAW, "1")
    assert not memo.changed
