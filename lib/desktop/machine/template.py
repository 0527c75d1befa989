"""Templates: machines frozen after their boot, from which sessions start at once.

Each is a directory in dir_templates: the memory, what the devices knew, the layer of the disk that
was written meanwhile, and a manifest that says what it is of. It serves a session that asks for
exactly that; everything else boots.
"""

import json
import logging
import os
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from desktop import durable, private
from desktop.errors import Refusal
from desktop.machine import firmware, qemu, setback
from desktop.machine.descriptor import Machine
from desktop.machine.wiring import Hardware, Wiring
from desktop.settings import Settings

log = logging.getLogger("template")
VERSION = 1
NAME = re.compile("[0-9a-f]{20}-[0-9a-f]{8}")  # what it is of, and which of several
MANIFEST = "manifest.json"
MEMORY, STATE, DISK = PARTS = ("memory", "state", "disk.qcow2")
VARS = "vars.fd"  # of UEFI
VOLUMES = 24  # that fit into the slots of a copy
GONE = "its machine is gone"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a template is. Memory is MB, disk GB, `made` Unix time, `seconds` what that took.

    `fit` is the digest of all that must be the same in a session. `master` are the size, mtime in
    ns, inode and SHA-256 of the machine's file; `files` the same of each part, but for the inode.
    """

    version: int = VERSION
    fit: str
    machine: str
    cpu: int
    memory: int
    disk: float
    video: str
    accel: str
    qemu: str
    processor: str
    master: dict[str, Any]
    argv: list[str]
    files: dict[str, dict[str, Any]]
    made: float
    seconds: float


@dataclass(frozen=True)
class Template:
    """A template where it lies; `problem` says why it is no good, if so.

    `manifest` is None when nobody knows what it is of.
    """

    directory: Path
    manifest: Manifest | None
    problem: str = ""

    @property
    def name(self) -> str:
        """Return the name of its directory."""
        return self.directory.name

    @property
    def memory(self) -> Path:
        """Return the file that copies map."""
        return self.directory / MEMORY

    @property
    def state(self) -> Path:
        """Return what its devices knew."""
        return self.directory / STATE

    @property
    def layer(self) -> Path:
        """Return the layer of its disk."""
        return self.directory / DISK

    @property
    def variables(self) -> Path:
        """Return what its UEFI remembered."""
        return self.directory / VARS


def fit(hardware: Hardware, disk: float) -> str:
    """Return the digest of all that a template and a session must have in common.

    That is the machine's file and the whole command line, but for what belongs to one session,
    QEMU's version, the processor, and the size of an ISO's disk in GB.
    """
    words = (*neutral(hardware), hardware.machine.stamp, repr(disk),
             hardware.about.release, processor())
    return sha256("\0".join(words).encode()).hexdigest()


def neutral(hardware: Hardware) -> list[str]:
    """Return the command line of a template with nothing of a particular one in it."""
    here = Path()
    return qemu.command("", hardware, Wiring(
        name="", disk=here, vnc=here, qmp_fd=0, qmp2=here, guid="", memory=here,
        firmware=firmware.of(hardware.machine), variables=here))


def processor() -> str:
    """Return what CPU this is: what a guest has seen of it must be there again."""
    wanted = {"vendor_id", "cpu family", "model", "model name", "stepping", "flags"}
    first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    return "; ".join(line.partition(":")[2].strip() for line in first.splitlines()
                     if line.partition(":")[0].strip() in wanted)


def find(settings: Settings, hardware: Hardware, disk: float) -> Template | None:
    """Return the newest template that fits exactly and did not fail lately, or None."""
    if not names(settings, ""):
        return None
    wanted = fit(hardware, disk)
    for one in those(settings, wanted[:20]):
        if one.problem:
            log.error("the template %s is not used: %s", one.name, one.problem)
        elif one.manifest and one.manifest.fit == wanted and not setback.recent(one.directory):
            return one
    return None


def still(one: Template | None) -> Template | None:
    """Return a template, or None if it has been removed since it was found."""
    return one if one and (one.directory / MANIFEST).exists() else None


def check_place(settings: Settings) -> None:
    """Raise Refusal, or OSError, where others may say what a QEMU of ours takes up."""
    if not private.ours(settings.dir_templates):
        raise Refusal(f"dir_templates = {settings.dir_templates} is not a directory that you "
                      "alone may write to.", 403)


def all(settings: Settings) -> list[Template]:
    """Return every template, the newest first; those that are no good too."""
    return those(settings, "")


def names(settings: Settings, start: str) -> list[str]:
    """Return the names of templates that start like this; none where others may write."""
    try:
        check_place(settings)
        return [name for name in os.listdir(settings.dir_templates)
                if name.startswith(start) and NAME.fullmatch(name)]
    except OSError:
        return []
    except Refusal as problem:
        log.error("%s", problem)
        return []


def those(settings: Settings, start: str) -> list[Template]:
    """Return the templates whose names start like this, the newest first."""
    found = [read(settings.dir_templates / name) for name in names(settings, start)]
    return sorted(found, reverse=True,
                  key=lambda one: (one.manifest.made if one.manifest else 0.0, one.name))


def read(directory: Path) -> Template:
    """Return the template in a directory, with what is wrong with it."""
    try:
        facts = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**facts)
        return Template(directory, manifest, flaw(directory, manifest))
    except OSError as error:
        return Template(directory, None, unreadable(error))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Template(directory, None, "its manifest cannot be understood")


def flaw(directory: Path, manifest: Manifest) -> str:
    """Return what is not as it was when the manifest was written, or nothing.

    Digests take seconds; a file that was written to since tells by its mtime, which was not
    written down by every version.
    """
    if manifest.version != VERSION or not directory.name.startswith(manifest.fit[:20]):
        return "its manifest is of another one"
    try:
        for name, known in manifest.files.items():
            facts = (directory / name).stat()
            mtime = known.get("mtime", facts.st_mtime_ns)
            if (facts.st_size, facts.st_mtime_ns) != (known["size"], mtime):
                return f"{name} is not as it was"
    except OSError as error:
        return unreadable(error)
    return ""


def unreadable(error: OSError) -> str:
    """Return in words what cannot be read."""
    return f"{error.filename and Path(error.filename).name} cannot be read ({error.strerror})"


def write(directory: Path, manifest: Manifest) -> None:
    """Write the manifest, which makes a directory a template; all of it is on the disk then."""
    for name in (*manifest.files, MANIFEST):
        path = directory / name
        if name == MANIFEST:
            path.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        durable.sync(path)


def stale(one: Template, machines: dict[str, Machine], version: str) -> str:
    """Return why no session can have a template any more, or nothing.

    `machines` are those on offer by name; `version` is QEMU's.
    """
    if one.manifest is None:
        return one.problem
    known = one.manifest
    machine = machines.get(known.machine)
    if machine is None:
        return GONE
    if one.problem:
        return one.problem
    facts = machine.file.stat()
    if (facts.st_size, facts.st_mtime_ns, facts.st_ino) != (
            known.master["size"], known.master["mtime"], known.master["inode"]):
        return "its machine was changed"
    if known.qemu != version:
        return f"it is of QEMU {known.qemu}"
    if known.processor != processor():
        return "it is of another processor"
    return ""
