"""Takes a file from anywhere among the machines: recognised, copied, checked, converted.

What the file is stands in its first bytes; its ending must agree where it names a format. It is
copied before it is checked, so that nobody changes it in between (free where the file system
shares blocks), and qemu-img opens only what was found harmless, with its format said.
"""

import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop import process
from desktop.errors import Refusal
from desktop.machine import catalogue, image, intake
from desktop.machine.descriptor import ENDINGS, Machine
from desktop.machine.image import Format, Unfit
from desktop.machine.progress import amount
from desktop.settings import Settings

HOURS = 24 * 3600  # seconds; a large disk takes some
OWN_ENDING = {Format.VPC: "vhd"}


@dataclass(frozen=True)
class Source:
    """A file that is to become a machine; `size` is the bytes it takes on its disk."""

    path: Path
    format: Format
    size: int
    device: bool


def look(path: Path) -> Source:
    """Find out what a file is; raise Refusal for one that no machine can be made of."""
    try:
        state = path.stat()
        if not (stat.S_ISREG(state.st_mode) or stat.S_ISBLK(state.st_mode)):
            raise Refusal(f"{path} is no file.", 400)
        known = image.recognise(path)
        device = stat.S_ISBLK(state.st_mode)
        size = path.open("rb").seek(0, 2) if device else state.st_blocks * 512
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", 404) from error
    except Unfit as error:
        raise Refusal(f"{path} is refused: {error}.", 422) from error
    said = ENDINGS.get(catalogue.ending(path.name), known)
    if catalogue.ending(path.name) not in ("img", "") and said is not known:
        raise Refusal(f"{path} is {known}, not what its name says.", 422,
                      f"If that is right, rename it to {path.stem}.{ending(known)} first.")
    return Source(path, known, size, device)


def target(settings: Settings, source: Source, name: str, wanted: Format) -> Machine:
    """Return the machine that comes of a file, under the name given or its own."""
    own = catalogue.ending(source.path.name)
    stem = name or (source.path.stem if own in ENDINGS else source.path.name)
    fits = ENDINGS.get(own) is wanted
    file = settings.dir_machines / f"{stem}.{own if fits else ending(wanted)}"
    return Machine(file=file, name=file.name, format=wanted, stamp="", title=stem)


def ending(format: Format) -> str:
    """Return what the name of a file of this format ends in."""
    return OWN_ENDING.get(format, format.value)


def adopt(settings: Settings, source: Source, machine: Machine, facts: Mapping[str, str]) -> None:
    """Make the machine of the file and put it on offer with its descriptor; raise Refusal."""
    if source.format is Format.ISO and machine.format is not Format.ISO:
        raise Refusal("An ISO is a disc and is offered as it is.", 400, "Leave --format out.")
    converted = machine.format is not source.format
    intake.vacant(settings, machine.file)
    intake.room(settings, source.size * (2 if converted else 1))
    with intake.bench(settings) as bench:
        draft = copy(source, bench)
        intake.admit(draft, str(source.path), source.format)
        if converted:
            draft = convert(draft, source.format, machine.format)
            intake.admit(draft, machine.name, machine.format)
        intake.offer(draft, machine, facts)


def copy(source: Source, bench: Path) -> Path:
    """Copy a file, sharing its blocks where the file system can; raise Refusal."""
    say(f"copying {source.path}, {amount(source.size)}")
    draft = bench / "copy"
    try:
        process.run(["cp", "--reflink=auto", f"--sparse={'always' if source.device else 'auto'}",
                     "--", str(source.path.absolute()), str(draft)], timeout=HOURS)
    except process.Failed as error:
        raise Refusal(f"{source.path} cannot be copied: {error}.", 507) from error
    return draft


def convert(copied: Path, true: Format, wanted: Format) -> Path:
    """Convert a copy that was found harmless; raise Refusal."""
    say(f"converting from {true} to {wanted}")
    began, draft = time.monotonic(), copied.with_name("converted")
    try:
        process.run(["qemu-img", "convert", "-f", true.driver, "-O", wanted.driver, str(copied),
                     str(draft)], timeout=HOURS)
    except process.Failed as error:
        raise Refusal(f"It cannot be converted: {error}.", 507) from error
    say(f"converted in {time.monotonic() - began:.0f} s")
    return draft


def say(text: str) -> None:
    """Tell the person what takes time."""
    print(text, flush=True)
