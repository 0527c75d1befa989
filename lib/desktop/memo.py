"""What was found out once about a file and holds until the file changes.

One small JSON file each in dir_state. Losing it costs time, never an answer: it may be missing,
corrupt or read-only, and of two writers at once the last one wins.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any


def stamp(path: Path) -> str:
    """Return what changes when a file is changed or replaced: mtime in ns, size and inode."""
    state = path.stat()
    return f"{state.st_mtime_ns}-{state.st_size}-{state.st_ino}"


class Memo:
    """Answers by the path of a file, each with the stamp for which it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changed = False
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            entries = None
        self.entries: dict[str, Any] = entries if isinstance(entries, dict) else {}

    def get(self, path: str, stamp: str) -> Any:
        """Return the answer remembered for this stamp, or None."""
        match self.entries.get(path):
            case {"stamp": known, "answer": answer} if known == stamp:
                return answer
        return None

    def put(self, path: str, stamp: str, answer: Any) -> None:
        """Remember an answer; `save` writes it."""
        self.entries[path] = {"stamp": stamp, "answer": answer}
        self.changed = True

    def save(self) -> None:
        """Write what was put since it was read, if anything; files that are gone are forgotten."""
        if not self.changed:
            return
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = {path: entry for path, entry in self.entries.items() if os.path.exists(path)}
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(kept), encoding="utf-8")
            os.rename(draft, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
        self.changed = False
