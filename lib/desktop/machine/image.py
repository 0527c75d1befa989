"""Whether an image is what its name says, whole, and points to no other file.

QEMU follows what an image's header names: a backing file, a data file, extents, a parent. Such a
master would show files of this server to guests (CVE-2024-32498 and its kin), so it is refused.
Headers are read as OpenStack reads them (oslo.utils), plus a few fields it does not look at.
"""

import struct
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from desktop import process

HEAD = 4 << 20  # bytes in which every format shows itself; VHDX has its tables in the first 3 MiB
CHECK_SECONDS = 60


class Format(StrEnum):
    """How an image keeps its blocks. The values are QEMU's driver names, but for iso."""

    ISO = "iso"
    QCOW2 = "qcow2"
    VDI = "vdi"
    VMDK = "vmdk"
    VPC = "vpc"
    VHDX = "vhdx"
    QED = "qed"
    RAW = "raw"

    @property
    def driver(self) -> str:
        """Return QEMU's name: an ISO is raw bytes."""
        return "raw" if self is Format.ISO else self.value


ENDINGS = {"iso": Format.ISO, "qcow2": Format.QCOW2, "vdi": Format.VDI, "vmdk": Format.VMDK,
           "vhd": Format.VPC, "vpc": Format.VPC, "vhdx": Format.VHDX, "qed": Format.QED,
           "raw": Format.RAW, "img": Format.RAW}


class Unfit(Exception):
    """What is wrong with an image; the text completes "the image is not offered: ..."."""


def inspect(path: Path, declared: Format) -> str:
    """Return what is wrong with an image, or nothing; the file is read, never followed."""
    try:
        with path.open("rb") as file:
            found = true_formats(file)
            if declared not in found:
                raise Unfit(f"it is {' and '.join(sorted(found))}, not {declared}")
            if found - {declared, Format.RAW}:
                raise Unfit(f"it is {' and '.join(sorted(found))} at once")
            POINTERS.get(declared, nothing)(file)
        whole(path, declared)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except (Unfit, process.Failed) as error:
        return str(error)
    except struct.error:
        return "it is truncated"
    return ""


def nothing(file: BinaryIO) -> None:
    """Check nothing: the format has no pointers."""


POINTERS = {Format.RAW: nothing}


def true_formats(file: BinaryIO) -> set[Format]:
    """Return the formats whose mark the file bears."""
    return {Format.RAW}


def whole(path: Path, declared: Format) -> None:
    """Raise Unfit when the image ends early."""
