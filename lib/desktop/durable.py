"""What is still there after a power cut."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have the disk hold a file, or the names in a directory; raise OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: Path, text: str) -> None:
    """Replace a file: whoever reads it, now or after a crash, finds the old one or the new one.

    One writer at a time. Raises OSError.
    """
    draft = path.with_suffix(".new")
    try:
        draft.write_text(text, encoding="utf-8")
        sync(draft)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)
