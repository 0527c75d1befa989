"""How this computer did in the last hours: a ring of samples in one small file.

The timer adds one a minute; each minute has its place, so the file never grows, and what is older
than HOURS is overwritten. Losing it costs a picture, nothing else.
"""

import os
import struct
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from desktop.host.capacity import Host, Promise, awake
from desktop.settings import Settings

HOURS = 6
MINUTE = 60  # seconds
LAYOUT = struct.Struct("<6d")


@dataclass(frozen=True)
class Sample:
    """One minute: Unix time, load as a share of all CPUs, memory in MB, disk in GB."""

    moment: float
    load: float
    memory_used: float
    memory_promised: float
    sessions: float
    disk_free: float


def path(settings: Settings) -> Path:
    """Return where the ring is."""
    return settings.dir_state / "host.ring"


def note(settings: Settings, host: Host, promises: Sequence[Promise]) -> None:
    """Write the sample of this minute; raise OSError when it cannot be written."""
    now = time.time()
    sample = Sample(now, host.load, host.memory - host.available,
                    sum(promise.memory for promise in promises), len(awake(promises)),
                    host.disk_free)
    handle = os.open(path(settings), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, LAYOUT.pack(*astuple(sample)),
                  int(now // MINUTE) % (HOURS * 60) * LAYOUT.size)
    finally:
        os.close(handle)


def read(settings: Settings) -> list[Sample]:
    """Return the samples of the last HOURS, oldest first."""
    try:
        content = path(settings).read_bytes()
    except OSError:
        return []
    whole = content[:len(content) // LAYOUT.size * LAYOUT.size]
    now = time.time()
    samples = (Sample(*facts) for facts in LAYOUT.iter_unpack(whole))
    return sorted((one for one in samples if now - HOURS * 3600 < one.moment <= now),
                  key=lambda one: one.moment)
