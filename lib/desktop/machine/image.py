"""Whether an image is what its name says, whole, and points to no other file.

QEMU follows what an image's header names: a backing file, a data file, extents, a parent. Such a
master would show files of this server to guests (CVE-2024-32498 and its kin), so it is refused.
Headers are read as OpenStack reads them (oslo.utils), plus the fields it does not look at
(header.py); only an image found harmless is then opened by qemu-img, to see whether it is whole.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from desktop import process
from desktop.memo import Memo

if TYPE_CHECKING:
    from oslo_utils.imageutils.format_inspector import FileInspector

RULES = "1"  # a new number makes all images be examined again
HEAD = 4 << 20  # bytes; every format shows itself there, VHDX last
TAIL = 64 << 10  # bytes; a streamed VMDK has its true header at its end
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


class Unfit(Exception):
    """What is wrong with an image; the text completes "it cannot be had: ..."."""


def inspect(memo: Memo, path: Path, declared: Format, stamp: str) -> str:
    """Return what is wrong with an image, or nothing; the verdict holds while the stamp does."""
    rules = f"{RULES} {declared} {stamp}"
    known = memo.get(str(path), rules)
    if isinstance(known, str):
        return known
    try:
        examine(path, declared)
        problem = ""
    except Unfit as error:
        problem = str(error)
    except OSError as error:  # not the image's fault: examined again next time
        return f"it cannot be examined ({error.strerror})"
    except process.Failed as error:
        return f"it cannot be examined ({error})"
    memo.put(str(path), rules, problem)
    return problem


def examine(path: Path, declared: Format) -> None:
    """Raise Unfit for an image that is not what it should be.

    Raises OSError when it cannot be read, process.Failed when qemu-img cannot be started or takes
    too long.
    """
    from desktop.machine import header  # only for an image that is new
    with path.open("rb") as file:
        found = inspectors(file)
        true = marked(file, found)
        if true != {declared}:
            raise Unfit(f"it is {' and '.join(sorted(true))}, not {declared}")
        if declared in (Format.QCOW2, Format.VMDK):
            safe(found[declared])
        header.check(file, declared)
    whole(path, declared)


def recognise(path: Path) -> Format:
    """Return what an image is by its marks alone; what it points to is not looked at.

    Raises Unfit for one that bears the marks of several, OSError when it cannot be read.
    """
    with path.open("rb") as file:
        true = marked(file, inspectors(file))
    if len(true) > 1:
        raise Unfit(f"it is {' and '.join(sorted(true))} at once")
    return true.pop()


def marked(file: BinaryIO, found: "Mapping[str, FileInspector]") -> set[Format]:
    """Return the formats whose marks a file bears; raw when there are none."""
    from desktop.machine import header  # as above
    formats = {header.FORMATS[name] for name in found} | header.marks(file)
    return formats - {Format.RAW} or formats


def inspectors(file: BinaryIO) -> "dict[str, FileInspector]":
    """Return oslo's inspectors of the formats whose mark the file bears, by their names."""
    from oslo_utils.imageutils.format_inspector import InspectWrapper  # 100 ms
    wrapper: Any = InspectWrapper(file)
    wrapper.read(HEAD)
    rest = file.seek(0, 2) - HEAD
    if rest > 0:
        file.seek(-min(rest, TAIL), 2)
        wrapper.read(TAIL)
    wrapper._finish()  # close() would close the file
    return {inspector.NAME: inspector for inspector in wrapper.formats}


def safe(inspector: "FileInspector") -> None:
    """Raise Unfit when the inspector finds another file named.

    It takes a qcow2 with extended L2 entries for unknown; header.py knows better.
    """
    from oslo_utils.imageutils.format_inspector import ImageFormatError, SafetyCheckFailed
    try:
        inspector.safety_check()
    except ImageFormatError as error:
        raise Unfit("it is truncated") from error
    except SafetyCheckFailed as error:
        reasons = sorted(str(reason) for check, reason in error.failures.items()
                         if check != "unknown_features")
        if reasons:
            raise Unfit(f"its header is refused: {'; '.join(reasons)}") from error


def virtual_size(path: Path, declared: Format) -> int:
    """Return the bytes of the disk within an image that was found harmless.

    Raises process.Failed when qemu-img cannot tell.
    """
    said = process.run(["qemu-img", "info", "-U", "-f", declared.driver, "--output=json",
                        str(path)])
    return int(json.loads(said)["virtual-size"])


def whole(path: Path, declared: Format) -> None:
    """Raise Unfit when qemu-img finds blocks missing; it knows these formats' tables."""
    if declared not in (Format.QCOW2, Format.VMDK, Format.VHDX, Format.QED):
        return
    try:
        process.run(["qemu-img", "check", "-f", declared.driver, str(path)],
                    timeout=CHECK_SECONDS)
    except process.Failed as error:
        if "status 3" in str(error):  # blocks nobody uses: waste, no harm
            return
        if "status" not in str(error):
            raise
        raise Unfit("it is truncated or damaged (qemu-img check says more)") from error
