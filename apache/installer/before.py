"""What directories of configuration held before they are changed, so that it can be put back.

Links are links: Apache's conf-enabled and its like are made of them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OURS = "remote-desktop"


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
    """Have these directories hold what they held, as far as the change was ours.

    What somebody else writes there meanwhile, a renewed certificate for one, stays.
    """
    now = remember(*roots)
    for path in now.keys() - then.keys():
        if ours(path, now[path]):
            path.unlink()
    for path, old in then.items():
        if now.get(path) != old and (ours(path, old) or ours(path, now.get(path, old))):
            write(path, old)


def ours(path: Path, one: Entry) -> bool:
    """Tell whether we change such a thing: links that turn something on, and what names us."""
    return one.link or OURS in path.name or OURS.encode() in one.content


def write(path: Path, one: Entry) -> None:
    """Put back a file or a link, at once and with its rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    if one.link:
        draft.symlink_to(os.fsdecode(one.content))
    else:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(one.content)
            os.fchown(handle, *one.owner)
            os.fchmod(handle, one.mode)
    draft.replace(path)
