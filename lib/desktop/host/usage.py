"""What processes really use, as psutil reads it; for pages, never while somebody waits to start.

Imports psutil where it is needed: 26 ms that a start has no use for.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.process import Process, alive


@dataclass(frozen=True)
class Usage:
    """One process: MB of resident memory, and the CPUs it used on average since its start."""

    name: str
    pid: int
    memory: int
    cpu: float


def measure(processes: Mapping[str, Process | None]) -> list[Usage]:
    """Return what those of the named processes use that still run."""
    running = {name: one for name, one in processes.items() if one and alive(one)}
    return [usage for name, one in running.items() if (usage := look(name, one.pid))]


def look(name: str, pid: int) -> Usage | None:
    """Return what one process uses, or None when it ends at this moment."""
    import psutil
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            age = max(time.time() - process.create_time(), 1)
            return Usage(name, pid, process.memory_info().rss >> 20,
                         round((times.user + times.system) / age, 2))
    except psutil.Error:
        return None
