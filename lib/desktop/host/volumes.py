"""Directories of the host that every machine may mount by 9p: those of dir_mounts that exist.

Read-only unless `:rw` is written behind them. All people share one identity there, the service's,
and the service's own directories are never offered.
"""

import errno
import json
import logging
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from desktop.finding import Finding
from desktop.settings import INSTALLED_FILE, Settings

log = logging.getLogger("volumes")
TAG_BYTES = 31  # virtio: 32 with a final NUL for Linux


@dataclass(frozen=True)
class Volume:
    """A directory on offer.

    Attributes:
        path: on the host.
        tag: what a guest calls it: host_ and the last word of the path.
        writable: whether guests may write to it.
        mapped: whether owner and mode that guests set are kept beside the files (user.* extended
            attributes) and never applied on the host, where a set-uid file would be a danger.
    """

    path: Path
    tag: str
    writable: bool
    mapped: bool = False

    @property
    def command(self) -> str:
        """Return what is typed in the guest, as root, to mount it."""
        options = "trans=virtio,access=client" + ("" if self.writable else ",ro")
        return f"mount -t 9p -o {options} {self.tag} {shlex.quote(str(self.path))}"


def find(settings: Settings) -> list[Volume]:
    """Return the volumes on offer, tags unique, in the order of dir_mounts."""
    volumes: list[Volume] = []
    for word in settings.dir_mounts:
        path = Path(os.path.abspath(word.removesuffix(":rw")))
        if not path.is_dir():
            continue
        own = overlap(settings, path)
        if own is not None:
            log.warning("dir_mounts: %s is not offered: it is, holds or lies in %s", path, own)
            continue
        writable = word.endswith(":rw") and os.access(path, os.W_OK)
        volumes.append(Volume(path, tag(path, {volume.tag for volume in volumes}), writable,
                              writable and keeps_attributes(path)))
    return volumes


def look(settings: Settings) -> Iterator[Finding]:
    """Say so where volumes keep machines from being parked."""
    found = " and ".join(str(volume.path) for volume in find(settings))
    if settings.park_after and found:
        yield Finding("dir_mounts", f"machines that mount {found} by themselves, as tiny and demo "
                      "do, are never parked", True,
                      "Set dir_mounts to nothing where you want parking.")


def spell(volumes: Sequence[Volume]) -> str:
    """Return volumes as JSON, for recall."""
    return json.dumps([asdict(volume) | {"path": str(volume.path)} for volume in volumes])


def recall(text: str, instead: Path) -> list[Volume]:
    """Return volumes as they were spelled; one that is gone is an empty directory, `instead`."""
    found = []
    for facts in json.loads(text):
        path = Path(facts.pop("path"))
        found.append(Volume(path if path.is_dir() else instead, **facts))
    return found


def overlap(settings: Settings, path: Path) -> Path | None:
    """Return a directory of the service that guests would see through `path`, if any."""
    own = (settings.dir_machines, settings.dir_snapshots, settings.dir_cfg, settings.dir_state,
           settings.dir_templates, settings.dir_parked, settings.dir_log, settings.dir_service,
           settings.dir_html, settings.file_htpasswd.parent, INSTALLED_FILE.parent)
    real = path.resolve()
    for directory in own:
        there = directory.resolve()
        if real == there or real in there.parents or there in real.parents:
            return directory
    return None


def tag(path: Path, taken: set[str]) -> str:
    """Return the tag of a directory: its last word, and never one that is taken."""
    word = re.sub(r"[^A-Za-z0-9_-]", "_", path.name)
    for number in range(len(taken) + 1):
        end = f"_{number + 1}" if number else ""
        name = f"host_{word}"[:TAG_BYTES - len(end)] + end
        if name not in taken:
            return name
    raise AssertionError("more tags taken than there are")


def keeps_attributes(path: Path) -> bool:
    """Tell whether the file system keeps user.* extended attributes; nothing is written."""
    try:
        os.getxattr(path, "user.virtfs.mode")
    except OSError as error:
        return error.errno == errno.ENODATA
    return True
