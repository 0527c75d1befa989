"""Fields of image headers that oslo.utils does not look at.

Sources: QEMU's block/{vdi,vpc,vhdx,qed,vmdk}.c, Microsoft's VHD 1.0 and [MS-VHDX], ECMA-119.
All offsets and sizes are bytes unless said.
"""

import struct
from collections.abc import Callable, Mapping
from typing import BinaryIO
from uuid import UUID

from desktop.machine.image import Format, Unfit

FORMATS = {"qcow2": Format.QCOW2, "vdi": Format.VDI, "vmdk": Format.VMDK, "vhd": Format.VPC,
           "vhdx": Format.VHDX, "qed": Format.QED, "iso": Format.ISO, "raw": Format.RAW,
           "gpt": Format.RAW, "luks": Format.RAW}  # the last two are what a disk may hold
SECTOR = 512
QCOW2_FEATURES = 0b11111  # dirty, corrupt, data file, compression type, extended L2 entries
VHDX_TABLES = (192 << 10, 256 << 10)
VHDX_METADATA = UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
VHDX_PARAMETERS = UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
VHDX_PARENT = UUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C")


def get(file: BinaryIO, offset: int, layout: str) -> tuple[int, ...]:
    """Return the numbers at an offset; raise Unfit when the file ends before."""
    data = read(file, offset, struct.calcsize(layout))
    return struct.unpack(layout, data)


def read(file: BinaryIO, offset: int, length: int) -> bytes:
    """Return bytes at an offset; raise Unfit when the file ends before."""
    if not 0 <= offset <= size(file) - length:
        raise Unfit("it is truncated")
    file.seek(offset)
    return file.read(length)


def size(file: BinaryIO) -> int:
    """Return the length of a file."""
    return file.seek(0, 2)


def marks(file: BinaryIO) -> set[Format]:
    """Return formats known by marks where oslo does not look: VHD's at the end, a UDF disc's."""
    found = set()
    if size(file) >= SECTOR and read(file, size(file) - SECTOR, 8) == b"conectix":
        found.add(Format.VPC)
    if size(file) > 33 << 10 and read(file, (32 << 10) + 1, 5) == b"BEA01":
        found.add(Format.ISO)
    return found


def check(file: BinaryIO, declared: Format) -> None:
    """Raise Unfit for an image that points to another file or ends early, as far as seen here."""
    CHECKS[declared](file)


def qcow2(file: BinaryIO) -> None:
    """Refuse what is encrypted or newer than this; oslo looks for backing and data files."""
    version, = get(file, 4, ">I")
    encryption, = get(file, 32, ">I")
    features = get(file, 72, ">Q")[0] if version == 3 else 0
    if encryption:
        raise Unfit("it is encrypted")
    if version not in (2, 3) or features & ~QCOW2_FEATURES:
        raise Unfit("it needs a newer QEMU")


def vdi(file: BinaryIO) -> None:
    """Refuse differences from another image, and one that lacks blocks it counts."""
    if any(read(file, 0x1a8, 32)):
        raise Unfit("it only has the differences from another image, its parent")
    (data,) = get(file, 0x158, "<I")
    block, extra, _, allocated = get(file, 0x178, "<IIII")
    if data + (block + extra) * allocated > size(file):
        raise Unfit("it is truncated")


def vmdk(file: BinaryIO) -> None:
    """Refuse a parent, and extents in other files, which a capacity of 0 makes QEMU look for.

    A streamed image says where its tables are in a second header, 1 KiB before its end.
    """
    vmdk_header(file, 0)
    (tables,) = get(file, 56, "<Q")
    if tables == (1 << 64) - 1:
        vmdk_header(file, size(file) - 2 * SECTOR)


def vmdk_header(file: BinaryIO, offset: int) -> None:
    """Refuse what one header of a VMDK says; its numbers are sectors."""
    if read(file, offset, 4) != b"KDMV":
        raise Unfit("it is truncated, or its blocks are in other files")
    (capacity,) = get(file, offset + 12, "<Q")
    place, length = get(file, offset + 28, "<QQ")
    if capacity == 0:
        raise Unfit("its blocks are in other files")
    if b"parentfilenamehint" in read(file, place * SECTOR, min(length, 2048) * SECTOR).lower():
        raise Unfit("it only has the differences from another image, its parent")


def vpc(file: BinaryIO) -> None:
    """Refuse a differencing disk, and one without its end.

    QEMU reads the header at the start where there is one, else the same at the end.
    """
    end = size(file) - SECTOR
    if read(file, end, 8) != b"conectix":
        raise Unfit("it is truncated")
    for offset in (0, end):
        if read(file, offset, 8) == b"conectix":
            (kind,) = get(file, offset + 60, ">I")
            (length,) = get(file, offset + 48, ">Q")
            if kind == 4:
                raise Unfit("it only has the differences from another image, its parent")
            if kind == 2 and length > end:
                raise Unfit("it is truncated")


def vhdx(file: BinaryIO) -> None:
    """Refuse a differencing disk, told by its parameters or by the name of a parent."""
    for table in VHDX_TABLES:
        if read(file, table, 4) != b"regi":
            continue
        (regions,) = get(file, table + 8, "<I")
        for region in range(min(regions, 2047)):
            entry = table + 16 + 32 * region
            if guid(file, entry) == VHDX_METADATA:
                vhdx_metadata(file, *get(file, entry + 16, "<Q"))


def vhdx_metadata(file: BinaryIO, table: int) -> None:
    """Refuse a parent in a metadata table."""
    (items,) = get(file, table + 10, "<H")
    for item in range(min(items, 2047)):
        entry = table + 32 + 32 * item
        kind = guid(file, entry)
        (offset,) = get(file, entry + 16, "<I")
        if kind == VHDX_PARENT or (kind == VHDX_PARAMETERS
                                   and get(file, table + offset + 4, "<I")[0] & 2):
            raise Unfit("it only has the differences from another image, its parent")


def guid(file: BinaryIO, offset: int) -> UUID:
    """Return the GUID at an offset."""
    return UUID(bytes_le=read(file, offset, 16))


def qed(file: BinaryIO) -> None:
    """Refuse a backing file, feature bit 0."""
    features, _, _, _, _, name, length = get(file, 16, "<QQQQQII")
    if features & 1 or name or length:
        raise Unfit("it has a backing file")


def iso(file: BinaryIO) -> None:
    """Refuse a disc shorter than its volume; UDF alone does not say how long it is."""
    kind = read(file, 32 << 10, 6)
    if kind == b"\x01CD001":
        (blocks,) = get(file, (32 << 10) + 80, "<I")
        (block,) = get(file, (32 << 10) + 128, "<H")
        if blocks * block > size(file):
            raise Unfit("it is truncated")


def raw(file: BinaryIO) -> None:
    """Refuse an empty disk, a torn sector, and a GPT whose second copy lies beyond the end."""
    if not size(file) or size(file) % SECTOR:
        raise Unfit("it is empty" if not size(file) else "it is truncated")
    if size(file) > 2 * SECTOR and read(file, SECTOR, 8) == b"EFI PART":
        (copy,) = get(file, SECTOR + 32, "<Q")
        if (copy + 1) * SECTOR > size(file):
            raise Unfit("it is truncated")


CHECKS: Mapping[Format, Callable[[BinaryIO], None]] = {
    Format.ISO: iso, Format.QCOW2: qcow2, Format.VDI: vdi, Format.VMDK: vmdk, Format.VPC: vpc,
    Format.VHDX: vhdx, Format.QED: qed, Format.RAW: raw}
