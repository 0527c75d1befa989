"""The part of a file that is there already, and a note beside it on which file that is.

It lies where the file will, under a name with a leading dot, and stays when a run is cut: the
next one goes on from there.
"""

import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from io import BufferedRandom, BufferedReader
from pathlib import Path

from desktop.errors import Refusal


@dataclass(frozen=True)
class Part:
    """What is there of a file; nobody else has it meanwhile."""

    path: Path
    file: BufferedRandom

    @property
    def note(self) -> Path:
        """Return the file that says what the part belongs to."""
        return self.path.with_name(f"{self.path.name}.json")

    def size(self) -> int:
        """Return how many bytes are there."""
        return os.fstat(self.file.fileno()).st_size

    def mark(self, url: str) -> str:
        """Return what tells the version that the part is of from others, or nothing."""
        try:
            facts = json.loads(self.note.read_text(encoding="utf-8"))
            return str(facts["mark"]) if facts["url"] == url else ""
        except (OSError, ValueError, LookupError, TypeError):
            return ""

    def begin(self, url: str, mark: str) -> None:
        """Start anew, with the version of this mark."""
        self.file.seek(0)
        self.file.truncate()
        self.note.write_text(json.dumps({"url": url, "mark": mark}), encoding="utf-8")

    def sync(self) -> None:
        """Have the disk hold all of it."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def drop(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def has(file: BufferedReader | BufferedRandom, sha256: str) -> bool:
    """Tell whether a file, read from its start, has this checksum."""
    file.seek(0)
    return hmac.compare_digest(file_digest(file, "sha256").hexdigest(), sha256)


@contextmanager
def held(file: Path) -> Iterator[Part]:
    """Lend the part of a file, new or left by an earlier run.

    Raises Refusal: 409 when another run has it, 403 when it cannot be written.
    """
    path = file.with_name(f".{file.name}.part")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal(f"{path.parent} cannot be written: {error.strerror}.", 403,
                      "Machines of a server belong to root: use sudo.") from error
    with open(handle, "r+b") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refusal(f"{file.name} is being fetched already.", 409,
                          "Wait for the other run.") from error
        yield Part(path, opened)
