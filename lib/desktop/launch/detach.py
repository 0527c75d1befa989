"""Keepers as detached processes of this host: works anywhere, for anybody, with nothing to set up.

They live in the control group of whoever started them: under systemd, apache2.service must not
kill its group when it stops (KillMode=process; the installer sees to it).
"""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop import process
from desktop.session.record import Paths, Record

NAME = "detach"
LIBRARY = Path(__file__).resolve().parents[2]
DESCRIPTORS = "REMOTE_DESKTOP_DESCRIPTORS"


def start(paths: Paths, descriptors: Mapping[str, int]) -> None:
    """Start a keeper for a session, handing it the named descriptors; lock is one of them.

    -I shields it from the caller's environment and directory; with a directory as its program
    Python runs lib/__main__.py, from a checkout and installed alike.
    """
    handed = ",".join(f"{name}={number}" for name, number in descriptors.items())
    process.detach([sys.executable, "-I", str(LIBRARY), "keeper", str(paths.directory)],
                   paths.keeper_log, {DESCRIPTORS: handed}, list(descriptors.values()))


def judges(record: Record) -> bool:
    """Tell whether this launcher, on this host, may say that the session is dead."""
    return record.launcher == NAME and record.host == socket.gethostname()
