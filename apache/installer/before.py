"""What directories of configuration held before they are changed, so that it can be put back.

Links are links: Apache's conf-enabled and its like are made of them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A file or a link as it was."""

    content: bytes  # of a link: where it leads
    link: bool
    mode: int
    owner: tuple[int, int]


Memory = Mapping[Path, Entry]


def remember(*roots: Path) -> Memory:
    """Read everything below these directories; those that are not there are empty."""
    return {path: entry(path) for root in roots for folder, folders, files in os.walk(root)
            for name in (*files, *folders)
            if (path := Path(folder, name)).is_symlink() or path.is_file()}


def entry(path: Path) -> Entry:
    """Read a file or a link."""
    status, link = path.lstat(), path.is_symlink()
    content = os.fsencode(os.readlink(path)) if link else path.read_bytes()
    return Entry(content, link, status.st_mode & 0o7777, (status.st_uid, status.st_gid))


def put_back(then: Memory, *roots: Path) -> None:
    """Have these directories hold what they held; what has not changed is not touched."""
    now = remember(*roots)
    for path in now.keys() - then.keys():
        path.unlink()
    for path, old in then.items():
        if now.get(path) == old:
            continue
        path.unlink(missing_ok=True)
        if old.link:
            path.symlink_to(os.fsdecode(old.content))
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(old.content)
        os.chown(path, *old.owner)
        path.chmod(old.mode)
