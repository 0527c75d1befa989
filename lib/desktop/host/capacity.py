"""What this computer can still give: measured now, held against what is promised already.

Everything comes from /proc and one statvfs, without waiting (0.2 ms). Memory is MB, disk GB, load
a share of all CPUs.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.errors import Refusal
from desktop.settings import Settings

RETRY = 60  # seconds: nobody knows when a place is free; people end sessions all the time
RETRY_LOAD = 10  # what /proc/pressure averages over


@dataclass(frozen=True)
class Host:
    """This computer at one moment."""

    cpus: int
    load: float
    memory: int
    available: int
    disk_free: float


@dataclass(frozen=True)
class Promise:
    """What a session was promised, or is asked for; a `parked` one takes no place."""

    owner: str
    cpu: int
    memory: int
    disk: float
    parked: bool = False


@dataclass(frozen=True)
class Free:
    """What one person can have now; None is no limit. `reason` says why there is nothing."""

    sessions: int | None
    cpu: int | None
    memory: int | None
    disk: float
    reason: str


def measure(settings: Settings, proc: Path = Path("/proc")) -> Host:
    """Measure this computer, without waiting."""
    cpus = len(os.sched_getaffinity(0))
    memory = {line.split(":")[0]: int(line.split()[1]) // 1024
              for line in (proc / "meminfo").read_text().splitlines() if line.endswith(" kB")}
    return Host(cpus, load(proc, cpus), memory["MemTotal"], memory["MemAvailable"],
                disk_free(settings.dir_snapshots))


def load(proc: Path, cpus: int) -> float:
    """Return how busy the CPUs were: the last ten seconds where the kernel tells, else a minute.

    Pressure is the share of time in which something that could run had to wait for a CPU.
    """
    try:
        some = (proc / "pressure" / "cpu").read_text().splitlines()[0]
        return float(some.split("avg10=")[1].split()[0]) / 100
    except (OSError, IndexError, ValueError):  # no PSI, or switched off (psi=0: EOPNOTSUPP)
        return float((proc / "loadavg").read_text().split()[0]) / cpus


def disk_free(directory: Path) -> float:
    """Return the GB an ordinary user can still write below a directory that need not exist."""
    while not directory.exists():
        directory = directory.parent
    state = os.statvfs(directory)
    return state.f_bavail * state.f_frsize / 1e9


def check(settings: Settings, host: Host, promises: Sequence[Promise], wish: Promise) -> None:
    """Raise Refusal, saying what is lacking, when the wish cannot be granted now.

    503 when the server is full, 429 when this person has had their share; 0 is no limit. Disks
    are thin, so what counts is the room left now, not the sizes promised: a server would refuse
    nearly everybody otherwise. When it fills up all the same, machines pause until there is room.
    """
    for rule in (sessions_left, load_left, share_left, cpu_left, memory_left, disk_left):
        rule(settings, host, promises, wish)


def possible(settings: Settings, host: Host, wish: Promise) -> bool:
    """Tell whether the wish could be granted if nothing else were promised."""
    cpu, memory = cpu_limit(settings, host), memory_limit(settings, host)
    return (cpu is None or wish.cpu <= cpu) and (memory is None or wish.memory <= memory)


def full(message: str, hint: str = "Try again in a minute.", retry_after: int = RETRY,
         status: int = 503) -> Refusal:
    """Return the refusal for something that is lacking now and may not be later."""
    return Refusal(message, status, hint, retry_after)


def sessions_left(settings: Settings, host: Host, promises: Sequence[Promise],
                  wish: Promise) -> None:
    """Refuse when all places are taken."""
    most = settings.service_max_instance_nb
    running = len(awake(promises))
    if most and running >= most:
        raise full(f"All {most} places are taken: {running} sessions are running.")


def load_left(settings: Settings, host: Host, promises: Sequence[Promise], wish: Promise) -> None:
    """Refuse while the CPUs are busy."""
    most = settings.service_max_load
    if most and host.load > most:
        raise full(f"The server is busy: its load is {host.load:.0%} and new sessions start "
                   f"below {most:.0%}.", "Try again in a few seconds.", RETRY_LOAD)


def share_left(settings: Settings, host: Host, promises: Sequence[Promise],
               wish: Promise) -> None:
    """Refuse more than one person's share; never their first session."""
    mine = [promise for promise in promises if promise.owner == wish.owner]
    most = settings.service_max_session_nb_per_user
    stop_one = "Stop one of your sessions first."
    if most and len(mine) >= most:
        raise full(f"You have {len(mine)} sessions and may have {most}.", stop_one, status=429)
    if not mine:
        return
    cpu = cpu_share(settings, host)
    if cpu is not None and total_cpu(mine) + wish.cpu > cpu:
        raise full(f"Your sessions have {total_cpu(mine)} CPUs and may have {cpu} together; "
                   f"{wish.cpu} more would be too many.", stop_one, status=429)
    memory = memory_share(settings, host)
    if memory is not None and total_memory(mine) + wish.memory > memory:
        raise full(f"Your sessions have {total_memory(mine)} MB of memory and may have {memory} "
                   f"together; {wish.memory} more would be too much.", stop_one, status=429)


def cpu_left(settings: Settings, host: Host, promises: Sequence[Promise], wish: Promise) -> None:
    """Refuse more virtual CPUs than the server may promise."""
    most = cpu_limit(settings, host)
    if most is not None and total_cpu(promises) + wish.cpu > most:
        raise full(f"{max(0, most - total_cpu(promises))} of {most} virtual CPUs are free and "
                   f"{wish.cpu} are asked for.", "Ask for fewer, or try again in a minute.")


def memory_left(settings: Settings, host: Host, promises: Sequence[Promise],
                wish: Promise) -> None:
    """Refuse more memory than is not promised yet, and more than is there at this moment.

    Guests take their memory bit by bit, so what is available now says little about what they
    were promised; other programs of the server promise nothing, so the sum says little of them.
    """
    most = memory_limit(settings, host)
    hint = "Ask for less, or try again in a minute."
    if most is not None and total_memory(promises) + wish.memory > most:
        raise full(f"{max(0, most - total_memory(promises))} of {most} MB of memory are not "
                   f"promised yet and {wish.memory} MB are asked for.", hint)
    room = memory_room(settings, host)
    if room is not None and wish.memory > room:
        raise full(f"{room} MB of memory can be given now and {wish.memory} MB are asked for.",
                   hint)


def disk_left(settings: Settings, host: Host, promises: Sequence[Promise], wish: Promise) -> None:
    """Refuse when the disk is nearly full."""
    least = settings.host_disk_reserve
    if least and host.disk_free < least:
        raise full(f"The server's disk is nearly full: {host.disk_free:.1f} GB are free and "
                   f"{least:g} GB must stay free.")


def awake(promises: Sequence[Promise]) -> list[Promise]:
    """Return those that take a place of the server's."""
    return [promise for promise in promises if not promise.parked]


def total_cpu(promises: Sequence[Promise]) -> int:
    """Return the virtual CPUs promised together."""
    return sum(promise.cpu for promise in promises)


def total_memory(promises: Sequence[Promise]) -> int:
    """Return the MB promised together."""
    return sum(promise.memory for promise in promises)


def cpu_limit(settings: Settings, host: Host) -> int | None:
    """Return how many virtual CPUs may be promised in all."""
    return int(settings.overcommit_cpu * host.cpus) if settings.overcommit_cpu else None


def memory_limit(settings: Settings, host: Host) -> int | None:
    """Return how many MB may be promised in all."""
    if not settings.overcommit_memory:
        return None
    return max(0, int(settings.overcommit_memory * (host.memory - settings.host_memory_reserve)))


def memory_room(settings: Settings, host: Host) -> int | None:
    """Return the MB one more machine may want now; who overcommits counts on part of it idle."""
    if not settings.overcommit_memory:
        return None
    room = max(0, host.available - settings.host_memory_reserve)
    return int(room * max(1.0, settings.overcommit_memory))


def cpu_share(settings: Settings, host: Host) -> int | None:
    """Return the virtual CPUs one person's sessions may have together."""
    share = settings.service_max_cpu_fraction_nb_per_user
    return int(share * (cpu_limit(settings, host) or host.cpus)) if share else None


def memory_share(settings: Settings, host: Host) -> int | None:
    """Return the MB one person's sessions may have together."""
    share = settings.service_max_mem_fraction_nb_per_user
    return int(share * (memory_limit(settings, host) or host.memory)) if share else None


def free(settings: Settings, host: Host, promises: Sequence[Promise], owner: str) -> Free:
    """Return what one person can have now, for the form to offer."""
    mine = [promise for promise in promises if promise.owner == owner]
    cpu = least(less(cpu_limit(settings, host), total_cpu(promises)),
                less(cpu_share(settings, host), total_cpu(mine)) if mine else None)
    memory = least(less(memory_limit(settings, host), total_memory(promises)),
                   memory_room(settings, host),
                   less(memory_share(settings, host), total_memory(mine)) if mine else None)
    sessions = least(less(settings.service_max_instance_nb or None, len(awake(promises))),
                     less(settings.service_max_session_nb_per_user or None, len(mine)))
    reason = ""
    try:
        check(settings, host, promises, Promise(owner, 1, 16, 0))
    except Refusal as refusal:
        sessions, reason = 0, str(refusal)
    return Free(sessions, cpu, memory, max(0.0, host.disk_free - settings.host_disk_reserve),
                reason)


def less(limit: int | None, used: int) -> int | None:
    """Return what is left of a limit."""
    return None if limit is None else max(0, limit - used)


def least(*limits: int | None) -> int | None:
    """Return the tightest limit, or None when there is none."""
    return min((limit for limit in limits if limit is not None), default=None)
