"""Directories that this user alone may write to: only what lies in such a one is believed.

It says which processes to end, which programs to start, and what a QEMU of ours takes up.
"""

import os
from pathlib import Path


def ours(directory: Path) -> bool:
    """Tell whether a directory is this user's, or root's, and nobody else may write to it.

    Raises OSError when that cannot be told.
    """
    facts = directory.stat()
    return facts.st_uid in (0, os.geteuid()) and not facts.st_mode & 0o022
